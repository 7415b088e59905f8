//! `sigchain settle --keep`: what it rejects, and what it signs again. SPEC FORK-3, FORK-6.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use kez_core::sigchain::read_document;
use kez_core::{Identity, Op};
use serde_json::{Value, json};
use support::forge::{PHONE, forged};
use support::{ALICE, Home};

/// Signs after the events of the document, and has its owner learn of it; the digest of the first event.
fn branch(home: &Home, document: &str, words: &str, ops: impl IntoIterator<Item = Op>) -> String {
    let start = read_document(document.as_bytes()).events.len();
    let grown = forged(document, words, ops);
    home.ok(&["sigchain", "import", "-"], &grown);
    read_document(grown.as_bytes()).events[start].digest().to_string()
}

fn revoke(subject: &str) -> Op {
    Op::Revoke { subject: Identity::parse(subject).unwrap() }
}

fn add(subject: &str) -> Op {
    Op::Add { subject: Identity::parse(subject).unwrap(), subject_id: None, proof: None }
}

/// A chain with three branches: two of the primary, and one of a device.
fn forked(name: &str) -> (Home, [String; 3]) {
    let home = Home::with_alice(name);
    home.ok(&["identity", "restore", "phone", "--mnemonic", "-", "--no-passphrase"], PHONE);
    for subject in ["dns:a.example", "dns:b.example", "dns:c.example"] {
        home.ok(&["sigchain", "add", subject], "");
    }
    home.ok(&["sigchain", "add-device", "phone"], "");
    let start = home.ok(&["sigchain", "export"], "");
    let kept = branch(&home, &start, ALICE, [add("dns:d.example")]);
    let tied = branch(&home, &start, ALICE, [revoke("dns:a.example"), revoke("dns:b.example")]);
    let lower = branch(&home, &start, PHONE, [revoke("dns:c.example")]);
    (home, [kept, tied, lower])
}

/// The operations that were signed, with what they are about.
fn settled(home: &Home, args: &[&str]) -> Vec<Value> {
    let (code, answer) = home.json(&[&["sigchain", "settle", "--keep"], args].concat(), "");
    assert_eq!((code, &answer["data"]["status"]), (0, &json!("ok")), "{answer}");
    let events = answer["data"]["events"].as_array().unwrap().iter();
    events.map(|it| json!([it["op"], it["payload"]["reject"], it["payload"]["subject"]])).collect()
}

fn revoked(home: &Home) -> Vec<String> {
    let (_, shown) = home.json(&["sigchain", "show"], "");
    let subjects = shown["data"]["subjects"].as_array().unwrap().iter();
    let mut revoked: Vec<String> =
        subjects.filter(|it| it["status"] == "revoked").map(|it| it["subject"].as_str().unwrap().to_owned()).collect();
    revoked.sort();
    revoked
}

#[test]
fn a_settlement_rejects_what_is_tied_and_signs_again_what_it_lifts() {
    let (home, [kept, tied, _]) = forked("settled-tied");
    let signed = settled(&home, &[&kept, "--keep-revocations"]);
    assert_eq!(signed, [json!(["settle", [tied], null]), json!(["revoke", null, "dns:a.example"])]);
    // What it does not name is in force as before.
    assert_eq!(revoked(&home), ["dns:a.example", "dns:b.example", "dns:c.example"]);
}

#[test]
fn what_is_lifted_by_name_is_not_signed_again() {
    let (home, [kept, tied, _]) = forked("settled-lifted");
    let signed = settled(&home, &[&kept, "--keep-revocations", "--lift", &tied]);
    assert_eq!(signed, [json!(["settle", [tied], null])]);
    assert_eq!(revoked(&home), ["dns:b.example", "dns:c.example"]);
}

#[test]
fn a_branch_of_a_lower_rank_can_be_kept() {
    let (home, [kept, tied, lower]) = forked("settled-lower");
    let signed = settled(&home, &[&lower, "--keep-revocations"]);
    let mut rejected = [kept, tied];
    rejected.sort();
    assert_eq!(signed, [json!(["settle", rejected, null]), json!(["revoke", null, "dns:a.example"])]);
}

#[test]
fn only_a_listed_revocation_is_lifted() {
    let (home, [kept, tied, _]) = forked("settled-listed");
    for wrong in [&format!("sha256:{}", "0".repeat(64)), &kept, &"sha256:".to_owned(), &"nothing".to_owned()] {
        let (code, answer) = home.json(&["sigchain", "settle", "--lift", wrong], "");
        assert_eq!((code, &answer["error"]["code"]), (2, &json!("usage")), "{wrong}");
    }
    let signed = settled(&home, &[&kept, "--lift", &tied[..20]]);
    assert_eq!(signed[0][1], json!([tied]));
}

/// A device settles nothing.
#[test]
fn who_may_not_settle_is_not_asked_for_a_passphrase() {
    let (home, [kept, tied, _]) = forked("settled-device");
    settled(&home, &[&kept]);
    let passphrase = home.file("right", "correct horse\n");
    home.ok(&["identity", "passphrase", "phone", "--new-passphrase-file", &passphrase], "");
    let (code, answer) = home.json(&["--identity", "phone", "sigchain", "settle", "--lift", &tied], "");
    assert_eq!((code, &answer["error"]["code"]), (1, &json!("chain.authority")), "{answer}");
}
