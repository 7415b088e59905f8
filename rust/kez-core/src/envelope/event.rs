//! The event of a sigchain as an envelope; what it does to a chain is in `sigchain`. SPEC §5.1.

use super::decode::{KnownPayload, Payload};
use super::kind::Kind;
use super::op::{Op, Operation};
use super::schema::{self, Fields, Member, optional, required};
use crate::error::{Code, Result, refuse};
use crate::identity::KeyIdentity;
use crate::json::{Json, Object};
use crate::{Digest, Time};

const TABLE: &[Member] = &[
    required("type"),
    required("version"),
    required("primary"),
    required("seq"),
    optional("prev"),
    required("created_at"),
    required("op"),
    required("payload"),
];

/// The payload of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The primary in force before this event.
    pub primary: KeyIdentity,
    /// 0 for the first.
    pub seq: u64,
    /// The digest of the event before; none exactly at `seq` 0.
    pub prev: Option<Digest>,
    /// Information: it decides nothing (TIME-3).
    pub created_at: Time,
    /// What it does.
    pub op: Op,
}

impl Event {
    /// The members as they are written, without `type` and `version`, which `sign` adds.
    pub fn to_members(&self) -> Object {
        let prev = self.prev.map(|prev| Json::from(prev.to_string()));
        let members = [
            ("primary", Some(self.primary.as_str().into())),
            ("seq", Some(Json::Number(self.seq as f64))),
            ("prev", prev),
            ("created_at", Some(self.created_at.to_string().into())),
            ("op", Some(self.op.name().into())),
            ("payload", Some(self.op.to_json())),
        ];
        members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

impl Payload for Event {
    fn parse(_kind: Kind, payload: &Object) -> Result<Event> {
        let fields = Fields::of_object(payload, TABLE)?;
        let primary = fields.required("primary", schema::key_identity)?;
        let seq = fields.required("seq", schema::count)?;
        let prev = fields.optional("prev", schema::digest)?;
        let created_at = fields.required("created_at", schema::time)?;
        let operation = Operation::find(fields.required("op", schema::string)?)?;
        fields.required("payload", schema::object)?;
        // CHAIN-1 is a rule between members, and comes before the payload's own members.
        if prev.is_some() != (seq > 0) {
            return refuse(Code::ChainGenesis, "expected prev in every event but the first");
        }
        let op = operation.parse(fields.value("payload")?)?;
        Ok(Event { primary, seq, prev, created_at, op })
    }

    /// CHAIN-4.
    fn check_signer(&self, key: &KeyIdentity) -> Result<()> {
        match self.seq > 0 || self.primary == *key {
            true => Ok(()),
            false => refuse(Code::ChainNotAuthorised, "expected event 0 to be signed by its primary"),
        }
    }
}

impl KnownPayload for Event {
    const KIND: Kind = Kind::SigchainEvent;
}
