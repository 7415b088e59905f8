//! Keys that a command would make useless, or that could never do what they are named for.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use kez_core::sigchain::{Chain, Graph, Signing, append, read_document, write_jsonl};
use kez_core::{Op, Time};
use serde_json::json;
use support::forge::{PHONE, SAFE, key, signer};
use support::{ALICE, Home};

fn home(name: &str) -> Home {
    let home = Home::with_alice(name);
    for (name, words) in [("safe", SAFE), ("phone", PHONE)] {
        home.ok(&["identity", "restore", name, "--mnemonic", "-", "--no-passphrase"], words);
    }
    home.ok(&["sigchain", "add", "github:alice"], "");
    home
}

fn refused(home: &Home, args: &[&str]) -> (i32, String) {
    let (code, answer) = home.json(&[&["sigchain"], args].concat(), "");
    (code, answer["error"]["code"].as_str().unwrap_or_default().to_owned())
}

fn refusal(exit: i32, code: &str) -> (i32, String) {
    (exit, code.to_owned())
}

#[test]
fn a_committed_key_is_added_as_no_device() {
    let home = home("in-use-device");
    home.ok(&["sigchain", "set-next", "safe", "--yes"], "");
    assert_eq!(refused(&home, &["add-device", "safe"]), refusal(1, "chain.key_in_use"));
}

#[test]
fn no_key_is_committed_to_that_could_never_follow() {
    let home = home("in-use-committed");
    home.ok(&["sigchain", "add-device", "phone"], "");
    for name in ["alice", "phone"] {
        assert_eq!(refused(&home, &["set-next", name, "--yes"]), refusal(1, "chain.key_in_use"), "{name}");
    }
    for name in ["alice", "phone", "safe"] {
        assert_eq!(refused(&home, &["rotate", "safe", "--next", name]), refusal(1, "chain.key_in_use"), "{name}");
    }
    home.ok(&["sigchain", "revoke-device", "phone"], "");
    assert_eq!(refused(&home, &["set-next", "phone", "--yes"]), refusal(1, "chain.key_reuse"));
    assert_eq!(refused(&home, &["rotate", "safe", "--next", "phone"]), refusal(1, "chain.key_reuse"));
    home.ok(&["sigchain", "rotate", "safe"], "");
    home.ok(&["identity", "use", "safe"], "");
    assert_eq!(refused(&home, &["set-next", "alice", "--yes"]), refusal(1, "chain.key_reuse"));
}

#[test]
fn a_committed_key_goes_with_no_other_unasked() {
    let home = home("in-use-with");
    home.ok(&["sigchain", "add-device", "phone"], "");
    home.ok(&["sigchain", "set-next", "safe", "--yes"], "");
    let document = home.ok(&["sigchain", "export"], "");
    let mut events = read_document(document.as_bytes()).events;
    let graph = Graph::of(events.iter().cloned());
    let chain = Chain::of(&graph, graph.geneses()[0]).unwrap();
    let created_at = Time::from_unix_seconds(1_767_225_600).unwrap();
    let signing = Signing { signer: &signer(PHONE), new_key: Some(&signer(SAFE)), created_at };
    events.push(append(&chain, Op::AddDevice { key: key(SAFE), pop: [0; 64] }, signing).unwrap());
    home.ok(&["sigchain", "import", "-"], &write_jsonl(&events));
    assert_eq!(refused(&home, &["revoke-device", "phone"]), refusal(1, "chain.prerotation"));
    home.ok(&["sigchain", "revoke-device", "phone", "--keep", "safe"], "");
    assert_eq!(refused(&home, &["revoke-device", "safe"]), refusal(1, "chain.prerotation"));
    home.ok(&["sigchain", "revoke-device", "safe", "--yes"], "");
}

#[test]
fn the_primary_is_replaced_and_not_revoked() {
    let home = home("in-use-primary");
    assert_eq!(refused(&home, &["revoke-device", "alice"]), refusal(1, "chain.authority"));
    assert_eq!(refused(&home, &["revoke-device", "phone"]), refusal(2, "usage"));
    let alice = key(ALICE).to_string();
    let (_, shown) = home.json(&["sigchain", "show"], "");
    assert_eq!(shown["data"]["primary"], json!(alice));
}
