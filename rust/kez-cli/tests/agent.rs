//! A key that an agent holds: it signs for commands without a passphrase for a while.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::ALICE;
use support::agents::{Unlocked, agents, folder, locked_home, socket, unlock, wait_until};

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
fn a_removed_identity_is_locked() {
    let (home, passphrase) = locked_home("removed", ALICE, "ed25519");
    let home = Unlocked(home);
    unlock(&home.0, &passphrase, &[]);
    let socket = socket(&home.0);
    home.0.ok(&["identity", "remove", "alice", "--yes"], "");
    assert!(!socket.exists() && agents(&socket).is_empty());
}
