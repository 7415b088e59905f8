//! What a holder of a key may be asked to sign by another process. SPEC ENV-1, ENV-4, CHAIN-17.

use super::decode::KnownPayload;
use super::event::Event;
use super::head::ChainHead;
use super::op::{Op, Role};
use crate::Digest;
use crate::canonical::canonicalize_object;
use crate::claim::Claim;
use crate::error::{Code, Result, refuse};
use crate::identity::KeyIdentity;
use crate::json::{self, Json, Object};
use crate::limits::MAX_ENVELOPE_BYTES;
use crate::sigchain::pop;

/// Whether this is the canonical payload of a claim, an event or a head that `key` may sign, or the text of a proof that it
/// holds the key of an event. Everything else is refused: whoever asks has it sign nothing but what this key says in KEZ. An event
/// that gives another key authority is refused too (`chain.authority`): it would last when nobody can ask any more. Events of
/// nostr are another thing: `kez_channels::nostr::signing`.
pub fn check_statement(signed: &str, key: &KeyIdentity) -> Result<()> {
    if signed.len() > MAX_ENVELOPE_BYTES {
        return refuse(Code::LimitSize, "expected a statement of at most 4000 bytes");
    }
    let Json::Object(payload) = json::parse_text(signed)? else {
        return refuse(Code::SchemaType, "expected a statement");
    };
    if canonicalize_object(&payload)? != signed {
        return refuse(Code::ChainNotCanonical, "expected a statement in canonical form");
    }
    match payload.get("type").and_then(Json::as_str) {
        Some("kez.pop") => check_pop(&payload, signed, key),
        Some(text) if text == Claim::KIND.payload_type() => check::<Claim>(&payload, key).map(drop),
        Some(text) if text == Event::KIND.payload_type() => check_op(&check::<Event>(&payload, key)?.op),
        Some(text) if text == ChainHead::KIND.payload_type() => check::<ChainHead>(&payload, key).map(drop),
        _ => refuse(Code::EnvelopeKind, "expected a claim, an event, a head or a proof of possession"),
    }
}

fn check<P: KnownPayload>(payload: &Object, key: &KeyIdentity) -> Result<P> {
    super::decode::check_header(payload, P::KIND)?;
    let payload = P::parse(P::KIND, payload)?;
    payload.check_signer(key)?;
    Ok(payload)
}

fn check_op(op: &Op) -> Result<()> {
    match op {
        Op::Add { .. }
        | Op::Revoke { .. }
        | Op::RevokeDevice { .. }
        | Op::Settle { .. }
        | Op::SetSharedFiles { .. } => Ok(()),
        Op::Rotate { .. } | Op::SetNext { .. } | Op::AddDevice { .. } => {
            refuse(Code::ChainAuthority, "what gives another key authority is signed with the passphrase")
        }
    }
}

fn check_pop(payload: &Object, signed: &str, key: &KeyIdentity) -> Result<()> {
    let event = Digest::parse(payload.get("event").and_then(Json::as_str).unwrap_or_default())?;
    for role in [Role::Device, Role::Primary] {
        if pop::signed_text(event, key, role)? == signed {
            return Ok(());
        }
    }
    refuse(Code::ChainPop, "expected the text of a proof of possession by this key")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClaimDraft, Identity, Op, SecretKey, Signer, Suite, Time, sign_claim};
    use zeroize::Zeroizing;

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_bytes(Suite::Ed25519, Zeroizing::new([seed; 32])).unwrap()
    }

    fn claim_text() -> String {
        let subject = Identity::parse("github:alice").unwrap();
        let draft = ClaimDraft { subject, created_at: Time::parse("2026-01-01T00:00:00Z").unwrap(), expires_at: None };
        sign_claim(&draft, &key(7)).unwrap().signed_text().to_owned()
    }

    #[test]
    fn statements_of_the_key_alone_are_signed() {
        let (own, other, claim) = (key(7), key(8), claim_text());
        assert!(check_statement(&claim, own.key()).is_ok());
        assert!(check_statement(&claim, other.key()).is_err(), "a claim of another key");
        let pop = pop::signed_text(Digest::of("x"), own.key(), Role::Device).unwrap();
        assert!(check_statement(&pop, own.key()).is_ok());
        assert!(check_statement(&pop, other.key()).is_err());
    }

    #[test]
    fn events_of_the_key_alone_are_signed_and_heads() {
        use crate::sigchain::{Chain, Graph, Signing, create_chain, sign_head};
        let (own, other) = (key(7), key(8));
        let time = |seconds: u64| Time::from_unix_seconds(1_800_000_000 + seconds).unwrap();
        let op = Op::Add { subject: Identity::parse("github:alice").unwrap(), subject_id: None, proof: None };
        let signing = Signing { signer: &own, new_key: None, created_at: time(0) };
        let graph = Graph::of([create_chain(op, signing).unwrap()]);
        let chain = Chain::of(&graph, graph.geneses().first().unwrap()).unwrap();
        let head = sign_head(&chain, time(0), time(60), &own).unwrap();
        let Json::Object(envelope) = json::parse_text(chain.head().canonical()).unwrap() else { panic!() };
        let Some(Json::Object(event)) = envelope.get("payload") else { panic!() };
        let event = canonicalize_object(event).unwrap();
        assert!(check_statement(&event, own.key()).is_ok());
        assert!(check_statement(&event, other.key()).is_err());
        // A head names no key: whose it may be is known by its chain.
        assert!(check_statement(head.signed_text(), own.key()).is_ok());
    }

    #[test]
    fn what_gives_another_key_authority_is_refused() {
        let (own, other) = (key(7), key(8));
        let text = |op: Op| {
            let created_at = Time::from_unix_seconds(1_800_000_000).unwrap();
            let event = Event { primary: own.key().clone(), seq: 3, prev: Some(Digest::of("x")), created_at, op };
            let mut payload = event.to_members();
            payload.insert("type".to_owned(), Event::KIND.payload_type().into());
            payload.insert("version".to_owned(), 1_u32.into());
            canonicalize_object(&payload).unwrap()
        };
        let keys = || vec![other.key().clone()];
        for op in [Op::RevokeDevice { keys: keys(), keep: vec![] }, Op::Settle { reject: vec![Digest::of("y")] }] {
            assert!(check_statement(&text(op.clone()), own.key()).is_ok(), "{op:?}");
        }
        for op in [
            Op::Rotate { new_primary: other.key().clone(), pop: [0; 64], next: None },
            Op::SetNext { next: Digest::of("y") },
            Op::AddDevice { key: other.key().clone(), pop: [0; 64] },
        ] {
            let refusal = check_statement(&text(op.clone()), own.key()).map_err(|error| error.code());
            assert_eq!(refusal, Err(Code::ChainAuthority), "{op:?}");
        }
    }

    #[test]
    fn what_is_no_statement_is_refused() {
        let (own, claim) = (key(7), claim_text());
        let pop = pop::signed_text(Digest::of("x"), own.key(), Role::Primary).unwrap();
        let wrong = [
            String::new(),
            "x".repeat(32),
            "[]".to_owned(),
            format!(" {claim}"),
            claim.replace("kez.claim", "kez.chat.presence"),
            claim.replace("\"version\":1", "\"version\":2"),
            claim.replace("\"subject\"", "\"subjecs\""),
            pop.replace("primary", "owner"),
            pop.replace("\"version\":1", "\"version\":1,\"x\":1"),
        ];
        for text in wrong {
            assert!(check_statement(&text, own.key()).is_err(), "{text}");
        }
    }
}
