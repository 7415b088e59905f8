//! The agent as a process: it signs without a passphrase for a while, and shows its secret to nobody.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use support::ALICE;
use support::agents::{
    NOSTR_WORDS, Unlocked, agents, ask_to_sign, folder, locked_home, say, socket, unlock, wait_until,
};

const CLAIM: [&str; 5] = ["claim", "create", "dns:a.example", "--format", "json"];

#[test]
fn unlock_lets_commands_sign_until_lock() {
    let (home, passphrase) = locked_home("unlock", ALICE, "ed25519");
    let home = Unlocked(home);
    let data = unlock(&home.0, &passphrase, &[]);
    let (_, list) = home.0.json(&["identity", "list"], "");
    assert_eq!(list["data"]["identities"][0]["unlocked_until"], data["unlocked_until"]);
    let (code, claim) = home.0.json(&CLAIM, "");
    assert_eq!((code, &claim["data"]["primary"]), (0, &data["identity"]));
    home.0.ok(&["sigchain", "add", "dns:a.example"], "");
    home.0.ok(&["sigchain", "head"], "");
    // Words are no signature: they still need the passphrase.
    let (code, words) = home.0.json(&["identity", "mnemonic", "--reveal-words"], "");
    assert_eq!((code, &words["error"]["code"]), (4, &"key.locked".into()));
    assert_eq!(home.0.ok(&["identity", "lock"], ""), "Locked: alice.\n");
    // At once: it is told when the process is at its end.
    assert!(agents(&socket(&home.0)).is_empty());
    assert_eq!(home.0.ok(&["identity", "lock", "alice"], ""), "Nothing was unlocked.\n");
    let (code, claim) = home.0.json(&CLAIM, "");
    assert_eq!((code, &claim["error"]["code"]), (4, &"key.locked".into()));
    assert_eq!(home.0.json(&["identity", "list"], "").1["data"]["identities"][0]["unlocked_until"], Value::Null);
}

