//! The agent as a process: it signs without a passphrase for a while, and shows its secret to nobody.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{ALICE, Home};

const CLAIM: [&str; 5] = ["claim", "create", "dns:a.example", "--format", "json"];
const NOSTR_WORDS: &str = "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong";

/// A home whose only identity has a passphrase, and the file with it. Sockets have short paths.
fn locked_home(name: &str, words: &str, key_type: &str) -> (Home, String) {
    let path = std::env::temp_dir().join(format!("kez-{name}-{}", std::process::id()));
    drop(fs::remove_dir_all(&path));
    fs::create_dir_all(&path).unwrap();
    let home = Home(path);
    let passphrase = home.file("right", "correct horse\n");
    let restore = ["identity", "restore", "alice", "--mnemonic", "-", "--key-type", key_type, "--passphrase-file"];
    home.ok(&[&restore[..], &[&passphrase]].concat(), words);
    (home, passphrase)
}

fn unlock(home: &Home, passphrase: &str, more: &[&str]) -> Value {
    let (code, answer) = home.json(&[&["identity", "unlock", "--passphrase-file", passphrase], more].concat(), "");
    assert_eq!(code, 0, "{answer}");
    answer["data"].clone()
}

fn folder(home: &Home) -> PathBuf {
    home.0.join("kez/rust/run")
}

fn socket(home: &Home) -> PathBuf {
    folder(home).join("alice.sock")
}

/// Ends what a test left, whatever came of it.
struct Unlocked(Home);

impl Drop for Unlocked {
    fn drop(&mut self) {
        drop(fs::set_permissions(folder(&self.0), fs::Permissions::from_mode(0o700)));
        self.0.run(&["identity", "lock"], "");
    }
}

fn say(socket: &Path, text: &[u8]) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    drop(stream.write_all(text));
    drop(stream.shutdown(std::net::Shutdown::Write));
    let mut heard = Vec::new();
    drop(stream.read_to_end(&mut heard));
    String::from_utf8(heard).unwrap()
}

/// The processes of agents at this socket.
fn agents(socket: &Path) -> Vec<String> {
    let ids = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let ids = ids.filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
    let is_its = |id: &String| {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains("agent-process") && line.contains(&socket.display().to_string())
    };
    ids.filter(is_its).collect()
}

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
    let (code, answer) = home.0.json(&["identity", "unlock", "--passphrase-file", &passphrase], "");
    assert_eq!((code, &answer["error"]["code"]), (1, &"store.permissions".into()));
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
    let environment = fs::read(format!("/proc/{}/environ", agents[0])).unwrap_or_default();
    assert!(environment.is_empty());
    for ask in ["who", "sign", "event", "secret", "words", "export"] {
        let heard = say(&socket, format!("{{\"ask\":\"{ask}\"}}\n").as_bytes());
        let answer: Value = serde_json::from_str(&heard).unwrap();
        assert!(answer.get("error").is_some() || answer.as_object().unwrap().len() == 2, "{heard}");
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
    let ask = |text: &str| -> Value {
        let question = serde_json::json!({ "ask": "sign", "text": text }).to_string() + "\n";
        serde_json::from_str(&say(&socket, question.as_bytes())).unwrap()
    };
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
    sleep(Duration::from_millis(5_500));
    drop(idle);
    assert_eq!(home.0.json(&CLAIM, "").0, 0, "it does not wait for who says nothing");
}

#[test]
fn a_removed_identity_is_locked() {
    let (home, passphrase) = locked_home("removed", ALICE, "ed25519");
    let home = Unlocked(home);
    unlock(&home.0, &passphrase, &[]);
    let socket = socket(&home.0);
    home.0.ok(&["identity", "remove", "alice", "--yes"], "");
    assert!(!socket.exists());
}

#[test]
fn nostr_events_are_signed_and_other_texts_are_not() {
    let (home, passphrase) = locked_home("nostr", NOSTR_WORDS, "nostr");
    let home = Unlocked(home);
    unlock(&home.0, &passphrase, &[]);
    assert_eq!(home.0.json(&CLAIM, "").0, 0);
    let socket = socket(&home.0);
    let wrong = serde_json::json!({ "ask": "event", "text": format!("[0,\"{}\",1,1,[],\"\"]", "ab".repeat(32)) });
    assert!(say(&socket, format!("{wrong}\n").as_bytes()).contains("error"));
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
        println!("needs root, to speak as another user");
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
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
    assert!(say(&socket(&home.0), b"{\"ask\":\"who\"}\n").contains("identity"));
}
