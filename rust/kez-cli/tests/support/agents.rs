//! Homes whose keys agents hold.
#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Home;

pub const NOSTR_WORDS: &str = "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong";

/// A home whose only identity has a passphrase, and the file with it. Sockets have short paths.
pub fn locked_home(name: &str, words: &str, key_type: &str) -> (Home, String) {
    let path = std::env::temp_dir().join(format!("kez-{name}-{}", std::process::id()));
    drop(fs::remove_dir_all(&path));
    fs::create_dir_all(&path).unwrap();
    let home = Home(path);
    let passphrase = home.file("right", "correct horse\n");
    let restore = ["identity", "restore", "alice", "--mnemonic", "-", "--key-type", key_type, "--passphrase-file"];
    home.ok(&[&restore[..], &[&passphrase]].concat(), words);
    (home, passphrase)
}

pub fn unlock(home: &Home, passphrase: &str, more: &[&str]) -> Value {
    let (code, answer) = home.json(&[&["identity", "unlock", "--passphrase-file", passphrase], more].concat(), "");
    assert_eq!(code, 0, "{answer}");
    answer["data"].clone()
}

pub fn folder(home: &Home) -> PathBuf {
    home.0.join("kez/rust/run")
}

pub fn socket(home: &Home) -> PathBuf {
    folder(home).join("alice.sock")
}

/// Ends what a test left, whatever came of it.
pub struct Unlocked(pub Home);

impl Drop for Unlocked {
    fn drop(&mut self) {
        for id in agents(&socket(&self.0)) {
            drop(Command::new("kill").args(["-CONT", &id]).status());
        }
        drop(fs::set_permissions(folder(&self.0), fs::Permissions::from_mode(0o700)));
        self.0.run(&["identity", "lock"], "");
    }
}

pub fn say(socket: &Path, text: &[u8]) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    drop(stream.write_all(text));
    drop(stream.shutdown(std::net::Shutdown::Write));
    let mut heard = Vec::new();
    drop(stream.read_to_end(&mut heard));
    String::from_utf8(heard).unwrap()
}

/// What an agent answers where it is asked to sign this statement.
pub fn ask_to_sign(socket: &Path, text: &str) -> Value {
    let question = serde_json::json!({ "ask": "sign", "text": text }).to_string() + "\n";
    serde_json::from_str(&say(socket, question.as_bytes())).unwrap()
}

/// The processes of agents at this socket.
pub fn agents(socket: &Path) -> Vec<String> {
    let ids = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let ids = ids.filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
    let is_its = |id: &String| {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains("agent-process") && line.contains(&socket.display().to_string())
    };
    ids.filter(is_its).collect()
}

pub fn wait_until(is_so: impl Fn() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(15);
    while !is_so() && Instant::now() < end {
        sleep(Duration::from_millis(50));
    }
    is_so()
}
