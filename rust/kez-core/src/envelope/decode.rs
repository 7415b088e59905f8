//! Text to an envelope in the order of checks that every implementation shares. SPEC DEC-1, DEC-2, ENV-7.

use std::ops::Deref;

use super::kind::Kind;
use super::schema::{self, Fields, Member, required};
use super::signature::SignatureObject;
use crate::Digest;
use crate::canonical::{canonicalize, canonicalize_object};
use crate::error::{Code, KezError, Result, refuse};
use crate::identity::KeyIdentity;
use crate::json::{self, Json, Object};
use crate::limits::{MAX_ENVELOPE_BYTES, MAX_ENVELOPE_JSON_BYTES};

const TABLE: &[Member] = &[required("kez"), required("payload"), required("signature")];

/// What a kind of envelope holds.
pub trait Payload: Sized {
    /// DEC-1 step 7: the members other than `type` and `version`, by OBJ-1. `payload` holds all of them; the tables of
    /// payloads name `type` and `version` as well, which were checked before.
    fn parse(kind: Kind, payload: &Object) -> Result<Self>;

    /// DEC-1 step 10: the rules between payload and signature.
    fn check_signer(&self, _key: &KeyIdentity) -> Result<()> {
        Ok(())
    }
}

/// A payload that belongs to one kind.
pub trait KnownPayload: Payload {
    /// The kind that a reader of this type expects. ENV-4.
    const KIND: Kind;
}

/// An envelope that passed DEC-1. Its signature has not been checked: nothing of it is used before [`Envelope::verify`].
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope<P> {
    kind: Kind,
    payload: P,
    signature: SignatureObject,
    json: Object,
    signed: String,
    canonical: String,
    digest: Digest,
}

impl<P> Envelope<P> {
    /// What it states.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The payload, decoded.
    pub const fn payload(&self) -> &P {
        &self.payload
    }

    /// Key and signature.
    pub const fn signature(&self) -> &SignatureObject {
        &self.signature
    }

    /// Who is said to have signed.
    pub const fn signer(&self) -> &KeyIdentity {
        &self.signature.key
    }

    /// The whole envelope as received.
    pub const fn json(&self) -> &Object {
        &self.json
    }

    /// `JCS(payload)`: the bytes that are signed. ENV-1.
    pub fn signed_text(&self) -> &str {
        &self.signed
    }

    /// `JCS(envelope)`, the line that a chain document has.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The digest of the envelope, signature included. ENV-7.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// DEC-2: `key.weak`, `key.encoding`, `signature.invalid`, in this order.
    pub fn check_signature(&self) -> Result<()> {
        let SignatureObject { key, sig } = &self.signature;
        key.suite().verify(key.public_key(), self.signed.as_bytes(), sig)
    }

    /// The envelope as one whose signature is right. The codes of DEC-2.
    pub fn verify(self) -> Result<Verified<P>> {
        self.check_signature()?;
        Ok(Verified(self))
    }

    /// The same envelope with its payload as another type.
    pub(super) fn map<Q>(self, change: impl FnOnce(P) -> Q) -> Envelope<Q> {
        let Envelope { kind, payload, signature, json, signed, canonical, digest } = self;
        Envelope { kind, payload: change(payload), signature, json, signed, canonical, digest }
    }
}

/// An envelope whose signature was checked. Only [`Envelope::verify`] makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified<P>(Envelope<P>);

impl<P> Verified<P> {
    /// The envelope, as one that nothing is known of.
    pub fn into_inner(self) -> Envelope<P> {
        self.0
    }
}

impl<P> Deref for Verified<P> {
    type Target = Envelope<P>;

    fn deref(&self) -> &Envelope<P> {
        &self.0
    }
}

/// DEC-1 from step 1: bytes, of the kind that the type of the payload stands for.
pub fn decode<P: KnownPayload>(bytes: &[u8]) -> Result<Envelope<P>> {
    decode_kind(bytes, P::KIND)
}

/// DEC-1 from step 3, for text whose size was bounded and whose beginning was looked at elsewhere (JSONL-1, ENC-2).
pub fn decode_text<P: KnownPayload>(text: &str) -> Result<Envelope<P>> {
    decode_value(json::parse_text(text)?, P::KIND)
}

/// DEC-1 from step 1, of a kind that is known only now.
pub(super) fn decode_kind<P: Payload>(bytes: &[u8], kind: Kind) -> Result<Envelope<P>> {
    if bytes.len() > MAX_ENVELOPE_JSON_BYTES {
        return refuse(Code::LimitSize, "expected an envelope of at most 65536 bytes");
    }
    decode_value(json::parse(bytes)?, kind)
}

/// DEC-1 from step 4, for a decoded value or one built from plain data.
pub fn decode_value<P: Payload>(value: Json, kind: Kind) -> Result<Envelope<P>> {
    let fields = Fields::open(&value, TABLE)?;
    check_kind(schema::string(fields.value("kez")?)?, kind)?;
    let payload_object = fields.required("payload", schema::object)?;
    check_header(payload_object, kind)?;
    let payload = P::parse(kind, payload_object)?;
    let signature = SignatureObject::parse(fields.value("signature")?)?;
    let signed = canonicalize_object(payload_object)?;
    let canonical = canonicalize(&value)?;
    if canonical.len() > MAX_ENVELOPE_BYTES {
        return refuse(Code::LimitSize, "expected an envelope of at most 4000 bytes in canonical form");
    }
    payload.check_signer(&signature.key)?;
    let digest = Digest::of(&canonical);
    match value {
        Json::Object(json) => Ok(Envelope { kind, payload, signature, json, signed, canonical, digest }),
        _ => refuse(Code::SchemaType, "expected an object"),
    }
}

/// DEC-1 step 5.
fn check_kind(text: &str, expected: Kind) -> Result<()> {
    match Kind::from_text(text) == Some(expected) {
        true => Ok(()),
        false => refuse(Code::EnvelopeKind, format!("expected an envelope of kind {}", expected.as_str())),
    }
}

/// DEC-1 step 6: `type` and `version`.
pub(super) fn check_header(payload: &Object, kind: Kind) -> Result<()> {
    let missing = |name| KezError::new(Code::SchemaMissingMember, format!("expected a member {name}"));
    let payload_type = schema::string(payload.get("type").ok_or_else(|| missing("type"))?)?;
    if payload_type != kind.payload_type() {
        return refuse(Code::EnvelopeKind, format!("expected a payload of type {}", kind.payload_type()));
    }
    match payload.get("version") {
        None => Err(missing("version")),
        Some(Json::Number(version)) if *version == 1.0 => Ok(()),
        Some(_) => refuse(Code::EnvelopeVersion, "expected a payload of version 1"),
    }
}
