//! What holds of every set of events. SPEC §5.5: the state is a function of the set.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

#[path = "support/chains.rs"]
mod chains;
#[path = "support/history.rs"]
mod history;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chains::{Draft, chain, event, key, secret};
use history::{KEYS, claim, history, steps, subject};
use kez_core::error::Code;
use kez_core::sigchain::{Chain, ChainEvent, Lift, Split, State, SubjectStatus, replay};
use kez_core::verify::{Input, PlacedText, Publication, PublicationStatus, Source, SourceKind, SourceOutcome, verify};
use kez_core::{Digest, Identity, KeyIdentity, Op, Time};
use proptest::prelude::*;

/// All that a chain says.
#[derive(Debug, PartialEq)]
struct Said {
    head: Digest,
    state: State,
    is_fork: bool,
    is_contested: bool,
    splits: Vec<Split>,
    suspended: Vec<KeyIdentity>,
    sticky: Vec<Digest>,
    subjects: Vec<(Identity, bool)>,
    known: BTreeSet<Digest>,
    refused: BTreeMap<Digest, Code>,
}

fn said(chain: &Chain) -> Said {
    let subjects = chain.subjects().into_iter();
    Said {
        head: chain.head().digest(),
        state: chain.state().clone(),
        is_fork: chain.is_fork(),
        is_contested: chain.is_contested(),
        splits: chain.splits().to_vec(),
        suspended: chain.state().devices().iter().filter(|device| chain.is_suspended(device)).cloned().collect(),
        sticky: chain.sticky_revocations().to_vec(),
        subjects: subjects.map(|subject| (subject.clone(), chain.was_revoked(subject))).collect(),
        known: known(chain),
        refused: refused(chain),
    }
}

fn known(chain: &Chain) -> BTreeSet<Digest> {
    chain.tree().events().map(ChainEvent::digest).collect()
}

fn refused(chain: &Chain) -> BTreeMap<Digest, Code> {
    chain.tree().refused().iter().map(|(digest, refusal)| (*digest, refusal.error.code())).collect()
}

/// The events from event 0 to this one; none where one of them is not there.
fn line<'a>(events: &'a [ChainEvent], last: &'a ChainEvent) -> Vec<&'a ChainEvent> {
    let mut line = vec![last];
    while let Some(prev) = line.last().unwrap().payload().prev {
        line.push(events.iter().find(|event| event.digest() == prev).unwrap());
    }
    line.reverse();
    line
}

fn found(name: &str, kind: SourceKind, events: &[&ChainEvent]) -> Source {
    Source {
        name: name.into(),
        kind,
        expected: kind != SourceKind::Local,
        outcome: SourceOutcome::Found,
        events: events.iter().map(|&event| Arc::new(event.clone())).collect(),
        heads: Vec::new(),
        code: None,
    }
}

fn input(sources: Vec<Source>) -> Input {
    let now = Time::from_unix_seconds(1_767_225_600).unwrap();
    let candidates = vec![PlacedText { text: claim(0, 0).canonical().into(), found_at: "place".into() }];
    Input {
        subject: Some(subject(0)),
        primary: None,
        publication: Publication { status: PublicationStatus::Found, candidates, account_id: None },
        sources,
        marks: Vec::new(),
        seen: None,
        now,
        require_chain: false,
        require_fresh: false,
    }
}

/// After the end of a chain: an event of the primary, and branches that lose to it, on which each device revokes.
fn losing_revocations(chain: &Chain, primary: u8) -> Vec<ChainEvent> {
    let signed = |op: Op, signer: u8| {
        let draft =
            Draft { primary: key(primary), previous: Some(chain.head()), op, signer: &secret(signer), new_key: None };
        event(draft)
    };
    let listed = (0..4).map(subject).find(|it| !is_revoked(chain, it)).unwrap_or(subject(0));
    let mut events = vec![signed(Op::Add { subject: listed, subject_id: None, proof: None }, primary)];
    for number in (0..KEYS).filter(|number| chain.state().is_device(&key(*number))) {
        let other = key((number + 1) % KEYS);
        events.push(signed(Op::Revoke { subject: subject(number) }, number));
        events.push(signed(Op::RevokeDevice { keys: vec![other], keep: vec![] }, number));
    }
    events
}

/// Whether it is revoked, by the path or beside it.
fn is_revoked(chain: &Chain, subject: &Identity) -> bool {
    matches!(chain.subject(subject), SubjectStatus::Revoked)
}

