//! The candidates of a publication: decoded, their signatures checked, bound to the account. SPEC VER-3.

use super::input::{Input, Publication, PublicationStatus};
use crate::Digest;
use crate::claim::Claim;
use crate::encoding::{Proof, Reference, decode_candidate, find_candidates};
use crate::envelope::Verified;
use crate::error::{Code, Result, refuse};

/// A proof whose signature is right, or that has none.
#[derive(Clone, Debug)]
pub(super) enum CheckedProof {
    Claim(Box<Verified<Claim>>),
    Reference(Reference),
}

/// A piece of text that may be a proof, and what it is.
#[derive(Clone, Debug)]
pub(super) struct CheckedCandidate {
    pub found_at: String,
    pub proof: Result<CheckedProof>,
}

impl CheckedProof {
    /// The digest of the claim; a reference has none.
    pub fn claim_digest(&self) -> Option<Digest> {
        match self {
            CheckedProof::Claim(claim) => Some(claim.digest()),
            CheckedProof::Reference(_) => None,
        }
    }
}

/// Every candidate of the texts that were found. A text that is refused as a whole (FIND-1, FIND-2) is one, with that code.
pub(super) fn check_candidates(input: &Input) -> Vec<CheckedCandidate> {
    let Publication { status, candidates, .. } = &input.publication;
    if !matches!(status, PublicationStatus::Found | PublicationStatus::Unchecked) {
        return Vec::new();
    }
    let mut checked = Vec::new();
    for placed in candidates {
        let mut keep = |proof| checked.push(CheckedCandidate { found_at: placed.found_at.clone(), proof });
        match find_candidates(placed.text.as_bytes()) {
            Ok(found) => found.candidates.iter().for_each(|candidate| {
                keep(decode_candidate(candidate).and_then(|proof| check(proof, input)));
            }),
            Err(error) => keep(Err(error)),
        }
    }
    checked
}

/// The signature, then the subject. A subject of an unsupported system is never the one asked for.
fn check(proof: Proof, input: &Input) -> Result<CheckedProof> {
    let claim = match proof {
        Proof::Claim(claim) => claim.verify()?,
        Proof::Reference(reference) => return Ok(CheckedProof::Reference(reference)),
    };
    if let Some(asked) = &input.subject
        && !claim.payload().subject.known().is_ok_and(|subject| subject == asked)
    {
        return refuse(Code::ProofSubjectMismatch, format!("expected a claim of {asked}"));
    }
    Ok(CheckedProof::Claim(Box::new(claim)))
}
