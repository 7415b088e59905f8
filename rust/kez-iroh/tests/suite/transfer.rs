//! Files and folders from one process to another.

use super::process::{Folder, Process, noise, pair, tree};
use serde_json::json;
use std::time::Duration;

#[test]
fn a_file_arrives_equal_with_progress_on_both_sides() {
    let (folder, mut sender, mut receiver) = pair();
    let bytes = noise(30_000_000, 1);
    std::fs::write(folder.join("film.mkv"), &bytes).unwrap();
    let files = sender.share("s", &folder.join("film.mkv"), &[receiver.id()]);
    assert_eq!(files[0]["path"], "film.mkv");
    assert_eq!(files[0]["size"], 30_000_000);
    let end = receiver.fetch("j", &files, &folder.join("in"), &[sender.provider()]);
    assert_eq!((&end["state"], &end["bytes"], &end["faults"]), (&json!("done"), &json!(30_000_000), &json!(0)));
    assert!(std::fs::read(folder.join("in/film.mkv")).unwrap() == bytes);
    assert_eq!(tree(&folder.join("in")).len(), 1, "no part is left");
    assert_eq!(receiver.until(|line| line["event"] == "source" && line["state"] == "connected")["path"], "direct");
    let serving = sender.until(|line| line["event"] == "serving");
    assert_eq!((&serving["peer"], &serving["path"]), (&json!(receiver.id()), &json!("direct")));
    assert_eq!(sender.until(|line| line["event"] == "peer" && line["state"] == "gone")["peer"], json!(receiver.id()));
}

#[test]
fn a_folder_with_files_of_all_sizes_arrives_equal() {
    let (folder, mut sender, mut receiver) = pair();
    for (index, size) in [0, 1, 1023, 1024, 16_383, 16_384, 16_385, 100_000, 1_000_000].into_iter().enumerate() {
        let inner = folder.make(&format!("out/a/{}", index % 3));
        std::fs::write(inner.join(format!("datei-{index}.ä")), noise(size, index as u64)).unwrap();
    }
    for index in 0..300 {
        std::fs::write(folder.make("out/many").join(format!("{index}")), noise(index * 7, index as u64)).unwrap();
    }
    std::fs::write(folder.join("out/twin"), noise(100_000, 7)).unwrap();
    let files = sender.share("s", &folder.join("out"), &[receiver.id()]);
    assert_eq!(files.len(), 310);
    let end = receiver.fetch("j", &files, &folder.join("in"), &[sender.provider()]);
    assert_eq!(end["state"], "done", "{end}");
    assert!(tree(&folder.join("out")) == tree(&folder.join("in/out")));
}

#[test]
fn import_hashes_a_file_once_also_over_a_restart_and_again_when_it_changed() {
    let folder = Folder::new();
    std::fs::write(folder.join("f"), noise(100_000, 1)).unwrap();
    let import = json!({ "do": "import", "paths": [folder.join("f")] });
    let mut sender = Process::start(&folder.join("data"));
    let first = sender.ask(import.clone()).unwrap();
    assert_eq!(first["hashed"], 1);
    assert_eq!(sender.ask(import.clone()).unwrap()["hashed"], 0);
    assert_eq!(sender.close(), Some(0));
    let mut sender = Process::start(&folder.join("data"));
    let again = sender.ask(import.clone()).unwrap();
    assert_eq!((&again["hashed"], &again["files"]), (&json!(0), &first["files"]));
    std::thread::sleep(Duration::from_millis(20));
    std::fs::write(folder.join("f"), noise(100_000, 2)).unwrap();
    let changed = sender.ask(import).unwrap();
    assert_eq!(changed["hashed"], 1);
    assert_ne!(changed["files"], first["files"]);
}

#[test]
fn import_leaves_out_links_and_special_files_and_names_them() {
    let folder = Folder::new();
    std::fs::write(folder.make("out").join("f"), "f").unwrap();
    std::fs::write(folder.join("secret"), "s").unwrap();
    std::os::unix::fs::symlink(folder.join("secret"), folder.join("out/link")).unwrap();
    std::os::unix::fs::symlink(&folder.0, folder.join("out/loop")).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(folder.join("out/socket")).unwrap();
    let mut sender = Process::start(&folder.join("data"));
    let answer = sender.ask(json!({ "do": "import", "paths": [folder.join("out")] })).unwrap();
    drop(socket);
    let mut skipped = answer["skipped"].as_array().unwrap().clone();
    skipped.sort_by_key(|entry| entry["path"].to_string());
    assert_eq!(
        json!(skipped),
        json!([{ "path": "out/link", "why": "link" }, { "path": "out/loop", "why": "link" }, { "path": "out/socket", "why": "special" }])
    );
    assert_eq!(answer["files"].as_array().unwrap().len(), 1);
}

#[test]
fn several_providers_share_the_work_and_one_that_stops_is_made_up_for() {
    let folder = Folder::new();
    let bytes = noise(40_000_000, 3);
    std::fs::write(folder.join("f"), &bytes).unwrap();
    let mut one = Process::start(&folder.join("one"));
    let mut two = Process::start(&folder.join("two"));
    let mut receiver = Process::start(&folder.join("receiver"));
    let files = one.share("s", &folder.join("f"), &[receiver.id()]);
    two.share("s", &folder.join("f"), &[receiver.id()]);
    folder.make("in");
    receiver
        .ask(json!({ "do": "fetch", "job": "j", "files": files, "into": folder.join("in"), "providers": [one.provider(), two.provider()], "maxRate": 30_000_000 }))
        .unwrap();
    one.event("serving");
    two.event("serving");
    one.kill();
    assert_eq!(receiver.end("j")["state"], "done");
    assert!(std::fs::read(folder.join("in/f")).unwrap() == bytes);
}

#[test]
fn a_provider_that_comes_later_is_waited_for() {
    let (folder, mut sender, mut receiver) = pair();
    std::fs::write(folder.join("f"), noise(1_000_000, 4)).unwrap();
    let files = sender.share("s", &folder.join("f"), &[receiver.id()]);
    let nowhere = json!({ "endpoint": sender.id(), "addresses": ["127.0.0.1:9"] });
    receiver
        .ask(json!({ "do": "fetch", "job": "j", "files": files, "into": folder.join("in"), "providers": [nowhere] }))
        .unwrap();
    assert_eq!(receiver.until(|line| line["event"] == "progress")["state"], "waiting");
    receiver.ask(json!({ "do": "providers", "job": "j", "providers": [sender.provider()] })).unwrap();
    assert_eq!(receiver.end("j")["state"], "done");
}

#[test]
fn lan_discovery_finds_an_endpoint_without_addresses() {
    let folder = Folder::new();
    let lan = json!({ "discovery": "lan", "bind": null });
    let mut sender = Process::start_with(&folder.join("sender"), lan.clone());
    let mut receiver = Process::start_with(&folder.join("receiver"), lan);
    std::fs::write(folder.join("f"), noise(100_000, 5)).unwrap();
    let files = sender.share("s", &folder.join("f"), &[receiver.id()]);
    folder.make("in");
    let end = receiver.fetch("j", &files, &folder.join("in"), &[json!({ "endpoint": sender.id() })]);
    assert_eq!(end["state"], "done");
}
