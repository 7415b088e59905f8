//! Signing: a payload is checked like a received one before it is signed. SPEC ENV-1, ENV-4, SIG-5.

use super::decode::{KnownPayload, Payload, Verified, decode_value};
use super::kind::Kind;
use super::signature::SignatureObject;
use crate::canonical::canonicalize_object;
use crate::error::Result;
use crate::json::{Json, Object};
use crate::signer::{Signer, sign_bytes};

/// The signed envelope of these members; `type` and `version` are added. Faults of the payload have the codes of DEC-1.
pub fn sign<P: KnownPayload>(members: Object, signer: &dyn Signer) -> Result<Verified<P>> {
    sign_kind(P::KIND, members, signer)
}

/// As [`sign`], of a kind that is known only now.
pub fn sign_kind<P: Payload>(kind: Kind, mut members: Object, signer: &dyn Signer) -> Result<Verified<P>> {
    members.insert("type".to_owned(), kind.payload_type().into());
    members.insert("version".to_owned(), Json::Number(1.0));
    let key = signer.key().clone();
    // Everything but the signature itself is checked before the key is used: a key never signs what no reader takes.
    P::parse(kind, &members)?.check_signer(&key)?;
    let sig = sign_bytes(signer, canonicalize_object(&members)?.as_bytes())?;
    let signature = SignatureObject { key, sig };
    let envelope = Json::object([
        ("kez", kind.as_str().into()),
        ("payload", Json::Object(members)),
        ("signature", signature.to_json()),
    ]);
    decode_value(envelope, kind)?.verify()
}
