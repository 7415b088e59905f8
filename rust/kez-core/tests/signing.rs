//! What is made here: claims, their texts, envelopes of every kind, and what is refused before a key is used.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

use kez_core::encoding::{Reference, dns, encode_dns, encode_markdown};
use kez_core::envelope::{Provisional, decode_any, sign, sign_kind};
use kez_core::json::Object;
use kez_core::signer::sign_bytes;
use kez_core::{
    Claim, ClaimDraft, Code, Identity, Json, KeyIdentity, KezError, Kind, Result, SecretKey, Signer, Suite, Time,
    Verified, sign_claim,
};
use zeroize::Zeroizing;

const DIGEST: &str = "sha256:abababababababababababababababababababababababababababababababab";
const HEX32: &str = "abababababababababababababababababababababababababababababababab";
const CREATED: &str = "2026-01-01T00:00:00Z";

fn key(suite: Suite, byte: u8) -> SecretKey {
    SecretKey::from_bytes(suite, Zeroizing::new([byte; 32])).unwrap()
}

fn draft(subject: &str, expires_at: Option<&str>) -> ClaimDraft {
    ClaimDraft {
        subject: Identity::parse(subject).unwrap(),
        created_at: Time::parse(CREATED).unwrap(),
        expires_at: expires_at.map(|text| Time::parse(text).unwrap()),
    }
}

fn claim_of(subject: &str) -> Verified<Claim> {
    sign_claim(&draft(subject, None), &key(Suite::Ed25519, 1)).unwrap()
}

fn code<T: std::fmt::Debug>(result: std::result::Result<T, KezError>) -> Code {
    result.unwrap_err().code()
}