/// What has its say back in the second that had none in the first.
fn lift(before: &Chain, after: &Chain) -> Lift {
    let is_back = |key: &&KeyIdentity| before.is_suspended(key) && !after.is_suspended(key);
    let subjects = before.subjects().into_iter();
    Lift {
        devices: after.state().devices().iter().filter(is_back).cloned().collect(),
        subjects: subjects.filter(|it| is_revoked(before, it) && !is_revoked(after, it)).cloned().collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_decides_nothing((steps, seed) in (steps(24), any::<u64>())) {
        let mut events = history(&steps);
        let before = said(&chain(&events));
        let genesis = events.remove(0);
        let count = events.len();
        for place in 0..count {
            events.swap(place, (seed.rotate_left(place as u32 * 7) as usize) % count);
        }
        events.insert(count / 2, genesis.clone());
        events.push(genesis);
        prop_assert_eq!(before, said(&chain(&events)));
    }

    #[test]
    fn a_part_never_knows_more_than_the_whole((steps, cut) in (steps(24), 1_usize..24)) {
        let events = history(&steps);
        let (part, whole) = (chain(&events[..cut.min(events.len())]), chain(&events));
        prop_assert!(known(&part).is_subset(&known(&whole)));
        let all = refused(&whole);
        prop_assert!(refused(&part).iter().all(|(digest, code)| all.get(digest) == Some(code)));
    }

    #[test]
    fn an_event_is_valid_in_a_tree_as_on_its_own_line(steps in steps(24)) {
        let events = history(&steps);
        let tree = chain(&events);
        for event in &events {
            let alone = replay(line(&events, event));
            prop_assert_eq!(alone.is_ok(), tree.tree().get(&event.digest()).is_some());
            if let Ok(state) = alone {
                prop_assert_eq!(Some(state), tree.state_after(&event.digest()));
            }
        }
    }

    #[test]
    fn a_revoked_key_never_authorises_again(steps in steps(32)) {
        let events = history(&steps);
        for last in chain(&events).tree().events() {
            let mut burned: BTreeSet<KeyIdentity> = BTreeSet::new();
            for event in line(&events, last) {
                prop_assert!(!burned.contains(event.signer()), "{}", event.signer());
                let state = chain(&events).state_after(&event.digest()).unwrap();
                burned.extend((0..KEYS).map(key).filter(|key| state.is_burned(key)));
                prop_assert!(!burned.contains(state.primary()));
                prop_assert!(state.devices().iter().all(|device| !burned.contains(device)));
            }
        }
    }

    #[test]
    fn a_revocation_anywhere_is_in_force_or_lifted_by_the_owner(steps in steps(32)) {
        let events = history(&steps);
        let chain = chain(&events);
        let owner = |event: &&ChainEvent| !event.is_by_device();
        let is_lifting = |event: &ChainEvent| matches!(event.payload().op, Op::Settle { .. } | Op::RevokeDevice { .. });
        for event in chain.tree().events().filter(|event| !chain.is_on_path(&event.digest())) {
            let Op::Revoke { subject } = &event.payload().op else { continue };
            let is_lifted = !chain.sticky_revocations().contains(&event.digest());
            prop_assert!(!is_lifted || chain.path().filter(owner).any(is_lifting));
            prop_assert!(is_lifted || chain.was_revoked(subject));
        }
    }

    #[test]
    fn what_a_revocation_lifts_is_known_before_it_is_signed((steps, keep) in (steps(32), 0..KEYS)) {
        let mut events = history(&steps);
        let end = chain(&events);
        let primary = (0..KEYS).find(|number| key(*number) == *end.state().primary()).unwrap();
        events.extend(losing_revocations(&end, primary));
        let before = chain(&events);
        for number in (0..KEYS).filter(|number| ![primary, keep].contains(number) && !before.is_fork()) {
            let (keys, keep) = (vec![key(number)], vec![key(keep)]);
            let expected = before.lift_of_revoking(&keys, &keep);
            let op = Op::RevokeDevice { keys, keep };
            let (primary, signer) = (key(primary), secret(primary));
            events.push(event(Draft { primary, previous: Some(before.head()), op, signer: &signer, new_key: None }));
            prop_assert_eq!(expected, lift(&before, &chain(&events)));
            events.pop();
        }
    }

    #[test]
    fn how_events_are_split_into_sources_changes_nothing((steps, seed) in (steps(24), any::<u64>())) {
        let events = history(&steps);
        let valid = chain(&events);
        let valid: Vec<&ChainEvent> = valid.tree().events().collect();
        let (mut one, mut other) = (Vec::new(), Vec::new());
        for (place, event) in valid.iter().enumerate() {
            match seed.rotate_right(place as u32) % 3 {
                0 => one.push(*event),
                1 => other.push(*event),
                _ => [&mut one, &mut other].into_iter().for_each(|list| list.push(*event)),
            }
        }
        let whole = verify(&input(vec![found("all", SourceKind::Store, &valid)]));
        let parts = [found("one", SourceKind::Store, &one), found("other", SourceKind::Local, &other)];
        let split = verify(&input(parts.into()));
        prop_assert_eq!((whole.status, whole.reason, whole.flags), (split.status, split.reason, split.flags));
        prop_assert_eq!((whole.chain, whole.mark), (split.chain, split.mark));
    }
}