#[test]
fn socket_and_folder_are_their_users_alone() {
    let (home, passphrase) = locked_home("modes", ALICE, "ed25519");
    let home = Unlocked(home);
    unlock(&home.0, &passphrase, &[]);
    assert_eq!(fs::metadata(socket(&home.0)).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(folder(&home.0)).unwrap().mode() & 0o777, 0o700);
    fs::set_permissions(folder(&home.0), fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(home.0.json(&CLAIM, "").0, 4, "an agent in an open folder was used");
    let unlock_again = ["identity", "unlock", "--passphrase-file", &passphrase];
    for args in [&unlock_again[..], &["identity", "lock"], &["identity", "lock", "alice"]] {
        let (code, answer) = home.0.json(args, "");
        assert_eq!((code, &answer["error"]["code"]), (1, &"store.permissions".into()), "{args:?}");
        assert_eq!(answer["error"]["hint"], format!("chmod 700 {}", folder(&home.0).display()));
    }
    fs::set_permissions(folder(&home.0), fs::Permissions::from_mode(0o700)).unwrap();
    let above = folder(&home.0).parent().unwrap().to_owned();
    fs::set_permissions(&above, fs::Permissions::from_mode(0o777)).unwrap();
    let (_, answer) = home.0.json(&["identity", "lock"], "");
    assert_eq!(answer["error"]["hint"], format!("chmod go-w {}", above.display()));
    fs::set_permissions(&above, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(home.0.ok(&["identity", "lock"], ""), "Locked: alice.\n");
}

#[test]
fn an_agent_that_does_not_answer_is_told_and_can_be_ended_later() {
    let (home, passphrase) = locked_home("stopped", ALICE, "ed25519");
    let home = Unlocked(home);
    unlock(&home.0, &passphrase, &[]);
    let socket = socket(&home.0);
    let agent = agents(&socket).pop().unwrap();
    let signal = |name: &str| assert!(Command::new("kill").args([name, &agent]).status().unwrap().success());
    signal("-STOP");
    for args in [&["identity", "lock"][..], &["identity", "remove", "alice", "--yes"]] {
        let (code, answer) = home.0.json(args, "");
        assert_eq!((code, &answer["error"]["code"]), (1, &"store.busy".into()), "{answer}");
    }
    assert!(socket.exists() && agents(&socket).len() == 1);
    signal("-CONT");
    assert!(wait_until(|| agents(&socket).is_empty() && !socket.exists()), "it was asked to end");
    assert_eq!(home.0.ok(&["identity", "lock"], ""), "Nothing was unlocked.\n");
    assert_eq!(home.0.json(&["identity", "list"], "").1["data"]["identities"][0]["name"], "alice");
}

#[test]
fn an_agent_that_cannot_be_reached_any_more_ends() {
    for what in ["socket", "folder"] {
        let (home, passphrase) = locked_home(what, ALICE, "ed25519");
        let home = Unlocked(home);
        unlock(&home.0, &passphrase, &[]);
        let socket = socket(&home.0);
        match what {
            "socket" => fs::remove_file(&socket).unwrap(),
            _ => fs::remove_dir_all(home.0.0.join("kez")).unwrap(),
        }
        assert!(wait_until(|| agents(&socket).is_empty()), "{what}");
        assert_eq!(home.0.0.join("kez").exists(), what == "socket", "it makes nothing again");
    }
}

#[test]
fn an_agent_that_is_asked_to_end_by_a_signal_takes_its_socket_away() {
    let (home, passphrase) = locked_home("signal", ALICE, "ed25519");
    let home = Unlocked(home);
    unlock(&home.0, &passphrase, &[]);
    let socket = socket(&home.0);
    assert!(Command::new("kill").args(["-TERM", &agents(&socket)[0]]).status().unwrap().success());
    assert!(wait_until(|| agents(&socket).is_empty() && !socket.exists()));
}

#[test]
fn where_an_agent_is_depends_on_the_home_alone() {
    let (home, passphrase) = locked_home("where", ALICE, "ed25519");
    let home = Unlocked(home);
    let run = |variables: &[(&str, &str)], args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kez-rs"));
        let output = command.args(args).env_clear().envs(variables.iter().copied()).current_dir(&home.0.0).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    let data = home.0.0.display().to_string();
    let runtime = home.0.0.join("runtime");
    fs::create_dir(&runtime).unwrap();
    fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700)).unwrap();
    let runtime = runtime.display().to_string();
    let said = run(
        &[("XDG_DATA_HOME", &data), ("XDG_RUNTIME_DIR", &runtime)],
        &["identity", "unlock", "--passphrase-file", &passphrase],
    );
    assert!(said.contains("unlocked until"), "{said}");
    assert_eq!(run(&[("KEZ_HOME", "kez"), ("TMPDIR", &runtime)], &["identity", "lock"]), "Locked: alice.\n");
}

#[test]
fn a_setting_that_only_unlock_needs_stops_nothing_else() {
    let (home, passphrase) = locked_home("setting", ALICE, "ed25519");
    let home = Unlocked(home);
    fs::write(home.0.0.join("kez/config.toml"), "unlock_for = \"2d\"\n").unwrap();
    home.0.ok(&["identity", "list"], "");
    let (code, answer) = home.0.json(&["identity", "unlock", "--passphrase-file", &passphrase], "");
    assert_eq!((code, &answer["error"]["code"]), (2, &"usage".into()));
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.ends_with("expected a time such as 15m or 8h, at most 24h"), "{message}");
    unlock(&home.0, &passphrase, &["--for", "1h"]);
}

