//! Interruptions: nothing that was received is fetched or hashed again.

use super::process::{Process, noise, pair};
use serde_json::json;
use std::time::Duration;

const SIZE: usize = 60_000_000;

#[test]
fn a_receiver_killed_at_40_percent_goes_on_where_it_was() {
    let (folder, mut sender, mut receiver) = pair();
    let bytes = noise(SIZE, 1);
    std::fs::write(folder.join("f"), &bytes).unwrap();
    let seed = "07".repeat(32);
    drop(receiver);
    receiver = Process::start_with(&folder.join("receiver"), json!({ "seed": seed }));
    let files = sender.share("s", &folder.join("f"), &[receiver.id()]);
    let mut request = json!({ "do": "fetch", "job": "j", "files": files, "into": folder.join("in"), "providers": [sender.provider()], "maxRate": 12_000_000 });
    receiver.ask(request.clone()).unwrap();
    receiver.progress("j", 0.4);
    receiver.kill();
    let mut receiver = Process::start_with(&folder.join("receiver"), json!({ "seed": seed }));
    request["maxRate"] = json!(null);
    let kept = receiver.ask(request).unwrap()["bytes"].as_u64().unwrap();
    assert!(kept > SIZE as u64 / 10, "{kept} bytes were kept");
    let end = receiver.end("j");
    assert_eq!((&end["state"], &end["bytes"]), (&json!("done"), &json!(SIZE)));
    assert!(std::fs::read(folder.join("in/f")).unwrap() == bytes);
    // What the second connection carried is what was missing.
    let served: u64 = sender_bytes(&mut sender);
    assert!(served < 2 * SIZE as u64 - kept / 2, "{served} bytes were sent in all");
}

fn sender_bytes(sender: &mut Process) -> u64 {
    sender.until(|line| line["event"] == "peer" && line["state"] == "gone");
    sender.until(|line| line["event"] == "peer" && line["state"] == "gone");
    sender.listen(Duration::from_millis(300));
    let serving: Vec<u64> = sender
        .heard
        .iter()
        .filter(|line| line["event"] == "serving")
        .map(|line| line["bytes"].as_u64().unwrap())
        .collect();
    // Each connection counts from zero.
    serving.windows(2).filter(|pair| pair[1] < pair[0]).map(|pair| pair[0]).sum::<u64>() + serving.last().unwrap()
}

#[test]
fn f7_a_sender_killed_at_60_percent_is_waited_for_and_asked_for_the_rest() {
    let (folder, mut sender, mut receiver) = pair();
    let bytes = noise(SIZE, 2);
    std::fs::write(folder.join("f"), &bytes).unwrap();
    let files = sender.share("s", &folder.join("f"), &[receiver.id()]);
    receiver
        .ask(json!({ "do": "fetch", "job": "j", "files": files, "into": folder.join("in"), "providers": [sender.provider()], "maxRate": 15_000_000 }))
        .unwrap();
    receiver.progress("j", 0.6);
    let data = sender.data.clone();
    sender.kill();
    receiver.until(|line| line["event"] == "progress" && line["state"] == "waiting");
    // A new run has a new seed, and nothing is hashed again.
    let mut sender = Process::start(&data);
    let import = sender.ask(json!({ "do": "import", "paths": [folder.join("f")] })).unwrap();
    assert_eq!(import["hashed"], 0);
    sender.ask(json!({ "do": "offer", "set": "s", "hashes": [files[0]["hash"]], "peers": [receiver.id()] })).unwrap();
    receiver.ask(json!({ "do": "providers", "job": "j", "providers": [sender.provider()] })).unwrap();
    assert_eq!(receiver.end("j")["state"], "done");
    assert!(std::fs::read(folder.join("in/f")).unwrap() == bytes);
    sender.until(|line| line["event"] == "peer" && line["state"] == "gone");
    sender.listen(Duration::from_millis(300));
    let served = sender
        .heard
        .iter()
        .filter(|line| line["event"] == "serving")
        .map(|line| line["bytes"].as_u64().unwrap())
        .max()
        .unwrap();
    assert!(served < SIZE as u64 / 2, "{served} bytes were sent again");
}

#[test]
fn pause_keeps_what_there_is_and_cancel_leaves_nothing() {
    let (folder, mut sender, mut receiver) = pair();
    std::fs::write(folder.join("f"), noise(SIZE, 3)).unwrap();
    let files = sender.share("s", &folder.join("f"), &[receiver.id()]);
    let request = json!({ "do": "fetch", "job": "j", "files": files, "into": folder.join("in"), "providers": [sender.provider()], "maxRate": 20_000_000 });
    receiver.ask(request.clone()).unwrap();
    receiver.progress("j", 0.3);
    receiver.ask(json!({ "do": "pause", "job": "j" })).unwrap();
    let paused = receiver.end("j");
    assert_eq!(paused["state"], "paused");
    let again = receiver.ask(request).unwrap();
    assert_eq!(again["bytes"], paused["bytes"], "an orderly end keeps all that was verified");
    receiver.ask(json!({ "do": "cancel", "job": "j" })).unwrap();
    assert_eq!(receiver.end("j")["state"], "cancelled");
    assert_eq!(std::fs::read_dir(folder.join("in")).unwrap().count(), 0);
}

#[test]
fn a_job_of_the_same_name_with_other_files_is_refused() {
    let (folder, mut sender, mut receiver) = pair();
    std::fs::write(folder.join("f"), noise(SIZE, 4)).unwrap();
    let files = sender.share("s", &folder.join("f"), &[receiver.id()]);
    let mut request = json!({ "do": "fetch", "job": "j", "files": files, "into": folder.join("in"), "providers": [sender.provider()], "maxRate": 1_000_000 });
    receiver.ask(request.clone()).unwrap();
    assert_eq!(receiver.code(request.clone()), "job.busy");
    receiver.ask(json!({ "do": "pause", "job": "j" })).unwrap();
    receiver.end("j");
    request["files"][0]["path"] = json!("g");
    assert_eq!(receiver.code(request), "job.differs");
}

#[test]
fn the_end_of_stdin_keeps_what_there_is_and_exits_with_0() {
    let (folder, mut sender, mut receiver) = pair();
    std::fs::write(folder.join("f"), noise(SIZE, 5)).unwrap();
    let files = sender.share("s", &folder.join("f"), &[receiver.id()]);
    let request = json!({ "do": "fetch", "job": "j", "files": files, "into": folder.join("in"), "providers": [sender.provider()], "maxRate": 20_000_000 });
    receiver.ask(request.clone()).unwrap();
    let seen = receiver.progress("j", 0.3)["bytes"].as_u64().unwrap();
    assert_eq!(receiver.close(), Some(0));
    let mut receiver = Process::start(&folder.join("receiver"));
    assert!(receiver.ask(request).unwrap()["bytes"].as_u64().unwrap() >= seen);
    assert_eq!(sender.ask(json!({ "do": "stop" })).unwrap(), json!({}));
    assert_eq!(sender.wait(), Some(0));
}
