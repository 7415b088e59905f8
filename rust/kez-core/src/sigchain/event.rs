//! An event of a chain as it is held in memory: what §5 needs of the envelope, and the line that documents have.

use std::ops::Range;

use super::link::Place;
use super::pop;
use crate::Digest;
use crate::envelope::{Envelope, Event, Kind};
use crate::error::Result;
use crate::identity::KeyIdentity;

/// An event that passed DEC-1. Whether it is valid is known only in its place in a chain (SPEC §5.4).
///
/// An envelope holds its text, its signed bytes and its JSON. Here the text is held once: readers unite 20,000 of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainEvent {
    payload: Event,
    signer: KeyIdentity,
    sig: [u8; 64],
    canonical: String,
    signed: Range<usize>,
    pop_event: Option<Digest>,
    digest: Digest,
}

impl ChainEvent {
    /// What it states.
    pub const fn payload(&self) -> &Event {
        &self.payload
    }

    /// Who is said to have signed it.
    pub const fn signer(&self) -> &KeyIdentity {
        &self.signer
    }

    /// Its name: what the next event has as `prev`. ENV-7.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// 0 for the first.
    pub const fn seq(&self) -> u64 {
        self.payload.seq
    }

    /// The line of a document, without its LF. JSONL-1.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// Where it stands: what follows links to this.
    pub const fn place(&self) -> Place<Digest> {
        Place { seq: self.payload.seq, digest: self.digest }
    }

    /// What it says it follows.
    pub const fn predecessor(&self) -> Place<Option<Digest>> {
        Place { seq: self.payload.seq, digest: self.payload.prev }
    }

    /// Whether the primary in force signed it, or the committed key (a `rotate` that a commitment allows).
    pub fn is_by_device(&self) -> bool {
        self.signer != self.payload.primary && !matches!(self.payload.op, crate::Op::Rotate { .. })
    }

    /// DEC-2: `key.weak`, `key.encoding`, `signature.invalid`.
    pub fn check_signature(&self) -> Result<()> {
        let signed = self.canonical.get(self.signed.clone()).unwrap_or_default();
        self.signer.suite().verify(self.signer.public_key(), signed.as_bytes(), &self.sig)
    }

    /// CHAIN-17: any fault of a proof of possession → `chain.pop`.
    pub fn check_pop(&self) -> Result<()> {
        pop::check(&self.payload.op, self.pop_event)
    }
}

impl From<Envelope<Event>> for ChainEvent {
    fn from(envelope: Envelope<Event>) -> ChainEvent {
        // In JCS `kez` stands before `payload`, and `payload` before `signature`.
        let before = format!("{{\"kez\":\"{}\",\"payload\":", Kind::SigchainEvent.as_str()).len();
        ChainEvent {
            payload: envelope.payload().clone(),
            signer: envelope.signer().clone(),
            sig: envelope.signature().sig,
            canonical: envelope.canonical().to_owned(),
            signed: before..before + envelope.signed_text().len(),
            pop_event: pop::event_digest(envelope.payload(), envelope.json()),
            digest: envelope.digest(),
        }
    }
}