#[test]
fn why_an_agent_does_not_start_is_told() {
    let (home, passphrase) = locked_home("start", ALICE, "ed25519");
    let ran = home.run(&["agent-process", "/nowhere/alice.sock", "1"], "no key");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, "expected a key on stdin\n"));
    // `unlock` starts its own program again, which is gone by then.
    let program = home.0.join("kez-rs");
    fs::copy(env!("CARGO_BIN_EXE_kez-rs"), &program).unwrap();
    let mut child = Command::new(&program)
        .args(["identity", "unlock", "--passphrase-fd", "0", "--json"])
        .env_clear()
        .env("KEZ_HOME", home.0.join("kez"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    fs::remove_file(&program).unwrap();
    child.stdin.take().unwrap().write_all(&fs::read(passphrase).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &answer["error"]["code"]), (Some(1), &"internal".into()), "{answer}");
    assert!(answer["error"]["message"].as_str().unwrap().starts_with("Cannot start the agent of alice: "), "{answer}");
    assert!(!socket(&home).exists());
}

/// A session of its own, no core files, memory that is not written to swap where the system lets it.
#[test]
fn the_process_is_closed_off() {
    let (home, passphrase) = locked_home("closed", ALICE, "ed25519");
    let home = Unlocked(home);
    unlock(&home.0, &passphrase, &[]);
    let agent = agents(&socket(&home.0)).pop().unwrap();
    let file = |name: &str| fs::read_to_string(format!("/proc/{agent}/{name}")).unwrap();
    let stat = file("stat");
    // After the name: state, parent, group, session.
    let session = stat.rsplit(") ").next().unwrap().split(' ').nth(3).unwrap().to_owned();
    assert_eq!(session, agent);
    let limits = file("limits");
    let core: Vec<&str> =
        limits.lines().find(|line| line.starts_with("Max core")).unwrap().split_whitespace().collect();
    assert_eq!(core[4..6], ["0", "0"]);
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if !is_root {
        // What is not dumpable belongs to root.
        assert_eq!(fs::metadata(format!("/proc/{agent}")).unwrap().uid(), 0);
    }
    let status = file("status");
    let locked = status.lines().find(|line| line.starts_with("VmLck")).unwrap();
    assert!(!is_root || !locked.contains(" 0 kB"), "{locked}");
}

#[test]
fn the_secret_is_in_no_argument_no_environment_and_no_answer() {
    let (home, passphrase) = locked_home("secret", ALICE, "ed25519");
    let home = Unlocked(home);
    unlock(&home.0, &passphrase, &[]);
    let socket = socket(&home.0);
    let agents = agents(&socket);
    assert_eq!(agents.len(), 1);
    let line = fs::read(format!("/proc/{}/cmdline", agents[0])).unwrap();
    assert_eq!(line.split(|byte| *byte == 0).filter(|part| !part.is_empty()).count(), 4, "{line:?}");
    // Not dumpable: not even the same user reads it. Root does, and finds nothing.
    match fs::read(format!("/proc/{}/environ", agents[0])) {
        Ok(environment) => assert!(environment.is_empty()),
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied),
    }
    for ask in ["who", "sign", "event", "secret", "words", "export"] {
        let heard = say(&socket, format!("{{\"ask\":\"{ask}\"}}\n").as_bytes());
        let answer: Value = serde_json::from_str(&heard).unwrap();
        let members: Vec<&String> = answer.as_object().unwrap().keys().collect();
        let expected = if ask == "who" { vec!["identity", "until"] } else { vec!["error"] };
        assert_eq!(members, expected, "{heard}");
    }
}

#[test]
fn the_agent_ends_at_its_time() {
    let (home, passphrase) = locked_home("time", ALICE, "ed25519");
    let home = Unlocked(home);
    unlock(&home.0, &passphrase, &["--for", "4s"]);
    let socket = socket(&home.0);
    assert_eq!(home.0.json(&CLAIM, "").0, 0);
    let end = Instant::now() + Duration::from_secs(15);
    while (socket.exists() || !agents(&socket).is_empty()) && Instant::now() < end {
        sleep(Duration::from_millis(100));
    }
    assert!(!socket.exists() && agents(&socket).is_empty());
    assert_eq!(home.0.json(&CLAIM, "").0, 4);
    for typed in ["30d", "0s", "soon"] {
        let (code, answer) = home.0.json(&["identity", "unlock", "--for", typed, "--passphrase-file", &passphrase], "");
        assert_eq!((code, &answer["error"]["code"]), (2, &"usage".into()), "{typed}");
    }
}

