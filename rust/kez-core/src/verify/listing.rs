//! What the chain says of the subject and of the account's number. SPEC VER-8, VER-9.

use super::candidate::CheckedProof;
use super::findings::{Findings, Phase};
use super::input::Input;
use super::verdict::{Flag, Status};
use crate::error::Code;
use crate::identity::Identity;
use crate::sigchain::{Chain, Listing, SubjectStatus};

/// VER-8. Without a proof only a revocation is looked for.
pub(super) fn judge_listing(
    chain: &Chain,
    subject: Option<&Identity>,
    proof: Option<&CheckedProof>,
    to: &mut Findings,
) {
    let status = status_of(chain, subject);
    let listing = active(status);
    let claim = proof.and_then(CheckedProof::claim_digest);
    let names_claim = listing.is_some_and(|listing| claim.is_some() && listing.proof == claim);
    let is_settled = if claim.is_some() { names_claim } else { listing.is_some() };
    if status == SubjectStatus::Revoked || (subject.is_some_and(|it| chain.was_revoked(it)) && !is_settled) {
        return to.add(Status::Revoked, Phase::Listing, Code::ClaimRevoked);
    }
    let is_listed = match proof {
        None => true,
        Some(CheckedProof::Reference(_)) => listing.is_some(),
        Some(CheckedProof::Claim(claim)) if claim.payload().primary == *chain.state().primary() => {
            if !listing.is_some_and(|listing| listing.proof.is_none() || names_claim) {
                to.flag(Flag::Unlisted);
            }
            true
        }
        Some(CheckedProof::Claim(_)) => names_claim,
    };
    // Of a chain that is shorter than it was, what is missing may list the claim.
    if !is_listed && !to.has(Code::ChainRollback) {
        to.add(Status::Invalid, Phase::Listing, Code::ClaimNotInChain);
    }
}

/// VER-9, of a proof, where the channel gave a number.
pub(super) fn judge_account(input: &Input, found: Option<&Chain>, subject: Option<&Identity>, to: &mut Findings) {
    let Some(number) = &input.publication.account_id else {
        return;
    };
    let listing = found.and_then(|chain| active(status_of(chain, subject)));
    let listed = listing.map(|listing| listing.subject_id.as_ref());
    if listed == Some(None) {
        to.flag(Flag::Unpinned);
    }
    let is_named = listed == Some(Some(number));
    let is_other = matches!(listed, Some(Some(_))) && !is_named;
    let is_taken_over = input.seen.as_ref().is_some_and(|seen| {
        let is_same_owner = found.is_some_and(|chain| chain.had_primary(&seen.primary));
        seen.account_id.as_ref().is_some_and(|before| before != number) && !(is_same_owner && is_named)
    });
    if is_other || is_taken_over {
        to.add(Status::Invalid, Phase::Listing, Code::AccountChanged);
    }
}

/// A subject of an unsupported system is in no chain: identities there are canonical (ID-6).
fn status_of<'a>(chain: &'a Chain, subject: Option<&Identity>) -> SubjectStatus<'a> {
    subject.map_or(SubjectStatus::Unknown, |subject| chain.subject(subject))
}

fn active(status: SubjectStatus<'_>) -> Option<&Listing> {
    match status {
        SubjectStatus::Active(listing) => Some(listing),
        SubjectStatus::Unknown | SubjectStatus::Revoked => None,
    }
}
