//! What becomes of what endpoints send that do not keep to the rules.

use super::process::{Folder, Process, memory_mb, noise, pair};
use super::stranger::Stranger;
use iroh_blobs::Hash;
use iroh_blobs::protocol::ChunkRanges;
use serde_json::{Value, json};
use std::time::Duration;

/// A file as iroh-blobs would send it: its size, hash pairs and bytes.
pub fn encoded(bytes: &[u8]) -> Vec<u8> {
    let outboard = bao_tree::io::outboard::PreOrderMemOutboard::create(bytes, bao_tree::BlockSize::from_chunk_log(4));
    let mut out = (bytes.len() as u64).to_le_bytes().to_vec();
    bao_tree::io::sync::encode_ranges_validated(bytes, &outboard, &ChunkRanges::all(), &mut out).unwrap();
    out
}

pub struct Scene {
    pub folder: Folder,
    pub receiver: Process,
    pub bytes: Vec<u8>,
    pub wanted: Vec<Value>,
}

pub fn scene() -> Scene {
    let folder = Folder::new();
    let receiver = Process::start(&folder.join("receiver"));
    folder.make("in");
    let bytes = noise(1_000_000, 9);
    let wanted = vec![json!({ "hash": Hash::new(&bytes).to_hex().to_string(), "size": bytes.len(), "path": "f" })];
    Scene { folder, receiver, bytes, wanted }
}

#[test]
fn an_honest_answer_of_the_stranger_is_taken() {
    let mut scene = scene();
    let stranger = Stranger::new(20);
    let provider = stranger.serve(encoded(&scene.bytes));
    let end = scene.receiver.fetch("j", &scene.wanted, &scene.folder.join("in"), &[provider]);
    assert_eq!(end["state"], "done", "{end}");
    assert!(std::fs::read(scene.folder.join("in/f")).unwrap() == scene.bytes);
}

#[test]
fn f1_one_wrong_bit_is_found_and_nothing_after_it_is_written() {
    let mut scene = scene();
    let mut lie = encoded(&scene.bytes);
    let at = lie.len() / 2;
    lie[at] ^= 1;
    let stranger = Stranger::new(21);
    let provider = stranger.serve(lie);
    let end = scene.receiver.fetch("j", &scene.wanted, &scene.folder.join("in"), &[provider]);
    assert_eq!(
        (&end["state"], &end["error"]["code"], &end["faults"]),
        (&json!("failed"), &json!("peer.faulty"), &json!(3))
    );
    let fault = scene.receiver.event("fault");
    assert_eq!(
        (&fault["peer"], &fault["kind"], &fault["path"]),
        (&json!(stranger.id()), &json!("checksum"), &json!("f"))
    );
    let part = std::fs::read(scene.folder.join("in/.kez-incoming-j/0.part")).unwrap();
    assert!(part.len() < 520_000 && part == scene.bytes[..part.len()]);
    assert!(!scene.folder.join("in/f").exists());
}

#[test]
fn f1_wrong_bytes_of_one_source_are_fetched_from_another() {
    let mut scene = scene();
    std::fs::write(scene.folder.join("f"), &scene.bytes).unwrap();
    let mut honest = Process::start(&scene.folder.join("honest"));
    honest.share("s", &scene.folder.join("f"), &[scene.receiver.id()]);
    let mut lie = encoded(&scene.bytes);
    lie[300_000] ^= 0x80;
    let stranger = Stranger::new(22);
    let liar = stranger.serve(lie);
    // The liar is asked first: the honest one is not reachable yet.
    let nowhere = json!({ "endpoint": honest.id(), "addresses": ["127.0.0.1:9"] });
    let request = json!({ "do": "fetch", "job": "j", "files": scene.wanted, "into": scene.folder.join("in"), "providers": [liar, nowhere] });
    scene.receiver.ask(request).unwrap();
    assert_eq!(scene.receiver.event("fault")["peer"], json!(stranger.id()));
    scene.receiver.ask(json!({ "do": "providers", "job": "j", "providers": [honest.provider()] })).unwrap();
    let end = scene.receiver.end("j");
    assert_eq!((&end["state"], &end["faults"]), (&json!("done"), &json!(1)));
    assert!(std::fs::read(scene.folder.join("in/f")).unwrap() == scene.bytes);
}

#[test]
fn f4_a_size_that_is_not_the_signed_one_is_refused_before_anything_is_written() {
    for (seed, size) in [(30, 1_000_001_u64), (31, 999_999), (32, 1 << 53), (33, u64::MAX), (34, 0)] {
        let mut scene = scene();
        let mut lie = encoded(&scene.bytes);
        lie[..8].copy_from_slice(&size.to_le_bytes());
        let stranger = Stranger::new(seed);
        let provider = stranger.serve(lie);
        let end = scene.receiver.fetch("j", &scene.wanted, &scene.folder.join("in"), &[provider]);
        assert_eq!(end["error"]["code"], "peer.faulty", "{size}: {end}");
        assert_eq!(scene.receiver.event("fault")["kind"], "size");
        assert!(!scene.folder.join("in/.kez-incoming-j/0.part").exists());
    }
}

