//! `sigchain revoke-device` lifts no revocation of a branch that lost unasked. SPEC FORK-6.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use kez_core::{Identity, Op};
use serde_json::{Value, json};
use support::agents::{Unlocked, locked_home, unlock};
use support::forge::{PHONE, SAFE, forged, key};
use support::{ALICE, Home};

/// Adds the keys safe and phone, an account, and phone as a device.
fn fill(home: &Home, key_args: &[&str]) {
    for (name, words) in [("safe", SAFE), ("phone", PHONE)] {
        home.ok(&["identity", "restore", name, "--mnemonic", "-", "--no-passphrase"], words);
    }
    home.ok(&["identity", "use", "alice"], "");
    home.ok(&[&["sigchain", "add", "github:alice"], key_args].concat(), "");
    home.ok(&[&["sigchain", "add-device", "phone"], key_args].concat(), "");
}

fn home(name: &str) -> Home {
    let home = Home::with_alice(name);
    fill(&home, &[]);
    home
}

/// What phone signs after the events of the document; its owner learns of it.
fn signed_by_phone(home: &Home, document: &str, op: Op) {
    home.ok(&["sigchain", "import", "-"], &forged(document, PHONE, [op]));
}

fn burn_safe(home: &Home) {
    let op = Op::RevokeDevice { keys: vec![key(SAFE)], keep: vec![] };
    signed_by_phone(home, &home.ok(&["sigchain", "export"], ""), op);
}

fn revoke_github() -> Op {
    Op::Revoke { subject: Identity::parse("github:alice").unwrap() }
}

/// `revoke-device` wants a yes, which names this; nothing is signed before.
fn asks(home: &Home, args: &[&str], named: &str) {
    let before = home.ok(&["sigchain", "export"], "");
    let (code, answer) = home.json(&[&["sigchain", "revoke-device"], args].concat(), "");
    let error = &answer["error"];
    assert_eq!((code, &error["code"]), (2, &json!("input.missing")), "{answer}");
    let hint = error["hint"].as_str().unwrap();
    assert!(hint.contains(named) && hint.contains("--yes"), "{hint}");
    assert_eq!(home.ok(&["sigchain", "export"], ""), before);
}

/// What it lifts.
fn lifted(home: &Home, args: &[&str]) -> Value {
    let (code, answer) = home.json(&[&["sigchain", "revoke-device"], args].concat(), "");
    assert_eq!(code, 0, "{answer}");
    answer["data"]["lifted"].clone()
}

#[test]
fn a_former_primary_that_revoked_an_account_is_not_revoked_unasked() {
    let home = home("lifted-subject");
    home.ok(&["sigchain", "set-next", "safe", "--yes"], "");
    burn_safe(&home);
    home.ok(&["sigchain", "revoke", "github:alice"], "");
    let (_, rotated) = home.json(&["sigchain", "rotate", "safe", "--yes"], "");
    assert!(rotated["warnings"].to_string().contains("your own among them"), "{rotated}");
    home.ok(&["identity", "use", "safe"], "");
    for args in [&["alice", "--keep", "phone"][..], &["alice", "phone"]] {
        asks(&home, args, "github:alice");
    }
    let (code, answer) = home.json(&["sigchain", "revoke-device", "alice", "--yes"], "");
    assert_eq!(code, 0, "{answer}");
    assert_eq!(answer["data"]["lifted"], json!({ "devices": [], "subjects": ["github:alice"] }));
    assert!(answer["warnings"].to_string().contains("github:alice is revoked no more"), "{answer}");
    // It says so once: nothing is left to lift.
    assert_eq!(lifted(&home, &["phone"]), json!({ "devices": [], "subjects": [] }));
}

/// Its line goes to the primary before.
#[test]
fn a_device_that_a_former_primary_revoked_comes_back_only_when_it_is_named() {
    let (home, phone) = (home("lifted-device"), key(PHONE));
    home.ok(&["identity", "new", "middle", "--no-passphrase"], "");
    home.ok(&["sigchain", "rotate", "middle", "--next", "safe"], "");
    home.ok(&["identity", "use", "middle"], "");
    burn_safe(&home);
    home.ok(&["sigchain", "revoke-device", "phone"], "");
    let (_, rotated) = home.json(&["sigchain", "rotate", "safe", "--yes"], "");
    assert_eq!(rotated["data"]["suspended"], json!([phone.as_str()]), "{rotated}");
    home.ok(&["identity", "use", "safe"], "");
    asks(&home, &["middle"], phone.as_str());
    let rotated = home.ok(&["sigchain", "export"], "");
    assert_eq!(lifted(&home, &["middle", "phone"]), json!({ "devices": [], "subjects": [] }));
    // What phone signed itself had no effect any more.
    let other = Home::with_alice("lifted-device-other");
    other.ok(&["identity", "restore", "safe", "--mnemonic", "-", "--no-passphrase"], SAFE);
    other.ok(&["identity", "use", "safe"], "");
    other.ok(&["sigchain", "import", "-"], &rotated);
    assert_eq!(lifted(&other, &[phone.as_str()]), json!({ "devices": [], "subjects": [] }));
}

#[test]
fn a_device_that_is_kept_is_named() {
    let (home, phone) = (home("lifted-kept"), key(PHONE));
    home.ok(&["identity", "new", "middle", "--no-passphrase"], "");
    home.ok(&["sigchain", "rotate", "middle", "--next", "safe"], "");
    home.ok(&["identity", "use", "middle"], "");
    burn_safe(&home);
    home.ok(&["sigchain", "revoke-device", "phone"], "");
    home.ok(&["sigchain", "rotate", "safe", "--yes"], "");
    home.ok(&["identity", "use", "safe"], "");
    let expected = json!({ "devices": [phone.as_str()], "subjects": [] });
    assert_eq!(lifted(&home, &["middle", "--keep", "phone"]), expected);
    let (_, shown) = home.json(&["sigchain", "show"], "");
    assert_eq!(shown["data"]["devices"][0]["suspended"], json!(false));
}

/// A device has no say in what is lifted; the primary has, and not its agent.
#[test]
fn what_a_device_revoked_is_lifted_with_the_passphrase_and_not_unasked() {
    let (home, passphrase) = locked_home("lifted-agent", ALICE, "ed25519");
    let home = Unlocked(home);
    fill(&home.0, &["--passphrase-file", &passphrase]);
    unlock(&home.0, &passphrase, &[]);
    let start = home.0.ok(&["sigchain", "export"], "");
    home.0.ok(&["sigchain", "add", "dns:a.example"], "");
    signed_by_phone(&home.0, &start, revoke_github());
    asks(&home.0, &["phone"], "github:alice");
    let (code, answer) = home.0.json(&["sigchain", "revoke-device", "phone", "--yes"], "");
    assert_eq!((code, &answer["error"]["code"]), (4, &json!("key.locked")), "{answer}");
    let expected = json!({ "devices": [], "subjects": ["github:alice"] });
    assert_eq!(lifted(&home.0, &["phone", "--yes", "--passphrase-file", &passphrase]), expected);
}
