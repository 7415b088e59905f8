//! What a holder of a key may be asked to sign by another process. SPEC ENV-1, ENV-4, CHAIN-17.

use super::decode::KnownPayload;
use super::event::Event;
use super::head::ChainHead;
use super::op::{Op, Role};
use crate::canonical::canonicalize_object;
use crate::claim::Claim;
use crate::error::{Code, Result, refuse};
use crate::identity::KeyIdentity;
use crate::json::{self, Json, Object};
use crate::limits::{CLOCK_SKEW_SECONDS, MAX_ENVELOPE_BYTES};
use crate::sigchain::pop;
use crate::{Digest, Time};

/// Whether this is the canonical payload of a claim, an event or a head that `key` may sign, or the text of a proof that it
/// holds the key of an event. Everything else is refused: whoever asks has it sign nothing but what this key says in KEZ. An event
/// that gives a key authority is refused too (`chain.authority`), and a head or a claim of the future (`time.future`; `now`
/// is in Unix seconds): they would last when nobody can ask any more. Events of nostr are another thing:
/// `kez_channels::nostr::signing`.
pub fn check_statement(signed: &str, key: &KeyIdentity, now: u64) -> Result<()> {
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
        Some(text) if text == Claim::KIND.payload_type() => check_time(check::<Claim>(&payload, key)?.created_at, now),
        Some(text) if text == Event::KIND.payload_type() => check_op(&check::<Event>(&payload, key)?.op),
        Some(text) if text == ChainHead::KIND.payload_type() => {
            check_time(check::<ChainHead>(&payload, key)?.issued_at, now)
        }
        _ => refuse(Code::EnvelopeKind, "expected a claim, an event, a head or a proof of possession"),
    }
}

fn check<P: KnownPayload>(payload: &Object, key: &KeyIdentity) -> Result<P> {
    super::decode::check_header(payload, P::KIND)?;
    let payload = P::parse(P::KIND, payload)?;
    payload.check_signer(key)?;
    Ok(payload)
}

/// The bound that readers have: until then nobody takes it, and from then on it lasts as long as one that is asked for then.
fn check_time(made_at: Time, now: u64) -> Result<()> {
    match made_at.unix_seconds() > now.saturating_add(CLOCK_SKEW_SECONDS) {
        true => refuse(Code::TimeFuture, format!("expected a statement made by now, got {made_at}")),
        false => Ok(()),
    }
}

fn check_op(op: &Op) -> Result<()> {
    match op {
        Op::Add { .. } | Op::Revoke { .. } | Op::RevokeDevice { .. } | Op::SetSharedFiles { .. } => Ok(()),
        // A settlement may give a revoked key its authority back.
        Op::Rotate { .. } | Op::SetNext { .. } | Op::AddDevice { .. } | Op::Settle { .. } => {
            refuse(Code::ChainAuthority, "what gives a key authority is signed with the passphrase")
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
    use crate::sigchain::{Chain, Graph, Signing, create_chain, sign_head};
    use crate::{ClaimDraft, Identity, Op, SecretKey, Signer, Suite, Time, sign_claim};
    use zeroize::Zeroizing;

    const NOW: u64 = 1_800_000_000;

    fn check(signed: &str, key: &SecretKey) -> Result<()> {
        check_statement(signed, key.key(), NOW)
    }

    fn time(seconds: u64) -> Time {
        Time::from_unix_seconds(seconds).unwrap()
    }

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_bytes(Suite::Ed25519, Zeroizing::new([seed; 32])).unwrap()
    }

    fn claim_text(created_at: u64) -> String {
        let subject = Identity::parse("github:alice").unwrap();
        let draft = ClaimDraft { subject, created_at: time(created_at), expires_at: None };
        sign_claim(&draft, &key(7)).unwrap().signed_text().to_owned()
    }

    fn chain() -> Chain {
        let op = Op::Add { subject: Identity::parse("github:alice").unwrap(), subject_id: None, proof: None };
        let signing = Signing { signer: &key(7), new_key: None, created_at: time(NOW) };
        let graph = Graph::of([create_chain(op, signing).unwrap()]);
        Chain::of(&graph, graph.geneses().first().unwrap()).unwrap()
    }

    #[test]
    fn statements_of_the_key_alone_are_signed() {
        let (own, other, claim) = (key(7), key(8), claim_text(NOW));
        assert!(check(&claim, &own).is_ok());
        assert!(check(&claim, &other).is_err(), "a claim of another key");
        let pop = pop::signed_text(Digest::of("x"), own.key(), Role::Device).unwrap();
        assert!(check(&pop, &own).is_ok());
        assert!(check(&pop, &other).is_err());
    }

    #[test]
    fn events_of_the_key_alone_are_signed_and_heads() {
        let (own, other, chain) = (key(7), key(8), chain());
        let head = sign_head(&chain, time(NOW), time(NOW + 60), &own).unwrap();
        let Json::Object(envelope) = json::parse_text(chain.head().canonical()).unwrap() else { panic!() };
        let Some(Json::Object(event)) = envelope.get("payload") else { panic!() };
        let event = canonicalize_object(event).unwrap();
        assert!(check(&event, &own).is_ok());
        assert!(check(&event, &other).is_err());
        // A head names no key: whose it may be is known by its chain.
        assert!(check(head.signed_text(), &own).is_ok());
    }

    #[test]
    fn a_head_or_a_claim_of_the_future_is_refused() {
        let (own, chain) = (key(7), chain());
        let texts = |at: u64| {
            let head = sign_head(&chain, time(at), time(at + 60), &own).unwrap();
            [head.signed_text().to_owned(), claim_text(at)]
        };
        for text in texts(NOW + 300).into_iter().chain(texts(NOW - 86_400)) {
            assert!(check(&text, &own).is_ok(), "{text}");
        }
        for text in texts(NOW + 301) {
            assert_eq!(check(&text, &own).map_err(|error| error.code()), Err(Code::TimeFuture), "{text}");
        }
    }

    #[test]
    fn what_gives_a_key_authority_is_refused() {
        let (own, other) = (key(7), key(8));
        let text = |op: Op| {
            let (primary, prev) = (own.key().clone(), Some(Digest::of("x")));
            let event = Event { primary, seq: 3, prev, created_at: time(NOW), op };
            let mut payload = event.to_members();
            payload.insert("type".to_owned(), Event::KIND.payload_type().into());
            payload.insert("version".to_owned(), 1_u32.into());
            canonicalize_object(&payload).unwrap()
        };
        let revocation = Op::RevokeDevice { keys: vec![other.key().clone()], keep: vec![] };
        assert!(check(&text(revocation), &own).is_ok());
        for op in [
            Op::Rotate { new_primary: other.key().clone(), pop: [0; 64], next: None },
            Op::SetNext { next: Digest::of("y") },
            Op::AddDevice { key: other.key().clone(), pop: [0; 64] },
            Op::Settle { reject: vec![Digest::of("y")] },
        ] {
            let refusal = check(&text(op.clone()), &own).map_err(|error| error.code());
            assert_eq!(refusal, Err(Code::ChainAuthority), "{op:?}");
        }
    }

    #[test]
    fn what_is_no_statement_is_refused() {
        let (own, claim) = (key(7), claim_text(NOW));
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
            assert!(check(&text, &own).is_err(), "{text}");
        }
    }
}
