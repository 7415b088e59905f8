//! Making a claim. SPEC §2.2, ID-4.

use crate::Time;
use crate::claim::Claim;
use crate::envelope::{Verified, sign};
use crate::error::Result;
use crate::identity::Identity;
use crate::json::{Json, Object};
use crate::signer::Signer;

/// What a claim is to say; the primary is the key that signs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimDraft {
    /// The account, domain or key.
    pub subject: Identity,
    /// The time of signing.
    pub created_at: Time,
    /// When the claim ends, if it does; later, else `time.order`.
    pub expires_at: Option<Time>,
}

/// The signed claim.
pub fn sign_claim(draft: &ClaimDraft, signer: &dyn Signer) -> Result<Verified<Claim>> {
    let members = [
        ("subject", Some(draft.subject.as_str().into())),
        ("primary", Some(signer.key().as_str().into())),
        ("created_at", Some(draft.created_at.to_string().into())),
        ("expires_at", draft.expires_at.map(|time| Json::from(time.to_string()))),
    ];
    let members: Object = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    sign(members, signer)
}
