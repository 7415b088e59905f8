//! Chains as large as they may be: CHAIN-7, CHAIN-9, CHAIN-18, and that what an attacker serves costs no more than its
//! size. Nothing here may recurse or walk twice.
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

use std::sync::Arc;

use chains::{Draft, event, key, secret};
use kez_core::error::Code;
use kez_core::sigchain::{Chain, ChainEvent, Graph};
use kez_core::verify::{
    Flag, Input, PlacedText, Publication, PublicationStatus, Source, SourceKind, SourceOutcome, Status, Verdict, verify,
};
use kez_core::{ClaimDraft, Digest, Identity, Op, Time, sign_claim};

const RUNGS: u64 = 9_000;

/// Numbers that tell one event from another.
fn files(size: u64) -> Op {
    Op::SetSharedFiles { manifest: Digest::of("manifest"), size }
}

fn next(previous: &ChainEvent, op: Op, signer: u8) -> ChainEvent {
    event(Draft { primary: key(0), previous: Some(previous), op, signer: &secret(signer), new_key: None })
}

/// The primary's path to `seq` 8,999, and beside each event of it one by a device: a split at every step.
fn ladder() -> (Vec<ChainEvent>, ChainEvent) {
    let (primary, device) = (secret(0), secret(1));
    let op = Op::AddDevice { key: key(1), pop: [0; 64] };
    let genesis = event(Draft { primary: key(0), previous: None, op, signer: &primary, new_key: Some(&device) });
    let mut events = vec![genesis.clone()];
    let mut last = genesis;
    for seq in 1..RUNGS {
        events.push(next(&last, files(seq), 1));
        let rung = next(&last, files(seq), 0);
        events.push(rung.clone());
        last = rung;
    }
    (events, last)
}

fn source(kind: SourceKind, events: &[ChainEvent]) -> Source {
    Source {
        name: "source".into(),
        kind,
        expected: true,
        outcome: SourceOutcome::Found,
        events: events.iter().map(|event| Arc::new(event.clone())).collect(),
        heads: Vec::new(),
        code: None,
    }
}

fn judge(sources: Vec<Source>) -> (Status, Option<Code>) {
    let verdict = judge_by(0, sources);
    (verdict.status, verdict.reason)
}

fn judge_by(signer: u8, sources: Vec<Source>) -> Verdict {
    let (subject, now) = (Identity::parse("dns:example.org").unwrap(), Time::from_unix_seconds(1_767_225_600).unwrap());
    let draft = ClaimDraft { subject: subject.clone(), created_at: now, expires_at: None };
    let text = sign_claim(&draft, &secret(signer)).unwrap().canonical().to_owned();
    let candidates = vec![PlacedText { text, found_at: "place".into() }];
    verify(&Input {
        subject: Some(subject),
        primary: None,
        publication: Publication { status: PublicationStatus::Found, candidates, account_id: None },
        sources,
        marks: Vec::new(),
        seen: None,
        now,
        require_chain: false,
        require_fresh: false,
    })
}

#[test]
fn the_largest_chain_is_judged_and_one_event_more_is_too_many() {
    let (mut events, last) = ladder();
    let reserved =
        [next(&last, files(1), 0), next(&last, Op::Revoke { subject: Identity::parse("dns:a.example").unwrap() }, 1)];
    let settle = next(&last, Op::Settle { reject: vec![last.digest()] }, 0);
    events.extend(reserved.iter().cloned());
    events.push(settle.clone());
    let graph = Graph::of(events.iter().cloned());
    let chain = Chain::of(&graph, graph.geneses()[0]).unwrap();
    assert_eq!((chain.head().digest(), chain.tree().len()), (settle.digest(), 2 * RUNGS as usize));
    assert!(chain.is_contested() && chain.splits().len() == RUNGS as usize - 1);
    for event in &reserved {
        assert_eq!(chain.tree().refused()[&event.digest()].error.code(), Code::LimitChain);
    }
    let surplus: Vec<ChainEvent> = (0..=2_000).map(|size| next(&events[0], files(1_000_000 + size), 1)).collect();
    let all = Graph::of(events.iter().chain(&surplus).cloned());
    assert_eq!(Chain::of(&all, all.geneses()[0]).unwrap_err().code(), Code::LimitChain);
    // Whoever names a source in a text does not silence a chain; a store that serves as much does.
    let valid: Vec<ChainEvent> = chain.tree().events().cloned().collect();
    let with = |kind| judge(vec![source(SourceKind::Store, &valid), source(kind, &surplus)]);
    assert_eq!(with(SourceKind::Hint), (Status::Valid, None));
    assert_eq!(with(SourceKind::Store), (Status::Unreachable, Some(Code::LimitChain)));
    // What was left out is silent. Event 0 may be lost with it; the keys that only it makes primaries are not.
    let all: Vec<ChainEvent> = valid.iter().chain(&surplus).cloned().collect();
    assert_eq!(judge(vec![source(SourceKind::Hint, &all)]), (Status::Unreachable, Some(Code::LimitChain)));
    let rotate = Op::Rotate { new_primary: key(2), pop: [0; 64], next: None };
    let turned = event(Draft {
        primary: key(0),
        previous: Some(&events[0]),
        op: rotate,
        signer: &secret(0),
        new_key: Some(&secret(2)),
    });
    let strays: Vec<ChainEvent> = surplus.iter().cloned().chain([turned]).collect();
    let verdict = judge_by(2, vec![source(SourceKind::Store, &valid), source(SourceKind::Hint, &strays)]);
    assert_eq!((verdict.status, verdict.reason), (Status::Invalid, Some(Code::ClaimNotInChain)));
    assert!(verdict.flags.contains(&Flag::Stale));
}
