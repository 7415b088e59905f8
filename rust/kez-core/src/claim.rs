//! The claim: the holder of `primary` is the owner of `subject`. SPEC §2.2.

use crate::Time;
use crate::envelope::schema::{self, Fields, Member, optional, required};
use crate::envelope::{Kind, KnownPayload, Payload};
use crate::error::{Code, Result, refuse};
use crate::identity::{KeyIdentity, Subject};
use crate::json::Object;

const TABLE: &[Member] = &[
    required("type"),
    required("version"),
    required("subject"),
    required("primary"),
    required("created_at"),
    optional("expires_at"),
];

/// The payload of a claim. Its texts as received are in the envelope's JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The account, domain or key that is claimed. ID-5.
    pub subject: Subject,
    /// The key that claims it.
    pub primary: KeyIdentity,
    /// When it was made. TIME-2.
    pub created_at: Time,
    /// When it ends; later than `created_at`.
    pub expires_at: Option<Time>,
}

impl Payload for Claim {
    fn parse(_kind: Kind, payload: &Object) -> Result<Claim> {
        let fields = Fields::of_object(payload, TABLE)?;
        let claim = Claim {
            subject: fields.required("subject", schema::subject)?,
            primary: fields.required("primary", schema::key_identity)?,
            created_at: fields.required("created_at", schema::claim_time)?,
            expires_at: fields.optional("expires_at", schema::claim_time)?,
        };
        match claim.expires_at {
            Some(expires_at) if expires_at <= claim.created_at => {
                refuse(Code::TimeOrder, "expected a claim that expires after it was made")
            }
            _ => Ok(claim),
        }
    }

    /// CLAIM-2.
    fn check_signer(&self, key: &KeyIdentity) -> Result<()> {
        match self.primary == *key {
            true => Ok(()),
            false => refuse(Code::SignatureKey, format!("expected a signature by {}", self.primary)),
        }
    }
}

impl KnownPayload for Claim {
    const KIND: Kind = Kind::Claim;
}
