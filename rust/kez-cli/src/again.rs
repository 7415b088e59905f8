//! Revocations of a branch that loses, which the primary signs again: `--keep-revocations` of `kez-rs sigchain rotate` and
//! `settle`. SPEC FORK-6.

use std::collections::HashSet;

use kez_core::KeyIdentity;
use kez_core::envelope::Op;
use kez_core::sigchain::{ChainEvent, Lineage, State};

/// A revocation, and what of it is signed again.
pub type Again<'a> = (&'a ChainEvent, Op);

/// What the event revokes, to be signed by this primary: a primary is replaced, and not revoked.
pub fn revocation(event: &ChainEvent, primary: &KeyIdentity) -> Option<Op> {
    match &event.payload().op {
        Op::Revoke { subject } => Some(Op::Revoke { subject: subject.clone() }),
        Op::RevokeDevice { keys, keep } => {
            let keys: Vec<KeyIdentity> = keys.iter().filter(|key| *key != primary).cloned().collect();
            (!keys.is_empty()).then(|| Op::RevokeDevice { keys, keep: keep.clone() })
        }
        _ => None,
    }
}

/// The revocations among events of one path, and those left out: their signer was revoked later, by one that is not left
/// out. What a thief's device revoked would be revoked for good, in the name of its owner.
pub fn trusted<'a>(
    lineage: &Lineage,
    events: &[&'a ChainEvent],
    primary: &KeyIdentity,
) -> (Vec<Again<'a>>, Vec<&'a ChainEvent>) {
    let (mut again, mut left_out): (Vec<Again<'a>>, Vec<&ChainEvent>) = Default::default();
    // Who is revoked signs no more: all that a revocation speaks about stands before it.
    for event in events.iter().rev() {
        let Some(op) = revocation(event, primary) else { continue };
        match again.iter().any(|(_, later)| takes_out(lineage, later, event.signer())) {
            true => left_out.push(event),
            false => again.push((event, op)),
        }
    }
    again.reverse();
    left_out.reverse();
    (again, left_out)
}

/// CHAIN-12
fn takes_out(lineage: &Lineage, op: &Op, key: &KeyIdentity) -> bool {
    let Op::RevokeDevice { keys, keep } = op else { return false };
    keys.contains(key) || (!keep.contains(key) && lineage.is_added_by(key, keys))
}

/// Those that say something new after this state, one after the other.
pub fn new_to<'a>(mut state: State, again: Vec<Again<'a>>) -> Vec<Again<'a>> {
    let mut revoked = HashSet::new();
    let mut news = Vec::new();
    for (event, op) in again {
        let op = match op {
            Op::Revoke { subject } => {
                let holds = state.subject(&subject).is_some_and(|entry| entry.listing.is_none());
                let is_new = !holds && revoked.insert(subject.clone());
                is_new.then_some(Op::Revoke { subject })
            }
            Op::RevokeDevice { mut keys, keep } => {
                keys.retain(|key| !holds_of(&state, key, &keep));
                state = state.without(&keys, &keep);
                (!keys.is_empty()).then_some(Op::RevokeDevice { keys, keep })
            }
            other => Some(other),
        };
        news.extend(op.map(|op| (event, op)));
    }
    news
}

/// Whether this key is revoked, and nothing is left that would go with it.
fn holds_of(state: &State, key: &KeyIdentity, keep: &[KeyIdentity]) -> bool {
    let taken = state.revoked_by(std::slice::from_ref(key), keep);
    state.is_burned(key) && !taken.iter().any(|key| state.is_device(key))
}

/// Such as `event 3 (revoke_device by ed25519:…)`.
pub fn listed<'a>(events: impl IntoIterator<Item = &'a ChainEvent>) -> String {
    let one =
        |event: &ChainEvent| format!("event {} ({} by {})", event.seq(), event.payload().op.name(), event.signer());
    events.into_iter().map(one).collect::<Vec<_>>().join(", ")
}
