//! The head of a chain: its end, as a current key says. SPEC §5.8.

use super::decode::{KnownPayload, Payload};
use super::kind::Kind;
use super::schema::{self, Fields, Member, required};
use crate::error::{Code, Result, refuse};
use crate::json::{Json, Object};
use crate::limits::MAX_HEAD_SECONDS;
use crate::{Digest, Time};

const TABLE: &[Member] = &[
    required("type"),
    required("version"),
    required("chain"),
    required("seq"),
    required("digest"),
    required("issued_at"),
    required("expires_at"),
];

/// The payload of a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// The chain id.
    pub chain: Digest,
    /// `seq` of the last event.
    pub seq: u64,
    /// The digest of the last event.
    pub digest: Digest,
    /// When the signer knew this.
    pub issued_at: Time,
    /// Until when it counts: later, and at most 7 days.
    pub expires_at: Time,
}

impl ChainHead {
    /// The members as they are written.
    pub fn to_members(&self) -> Object {
        [
            ("chain", Json::from(self.chain.to_string())),
            ("seq", Json::Number(self.seq as f64)),
            ("digest", self.digest.to_string().into()),
            ("issued_at", self.issued_at.to_string().into()),
            ("expires_at", self.expires_at.to_string().into()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }
}

impl Payload for ChainHead {
    fn parse(_kind: Kind, payload: &Object) -> Result<ChainHead> {
        let fields = Fields::of_object(payload, TABLE)?;
        let head = ChainHead {
            chain: fields.required("chain", schema::digest)?,
            seq: fields.required("seq", schema::count)?,
            digest: fields.required("digest", schema::digest)?,
            issued_at: fields.required("issued_at", schema::time)?,
            expires_at: fields.required("expires_at", schema::time)?,
        };
        check_lifetime(head.issued_at, head.expires_at, MAX_HEAD_SECONDS)?;
        Ok(head)
    }
}

impl KnownPayload for ChainHead {
    const KIND: Kind = Kind::ChainHead;
}

/// Not positive, or too long → `time.order`.
pub(super) fn check_lifetime(from: Time, until: Time, max_seconds: u64) -> Result<()> {
    let seconds = until.unix_seconds().saturating_sub(from.unix_seconds());
    match (1..=max_seconds).contains(&seconds) {
        true => Ok(()),
        false => refuse(Code::TimeOrder, format!("expected an expiry 1 to {max_seconds} seconds later")),
    }
}
