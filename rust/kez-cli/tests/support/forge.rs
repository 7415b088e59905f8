//! Keys of other people of a chain, and what somebody who has one of them makes of it.
#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::indexing_slicing)]

use kez_core::mnemonic::parse_mnemonic;
use kez_core::sigchain::{Chain, Graph, Signing, append, read_document, write_jsonl};
use kez_core::{KeyIdentity, Op, SecretKey, Signer as _, Suite, Time};

pub const SAFE: &str = "letter advice cage absurd amount doctor acoustic avoid letter advice cage above";
pub const PHONE: &str = "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong";

pub fn signer(words: &str) -> SecretKey {
    SecretKey::from_bytes(Suite::Ed25519, parse_mnemonic(words).unwrap()).unwrap()
}

pub fn key(words: &str) -> KeyIdentity {
    signer(words).key().clone()
}

/// The document with what the key with these words signs after it.
pub fn forged(document: &str, words: &str, ops: impl IntoIterator<Item = Op>) -> String {
    let signer = signer(words);
    let mut events = read_document(document.as_bytes()).events;
    for op in ops {
        let graph = Graph::of(events.iter().cloned());
        let chain = Chain::of(&graph, graph.geneses()[0]).unwrap();
        let created_at = Time::from_unix_seconds(1_767_225_600).unwrap();
        events.push(append(&chain, op, Signing { signer: &signer, new_key: None, created_at }).unwrap());
    }
    write_jsonl(&events)
}
