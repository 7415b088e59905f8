//! PROTOCOL.md, frozen: recorded dialogues, run again. A change of a line here is a change of the protocol for everybody who drives
//! the process. `S>` and `R>` are requests to a sender and a receiver, `S<` and `R<` what must come back with exactly these members;
//! `"?"` stands for any value, `"?name"` also keeps it as `$name` for later lines.

use super::process::{Folder, Process, noise};
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;

fn matches(pattern: &Value, value: &Value, names: &mut HashMap<String, Value>) -> bool {
    match (pattern, value) {
        (Value::String(text), _) if text.starts_with('?') => {
            if let Some(name) = text.strip_prefix('?').filter(|name| !name.is_empty()) {
                names.insert(format!("${name}"), value.clone());
            }
            true
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, inner)| b.get(key).is_some_and(|other| matches(inner, other, names)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(inner, other)| matches(inner, other, names))
        }
        _ => pattern == value,
    }
}

/// `"$name"` becomes the value of that name; `$DIR` inside a text becomes the folder.
fn filled(line: &str, folder: &Path, names: &HashMap<String, Value>) -> String {
    let mut line = line.replace("$DIR", folder.to_str().unwrap());
    for (name, value) in names {
        line = line.replace(&format!("\"{name}\""), &value.to_string());
    }
    line
}

fn play(dialogue: &str) {
    let folder = Folder::new();
    std::fs::write(folder.join("f"), noise(100_000, 1)).unwrap();
    folder.make("in");
    let mut processes: HashMap<&str, Process> = HashMap::new();
    let mut names = HashMap::new();
    for line in dialogue.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (mark, rest) = line.split_once(' ').unwrap();
        let (who, direction) = mark.split_at(1);
        let process = processes.entry(who).or_insert_with(Process::bare);
        let text = filled(rest, &folder.0, &names);
        if direction == ">" {
            process.write(&text);
            continue;
        }
        let pattern: Value = serde_json::from_str(&text).unwrap();
        println!("{line}");
        let mut bound = HashMap::new();
        let found = process.until(|value| matches(&pattern, value, &mut HashMap::new()));
        assert!(matches(&pattern, &found, &mut bound));
        names.extend(bound);
    }
}

#[test]
fn the_recorded_transfer_is_what_comes_back() {
    play(include_str!("../contract/transfer.txt"));
}

#[test]
fn the_recorded_refusals_are_what_comes_back() {
    play(include_str!("../contract/refusals.txt"));
}

#[test]
fn arguments_are_refused_and_the_version_is_told() {
    let run = |arguments: &[&str]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_kez-iroh")).args(arguments).output().unwrap()
    };
    assert_eq!(run(&["--seed", "00"]).status.code(), Some(2));
    assert_eq!(run(&["--version"]).stdout, format!("kez-iroh {}\n", env!("CARGO_PKG_VERSION")).as_bytes());
}

#[test]
fn a_line_that_is_too_long_is_refused_and_the_next_one_is_read() {
    let mut process = Process::bare();
    process.write(&format!("{{\"id\":1,\"do\":\"{}\"}}", "x".repeat(17 * 1024 * 1024)));
    assert_eq!(process.until(|line| line["id"].is_null())["error"]["code"], "request.size");
    process.write("{\"id\":2,\"do\":\"addresses\"}");
    assert_eq!(process.until(|line| line["id"] == 2)["error"]["code"], "state.stopped");
    assert_eq!(process.close(), Some(0));
}