#[test]
fn f4_a_manifest_whose_size_is_wrong_is_not_believed_although_the_source_plays_along() {
    let mut scene = scene();
    scene.wanted[0]["size"] = json!(1_000_001);
    let mut lie = encoded(&scene.bytes);
    lie[..8].copy_from_slice(&1_000_001_u64.to_le_bytes());
    lie.push(0);
    let stranger = Stranger::new(35);
    let provider = stranger.serve(lie);
    let end = scene.receiver.fetch("j", &scene.wanted, &scene.folder.join("in"), &[provider]);
    assert_eq!(end["state"], "failed", "{end}");
    assert!(!scene.folder.join("in/f").exists());
}

#[test]
fn f4_fewer_bytes_than_stated_and_none_at_all_are_no_file() {
    for (seed, keep) in [(36, 0), (37, 8), (38, 500_000)] {
        let mut scene = scene();
        let mut lie = encoded(&scene.bytes);
        lie.truncate(keep);
        let stranger = Stranger::new(seed);
        let provider = stranger.serve(lie);
        let end = scene.receiver.fetch("j", &scene.wanted, &scene.folder.join("in"), &[provider]);
        assert_eq!(end["state"], "failed", "{keep}: {end}");
        assert!(!scene.folder.join("in/f").exists());
    }
}

#[test]
fn f3_an_impostor_at_the_address_gets_no_connection() {
    let mut scene = scene();
    let stranger = Stranger::new(39);
    let mut provider = stranger.serve(encoded(&scene.bytes));
    provider["endpoint"] = json!(Stranger::new(40).id());
    let request = json!({ "do": "fetch", "job": "j", "files": scene.wanted, "into": scene.folder.join("in"), "providers": [provider] });
    scene.receiver.ask(request).unwrap();
    let state = scene.receiver.until(|line| line["event"] == "source");
    assert_eq!(state["state"], "impostor", "{state}");
    scene.receiver.ask(json!({ "do": "cancel", "job": "j" })).unwrap();
    assert_eq!(scene.receiver.end("j")["bytes"], 0);
}

#[test]
fn f4_bytes_after_the_stated_ones_are_not_written() {
    let mut scene = scene();
    let mut lie = encoded(&scene.bytes);
    lie.extend(noise(100_000, 10));
    let provider = Stranger::new(42).stay().serve(lie);
    let end = scene.receiver.fetch("j", &scene.wanted, &scene.folder.join("in"), &[provider]);
    assert_eq!(end["state"], "done", "{end}");
    assert!(std::fs::read(scene.folder.join("in/f")).unwrap() == scene.bytes);
}

#[test]
fn f4_no_stated_size_is_allocated() {
    let mut scene = scene();
    let into = scene.folder.join("in");
    let fetch = |size: u64, provider: Value| json!({ "do": "fetch", "job": "j", "files": [{ "hash": "ab".repeat(32), "size": size, "path": "f" }], "into": into, "providers": [provider] });
    for size in [1 << 53, (1 << 63) - 1] {
        assert_eq!(
            scene.receiver.code(fetch(size, json!({ "endpoint": Stranger::new(44).id() }))),
            "disk.full",
            "{size}"
        );
    }
    assert_eq!(scene.receiver.code(fetch(u64::MAX, json!({ "endpoint": Stranger::new(44).id() }))), "request.member");
    assert_eq!(std::fs::read_dir(&into).unwrap().count(), 0, "a refusal leaves nothing");
    // As much as there is room for, by somebody who says so too and then sends nothing.
    let provider = Stranger::new(43).stay().stall(1 << 28);
    scene.receiver.ask(fetch(1 << 28, provider)).unwrap();
    scene.receiver.until(|line| line["event"] == "source" && line["state"] == "connected");
    scene.receiver.listen(Duration::from_secs(1));
    let part = into.join(".kez-incoming-j/0.part");
    assert_eq!(part.metadata().map_or(0, |metadata| metadata.len()), 0);
    assert!(memory_mb(scene.receiver.pid()) < 100);
}

#[test]
fn f4_a_file_without_bytes_arrives_and_one_with_another_hash_is_none() {
    let (folder, mut sender, mut receiver) = pair();
    std::fs::write(folder.join("empty"), "").unwrap();
    let files = sender.share("s", &folder.join("empty"), &[receiver.id()]);
    assert_eq!(receiver.fetch("j", &files, &folder.join("in"), &[sender.provider()])["state"], "done");
    assert_eq!(std::fs::read(folder.join("in/empty")).unwrap(), b"");
    let lie = json!([{ "hash": "ab".repeat(32), "size": 0, "path": "other" }]);
    let request = json!({ "do": "fetch", "job": "k", "files": lie, "into": folder.join("in"), "providers": [] });
    assert_eq!(receiver.code(request), "request.member");
}
