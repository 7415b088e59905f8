//! The vectors of this project that concern §1 to §4 and §9, every case of them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

mod support;

use kez_core::encoding::{Proof, decode_proof};
use kez_core::envelope::decode_any;
use kez_core::mnemonic::parse_mnemonic;
use kez_core::{Identity, Kind, SecretKey, Signer as _, Suite, Time, canonical, json};
use serde_json::Value;
use support::{Report, bytes, code_of, expected_code, plain, text, vectors};

/// `ok`, or the code: what a case says, and what came of it.
fn outcome<T>(result: kez_core::Result<T>) -> String {
    result.map_or_else(code_of, |_| "ok".to_owned())
}

fn expected_outcome(case: &Value) -> String {
    expected_code(case).unwrap_or_else(|| "ok".to_owned())
}

#[test]
fn canonical_json() {
    let mut report = Report::default();
    for case in vectors("canonical-json.json") {
        let got = canonical::canonicalize(&plain(&case["value"])).unwrap();
        report.check(&case, text(&case, "expect"), got.as_str());
    }
    report.finish();
}

#[test]
fn json_decoding() {
    let mut report = Report::default();
    for case in vectors("json.json") {
        let input =
            case.get("hex").map_or_else(|| text(&case, "text").as_bytes().to_vec(), |hex| bytes(hex.as_str().unwrap()));
        report.check(&case, expected_outcome(&case), outcome(json::parse(&input)));
    }
    report.finish();
}

#[test]
fn identities() {
    let mut report = Report::default();
    for case in vectors("identities.json") {
        let expected = expected_code(&case).unwrap_or_else(|| text(&case, "expect").to_owned());
        let got = Identity::parse(text(&case, "text")).map_or_else(code_of, |identity| identity.to_string());
        report.check(&case, expected, got);
    }
    report.finish();
}

#[test]
fn times() {
    let expected =
        |value: &Value| value.as_u64().map_or_else(|| value.as_str().unwrap().to_owned(), |it| it.to_string());
    let seconds = |result: kez_core::Result<Time>| result.map_or_else(code_of, |time| time.unix_seconds().to_string());
    let mut report = Report::default();
    for case in vectors("times.json") {
        report.check(&case, expected(&case["strict"]), seconds(Time::parse(text(&case, "text"))));
        report.check(&case, expected(&case["claim"]), seconds(Time::parse_in_claim(text(&case, "text"))));
    }
    report.finish();
}

#[test]
fn ed25519() {
    signatures("ed25519.json", Suite::Ed25519);
}

#[test]
fn schnorr() {
    signatures("schnorr.json", Suite::Nostr);
}

fn signatures(file: &str, suite: Suite) {
    let mut report = Report::default();
    for case in vectors(file) {
        let [key, message, signature] = ["key", "message", "signature"].map(|name| bytes(text(&case, name)));
        let got = suite.verify(&key, &message, &signature).is_ok();
        report.check(&case, case["expect"].as_bool().unwrap(), got);
    }
    report.finish();
}

#[test]
fn envelopes() {
    let mut report = Report::default();
    for case in vectors("envelopes.json") {
        let kind = Kind::from_text(text(&case, "kind")).unwrap();
        let got = decode_any(text(&case, "text").as_bytes(), kind).and_then(|envelope| envelope.verify());
        report.check(&case, expected_outcome(&case), outcome(got));
    }
    report.finish();
}

#[test]
fn encodings() {
    let mut report = Report::default();
    for case in vectors("encodings.json") {
        let decoded = decode_proof(text(&case, "text").as_bytes());
        if let (Ok(decoded), Some(hints)) = (&decoded, case.get("hints")) {
            report.check(&case, hints, &Value::from(decoded.hints.clone()));
        }
        if let (Ok(decoded), Some(host)) = (&decoded, case.get("host")) {
            let got = match &decoded.proof {
                Proof::Reference(reference) => reference.host.as_deref(),
                Proof::Claim(_) => None,
            };
            report.check(&case, host.as_str(), got);
        }
        let got = decoded.map_or_else(code_of, |decoded| match decoded.proof {
            Proof::Claim(claim) => claim.digest().to_string(),
            Proof::Reference(reference) => reference.chain.to_string(),
        });
        report.check(&case, expected_code(&case).unwrap_or_else(|| text(&case, "expect").to_owned()), got);
    }
    report.finish();
}

#[test]
fn mnemonics() {
    let mut report = Report::default();
    for case in vectors("mnemonics.json") {
        let secret = parse_mnemonic(text(&case, "words"));
        if let (Ok(secret), Some(identity)) = (&secret, case.get("ed25519")) {
            let key = SecretKey::from_bytes(Suite::Ed25519, secret.clone()).unwrap();
            report.check(&case, identity.as_str().unwrap(), key.key().as_str());
        }
        let got = secret.map_or_else(code_of, |secret| kez_core::hex::encode(secret.as_slice()));
        report.check(&case, expected_code(&case).unwrap_or_else(|| text(&case, "expect").to_owned()), got);
    }
    report.finish();
}
