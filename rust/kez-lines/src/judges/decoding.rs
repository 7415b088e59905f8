//! SPEC §1 to §3: identities, JSON, times, signatures, envelopes.

use kez_core::envelope::decode_any;
use kez_core::error::{Code, KezError};
use kez_core::limits::MAX_ENVELOPE_JSON_BYTES;
use kez_core::suite::verify_bip340;
use kez_core::{Identity, Json, Kind, Suite, Time, canonical};
use serde_json::{Value, json};

use crate::outcome::{Answer, Fault, of};
use crate::question::{bytes, input, member, text};

pub fn identity(case: &Value) -> Answer {
    Ok(of(Identity::parse(text(case, "text")?).map(|identity| identity.to_string())))
}

pub fn json(case: &Value) -> Answer {
    let bytes = input(case)?;
    if bytes.len() > MAX_ENVELOPE_JSON_BYTES {
        return Ok(of::<Value>(Err(KezError::new(Code::LimitSize, "too long"))));
    }
    Ok(of(kez_core::json::parse(&bytes).and_then(|value| canonical::canonicalize(&value))))
}

pub fn canonical_json(case: &Value) -> Answer {
    Ok(of(canonical::canonicalize(&plain(member(case, "value")?))))
}

pub fn times(case: &Value) -> Answer {
    let text = text(case, "text")?;
    let seconds = |time: kez_core::Result<Time>| of(time.map(Time::unix_seconds));
    Ok(json!({ "strict": seconds(Time::parse(text)), "claim": seconds(Time::parse_in_claim(text)) }))
}

pub fn ed25519(case: &Value) -> Answer {
    signature(case, Suite::Ed25519)
}

pub fn schnorr(case: &Value) -> Answer {
    if case.get("digest").is_none() {
        return signature(case, Suite::Nostr);
    }
    // What BIP-340 itself is given, as in its public vectors.
    let (key, digest, signature) = (bytes(case, "key")?, bytes(case, "digest")?, bytes(case, "signature")?);
    Ok(json!({ "ok": verify_bip340(&key, &digest, &signature).is_ok() }))
}

pub fn envelope(case: &Value) -> Answer {
    let name = text(case, "kind")?;
    let kind = Kind::from_text(name).ok_or_else(|| Fault(format!("no kind {name}")))?;
    let verified = decode_any(&input(case)?, kind).and_then(|envelope| envelope.verify());
    Ok(of(verified.map(|envelope| envelope.digest().to_string())))
}

fn signature(case: &Value, suite: Suite) -> Answer {
    let (key, message, signature) = (bytes(case, "key")?, bytes(case, "message")?, bytes(case, "signature")?);
    Ok(json!({ "ok": suite.verify(&key, &message, &signature).is_ok() }))
}

/// A number becomes the nearest double, as in every JSON reader of the other side.
fn plain(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(it) => Json::Bool(*it),
        Value::Number(number) => Json::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => Json::String(text.clone()),
        Value::Array(elements) => Json::Array(elements.iter().map(plain).collect()),
        Value::Object(members) => {
            Json::Object(members.iter().map(|(name, value)| (name.clone(), plain(value))).collect())
        }
    }
}
