//! A path that is a relay and nothing else: iroh's own relay server, started here.

use super::process::{Folder, Process, noise};
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

struct Relay {
    child: Child,
    url: String,
}

impl Relay {
    /// None where only kez-iroh was built: its sibling is built with `--workspace`.
    fn start() -> Option<Self> {
        let program = Path::new(env!("CARGO_BIN_EXE_kez-iroh")).with_file_name("kez-test-relay");
        let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Some(Self { child, url: url.trim().to_owned() })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Waits until the endpoint has its relay.
fn online(process: &mut Process) -> serde_json::Value {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let addresses = process.ask(json!({ "do": "addresses" })).unwrap();
        if addresses["relay"].is_string() {
            return addresses;
        }
        assert!(Instant::now() < until, "no relay: {addresses}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Whether a process has a socket of UDP, which is what a direct path needs.
fn udp_sockets(pid: u32) -> bool {
    let Ok(entries) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    let links = entries.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
    let own: Vec<String> = links.map(|link| link.display().to_string()).collect();
    ["udp", "udp6"].iter().any(|kind| {
        let table = std::fs::read_to_string(format!("/proc/{pid}/net/{kind}")).unwrap_or_default();
        table
            .lines()
            .skip(1)
            .filter_map(|line| line.split_whitespace().nth(9))
            .any(|inode| own.contains(&format!("socket:[{inode}]")))
    })
}

#[test]
fn f13_a_file_goes_through_a_relay_when_no_direct_address_is_told() {
    let Some(relay) = Relay::start() else {
        println!("skipped: kez-test-relay was not built (cargo build --workspace)");
        return;
    };
    let folder = Folder::new();
    let how = json!({ "relay": [relay.url], "direct": false, "bind": null });
    let mut sender = Process::start_with(&folder.join("sender"), how.clone());
    let mut receiver = Process::start_with(&folder.join("receiver"), how);
    let addresses = online(&mut sender);
    online(&mut receiver);
    assert_eq!(addresses["addresses"], json!([]), "nobody is told a direct address");
    let bytes = noise(5_000_000, 1);
    std::fs::write(folder.join("f"), &bytes).unwrap();
    let files = sender.share("s", &folder.join("f"), &[receiver.id()]);
    folder.make("in");
    let provider = json!({ "endpoint": sender.id(), "relay": addresses["relay"] });
    let end = receiver.fetch("j", &files, &folder.join("in"), &[provider]);
    assert_eq!(end["state"], "done", "{end}");
    assert!(std::fs::read(folder.join("in/f")).unwrap() == bytes);
    let connected = receiver.until(|line| line["event"] == "source" && line["state"] == "connected");
    assert_eq!(connected["path"], "relay");
    assert_eq!(sender.event("serving")["path"], "relay");
    for process in [&mut sender, &mut receiver] {
        process.listen(Duration::from_millis(300));
        let said = process.heard.iter().filter(|line| line["event"] == "addresses");
        assert!(said.clone().all(|line| line["addresses"] == json!([])), "and not later either");
        assert!(!udp_sockets(process.pid()), "nothing of it is bound to an address of this computer");
    }
}

#[test]
fn f13_through_the_relay_alone_no_relay_of_the_other_side_is_asked() {
    let Some(relay) = Relay::start() else { return };
    let folder = Folder::new();
    let how = json!({ "relay": [relay.url], "direct": false, "bind": null });
    let mut receiver = Process::start_with(&folder.join("receiver"), how);
    online(&mut receiver);
    let theirs = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    theirs.set_nonblocking(true).unwrap();
    let url = format!("http://{}", theirs.local_addr().unwrap());
    folder.make("in");
    let provider =
        json!({ "endpoint": "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c", "relay": url });
    let files = json!([{ "hash": "aa".repeat(32), "size": 1, "path": "f" }]);
    let request =
        json!({ "do": "fetch", "job": "j", "files": files, "into": folder.join("in"), "providers": [provider] });
    receiver.ask(request).unwrap();
    let source = receiver.event("source");
    assert_eq!(source["state"], "unknown", "F13: {source}");
    std::thread::sleep(Duration::from_secs(1));
    assert!(theirs.accept().is_err(), "F13: the other side's relay was asked");
}

#[test]
fn f13_without_direct_connections_a_relay_is_demanded() {
    let mut process = Process::bare();
    assert_eq!(process.code(json!({ "do": "start", "data": "/nowhere", "direct": false })), "request.member");
}
