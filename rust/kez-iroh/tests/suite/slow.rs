//! Peers of 1 KiB a second, on either side: they are shown as what they are, and nobody waits for them.

use super::hostile::{encoded, scene};
use super::process::{Process, memory_mb, noise, pair};
use super::stranger::Stranger;
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::Duration;

const SLOW: usize = 1024;

#[test]
fn f8_progress_with_a_source_of_1_kib_a_second_is_shown_and_another_job_is_not_slowed() {
    let mut scene = scene();
    let slow = Stranger::new(60).stay().trickle(encoded(&scene.bytes), SLOW);
    let request = json!({ "do": "fetch", "job": "slow", "files": scene.wanted, "into": scene.folder.join("in"), "providers": [slow] });
    scene.receiver.ask(request).unwrap();
    scene.receiver.until(|line| line["event"] == "source" && line["state"] == "connected");
    let bytes = noise(20_000_000, 61);
    std::fs::write(scene.folder.join("other"), &bytes).unwrap();
    let mut honest = Process::start(&scene.folder.join("honest"));
    let files = honest.share("s", &scene.folder.join("other"), &[scene.receiver.id()]);
    let end = scene.receiver.fetch("quick", &files, &scene.folder.join("in"), &[honest.provider()]);
    assert_eq!(end["state"], "done");
    assert!(std::fs::read(scene.folder.join("in/other")).unwrap() == bytes);
    // What is verified is counted: the first 16 KiB, which take 16 s and more.
    let shown = scene.receiver.until(|line| line["event"] == "progress" && line["job"] == "slow" && line["bytes"] != 0);
    let part = shown["bytes"].as_u64().unwrap();
    assert!((1..1_000_000).contains(&part), "{shown}");
    assert_eq!(shown["sources"][0]["state"], "connected");
    assert!(!scene.receiver.heard.iter().any(|line| line["event"] == "fault" || line["event"] == "end"));
}

#[test]
fn f8_takers_of_1_kib_a_second_are_served_and_others_are_not_slowed() {
    let (folder, mut sender, mut receiver) = pair();
    let bytes = noise(20_000_000, 62);
    std::fs::write(folder.join("f"), &bytes).unwrap();
    let takers: Vec<Stranger> = (62..70).map(Stranger::new).collect();
    let mut peers: Vec<String> = takers.iter().map(Stranger::id).collect();
    peers.push(receiver.id());
    let files = sender.share("s", &folder.join("f"), &peers);
    let hash = files[0]["hash"].as_str().unwrap();
    let taken: Vec<_> = takers.iter().map(|taker| taker.sip(&sender, hash, SLOW)).collect();
    for _ in &takers {
        sender.until(|line| line["event"] == "peer" && line["state"] == "connected");
    }
    let end = receiver.fetch("j", &files, &folder.join("in"), &[sender.provider()]);
    assert_eq!(end["state"], "done");
    assert!(std::fs::read(folder.join("in/f")).unwrap() == bytes);
    std::thread::sleep(Duration::from_secs(2));
    for count in taken {
        let count = count.load(Ordering::SeqCst);
        assert!((1..1_000_000).contains(&count), "{count} bytes were taken");
    }
    assert!(memory_mb(sender.pid()) < 150);
}

#[test]
fn f8_a_source_that_stalls_does_not_hold_up_the_others() {
    let mut scene = scene();
    std::fs::write(scene.folder.join("f"), &scene.bytes).unwrap();
    let mut honest = Process::start(&scene.folder.join("honest"));
    honest.share("s", &scene.folder.join("f"), &[scene.receiver.id()]);
    let stranger = Stranger::new(41);
    // A size, and nothing for ever: its stream is not finished.
    let slow = stranger.stall(1_000_000);
    let request = json!({ "do": "fetch", "job": "j", "files": scene.wanted, "into": scene.folder.join("in"), "providers": [slow] });
    scene.receiver.ask(request).unwrap();
    scene.receiver.until(|line| line["event"] == "source" && line["state"] == "connected");
    scene.receiver.ask(json!({ "do": "providers", "job": "j", "providers": [honest.provider()] })).unwrap();
    let most = scene.receiver.progress("j", 0.9);
    assert!(most["total"] == 1_000_000);
}
