//! Chains for tests: a few keys, and events that are signed whether they are valid or not.
#![allow(dead_code, reason = "each test file uses some of it")]

use kez_core::envelope::{Event, Kind, Op, Role, sign};
use kez_core::sigchain::{Chain, ChainEvent, Graph, pop};
use kez_core::{KeyIdentity, SecretKey, Signer as _, Suite, Time};

/// A key from a number; every third is a nostr key.
pub fn secret(number: u8) -> SecretKey {
    let suite = if number % 3 == 2 { Suite::Nostr } else { Suite::Ed25519 };
    SecretKey::from_bytes(suite, [number + 1; 32].into()).unwrap()
}

/// The identity of [`secret`].
pub fn key(number: u8) -> KeyIdentity {
    secret(number).key().clone()
}

/// What a test gives an event.
pub struct Draft<'a> {
    pub primary: KeyIdentity,
    pub previous: Option<&'a ChainEvent>,
    pub op: Op,
    pub signer: &'a SecretKey,
    pub new_key: Option<&'a SecretKey>,
}

/// The event, signed by whoever the test says, with a proof of possession where the operation has one.
pub fn event(draft: Draft<'_>) -> ChainEvent {
    let created_at = Time::from_unix_seconds(1_767_225_600).unwrap();
    let mut event = Event {
        primary: draft.primary,
        seq: draft.previous.map_or(0, |it| it.seq() + 1),
        prev: draft.previous.map(ChainEvent::digest),
        created_at,
        op: draft.op,
    };
    let mut members = event.to_members();
    members.insert("type".into(), Kind::SigchainEvent.payload_type().into());
    members.insert("version".into(), 1_u32.into());
    if let Some(signer) = draft.new_key {
        match &mut event.op {
            Op::AddDevice { pop, .. } => *pop = pop::sign(&members, Role::Device, signer).unwrap(),
            Op::Rotate { pop, .. } => *pop = pop::sign(&members, Role::Primary, signer).unwrap(),
            _ => (),
        }
    }
    sign::<Event>(event.to_members(), draft.signer).unwrap().into_inner().into()
}

/// The only chain of these events.
pub fn chain(events: &[ChainEvent]) -> Chain {
    let graph = Graph::of(events.iter().cloned());
    Chain::of(&graph, graph.geneses()[0]).unwrap()
}
