//! Chains made by this implementation, and verdicts where the vectors say nothing.
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

use std::collections::BTreeSet;
use std::sync::Arc;

use chains::{Draft, chain, event, key, secret};
use kez_core::error::Code;
use kez_core::sigchain::{
    ChainEvent, HeadMeaning, Signing, append, check_head, commitment, create_chain, read_document, read_head,
    sign_head, write_jsonl,
};
use kez_core::verify::{
    Flag, Input, Mark, PlacedText, Publication, PublicationStatus, Source, SourceKind, SourceOutcome, Status, Verdict,
    verify,
};
use kez_core::{ClaimDraft, Digest, Identity, Op, Time, sign_claim};

fn now() -> Time {
    Time::from_unix_seconds(1_767_225_600).unwrap()
}

fn subject() -> Identity {
    Identity::parse("dns:example.org").unwrap()
}

fn add(proof: Option<Digest>) -> Op {
    Op::Add { subject: subject(), subject_id: None, proof }
}

/// A chain of key 0 with a device, rotated to the committed key 3.
fn rotated() -> Vec<ChainEvent> {
    let [primary, device, next_primary] = [0, 1, 3].map(secret);
    let by_primary = Signing { signer: &primary, new_key: None, created_at: now() };
    let next = commitment(&key(3));
    let mut events = vec![create_chain(Op::SetNext { next }, by_primary).unwrap()];
    let with_device = Signing { new_key: Some(&device), ..by_primary };
    let with_next = Signing { signer: &next_primary, new_key: Some(&next_primary), ..by_primary };
    let rotate = Op::Rotate { new_primary: key(3), pop: [0; 64], next: None };
    for (op, signing) in [
        (Op::AddDevice { key: key(1), pop: [0; 64] }, with_device),
        (add(None), Signing { signer: &device, ..by_primary }),
        (rotate, with_next),
    ] {
        let event = append(&chain(&events), op, signing).unwrap();
        events.push(event);
    }
    events
}

fn source(kind: SourceKind, expected: bool, events: &[ChainEvent], code: Option<Code>) -> Source {
    let events = events.iter().map(|event| Arc::new(event.clone())).collect();
    let outcome = SourceOutcome::Found;
    Source { name: "source".into(), kind, expected, outcome, events, heads: Vec::new(), code }
}

/// The verdict on a claim by this key.
fn judge(primary: u8, sources: Vec<Source>, marks: Vec<Mark>) -> Verdict {
    let draft = ClaimDraft { subject: subject(), created_at: now(), expires_at: None };
    let text = sign_claim(&draft, &secret(primary)).unwrap().canonical().to_owned();
    let candidates = vec![PlacedText { text, found_at: "place".into() }];
    let publication = Publication { status: PublicationStatus::Found, candidates, account_id: None };
    verify(&Input {
        subject: Some(subject()),
        primary: None,
        publication,
        sources,
        marks,
        seen: None,
        now: now(),
        require_chain: false,
        require_fresh: false,
    })
}

#[test]
fn append_makes_what_documents_hold_and_readers_take() {
    let events = rotated();
    let document = read_document(write_jsonl(&events).as_bytes());
    assert_eq!((document.fault, &document.events), (None, &events));
    let chain = chain(&events);
    assert_eq!((chain.state().primary(), chain.state().next()), (&key(3), None));
    assert!(chain.primaries().contains(&key(0)) && chain.state().is_burned(&key(0)));
    let old = secret(0);
    let refused = append(&chain, add(None), Signing { signer: &old, new_key: None, created_at: now() });
    assert_eq!(refused.unwrap_err().code(), Code::ChainNotAuthorised);
    let stranger = Signing { signer: &secret(3), new_key: None, created_at: now() };
    let without_key = append(&chain, Op::AddDevice { key: key(4), pop: [0; 64] }, stranger);
    assert_eq!(without_key.unwrap_err().code(), Code::KeyNotHeld);
}

#[test]
fn sign_head_makes_a_head_that_counts() {
    let chain = chain(&rotated());
    let until = Time::from_unix_seconds(now().unix_seconds() + 60).unwrap();
    let head = sign_head(&chain, now(), until, &secret(1)).unwrap();
    assert_eq!(check_head(&head, &chain, now()), Ok(()));
    assert_eq!(read_head(head.payload(), &chain), HeadMeaning::Live(until));
    assert_eq!(check_head(&head, &chain, until).unwrap_err().code(), Code::HeadExpired);
    assert_eq!(sign_head(&chain, now(), until, &secret(0)).unwrap_err().code(), Code::HeadNotAuthorised);
}

#[test]
fn a_mark_counts_whichever_primary_finds_its_chain() {
    let events = rotated();
    let mark = |digest| Mark { chain: events[0].digest(), seq: 2, digest, primaries: BTreeSet::from([key(0)]) };
    let found = || vec![source(SourceKind::Store, true, &events, None)];
    let kept = judge(3, found(), vec![mark(events[2].digest())]);
    assert_eq!((kept.status, kept.flags.contains(&Flag::Rollback)), (Status::Valid, false));
    assert_eq!(kept.mark.unwrap().primaries, BTreeSet::from([key(0), key(3)]));
    let other = judge(3, found(), vec![mark(Digest::of("another"))]);
    assert_eq!((other.status, other.reason, other.mark), (Status::Fork, Some(Code::ChainFork), None));
}

#[test]
fn a_mark_finds_its_chain_by_a_primary_that_nobody_serves() {
    let events = rotated();
    let primaries = BTreeSet::from([key(0), key(3)]);
    let mark = Mark { chain: events[0].digest(), seq: 3, digest: events[3].digest(), primaries };
    let verdict = judge(3, vec![source(SourceKind::Store, true, &events[..2], None)], vec![mark]);
    // VER-8: what was not served may list the claim.
    assert_eq!((verdict.status, verdict.reason), (Status::Unreachable, Some(Code::ChainRollback)));
    assert!(verdict.flags.contains(&Flag::Rollback));
}

#[test]
fn a_source_with_a_fault_of_its_own_confirms_nothing() {
    let events = rotated();
    let refused = source(SourceKind::Store, true, &events[..1], Some(Code::EventOp));
    let confirming = |code| vec![refused.clone(), source(SourceKind::Other, false, &events, code)];
    assert_eq!(judge(3, confirming(None), Vec::new()).status, Status::Valid);
    let verdict = judge(3, confirming(Some(Code::ChainJsonl)), Vec::new());
    assert_eq!((verdict.status, verdict.reason), (Status::Invalid, Some(Code::EventOp)));
}

#[test]
fn an_event_0_that_is_refused_is_a_fault_and_not_the_absence_of_a_chain() {
    let op = Op::RevokeDevice { keys: vec![key(0)], keep: Vec::new() };
    let genesis = event(Draft { primary: key(0), previous: None, op, signer: &secret(0), new_key: None });
    let verdict = judge(0, vec![source(SourceKind::Store, true, std::slice::from_ref(&genesis), None)], Vec::new());
    assert_eq!((verdict.status, verdict.reason), (Status::Invalid, Some(Code::ChainAuthority)));
    let unexpected = judge(0, vec![source(SourceKind::Other, false, &[genesis], None)], Vec::new());
    assert_eq!((unexpected.status, unexpected.flags), (Status::Valid, BTreeSet::from([Flag::NoChain])));
}
