//! Random histories: events that follow one another, most of them valid, on a few branches.

use std::collections::BTreeSet;

use kez_core::sigchain::{ChainEvent, State, commitment};
use kez_core::{Claim, ClaimDraft, Identity, KeyIdentity, Op, Time, Verified, sign_claim};
use proptest::prelude::*;

use super::chains::{Draft, chain, event, key, secret};

/// How many keys a history has.
pub const KEYS: u8 = 9;

/// A step of a random history: which event it follows, what it does, who signs.
#[derive(Clone, Debug)]
pub struct Step {
    after: usize,
    op: u8,
    keys: [u8; 3],
    signer: u8,
}

/// Up to `most` steps.
pub fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = (0_usize..1_000, 0_u8..16, [0..KEYS, 0..KEYS, 0..KEYS], 0_u8..20)
        .prop_map(|(after, op, keys, signer)| Step { after, op, keys, signer });
    prop::collection::vec(step, 1..most)
}

/// A claim of the first subject, made some seconds after the beginning of 2026; it ends an hour later.
pub fn claim(primary: u8, seconds: u64) -> Verified<Claim> {
    let time = |seconds| Time::from_unix_seconds(1_767_225_600 + seconds).unwrap();
    let expires_at = Some(time(seconds + 3_600));
    sign_claim(&ClaimDraft { subject: subject(0), created_at: time(seconds), expires_at }, &secret(primary)).unwrap()
}

/// One of four subjects.
pub fn subject(number: u8) -> Identity {
    Identity::parse(&format!("dns:s{}.example", number % 4)).unwrap()
}

/// The events of a history. Most are valid; later ones are likelier to be built upon, so that branches grow.
pub fn history(steps: &[Step]) -> Vec<ChainEvent> {
    let primary = secret(0);
    let genesis = Draft {
        primary: key(0),
        previous: None,
        op: Op::AddDevice { key: key(1), pop: [0; 64] },
        signer: &primary,
        new_key: Some(&secret(1)),
    };
    let mut events = vec![event(genesis)];
    for step in steps {
        let back = step.after % events.len().min(if step.after % 3 == 0 { 8 } else { 2 });
        let previous = events[events.len() - 1 - back].clone();
        let state = chain(&events).state_after(&previous.digest());
        events.push(next(step, &previous, state.as_ref(), &events));
    }
    events
}

fn next(step: &Step, previous: &ChainEvent, state: Option<&State>, events: &[ChainEvent]) -> ChainEvent {
    let [first, second, third] = step.keys;
    let state_primary = state.map_or_else(|| key(0), |state| state.primary().clone());
    let (op, new_key) = match step.op {
        0..3 => {
            let subject_id = (second % 3 > 0).then(|| format!("id-{}", second % 2));
            let proof = (third % 2 > 0).then(|| claim(second % 3, 0).digest());
            (Op::Add { subject: subject(first), subject_id, proof }, None)
        }
        3 | 4 => (Op::Revoke { subject: subject(first) }, None),
        5..9 => (Op::AddDevice { key: key(first), pop: [0; 64] }, Some(first)),
        9 | 10 => {
            let keep = if third % 2 == 0 { vec![key(second)] } else { Vec::new() };
            (Op::RevokeDevice { keys: vec![key(first)], keep }, None)
        }
        11 => (Op::SetNext { next: commitment(&key(first)) }, None),
        12 | 13 => (Op::Rotate { new_primary: key(first), pop: [0; 64], next: None }, Some(first)),
        14 => {
            let rejected = [first, second].map(|it| events[usize::from(it) % events.len()].digest());
            (Op::Settle { reject: BTreeSet::from(rejected).into_iter().collect() }, None)
        }
        _ => (Op::SetSharedFiles { manifest: previous.digest(), size: 1 }, None),
    };
    let number_of = |wanted: &KeyIdentity| (0..KEYS).find(|number| key(*number) == *wanted);
    let devices = state.map(State::devices).unwrap_or_default();
    let signer = match (step.signer, &op) {
        (_, Op::Rotate { .. }) if state.is_some_and(|state| state.next().is_some()) => Some(first),
        (0..10, _) => number_of(&state_primary),
        (10..18, _) if !devices.is_empty() => number_of(&devices[usize::from(second) % devices.len()]),
        _ => Some(third),
    };
    let (signer, new_key) = (secret(signer.unwrap_or(third)), new_key.map(secret));
    event(Draft { primary: state_primary, previous: Some(previous), op, signer: &signer, new_key: new_key.as_ref() })
}
