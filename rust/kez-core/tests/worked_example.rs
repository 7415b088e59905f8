//! The worked example of SPEC §14, read from SPEC.md itself: what it prints is what this implementation makes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

use kez_core::canonical::canonicalize;
use kez_core::encoding::{Proof, Reference, decode_proof, dns};
use kez_core::envelope::{Role, decode, sign};
use kez_core::hex;
use kez_core::signer::sign_bytes;
use kez_core::{
    Claim, ClaimDraft, Digest, Event, Identity, Json, Op, SecretKey, Signer as _, Suite, Time, Verified, sign_claim,
};
use zeroize::Zeroizing;

/// The section between its marks.
fn section() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../SPEC.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, after) = text.split_once("<!-- example -->").unwrap();
    after.split_once("<!-- end of example -->").unwrap().0.to_owned()
}

/// What stands in its fences, in order.
fn blocks(section: &str) -> Vec<&str> {
    section.split("```\n").skip(1).step_by(2).map(|block| block.trim_end_matches('\n')).collect()
}

fn key(suite: Suite, byte: u8) -> SecretKey {
    SecretKey::from_bytes(suite, Zeroizing::new([byte; 32])).unwrap()
}

fn claim_by(signer: &SecretKey) -> Verified<Claim> {
    let subject = Identity::parse("dns:example.org").unwrap();
    let created_at = Time::parse("2026-01-01T00:00:00Z").unwrap();
    sign_claim(&ClaimDraft { subject, created_at, expires_at: None }, signer).unwrap()
}

#[test]
fn claims_and_their_texts() {
    let section = section();
    let blocks = blocks(&section);
    let [signed, signature, envelope, digest, by_nostr, compact, zone_line] = blocks[..7] else { panic!("{blocks:?}") };
    let (primary, nostr) = (key(Suite::Ed25519, 0x42), key(Suite::Nostr, 0x42));
    assert!(section.contains(&format!("Primary: `{}`", primary.key())));
    assert!(section.contains(&format!("`{}`", nostr.key())));
    let claim = claim_by(&primary);
    assert_eq!(claim.signed_text(), signed);
    assert_eq!(hex::encode(&claim.signature().sig), signature);
    assert_eq!(claim.canonical(), envelope);
    assert_eq!(claim.digest().to_string(), digest);
    assert_eq!(claim_by(&nostr).canonical(), by_nostr);
    for text in [compact, zone_line, envelope] {
        match decode_proof(text.as_bytes()).unwrap().proof {
            Proof::Claim(read) => assert_eq!(read.digest(), claim.digest()),
            Proof::Reference(_) => panic!("{text}"),
        }
    }
    assert_eq!(dns::format_zone_line("example.org", compact).unwrap(), zone_line);
}

#[test]
fn chain_of_two_events() {
    let section = section();
    let blocks = blocks(&section);
    let [lines, pop_text, pop, ids] = blocks[7..11] else { panic!("{blocks:?}") };
    let (primary, device) = (key(Suite::Ed25519, 0x42), key(Suite::Ed25519, 1));
    let mut first = event(&primary, 0, None, Op::AddDevice { key: device.key().clone(), pop: [0; 64] });
    let signed_pop = sign_bytes(&device, pop_text.as_bytes()).unwrap();
    assert_eq!(pop_text_of(&first, &device), pop_text);
    assert_eq!(hex::encode(&signed_pop), pop);
    first.op = Op::AddDevice { key: device.key().clone(), pop: signed_pop };
    let first = sign::<Event>(first.to_members(), &primary).unwrap();
    let add = Op::Add {
        subject: Identity::parse("dns:example.org").unwrap(),
        subject_id: None,
        proof: Some(claim_by(&primary).digest()),
    };
    let second = sign::<Event>(event(&primary, 1, Some(first.digest()), add).to_members(), &device).unwrap();
    assert_eq!(format!("{}\n{}", first.canonical(), second.canonical()), lines);
    let reference = Reference { chain: first.digest(), host: None };
    assert_eq!(format!("{}\n{}\n{reference}", first.digest(), second.digest()), ids);
    for (line, event) in lines.lines().zip([&first, &second]) {
        assert_eq!(decode::<Event>(line.as_bytes()).unwrap().verify().unwrap(), *event);
    }
}

fn event(primary: &SecretKey, seq: u64, prev: Option<Digest>, op: Op) -> Event {
    let created_at = Time::parse(&format!("2026-01-01T00:0{seq}:00Z")).unwrap();
    Event { primary: primary.key().clone(), seq, prev, created_at, op }
}

/// CHAIN-17, by hand: what the holder of the device's key signs.
fn pop_text_of(event: &Event, device: &SecretKey) -> String {
    let mut members = event.to_members();
    members.insert("type".to_owned(), "kez.sigchain.event".into());
    members.insert("version".to_owned(), Json::Number(1.0));
    if let Some(Json::Object(payload)) = members.get_mut("payload") {
        payload.remove("pop");
    }
    let digest = Digest::of(canonicalize(&Json::Object(members)).unwrap());
    let pop = Json::object([
        ("event", digest.to_string().into()),
        ("key", device.key().as_str().into()),
        ("role", Role::Device.as_str().into()),
        ("type", "kez.pop".into()),
        ("version", Json::Number(1.0)),
    ]);
    canonicalize(&pop).unwrap()
}