#[test]
fn a_later_agent_takes_the_place_of_an_earlier_one() {
    let (home, passphrase) = locked_home("later", ALICE, "ed25519");
    let home = Unlocked(home);
    let first = unlock(&home.0, &passphrase, &["--for", "1h"]);
    let second = unlock(&home.0, &passphrase, &["--for", "2h"]);
    assert!(first["unlocked_until"].as_u64() < second["unlocked_until"].as_u64());
    let end = Instant::now() + Duration::from_secs(10);
    while agents(&socket(&home.0)).len() != 1 && Instant::now() < end {
        sleep(Duration::from_millis(50));
    }
    assert_eq!(agents(&socket(&home.0)).len(), 1);
    let (_, list) = home.0.json(&["identity", "list"], "");
    assert_eq!(list["data"]["identities"][0]["unlocked_until"], second["unlocked_until"]);
}

#[test]
fn an_agent_that_was_killed_leaves_no_broken_state() {
    let (home, passphrase) = locked_home("killed", ALICE, "ed25519");
    let home = Unlocked(home);
    unlock(&home.0, &passphrase, &[]);
    let socket = socket(&home.0);
    let killed = Command::new("kill").args(["-9", &agents(&socket)[0]]).status().unwrap();
    assert!(killed.success() && socket.exists());
    assert_eq!(home.0.json(&CLAIM, "").0, 4);
    unlock(&home.0, &passphrase, &[]);
    assert_eq!(home.0.json(&CLAIM, "").0, 0);
}

#[test]
fn bytes_that_are_no_statement_are_refused_and_nonsense_is_survived() {
    let (home, passphrase) = locked_home("nonsense", ALICE, "ed25519");
    let home = Unlocked(home);
    let data = unlock(&home.0, &passphrase, &[]);
    let socket = socket(&home.0);
    let claim = home.0.ok(&[&CLAIM[..], &["-q"]].concat(), "");
    let payload = serde_json::from_str::<Value>(&claim).unwrap()["payload"].clone();
    let ask = |text: &str| ask_to_sign(&socket, text);
    // serde_json keeps members sorted, as JCS wants them.
    assert!(ask(&payload.to_string())["signature"].is_string());
    let other =
        payload.to_string().replace(data["identity"].as_str().unwrap(), &format!("ed25519:{}", "ab".repeat(32)));
    for text in [" ".repeat(32), "\u{1}".repeat(32), format!(" {payload}"), other, String::new()] {
        assert!(ask(&text)["error"].is_string(), "{text}");
    }
    let long = vec![b'x'; 1_000_000];
    for nonsense in [&b"\n"[..], b"{\n", &long, b"\x00\xff\n", b"{\"ask\":\"sign\"}\n", b""] {
        assert!(!say(&socket, nonsense).contains("signature"));
    }
    let idle: Vec<UnixStream> = (0..40).map(|_| UnixStream::connect(&socket).unwrap()).collect();
    assert_eq!(home.0.json(&CLAIM, "").0, 0, "it does not wait for ever for who says nothing");
    drop(idle);
    let idle: Vec<UnixStream> = (0..20).map(|_| UnixStream::connect(&socket).unwrap()).collect();
    assert_eq!(home.0.ok(&["identity", "lock"], ""), "Locked: alice.\n");
    drop(idle);
}

#[test]
fn a_removed_identity_is_locked() {
    let (home, passphrase) = locked_home("removed", ALICE, "ed25519");
    let home = Unlocked(home);
    unlock(&home.0, &passphrase, &[]);
    let socket = socket(&home.0);
    home.0.ok(&["identity", "remove", "alice", "--yes"], "");
    assert!(!socket.exists() && agents(&socket).is_empty());
}

