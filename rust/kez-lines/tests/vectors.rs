//! Every case of every file of `vectors/`, through the judges of the cross-test.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests")]

use std::path::PathBuf;

use kez_core::envelope::decode;
use kez_core::sigchain::{ChainEvent, replay};
use kez_core::{Digest, Event, error::KezError};
use serde_json::{Map, Value, json};

/// Runs a file through its judge; `compare` gives what the case expects and the part of the outcome that says it.
fn run(suite: &str, compare: fn(&Value, &Value) -> (Value, Value)) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors");
    let text = std::fs::read_to_string(folder.join(format!("{suite}.json"))).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    let mut faults = Vec::new();
    for case in cases {
        let outcome = kez_lines::judge(suite, case).unwrap_or_else(|fault| json!({ "crash": fault.to_string() }));
        let (expected, got) = compare(case, &outcome);
        if expected != got {
            faults.push(format!("{} ({}): expected {expected}, got {got} of {outcome}", case["id"], case["why"]));
        }
    }
    assert!(faults.is_empty(), "{} of {} cases of {suite}:\n{}", faults.len(), cases.len(), faults.join("\n"));
}

/// The outcome that a case with `expect` or `code` means.
fn expected(case: &Value) -> Value {
    case.get("code").map_or_else(|| json!({ "ok": case["expect"] }), |code| json!({ "code": code }))
}

/// Where a case only says that it is accepted.
fn accepted(case: &Value, outcome: &Value) -> (Value, Value) {
    let outcome = if outcome.get("ok").is_some() { json!({ "ok": "ok" }) } else { outcome.clone() };
    (expected(case), outcome)
}

fn whole(case: &Value, outcome: &Value) -> (Value, Value) {
    (expected(case), outcome.clone())
}

/// A code, where it is one, as an outcome.
fn text_or_code(value: &Value) -> Value {
    if value.is_string() { json!({ "code": value }) } else { json!({ "ok": value }) }
}

macro_rules! suites {
    ($($name:ident => $suite:literal, $compare:expr;)+) => {
        const SUITES: &[&str] = &[$($suite,)+];

        $(#[test]
        fn $name() {
            run($suite, $compare);
        })+
    };
}

suites! {
    identities => "identities", whole;
    json_decoding => "json", accepted;
    canonical_json => "canonical-json", whole;
    ed25519 => "ed25519", whole;
    schnorr => "schnorr", whole;
    envelopes => "envelopes", accepted;
    chain_documents => "chain-documents", whole;
    channel_ap => "channel-ap", place;
    channel_bluesky => "channel-bluesky", place;
    channel_dns => "channel-dns", place;
    channel_github => "channel-github", place;
    channel_kez => "channel-kez", place;
    channel_nostr => "channel-nostr", place;
    nostr_chains => "nostr-chains", place;
    shared_files => "shared-files", whole;
    streams => "streams", stream;
    verdicts => "verdicts", |case, outcome| (case["expect"].clone(), outcome.clone());
    times => "times", |case, outcome| {
        (json!({ "strict": text_or_code(&case["strict"]), "claim": text_or_code(&case["claim"]) }), outcome.clone())
    };
    sigchain_link => "sigchain-link", |case, outcome| {
        let is_ok = case["expect"] == "ok";
        (if is_ok { json!({ "ok": "ok" }) } else { json!({ "code": case["expect"] }) }, outcome.clone())
    };
    sigchain_replay => "sigchain-replay", |case, outcome| (replay_expected(case), replay_got(case, outcome));
    sigchain_forks => "sigchain-forks", |case, outcome| (case["expect"].clone(), forks_got(case, outcome));
    mnemonics => "mnemonics", |case, outcome| {
        let mut got = outcome["ok"].clone();
        match (got.as_object_mut(), case.get("ed25519")) {
            (None, _) => return (expected(case), outcome.clone()),
            (Some(members), None) => members.remove("ed25519"),
            _ => None,
        };
        let mut wanted = json!({ "secret": case["expect"] });
        if let Some(identity) = case.get("ed25519") {
            wanted["ed25519"] = identity.clone();
        }
        (wanted, got)
    };
    encodings => "encodings", |case, outcome| {
        let proof = &outcome["proof"];
        let got = match proof.get("ok") {
            Some(ok) => json!({ "ok": ok.get("claim").or(ok.get("reference")) }),
            None => proof.clone(),
        };
        let (mut wanted, mut got) = (json!([expected(case)]), json!([got]));
        for (name, part) in [("hints", &outcome["hints"]), ("host", &proof["ok"]["host"])] {
            if let Some(value) = case.get(name) {
                wanted.as_array_mut().unwrap().push(value.clone());
                got.as_array_mut().unwrap().push(part.clone());
            }
        }
        (wanted, got)
    };
}

