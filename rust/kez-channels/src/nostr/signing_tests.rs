#![allow(clippy::unwrap_used)]

use super::super::event::{DELETION, PROFILE};
use super::*;
use kez_core::encoding::compress_chain;
use kez_core::envelope::Op;
use kez_core::sigchain::{Signing, create_chain, write_jsonl};
use kez_core::{ClaimDraft, Identity, Time, hex, sign_claim};
use zeroize::Zeroizing;

const NOW: u64 = 1_800_000_000;

fn key(seed: u8) -> SecretKey {
    SecretKey::from_bytes(Suite::Nostr, Zeroizing::new([seed; 32])).unwrap()
}

fn claim(subject: &Identity, by: &SecretKey) -> Verified<Claim> {
    claim_of(subject, by, NOW, None)
}

fn claim_of(subject: &Identity, by: &SecretKey, created_at: u64, expires_at: Option<u64>) -> Verified<Claim> {
    let time = |seconds| Time::from_unix_seconds(seconds).unwrap();
    let (created_at, expires_at) = (time(created_at), expires_at.map(time));
    sign_claim(&ClaimDraft { subject: subject.clone(), created_at, expires_at }, by).unwrap()
}

fn chain(by: &SecretKey) -> String {
    let op = Op::Add { subject: Identity::parse("github:alice").unwrap(), subject_id: None, proof: None };
    let event =
        create_chain(op, Signing { signer: by, new_key: None, created_at: Time::from_unix_seconds(NOW).unwrap() })
            .unwrap();
    compress_chain(write_jsonl([&event]).as_bytes()).unwrap()
}

fn event(kind: i64, tags: &str, content: &str, created_at: u64) -> String {
    let content = kez_core::canonical::canonicalize(&content.into()).unwrap();
    format!("[0,\"{}\",{created_at},{kind},{tags},{content}]", hex::encode(key(7).key().public_key()))
}

fn is_signed(text: &str) -> bool {
    check_event(text, key(7).key(), NOW).is_ok()
}

const DATA: &str = "[[\"d\",\"kez\"]]";
const CHAIN: &str = "[[\"d\",\"kez-sigchain\"]]";

#[test]
fn proofs_of_the_key_are_signed() {
    let own = claim(key(7).key().identity(), &key(7));
    let (compact, note) = (encode_compact(&own).unwrap(), encode_markdown(&own, None).unwrap());
    for at in [NOW - 60, NOW, NOW + 301] {
        assert!(is_signed(&event(APPLICATION_DATA, DATA, &compact, at)), "{at}");
    }
    assert!(is_signed(&event(NOTE, "[]", &note, NOW)));
}

/// Relays keep the newest alone: it would take the place of a proof that counts.
#[test]
fn a_claim_that_serves_nobody_now_is_not_put_in_the_place_of_a_good_one() {
    let account = key(7).key().identity().clone();
    for (created_at, expires_at) in [(NOW - 9, Some(NOW)), (NOW - 9, Some(NOW - 1)), (NOW + 301, None)] {
        let useless = claim_of(&account, &key(7), created_at, expires_at);
        let (compact, note) = (encode_compact(&useless).unwrap(), encode_markdown(&useless, None).unwrap());
        assert!(!is_signed(&event(APPLICATION_DATA, DATA, &compact, NOW)), "{created_at} {expires_at:?}");
        assert!(!is_signed(&event(NOTE, "[]", &note, NOW)), "{created_at} {expires_at:?}");
    }
}

