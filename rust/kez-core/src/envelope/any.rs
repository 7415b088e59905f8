//! Envelopes of a kind that is known only when the program runs. SPEC ENV-4: it is told, never guessed from the text.

use super::decode::{Envelope, decode_kind};
use super::event::Event;
use super::head::ChainHead;
use super::kind::Kind;
use super::provisional::Provisional;
use crate::claim::Claim;
use crate::error::Result;

/// The payload of any kind.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyPayload {
    /// SPEC §2.2
    Claim(Claim),
    /// SPEC §5.1
    Event(Event),
    /// SPEC §5.8
    Head(ChainHead),
    /// SPEC §2.3
    Provisional(Provisional),
}

/// An envelope of any kind.
pub type AnyEnvelope = Envelope<AnyPayload>;

/// DEC-1 from step 1, of this kind.
pub fn decode_any(bytes: &[u8], kind: Kind) -> Result<AnyEnvelope> {
    Ok(match kind {
        Kind::Claim => decode_kind(bytes, kind)?.map(AnyPayload::Claim),
        Kind::SigchainEvent => decode_kind(bytes, kind)?.map(AnyPayload::Event),
        Kind::ChainHead => decode_kind(bytes, kind)?.map(AnyPayload::Head),
        _ => decode_kind(bytes, kind)?.map(AnyPayload::Provisional),
    })
}