#[test]
fn every_file_is_run() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors");
    let files = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    let mut suites: Vec<String> = SUITES.iter().map(|suite| format!("{suite}.json")).collect();
    files.sort();
    suites.sort();
    assert_eq!(files, suites);
}

/// What a place comes to, without sentences for people.
fn place(case: &Value, outcome: &Value) -> (Value, Value) {
    let mut expected = case["expect"].clone();
    expected.as_object_mut().unwrap().remove("notes");
    (expected, outcome.clone())
}

/// The lines that are expected as their digests.
fn stream(case: &Value, outcome: &Value) -> (Value, Value) {
    let mut expected = case["expect"].clone();
    if let Some(lines) = expected.get_mut("lines") {
        let digest = |line: &Value| match line["repeat"].as_array().map(Vec::as_slice) {
            Some([text, times]) => text.as_str().unwrap().repeat(times.as_u64().unwrap() as usize),
            _ => line.as_str().unwrap().to_owned(),
        };
        let digests = lines.as_array().unwrap().iter().map(|line| Digest::of(digest(line).as_bytes()).to_string());
        *lines = digests.collect();
    }
    (expected, outcome.clone())
}

/// The code of the last event, or none, and the state; where event 0 is not valid there is none.
fn replay_expected(case: &Value) -> Value {
    json!({ "code": case.get("code"), "state": case["expect"] })
}

fn replay_got(case: &Value, outcome: &Value) -> Value {
    let ok = &outcome["ok"];
    if ok.is_null() {
        assert_eq!(outcome, &json!({ "code": "chain.genesis" }));
    }
    let state = ok.as_object().map(|ok| {
        let devices = ok["devices"].as_array().unwrap().iter().map(|device| device["key"].clone());
        let devices: Vec<Value> = devices.collect();
        json!({
            "devices": devices, "subjects": ok["subjects"], "next": ok["next"], "head": ok["head"]["seq"],
            "primary": ok["primary"],
        })
    });
    let code = replay_code(case);
    if let (Some(refused), Some(code)) = (ok["refused"].as_object(), &code) {
        assert!(refused.values().all(|it| it == code) && refused.len() == 1, "{}: {refused:?}", case["id"]);
    }
    json!({ "code": code, "state": state })
}

/// The code by which the last event is refused, event by event.
fn replay_code(case: &Value) -> Option<String> {
    let events = case["events"].as_array().unwrap();
    let decoded = events.iter().map(|text| decode::<Event>(text.as_str().unwrap().as_bytes()).unwrap().into());
    let decoded: Vec<ChainEvent> = decoded.collect();
    let (place, error): (usize, KezError) = replay(&decoded).err()?;
    assert_eq!(place, events.len() - 1, "{}", case["id"]);
    Some(error.code().to_string())
}

/// The members that the case has, of an outcome in their form; every order of the events gives the same.
fn forks_got(case: &Value, outcome: &Value) -> Value {
    let mut reversed = case.clone();
    reversed["events"].as_array_mut().unwrap().reverse();
    assert_eq!(&kez_lines::judge("sigchain-forks", &reversed).unwrap(), outcome, "{}", case["id"]);
    let ok = &outcome["ok"];
    let keys = |is_wanted: fn(&Value) -> bool| -> Vec<Value> {
        let devices = ok["devices"].as_array().unwrap().iter();
        devices.filter(|device| is_wanted(device)).map(|device| device["key"].clone()).collect()
    };
    let wanted = case["expect"].as_object().unwrap();
    let ranks: Map<String, Value> = ok["ranks"].as_object().unwrap().clone();
    let ranks = ranks.into_iter().filter(|(digest, _)| wanted["ranks"].get(digest).is_some());
    let revoked: Vec<&String> = ok["subjects"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, status)| *status == "revoked")
        .map(|(subject, _)| subject)
        .collect();
    json!({
        "status": if ok["status"] == "valid" { json!("ok") } else { ok["status"].clone() },
        "contested": ok["contested"],
        "head": ok["head"]["digest"],
        "devices": keys(|_| true),
        "suspended": keys(|device| device["suspended"] == true),
        "revoked": revoked,
        "ranks": Value::Object(ranks.collect()),
    })
}
