//! What is on disk: damaged sources, names, links, files that are there, and no room.

use super::process::{Folder, Process, noise, pair};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

#[test]
fn a_file_that_changed_after_it_was_offered_is_not_sent() {
    let (folder, mut sender, mut receiver) = pair();
    std::fs::write(folder.join("f"), noise(1_000_000, 1)).unwrap();
    let files = sender.share("s", &folder.join("f"), &[receiver.id()]);
    std::fs::write(folder.join("f"), noise(1_000_000, 2)).unwrap();
    let end = receiver.fetch("j", &files, &folder.join("in"), &[sender.provider()]);
    assert_eq!(end["state"], "failed");
    assert_eq!(receiver.event("fault")["kind"], "source");
    let changed = sender.event("changed");
    assert_eq!(changed["path"], json!(folder.join("f")));
}

#[test]
fn a_damaged_block_of_the_sender_is_found_there_and_what_is_before_it_is_kept() {
    let (folder, mut sender, mut receiver) = pair();
    let path = folder.join("f");
    let mut bytes = noise(3_000_000, 3);
    std::fs::write(&path, &bytes).unwrap();
    let files = sender.share("s", &path, &[receiver.id()]);
    // As a failing disk would do it: the time of the file stays.
    let time = path.metadata().unwrap().modified().unwrap();
    bytes[2_000_000] ^= 1;
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &bytes[2_000_000..2_000_001], 2_000_000).unwrap();
    file.set_modified(time).unwrap();
    let end = receiver.fetch("j", &files, &folder.join("in"), &[sender.provider()]);
    assert_eq!(end["error"]["code"], "peer.refused", "{end}");
    assert_eq!(receiver.event("fault")["kind"], "source");
    assert_eq!(sender.event("changed")["hash"], files[0]["hash"]);
    let got = end["bytes"].as_u64().unwrap();
    assert!((1_500_000..2_000_001).contains(&got), "{got}");
    assert!(!folder.join("in/f").exists());
}

fn fetch(files: &Value, into: &Path) -> Value {
    json!({ "do": "fetch", "job": "j", "files": files, "into": into, "providers": [] })
}

#[test]
fn f5_names_that_leave_the_folder_or_mean_something_to_a_system_are_refused() {
    let folder = Folder::new();
    let mut receiver = Process::start(&folder.join("receiver"));
    let into = folder.make("in");
    for name in [
        "../x",
        "/etc/x",
        "C:\\x",
        "a\\b",
        "a/../../x",
        "nul\0",
        "CON",
        "x.",
        "x ",
        "\u{202e}gpj.exe",
        "-x",
        &"n".repeat(300),
        "",
    ] {
        let files = json!([{ "hash": "ab".repeat(32), "size": 1, "path": name }]);
        assert_eq!(receiver.code(fetch(&files, &into)), "name.unsafe", "{name:?}");
    }
    let twins = json!([{ "hash": "ab".repeat(32), "size": 1, "path": "A" }, { "hash": "ab".repeat(32), "size": 1, "path": "a" }]);
    assert_eq!(receiver.code(fetch(&twins, &into)), "name.twin");
    assert_eq!(std::fs::read_dir(&into).unwrap().count(), 0, "a refusal leaves nothing");
    assert_eq!(receiver.code(fetch(&json!([]), &folder.join("nowhere"))), "target.missing");
}

#[test]
fn f6_links_at_and_above_the_target_are_not_followed() {
    let (folder, mut sender, mut receiver) = pair();
    std::fs::write(folder.join("f"), "new").unwrap();
    std::fs::write(folder.join("victim"), "old").unwrap();
    folder.make("elsewhere");
    std::os::unix::fs::symlink(folder.join("victim"), folder.join("in/f")).unwrap();
    std::os::unix::fs::symlink(folder.join("elsewhere"), folder.join("in/d")).unwrap();
    let mut files = json!(sender.share("s", &folder.join("f"), &[receiver.id()]));
    let mut request = fetch(&files, &folder.join("in"));
    assert_eq!(receiver.code(request.clone()), "target.exists");
    request["overwrite"] = json!(true);
    assert_eq!(receiver.code(request), "target.exists");
    files[0]["path"] = json!("d/f");
    assert_eq!(receiver.code(fetch(&files, &folder.join("in"))), "target.symlink");
    assert_eq!(std::fs::read_to_string(folder.join("victim")).unwrap(), "old");
    assert_eq!(std::fs::read_dir(folder.join("elsewhere")).unwrap().count(), 0);
}

