//! The process of an agent: it shows its secret to nobody, answers its user alone, and ends when it cannot be reached.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use support::ALICE;
use support::agents::{
    NOSTR_WORDS, Unlocked, agents, ask_to_sign, folder, locked_home, say, socket, unlock, wait_until,
};

const CLAIM: [&str; 5] = ["claim", "create", "dns:a.example", "--format", "json"];

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
