//! The operations of a sigchain and their payloads. SPEC §5.2, CHAIN-3.

use super::schema::{self, Fields, Member, optional, required};
use crate::error::{Code, KezError, Result};
use crate::identity::{Identity, KeyIdentity};
use crate::json::Json;
use crate::limits::MAX_SHORT_TEXT_CHARS;
use crate::{Digest, hex};

/// What an event does. An operation that is not here is refused, never skipped: it might be a revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// The subject is active, with this number and this claim.
    Add {
        /// The account.
        subject: Identity,
        /// The account's permanent number.
        subject_id: Option<String>,
        /// The digest of the claim.
        proof: Option<Digest>,
    },
    /// The subject is revoked; it need not have been added.
    Revoke {
        /// The account.
        subject: Identity,
    },
    /// `key` is an active device, added by the signer.
    AddDevice {
        /// The device.
        key: KeyIdentity,
        /// Its proof of possession, CHAIN-17.
        pop: [u8; 64],
    },
    /// CHAIN-12.
    RevokeDevice {
        /// What is revoked, and with it what these keys added.
        keys: Vec<KeyIdentity>,
        /// What stays although one of `keys` added it; empty where the member is absent.
        keep: Vec<KeyIdentity>,
    },
    /// Commits to the next primary.
    SetNext {
        /// The commitment, CHAIN-13.
        next: Digest,
    },
    /// `new_primary` is the primary.
    Rotate {
        /// The new primary.
        new_primary: KeyIdentity,
        /// Its proof of possession, CHAIN-17.
        pop: [u8; 64],
        /// A commitment to the primary after that.
        next: Option<Digest>,
    },
    /// Decides a fork, SPEC §5.6.
    Settle {
        /// Events that are rejected.
        reject: Vec<Digest>,
    },
    /// Names the manifest of shared files.
    SetSharedFiles {
        /// The digest of the signed manifest.
        manifest: Digest,
        /// Its size in bytes.
        size: u64,
    },
}

/// What a proof of possession is for, the `role` of CHAIN-17.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `add_device`
    Device,
    /// `rotate`
    Primary,
}

impl Role {
    /// The value of `role`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Device => "device",
            Role::Primary => "primary",
        }
    }
}

/// A row of SPEC §5.2: the name, the members of the payload, and their reader.
pub(super) struct Operation {
    name: &'static str,
    table: &'static [Member],
    read: fn(Fields<'_>) -> Result<Op>,
}

const OPERATIONS: &[Operation] = &[
    Operation { name: "add", table: &[required("subject"), optional("subject_id"), optional("proof")], read: read_add },
    Operation {
        name: "revoke",
        table: &[required("subject")],
        read: |fields| Ok(Op::Revoke { subject: fields.required("subject", schema::identity)? }),
    },
    Operation {
        name: "add_device",
        table: &[required("key"), required("pop")],
        read: |fields| {
            let key = fields.required("key", schema::key_identity)?;
            Ok(Op::AddDevice { key, pop: fields.required("pop", schema::signature)? })
        },
    },
    Operation { name: "revoke_device", table: &[required("keys"), optional("keep")], read: read_revoke_device },
    Operation {
        name: "set_next",
        table: &[required("next")],
        read: |fields| Ok(Op::SetNext { next: fields.required("next", schema::digest)? }),
    },
    Operation {
        name: "rotate",
        table: &[required("new_primary"), required("pop"), optional("next")],
        read: read_rotate,
    },
    Operation {
        name: "settle",
        table: &[required("reject")],
        read: |fields| {
            Ok(Op::Settle { reject: fields.required("reject", |it| schema::short_list(it, schema::digest))? })
        },
    },
    Operation {
        name: "set_shared_files",
        table: &[required("manifest"), required("size")],
        read: |fields| {
            let manifest = fields.required("manifest", schema::digest)?;
            Ok(Op::SetSharedFiles { manifest, size: fields.required("size", schema::count)? })
        },
    },
];

impl Operation {
    /// The row of this name, else `event.op`.
    pub(super) fn find(name: &str) -> Result<&'static Operation> {
        OPERATIONS
            .iter()
            .find(|operation| operation.name == name)
            .ok_or_else(|| KezError::new(Code::EventOp, "expected an operation of this version"))
    }