#[test]
fn f6_a_file_that_is_there_is_kept_unless_it_may_be_replaced_or_is_the_same() {
    let (folder, mut sender, mut receiver) = pair();
    std::fs::write(folder.join("f"), "new").unwrap();
    std::fs::write(folder.join("in/f"), "old").unwrap();
    let files = sender.share("s", &folder.join("f"), &[receiver.id()]);
    let mut request = fetch(&json!(files), &folder.join("in"));
    request["providers"] = json!([sender.provider()]);
    assert_eq!(receiver.code(request.clone()), "target.exists");
    assert_eq!(std::fs::read_to_string(folder.join("in/f")).unwrap(), "old");
    request["overwrite"] = json!(true);
    receiver.ask(request.clone()).unwrap();
    assert_eq!(receiver.end("j")["state"], "done");
    assert_eq!(std::fs::read_to_string(folder.join("in/f")).unwrap(), "new");
    request["overwrite"] = json!(false);
    let same = receiver.ask(request).unwrap();
    assert_eq!((&same["bytes"], &same["filesDone"]), (&json!(3), &json!(1)));
    assert_eq!(receiver.end("j")["state"], "done");
}

#[test]
fn f6_a_file_that_appears_meanwhile_is_not_replaced() {
    let (folder, mut sender, mut receiver) = pair();
    std::fs::write(folder.join("f"), noise(10_000_000, 5)).unwrap();
    let files = sender.share("s", &folder.join("f"), &[receiver.id()]);
    let mut request = fetch(&json!(files), &folder.join("in"));
    request["providers"] = json!([sender.provider()]);
    request["maxRate"] = json!(5_000_000);
    receiver.ask(request).unwrap();
    receiver.progress("j", 0.2);
    std::fs::write(folder.join("in/f"), "mine").unwrap();
    assert_eq!(receiver.end("j")["error"]["code"], "target.exists");
    assert_eq!(std::fs::read_to_string(folder.join("in/f")).unwrap(), "mine");
}

/// A file system of a few megabytes; none where mounting is not allowed.
struct Small(Folder);

impl Small {
    fn mount(megabytes: u32) -> Option<Self> {
        let folder = Folder::new();
        let size = format!("size={megabytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&folder.0).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(folder))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(&self.0.0).status().ok();
    }
}

#[test]
fn f10_no_room_is_said_before_and_during_a_fetch_and_the_part_is_kept() {
    let Some(small) = Small::mount(24) else {
        println!("skipped: only root may mount a small file system");
        return;
    };
    let (folder, mut sender, mut receiver) = pair();
    let bytes = noise(16_000_000, 6);
    std::fs::write(folder.join("f"), &bytes).unwrap();
    let files = sender.share("s", &folder.join("f"), &[receiver.id()]);
    let into = small.0.0.clone();
    let mut request = fetch(&json!(files), &into);
    request["providers"] = json!([sender.provider()]);
    std::fs::write(into.join("filler"), vec![1; 12_000_000]).unwrap();
    assert_eq!(receiver.code(request.clone()), "disk.full");
    std::fs::remove_file(into.join("filler")).unwrap();
    request["maxRate"] = json!(6_000_000);
    receiver.ask(request.clone()).unwrap();
    receiver.progress("j", 0.2);
    std::fs::write(into.join("filler"), vec![1; 16_000_000]).ok();
    let end = receiver.end("j");
    assert_eq!(end["error"]["code"], "disk.full", "{end}");
    std::fs::remove_file(into.join("filler")).unwrap();
    request["maxRate"] = Value::Null;
    let kept = receiver.ask(request).unwrap()["bytes"].as_u64().unwrap();
    assert!(kept > 1_000_000, "{kept}");
    assert_eq!(receiver.end("j")["state"], "done");
    assert!(std::fs::read(into.join("f")).unwrap() == bytes);
}
