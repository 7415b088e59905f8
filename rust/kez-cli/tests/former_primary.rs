//! A former primary is revoked, and with it all that its key signs on branches that lost. SPEC FORK-6.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use kez_core::{Identity, KeyIdentity, Op};
use serde_json::{Value, json};
use support::forge::{PHONE, SAFE, forged, key};
use support::{ALICE, Home};

/// A home whose chain lists an account and phone.
fn home(name: &str) -> Home {
    let home = Home::with_alice(name);
    for (name, words) in [("safe", SAFE), ("phone", PHONE)] {
        home.ok(&["identity", "restore", name, "--mnemonic", "-", "--no-passphrase"], words);
    }
    home.ok(&["sigchain", "add", "github:alice"], "");
    home.ok(&["sigchain", "add-device", "phone"], "");
    home
}

/// Signs events after those of the document with the old primary key, and has its owner learn of them.
fn forge(home: &Home, document: &str, ops: impl IntoIterator<Item = Op>) {
    home.ok(&["sigchain", "import", "-"], &forged(document, ALICE, ops));
}

fn of_devices(keys: &[KeyIdentity]) -> Op {
    Op::RevokeDevice { keys: keys.to_vec(), keep: vec![] }
}

fn data(home: &Home, command: &str) -> Value {
    home.json(&["sigchain", command], "").1["data"].clone()
}

#[test]
fn what_it_revoked_is_lifted_and_what_it_revokes_yet() {
    let (home, alice, phone) = (home("former-lifted"), key(ALICE), key(PHONE));
    home.ok(&["sigchain", "set-next", "safe", "--yes"], "");
    let start = home.ok(&["sigchain", "export"], "");
    forge(&home, &start, [of_devices(&[key(SAFE), phone.clone()])]);
    let (_, rotated) = home.json(&["sigchain", "rotate", "safe", "--yes"], "");
    assert_eq!(rotated["data"]["suspended"], json!([phone.as_str()]));
    let warnings = rotated["warnings"].as_array().unwrap();
    let lasting = format!("kez-rs sigchain revoke-device {alice}");
    assert!(warnings.iter().any(|it| it.as_str().unwrap().contains(&lasting)), "{rotated}");
    home.ok(&["identity", "use", "safe"], "");
    // Who revoked phone is not known here: it may have been its owner.
    let (code, unasked) = home.json(&["sigchain", "revoke-device", "alice"], "");
    assert_eq!((code, &unasked["error"]["code"]), (2, &json!("usage")), "{unasked}");
    assert!(unasked["error"]["hint"].as_str().unwrap().contains(&format!("--keep {phone}")), "{unasked}");
    home.ok(&["sigchain", "revoke-device", "alice", "--keep", "phone"], "");
    forge(&home, &start, [Op::Revoke { subject: Identity::parse("github:alice").unwrap() }, of_devices(&[phone])]);
    let shown = data(&home, "show");
    assert_eq!((&shown["devices"][0]["suspended"], &shown["subjects"][0]["status"]), (&json!(false), &json!("active")));
    assert_eq!(shown["losing"].as_array().unwrap().len(), 3);
    assert_eq!(data(&home, "settle")["revocations"], json!([]));
}

#[test]
fn devices_that_it_added_stay() {
    let (home, alice, phone) = (home("former-devices"), key(ALICE), key(PHONE));
    home.ok(&["sigchain", "rotate", "safe"], "");
    home.ok(&["identity", "use", "safe"], "");
    // A device lifts nothing.
    let (code, by_device) = home.json(&["--identity", "phone", "sigchain", "revoke-device", "alice"], "");
    assert_eq!((code, &by_device["error"]["code"]), (2, &json!("usage")), "{by_device}");
    let (code, revoked) = home.json(&["sigchain", "revoke-device", "alice"], "");
    assert_eq!(code, 0, "{revoked}");
    let payload = &revoked["data"]["events"][0]["payload"];
    assert_eq!(*payload, json!({ "keys": [alice.as_str()], "keep": [phone.as_str()] }));
    assert_eq!(data(&home, "show")["devices"][0]["key"], phone.as_str());
}
