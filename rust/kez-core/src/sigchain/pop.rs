//! Proofs of possession: the new key agrees to the event that brings it. SPEC CHAIN-17, ENV-9.

use crate::Digest;
use crate::canonical::{canonicalize, canonicalize_object};
use crate::envelope::{Event, Op, Role};
use crate::error::{Code, Result, refuse};
use crate::identity::KeyIdentity;
use crate::json::{Json, Object};
use crate::signer::{Signer, sign_bytes};

/// The text that the new key signs: its type is that of no envelope, so that it serves as nothing else.
pub fn signed_text(event: Digest, key: &KeyIdentity, role: Role) -> Result<String> {
    canonicalize(&Json::object([
        ("event", event.to_string().into()),
        ("key", key.as_str().into()),
        ("role", role.as_str().into()),
        ("type", "kez.pop".into()),
        ("version", 1_u32.into()),
    ]))
}

/// The proof of `signer` for an event, given its payload with or without a `pop`.
pub fn sign(event_payload: &Object, role: Role, signer: &dyn Signer) -> Result<[u8; 64]> {
    let event = digest_without_pop(event_payload)?;
    sign_bytes(signer, signed_text(event, signer.key(), role)?.as_bytes())
}

/// `event` of CHAIN-17, of an envelope as it was received; none for an operation that brings no key.
pub(super) fn event_digest(event: &Event, envelope: &Object) -> Option<Digest> {
    new_key(&event.op)?;
    digest_without_pop(envelope.get("payload")?.as_object()?).ok()
}

/// Any fault → `chain.pop`.
pub(super) fn check(op: &Op, event: Option<Digest>) -> Result<()> {
    let Some((key, pop, role)) = new_key(op) else {
        return Ok(());
    };
    let is_right = event.is_some_and(|event| {
        let verify = |text: String| key.suite().verify(key.public_key(), text.as_bytes(), pop);
        signed_text(event, key, role).and_then(verify).is_ok()
    });
    match is_right {
        true => Ok(()),
        false => refuse(Code::ChainPop, format!("expected a proof of possession by {key}")),
    }
}

fn new_key(op: &Op) -> Option<(&KeyIdentity, &[u8; 64], Role)> {
    match op {
        Op::AddDevice { key, pop } => Some((key, pop, Role::Device)),
        Op::Rotate { new_primary, pop, .. } => Some((new_primary, pop, Role::Primary)),
        _ => None,
    }
}

fn digest_without_pop(event_payload: &Object) -> Result<Digest> {
    let mut payload = event_payload.clone();
    if let Some(Json::Object(members)) = payload.get_mut("payload") {
        members.remove("pop");
    }
    Ok(Digest::of(canonicalize_object(&payload)?))
}