fn members(list: &[(&str, Json)]) -> Object {
    list.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

#[test]
fn sign_claim_refuses_an_expiry_that_is_not_later() {
    let refused = sign_claim(&draft("github:alice", Some(CREATED)), &key(Suite::Nostr, 1));
    assert_eq!(code(refused), Code::TimeOrder);
}

#[test]
fn sign_refuses_a_claim_of_another_primary() {
    let other = key(Suite::Ed25519, 2);
    let list = [
        ("subject", "dns:example.org".into()),
        ("primary", other.key().as_str().into()),
        ("created_at", CREATED.into()),
    ];
    assert_eq!(code(sign::<Claim>(members(&list), &key(Suite::Ed25519, 1))), Code::SignatureKey);
}

#[test]
fn signing_is_deterministic() {
    for suite in [Suite::Ed25519, Suite::Nostr] {
        let claim = || sign_claim(&draft("dns:example.org", None), &key(suite, 7)).unwrap();
        assert_eq!(claim().digest(), claim().digest());
    }
}

/// SIG-5: a signer whose signature is not right is caught before anything is handed out.
struct Liar(KeyIdentity);

impl Signer for Liar {
    fn key(&self) -> &KeyIdentity {
        &self.0
    }

    fn sign(&self, _signed: &[u8]) -> Result<[u8; 64]> {
        key(Suite::Ed25519, 1).sign(b"something else")
    }
}

#[test]
fn a_wrong_signature_is_not_handed_out() {
    let liar = Liar(key(Suite::Ed25519, 1).key().clone());
    assert_eq!(code(sign_bytes(&liar, b"text")), Code::SignatureInvalid);
    assert_eq!(code(sign_claim(&draft("dns:example.org", None), &liar)), Code::SignatureInvalid);
}

#[test]
fn secret_keys_out_of_range_are_refused_and_never_shown() {
    let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    for secret in [[0; 32], kez_core::hex::decode(order).unwrap()] {
        assert_eq!(code(SecretKey::from_bytes(Suite::Nostr, Zeroizing::new(secret))), Code::KeyEncoding);
        assert!(SecretKey::from_bytes(Suite::Ed25519, Zeroizing::new(secret)).is_ok());
    }
    let secret = key(Suite::Ed25519, 0xab);
    assert!(!format!("{secret:?}").contains(HEX32));
}

#[test]
fn nsec_has_one_spelling_and_stays_out_of_messages() {
    let text = "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5";
    let secret = SecretKey::from_nsec(text).unwrap();
    assert_eq!(secret.key().as_str(), "nostr:npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg");
    for wrong in [text.to_uppercase(), text.replace("lfe5", "lfe6"), format!("{text} "), String::new()] {
        let error = SecretKey::from_nsec(&wrong).unwrap_err();
        assert_eq!(error.code(), Code::KeyEncoding);
        assert!(wrong.is_empty() || !error.to_string().contains(wrong.trim()));
    }
    assert!(!Identity::parse(&format!("nostr:{text}")).unwrap_err().to_string().contains(text));
}

#[test]
fn encode_dns_takes_domains_only() {
    assert_eq!(code(encode_dns(&claim_of("github:alice"))), Code::EncodingUnsupported);
    let reference = Reference::parse(&format!("kez:r1:{HEX32}@localhost")).unwrap();
    let line = dns::format_zone_line("example.org", &reference.to_string()).unwrap();
    assert_eq!(line, format!("_kez.example.org. 3600 IN TXT \"{reference}\""));
    for text in ["v=spf1", "Chain: http://example.org/", "kez:\"", "kez:é", ""] {
        assert_eq!(code(dns::format_zone_line("example.org", text)), Code::EncodingUnsupported, "{text}");
    }
}

/// A subject of another system may hold what reads as a proof: such a document would have two of them.
#[test]
fn encode_markdown_refuses_what_would_be_read_otherwise() {
    let signer = key(Suite::Ed25519, 1);
    let list = [
        ("subject", format!("x:`kez:r1:{HEX32}").into()),
        ("primary", signer.key().as_str().into()),
        ("created_at", CREATED.into()),
    ];
    let claim = sign::<Claim>(members(&list), &signer).unwrap();
    assert_eq!(code(encode_markdown(&claim, None)), Code::EncodingUnsupported);
    for hint in ["http://example.org/", "https://", "https://example.org/ x", "https://example.org/\n```kez"] {
        assert_eq!(
            code(encode_markdown(&claim_of("dns:example.org"), Some(hint))),
            Code::EncodingUnsupported,
            "{hint}"
        );
    }
}

/// ENV-8: no envelope is taken for one of another kind.
#[test]
fn kinds_are_separate() {
    let claim = claim_of("dns:example.org");
    for kind in Kind::ALL {
        let decoded = decode_any(claim.canonical().as_bytes(), kind);
        assert_eq!(decoded.is_ok(), kind == Kind::Claim, "{kind:?}");
        assert_eq!(Kind::from_text(kind.as_str()), Some(kind));
    }
    let types: std::collections::BTreeSet<&str> = Kind::ALL.into_iter().map(Kind::payload_type).collect();
    assert_eq!(types.len(), Kind::ALL.len());
}

/// SPEC §2.3: a payload of each kind that is right.
fn provisional() -> Vec<(Kind, Object)> {
    let device: Json = key(Suite::Ed25519, 2).key().as_str().into();
    let day: Json = "2026-01-02T00:00:00Z".into();
    let number = |number: u32| Json::from(number);
    let [chain, created, hex32] = [DIGEST, CREATED, HEX32].map(Json::from);
    let with_chain = |rest: &[(&str, Json)]| {
        let mut all = members(rest);
        all.insert("chain".to_owned(), chain.clone());
        all.insert("created_at".to_owned(), created.clone());
        all
    };
    let handle = [("handle", Json::from("alice")), ("host", "localhost".into())];
    let created_only = members(&[("created_at", created.clone())]);
    let joined = |one: &Object, other: &[(&str, Json)]| {
        let mut all = one.clone();
        all.extend(members(other));
        all
    };
    vec![
        (
            Kind::DeviceCredential,
            with_chain(&[
                ("nats", device.clone()),
                ("mls", device.clone()),
                ("hpke", hex32.clone()),
                ("expires_at", day.clone()),
            ]),
        ),
        (Kind::ArchiveKey, with_chain(&[("epoch", number(0)), ("public_key", hex32.clone())])),
        (Kind::ArchiveEpoch, with_chain(&[("epoch", number(1)), ("head", chain.clone()), ("keys", chain.clone())])),
        (Kind::HandleRegistration, joined(&with_chain(&handle), &[("primary", device.clone())])),
        (
            Kind::HandleMove,
            joined(&with_chain(&handle), &[("new_handle", "bob-1".into()), ("new_host", "example.org".into())]),
        ),
        (Kind::HandleRelease, with_chain(&handle)),
        (Kind::ConversationState, with_chain(&[("number", number(0)), ("state", chain.clone())])),
        (
            Kind::Presence,
            with_chain(&[
                ("endpoint", hex32),
                ("counter", number(1)),
                ("addresses", Json::Array(vec!["192.0.2.1:443".into()])),
                ("relay", "https://relay.example/".into()),
                ("expires_at", "2026-01-01T00:10:00Z".into()),
            ]),
        ),
        (
            Kind::NatsConnect,
            joined(
                &created_only,
                &[("audience", "example.org".into()), ("nonce", "n".into()), ("session", device.clone())],
            ),
        ),
        (
            Kind::NatsSession,
            with_chain(&[("audience", "example.org".into()), ("session", device.clone()), ("expires_at", day)]),
        ),
        (
            Kind::ServerAnswer,
            joined(&created_only, &[("audience", device), ("request", chain.clone()), ("code", "ok".into())]),
        ),
        (
            Kind::FileManifest,
            with_chain(&[("seq", number(1)), ("prev", chain.clone()), ("root", chain.clone()), ("size", number(9))]),
        ),
    ]
}

#[test]
fn every_kind_of_chat_and_files_is_read_as_it_is_signed() {
    let signer = key(Suite::Nostr, 3);
    assert_eq!(provisional().len(), Kind::ALL.len() - 3);
    for (kind, payload) in provisional() {
        let signed = sign_kind::<Provisional>(kind, payload.clone(), &signer).unwrap();
        let read = decode_any(signed.canonical().as_bytes(), kind).unwrap().verify().unwrap();
        assert_eq!(read.digest(), signed.digest());
        for name in payload.keys() {
            let mut without = payload.clone();
            without.remove(name);
            let is_optional = kind == Kind::Presence && name == "relay";
            let expected = match (kind, name.as_str()) {
                (Kind::FileManifest, "prev") => Code::SchemaValue,
                _ => Code::SchemaMissingMember,
            };
            let got = sign_kind::<Provisional>(kind, without, &signer);
            assert_eq!(got.err().map(|error| error.code()), (!is_optional).then_some(expected), "{kind:?} {name}");
            let mut with_null = payload.clone();
            with_null.insert(name.clone(), Json::Null);
            assert_eq!(code(sign_kind::<Provisional>(kind, with_null, &signer)), Code::SchemaType, "{kind:?} {name}");
        }
    }
}

#[test]
fn rules_of_chat_and_files() {
    let faults: &[(Kind, &str, Json, Code)] = &[
        (Kind::DeviceCredential, "expires_at", "2026-04-01T00:00:01Z".into(), Code::TimeOrder),
        (Kind::DeviceCredential, "expires_at", CREATED.into(), Code::TimeOrder),
        (Kind::Presence, "expires_at", "2026-01-01T00:10:01Z".into(), Code::TimeOrder),
        (Kind::Presence, "addresses", Json::Array(vec!["a".into(), "a".into()]), Code::SchemaValue),
        (Kind::Presence, "relay", "".into(), Code::SchemaValue),
        (Kind::NatsSession, "audience", "nohost".into(), Code::SchemaValue),
        (Kind::HandleMove, "new_handle", "Bob".into(), Code::SchemaValue),
        (Kind::ConversationState, "group", DIGEST.into(), Code::SchemaValue),
        (Kind::ConversationState, "number", Json::from(1), Code::SchemaValue),
        (Kind::ConversationState, "number", Json::Number(-1.0), Code::SchemaValue),
        (Kind::FileManifest, "seq", Json::from(0), Code::SchemaValue),
        (Kind::ArchiveKey, "public_key", HEX32.to_uppercase().into(), Code::SchemaValue),
        (Kind::ServerAnswer, "code", "a\u{7f}".into(), Code::SchemaValue),
    ];
    for (kind, name, value, expected) in faults {
        let (_, mut payload) = provisional().into_iter().find(|(other, _)| other == kind).unwrap();
        payload.insert((*name).to_owned(), value.clone());
        let got = sign_kind::<Provisional>(*kind, payload, &key(Suite::Ed25519, 1));
        assert_eq!(code(got), *expected, "{kind:?} {name}");
    }
}
