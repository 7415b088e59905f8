//! SPEC §7 by its vectors: what every place answers, and the publication that it comes to.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::path::Path;

use kez_channels::{Candidate, Channel, Options, Outcome, Publication};
use serde_json::{Value, json};
use support::Table;

/// Now, in all vectors of channels.
const NOW: u64 = 1_800_000_000;

/// The publication in the words of the vectors; notes are sentences of each implementation.
fn describe(publication: &Publication) -> Value {
    let code = publication.outcome.code().map(|code| code.as_str());
    match &publication.outcome {
        Outcome::Found { candidates, chain_hints } => {
            let candidates = candidates
                .iter()
                .map(|Candidate { text, found_at }| json!({"text": text, "found_at": found_at}))
                .collect::<Vec<_>>();
            let mut found =
                json!({"status": "found", "code": code, "candidates": candidates, "chain_hints": chain_hints});
            if let Some(id) = &publication.account_id {
                found["account_id"] = json!(id);
            }
            found
        }
        Outcome::Absent => json!({"status": "absent", "code": code}),
        Outcome::Invalid(_) => json!({"status": "invalid", "code": code}),
        Outcome::Unreachable { retry_after_seconds: Some(seconds), .. } => {
            json!({"status": "unreachable", "code": code, "retry_after_seconds": seconds})
        }
        Outcome::Unreachable { .. } => json!({"status": "unreachable", "code": code}),
    }
}

fn read_cases(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors").join(format!("channel-{name}.json"));
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    file["cases"].as_array().unwrap().clone()
}

async fn run(name: &str, channel: Channel) {
    let cases = read_cases(name);
    assert!(!cases.is_empty());
    let mut failures = 0;
    for case in &cases {
        let table = Table::new(&case["input"]);
        let options = Options {
            now: NOW,
            known_account_id: case["input"]["known_account_id"].as_str().map(str::to_owned),
            relays: table.relays(),
            github_token: None,
        };
        let publication = channel.collect(case["input"]["value"].as_str().unwrap(), &table, &options).await;
        let mut expected = case["expect"].clone();
        expected.as_object_mut().unwrap().remove("notes");
        let got = describe(&publication);
        assert!(!publication.evidence.is_empty() || case["id"] == "no-relay", "{}: no evidence", case["id"]);
        if got != expected {
            failures += 1;
            println!("{} ({}):\n  expected {expected}\n  got      {got}", case["id"], case["why"]);
            println!("  {:?}", publication.evidence);
        }
    }
    assert_eq!(failures, 0, "of {} cases of channel-{name}", cases.len());
}

#[tokio::test]
async fn dns() {
    run("dns", Channel::Dns).await;
}

#[tokio::test]
async fn github() {
    run("github", Channel::Github).await;
}

#[tokio::test]
async fn nostr() {
    run("nostr", Channel::Nostr).await;
}

#[tokio::test]
async fn bluesky() {
    run("bluesky", Channel::Bluesky).await;
}

#[tokio::test]
async fn ap() {
    run("ap", Channel::Ap).await;
}

#[tokio::test]
async fn kez() {
    run("kez", Channel::Kez).await;
}