/// Nor does it stand there when it is over: until the event's time nothing better takes its place.
#[test]
fn a_claim_that_ends_within_a_day_of_its_event_is_not_put_there() {
    const DAY: u64 = 86_400;
    for (at, expires_at, is_put) in [
        (NOW, NOW + DAY, true),
        (NOW - 60, NOW + DAY, true),
        (NOW, NOW + DAY - 1, false),
        (NOW - 60, NOW + DAY - 1, false),
        (NOW + 301, NOW + 301 + DAY, true),
        (NOW + 301, NOW + 300 + DAY, false),
        (NOW + 301, NOW + 1, false),
    ] {
        let ending = claim_of(key(7).key().identity(), &key(7), NOW - 9, Some(expires_at));
        let text = event(APPLICATION_DATA, DATA, &encode_compact(&ending).unwrap(), at);
        assert_eq!(is_signed(&text), is_put, "{at} {expires_at}");
    }
}

#[test]
fn whoever_asks_cannot_have_it_say_anything_else() {
    let account = key(7).key().identity().clone();
    let own = claim(&account, &key(7));
    let (compact, note) = (encode_compact(&own).unwrap(), encode_markdown(&own, None).unwrap());
    let strangers = encode_compact(&claim(&account, &key(8))).unwrap();
    let of_another_account = encode_compact(&claim(&Identity::parse("github:alice").unwrap(), &key(7))).unwrap();
    let deletion = format!("[[\"e\",\"{}\"],[\"k\",\"1\"]]", "ab".repeat(32));
    let other_author = event(NOTE, "[]", &note, NOW)
        .replace(&hex::encode(key(7).key().public_key()), &hex::encode(key(8).key().public_key()));
    let cases = [
        ("a note of one's own", event(NOTE, "[]", "Buy this.", NOW)),
        ("words beside a proof", event(NOTE, "[]", &format!("Buy this.\n\n{note}"), NOW)),
        ("words after a proof", event(NOTE, "[]", &format!("{note}Buy this.\n"), NOW)),
        ("other words for people", event(NOTE, "[]", &note.replace("this account is mine", "buy this"), NOW)),
        ("a note with tags", event(NOTE, "[[\"t\",\"buy\"]]", &note, NOW)),
        ("a compact note", event(NOTE, "[]", &compact, NOW)),
        ("a profile", event(PROFILE, "[]", "{\"lud16\":\"thief@a.example\"}", NOW)),
        ("a deletion", event(DELETION, &deletion, "", NOW)),
        ("a message", event(4, "[]", &compact, NOW)),
        ("the far future", event(APPLICATION_DATA, DATA, &compact, NOW + 302)),
        ("other data", event(APPLICATION_DATA, "[[\"d\",\"other\"]]", &compact, NOW)),
        ("two names", event(APPLICATION_DATA, "[[\"d\",\"kez\"],[\"d\",\"other\"]]", &compact, NOW)),
        ("data with words", event(APPLICATION_DATA, DATA, &format!("{compact} buy"), NOW)),
        ("empty data, which takes a proof back", event(APPLICATION_DATA, DATA, "", NOW)),
        ("an empty chain", event(APPLICATION_DATA, CHAIN, "", NOW)),
        ("the account given to a stranger's key", event(APPLICATION_DATA, DATA, &strangers, NOW)),
        ("a proof of another account", event(APPLICATION_DATA, DATA, &of_another_account, NOW)),
        ("its own chain, of which this may be a beginning", event(APPLICATION_DATA, CHAIN, &chain(&key(7)), NOW)),
        ("a stranger's chain", event(APPLICATION_DATA, CHAIN, &chain(&key(8)), NOW)),
        ("a chain for a proof", event(APPLICATION_DATA, DATA, &chain(&key(7)), NOW)),
        ("another author", other_author),
        ("another spelling", event(NOTE, "[]", &note, NOW).replacen(',', ", ", 1)),
        ("no event", "x".repeat(32)),
    ];
    for (what, text) in cases {
        assert!(!is_signed(&text), "{what}: {text}");
    }
    let ed25519 = SecretKey::from_bytes(Suite::Ed25519, Zeroizing::new([7; 32])).unwrap();
    assert!(check_event(&event(APPLICATION_DATA, DATA, &compact, NOW), ed25519.key(), NOW).is_err());
}
