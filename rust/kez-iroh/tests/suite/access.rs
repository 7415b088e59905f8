//! The allow-list is asked before anything is read, and a grant that is taken back ends what runs.

use super::process::{memory_mb, noise, pair};
use super::stranger::{Asked, Stranger};
use serde_json::json;
use std::time::Duration;

#[test]
fn f2_an_unlisted_endpoint_is_refused_and_learns_nothing_of_any_hash() {
    let (folder, mut sender, receiver) = pair();
    std::fs::write(folder.join("f"), noise(100_000, 1)).unwrap();
    let files = sender.share("s", &folder.join("f"), &[receiver.id()]);
    let stranger = Stranger::new(1);
    let known = stranger.ask(&sender, files[0]["hash"].as_str().unwrap());
    let unknown = stranger.ask(&sender, &"ab".repeat(32));
    assert_eq!((&known, &unknown), (&Asked::Closed(1, "refused".into()), &Asked::Closed(1, "refused".into())));
    let refused = sender.event("refused");
    assert_eq!((&refused["peer"], &refused["why"]), (&json!(stranger.id()), &json!("unlisted")));
    assert!(!sender.heard.iter().any(|line| line["event"] == "serving" || line["event"] == "changed"));
}

#[test]
fn f2_a_listed_endpoint_gets_the_same_answer_for_a_hash_of_others_and_for_one_that_nobody_has() {
    let (folder, mut sender, receiver) = pair();
    std::fs::write(folder.join("hers"), noise(100_000, 1)).unwrap();
    std::fs::write(folder.join("his"), noise(100_000, 2)).unwrap();
    let guest = Stranger::new(2);
    let hers = sender.share("hers", &folder.join("hers"), &[guest.id()]);
    let his = sender.share("his", &folder.join("his"), &[receiver.id()]);
    assert!(matches!(guest.ask(&sender, hers[0]["hash"].as_str().unwrap()), Asked::Bytes(100_000)));
    assert_eq!(guest.ask(&sender, his[0]["hash"].as_str().unwrap()), Asked::Reset(1));
    assert_eq!(guest.ask(&sender, &"ab".repeat(32)), Asked::Reset(1));
    assert_eq!(sender.event("refused")["why"], "hash");
}

#[test]
fn nothing_but_ranges_of_one_file_is_answered() {
    let (folder, mut sender, _receiver) = pair();
    std::fs::write(folder.join("f"), noise(100_000, 1)).unwrap();
    let guest = Stranger::new(3);
    let files = sender.share("s", &folder.join("f"), &[guest.id()]);
    let hash = files[0]["hash"].as_str().unwrap();
    for kind in ["observe", "many", "sequence", "push", "garbage"] {
        assert_eq!(guest.ask_as(&sender, hash, kind), Asked::Reset(1), "{kind}");
    }
}

#[test]
fn a_grant_that_is_taken_back_cuts_the_transfer() {
    let (folder, mut sender, mut receiver) = pair();
    std::fs::write(folder.join("f"), noise(60_000_000, 3)).unwrap();
    let files = sender.share("s", &folder.join("f"), &[receiver.id()]);
    receiver
        .ask(json!({ "do": "fetch", "job": "j", "files": files, "into": folder.join("in"), "providers": [sender.provider()], "maxRate": 10_000_000 }))
        .unwrap();
    receiver.progress("j", 0.2);
    sender.ask(json!({ "do": "allow", "set": "s", "peers": [] })).unwrap();
    assert_eq!(sender.until(|line| line["event"] == "peer" && line["state"] == "cut")["peer"], json!(receiver.id()));
    let end = receiver.end("j");
    assert_eq!((&end["state"], &end["error"]["code"]), (&json!("failed"), &json!("peer.refused")));
    assert!(end["bytes"].as_u64().unwrap() < 60_000_000);
    assert!(!folder.join("in/f").exists());
}

#[test]
fn a_hash_that_is_taken_back_ends_its_stream_and_leaves_the_others() {
    let (folder, mut sender, mut receiver) = pair();
    std::fs::write(folder.join("a"), noise(30_000_000, 4)).unwrap();
    std::fs::write(folder.join("b"), noise(1_000_000, 5)).unwrap();
    let a = sender.share("a", &folder.join("a"), &[receiver.id()]);
    let b = sender.share("b", &folder.join("b"), &[receiver.id()]);
    receiver
        .ask(json!({ "do": "fetch", "job": "a", "files": a, "into": folder.join("in"), "providers": [sender.provider()], "maxRate": 5_000_000 }))
        .unwrap();
    receiver.progress("a", 0.1);
    sender.ask(json!({ "do": "forget", "set": "a" })).unwrap();
    assert_eq!(receiver.end("a")["error"]["code"], "peer.refused");
    assert_eq!(receiver.fetch("b", &b, &folder.join("in"), &[sender.provider()])["state"], "done");
}

#[test]
fn f9_a_thousand_streams_are_held_back_and_others_are_served() {
    let (folder, mut sender, mut receiver) = pair();
    std::fs::write(folder.join("f"), noise(5_000_000, 6)).unwrap();
    let flooder = Stranger::new(4);
    let files = sender.share("s", &folder.join("f"), &[receiver.id(), flooder.id()]);
    let flood = flooder.flood(&sender, files[0]["hash"].as_str().unwrap(), 1000);
    assert!(flood.opened() <= 16, "{} streams were open at once", flood.opened());
    assert_eq!(receiver.fetch("j", &files, &folder.join("in"), &[sender.provider()])["state"], "done");
    drop(flood);
    sender.listen(Duration::from_millis(100));
    assert!(memory_mb(sender.pid()) < 150);
}

#[test]
fn f9_connections_of_one_peer_are_bounded() {
    let (folder, mut sender, _receiver) = pair();
    std::fs::write(folder.join("f"), noise(10, 7)).unwrap();
    let guest = Stranger::new(5);
    sender.share("s", &folder.join("f"), &[guest.id()]);
    let connections = guest.connect_often(&sender, 6);
    assert_eq!(connections.iter().filter(|reason| reason.is_some()).count(), 2, "{connections:?}");
    assert_eq!(sender.event("refused")["why"], "connections");
}