#[test]
fn nostr_events_are_signed_and_other_texts_are_not() {
    let (home, passphrase) = locked_home("nostr", NOSTR_WORDS, "nostr");
    let home = Unlocked(home);
    let identity = unlock(&home.0, &passphrase, &[])["identity"].as_str().unwrap().to_owned();
    assert_eq!(home.0.json(&CLAIM, "").0, 0);
    let socket = socket(&home.0);
    let compact = home.0.ok(&["claim", "create", &identity, "--format", "compact", "-q"], "");
    let author = home.0.ok(&["claim", "create", &identity, "--format", "json", "-q"], "");
    let author = serde_json::from_str::<Value>(&author).unwrap()["payload"]["primary"].as_str().unwrap().to_owned();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let ask = |kind: u32, tags: Value, content: &str| -> Value {
        let event = serde_json::json!([0, hex_of(&author), now, kind, tags, content]);
        let question = serde_json::json!({ "ask": "event", "text": event.to_string() });
        serde_json::from_str(&say(&socket, format!("{question}\n").as_bytes())).unwrap()
    };
    let data = serde_json::json!([["d", "kez"]]);
    assert_eq!(ask(30_078, data.clone(), compact.trim_end())["signature"].as_str().unwrap().len(), 128);
    for (kind, tags, content) in [
        (1, serde_json::json!([]), "Buy this."),
        (0, serde_json::json!([]), "{\"lud16\":\"thief@a.example\"}"),
        (5, serde_json::json!([["e", "ab".repeat(32)]]), ""),
        (30_078, data, ""),
    ] {
        assert!(ask(kind, tags, content)["error"].is_string(), "{kind}");
    }
}

/// The 32 bytes of an npub.
fn hex_of(identity: &str) -> String {
    const LETTERS: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let data = identity.strip_prefix("nostr:npub1").unwrap();
    let bits: String = data.chars().map(|it| format!("{:05b}", LETTERS.find(it).unwrap())).collect();
    let byte = |at: usize| format!("{:02x}", u8::from_str_radix(&bits[at * 8..at * 8 + 8], 2).unwrap());
    (0..32).map(byte).collect()
}

/// Not a test of its own: says what it hears at a socket, as another user.
#[test]
#[ignore = "run by somebody_else_is_not_heard"]
fn speaks_as_another_user() {
    if let Some(socket) = std::env::var_os("KEZ_TEST_SOCKET") {
        assert_eq!(say(Path::new(&socket), b"{\"ask\":\"who\"}\n"), "");
    }
}

#[test]
fn somebody_else_is_not_heard() {
    let (home, passphrase) = locked_home("peer", ALICE, "ed25519");
    let home = Unlocked(home);
    unlock(&home.0, &passphrase, &[]);
    if fs::metadata("/proc/self").map(|it| it.uid()).unwrap_or(1) != 0 {
        let why = "skipped: somebody_else_is_not_heard needs root, to speak as another user\n";
        assert!(std::env::var("CI").map_or(true, |it| it.is_empty() || it == "false" || it == "0"), "{why}");
        // Not by a macro, whose words nobody sees where the test passes.
        std::io::stderr().write_all(why.as_bytes()).unwrap();
        return;
    }
    // The doors are open, so that only what the agent itself looks at is left.
    for path in [home.0.0.clone(), home.0.0.join("kez"), home.0.0.join("kez/rust"), folder(&home.0)] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::set_permissions(socket(&home.0), fs::Permissions::from_mode(0o666)).unwrap();
    let program = home.0.0.join("other");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let ran = Command::new(&program)
        .args(["--exact", "speaks_as_another_user", "--ignored"])
        .env("KEZ_TEST_SOCKET", socket(&home.0))
        .current_dir("/")
        .uid(65_534)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
    assert!(say(&socket(&home.0), b"{\"ask\":\"who\"}\n").contains("identity"));
}