    /// The operation with this payload, by OBJ-1.
    pub(super) fn parse(&self, payload: &Json) -> Result<Op> {
        (self.read)(Fields::open(payload, self.table)?)
    }
}

fn read_add(fields: Fields<'_>) -> Result<Op> {
    let subject = fields.required("subject", schema::identity)?;
    let subject_id = fields.optional("subject_id", subject_id)?;
    let proof = fields.optional("proof", schema::digest)?;
    Ok(Op::Add { subject, subject_id, proof })
}

/// *id*: 1 to 512 characters U+0021–U+007E.
fn subject_id(value: &Json) -> Result<String> {
    let fits = |text: &str| {
        (1..=MAX_SHORT_TEXT_CHARS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    schema::string_where(value, "1 to 512 characters from ! to ~", fits).map(str::to_owned)
}

fn read_revoke_device(fields: Fields<'_>) -> Result<Op> {
    let keys = |value| schema::short_list(value, schema::key_identity);
    let revoked = fields.required("keys", keys)?;
    let keep = fields.optional("keep", keys)?.unwrap_or_default();
    Ok(Op::RevokeDevice { keys: revoked, keep })
}

fn read_rotate(fields: Fields<'_>) -> Result<Op> {
    let new_primary = fields.required("new_primary", schema::key_identity)?;
    let pop = fields.required("pop", schema::signature)?;
    let next = fields.optional("next", schema::digest)?;
    Ok(Op::Rotate { new_primary, pop, next })
}

impl Op {
    /// The value of `op`.
    pub const fn name(&self) -> &'static str {
        match self {
            Op::Add { .. } => "add",
            Op::Revoke { .. } => "revoke",
            Op::AddDevice { .. } => "add_device",
            Op::RevokeDevice { .. } => "revoke_device",
            Op::SetNext { .. } => "set_next",
            Op::Rotate { .. } => "rotate",
            Op::Settle { .. } => "settle",
            Op::SetSharedFiles { .. } => "set_shared_files",
        }
    }

    /// The value of the event's `payload`, as it is written: absent members are left out (ENV-6).
    pub fn to_json(&self) -> Json {
        let texts = |list: Vec<String>| Some(Json::Array(list.into_iter().map(Json::String).collect()));
        let text = |text: String| Some(Json::String(text));
        let keys = |list: &[KeyIdentity]| texts(list.iter().map(ToString::to_string).collect());
        let members = match self {
            Op::Add { subject, subject_id, proof } => vec![
                ("subject", text(subject.to_string())),
                ("subject_id", subject_id.clone().map(Json::String)),
                ("proof", proof.map(|proof| proof.to_string().into())),
            ],
            Op::Revoke { subject } => vec![("subject", text(subject.to_string()))],
            Op::AddDevice { key, pop } => vec![("key", text(key.to_string())), ("pop", text(hex::encode(pop)))],
            Op::RevokeDevice { keys: revoked, keep } => {
                vec![("keys", keys(revoked)), ("keep", keys(keep).filter(|_| !keep.is_empty()))]
            }
            Op::SetNext { next } => vec![("next", text(next.to_string()))],
            Op::Rotate { new_primary, pop, next } => vec![
                ("new_primary", text(new_primary.to_string())),
                ("pop", text(hex::encode(pop))),
                ("next", next.map(|next| next.to_string().into())),
            ],
            Op::Settle { reject } => vec![("reject", texts(reject.iter().map(ToString::to_string).collect()))],
            Op::SetSharedFiles { manifest, size } => {
                vec![("manifest", text(manifest.to_string())), ("size", Some(Json::Number(*size as f64)))]
            }
        };
        let present = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Json::Object(present.collect())
    }
}
