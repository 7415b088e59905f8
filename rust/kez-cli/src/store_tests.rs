//! What is remembered stays, in order, and its damage is told.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use kez_core::envelope::Op;
use kez_core::sigchain::{Signing, append, create_chain};
use kez_core::verify::SourceKind;
use kez_core::{SecretKey, Suite, Time};

fn store(name: &str) -> Store {
    let path = std::env::temp_dir().join(format!("kez-rs-store-{name}-{}", std::process::id()));
    drop(fs::remove_dir_all(&path));
    Store(path)
}

fn history(length: u64) -> Vec<ChainEvent> {
    let signer = SecretKey::from_bytes(Suite::Ed25519, zeroize::Zeroizing::new([7; 32])).unwrap();
    let now = Time::from_unix_seconds(1_767_225_600).unwrap();
    let signing = || Signing { signer: &signer, new_key: None, created_at: now };
    let op = |at: u64| Op::Revoke { subject: Identity::parse(&format!("dns:a{at}.example")).unwrap() };
    let mut events = vec![create_chain(op(0), signing()).unwrap()];
    for at in 1..length {
        let graph = Graph::of(events.iter().cloned());
        let chain = Chain::of(&graph, graph.geneses()[0]).unwrap();
        events.push(append(&chain, op(at), signing()).unwrap());
    }
    events
}

fn mark(event: &ChainEvent, chain: Digest) -> Mark {
    let primaries = [event.payload().primary.clone()].into();
    Mark { chain, seq: event.seq(), digest: event.digest(), primaries }
}

#[test]
fn no_mark_goes_back_while_two_verifications_go_on() {
    let (store, events) = (store("race"), history(16));
    let id = events[0].digest();
    let seq = || store.marks().unwrap().first().map(|mark| mark.seq);
    std::thread::scope(|scope| {
        // Each saw the chain at another time, and is done in another order.
        for first in [0, 1] {
            let (store, events) = (&store, &events);
            scope.spawn(move || {
                for length in (1..=events.len()).rev().skip(first).step_by(2) {
                    let seen = events.iter().take(length).cloned().map(Arc::new);
                    store.keep_verified(&mark(&events[length - 1], id), seen).unwrap();
                }
            });
        }
        scope.spawn(|| {
            let mut highest = None;
            for _ in 0..200 {
                let now = seq();
                assert!(now >= highest, "{now:?} after {highest:?}");
                highest = now;
            }
        });
    });
    assert_eq!((seq(), store.events().unwrap().len()), (Some(15), 16));
    fs::remove_dir_all(&store.0).unwrap();
}

#[test]
fn a_mark_that_goes_on_another_way_is_replaced() {
    let (store, events) = (store("mark"), history(3));
    let all = || events.iter().cloned().map(Arc::new);
    store.keep_verified(&mark(&events[2], events[0].digest()), all()).unwrap();
    store.keep_verified(&mark(&events[1], events[0].digest()), all()).unwrap();
    assert_eq!(store.marks().unwrap()[0].digest, events[2].digest());
    fs::remove_dir_all(&store.0).unwrap();
}

#[test]
fn sources_are_remembered_and_bounded() {
    let store = store("sources");
    let of = |at: usize| KnownSource {
        chain: Digest::of("chain"),
        kind: SourceKind::Hint,
        name: format!("https://{at}.example/"),
    };
    store.keep_sources(&[of(0), of(0)]).unwrap();
    assert_eq!(store.sources().unwrap(), [of(0)]);
    store.keep_sources(&(1..=MAX_SOURCES).map(of).collect::<Vec<_>>()).unwrap();
    assert_eq!(store.sources().unwrap(), (1..=MAX_SOURCES).map(of).collect::<Vec<_>>());
    fs::remove_dir_all(&store.0).unwrap();
}

#[test]
fn damage_is_told_with_what_to_do() {
    let store = store("damage");
    let (subject, primary) = (Identity::parse("dns:a.example").unwrap(), history(1)[0].payload().primary.clone());
    let proven = LastProven { at: "now".into(), primary, chain: None, account_id: Some("1".into()) };
    store.keep_proven(&subject, &proven).unwrap();
    let line = fs::read_to_string(store.0.join("proven.jsonl")).unwrap();
    for damaged in [line.replace("\"1\"", "1"), line.replace(":null", ":\"x\""), format!("{line}x\n"), "{}\n".into()] {
        fs::write(store.0.join("proven.jsonl"), &damaged).unwrap();
        let failure = store.last_proven(&subject).unwrap_err();
        assert_eq!(failure.code(), Code::StoreCorrupt, "{damaged}");
        assert!(failure.human().contains("hint: Restore it from a backup, or move it away.\nhint: The numbers"));
        assert!(
            store.keep_proven(&subject, &proven).is_err()
                && fs::read_to_string(store.0.join("proven.jsonl")).unwrap() == damaged
        );
    }
    for name in ["marks.jsonl", "sources.jsonl", "claims.jsonl"] {
        fs::write(store.0.join(name), "{}\n").unwrap();
    }
    assert!(store.marks().is_err() && store.sources().is_err() && store.claims().is_err());
    fs::remove_dir_all(&store.0).unwrap();
}
