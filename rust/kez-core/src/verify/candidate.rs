//! The candidates of a publication: decoded, their signatures checked, bound to the account. SPEC VER-3.

use super::input::{Input, PlacedText, Publication, PublicationStatus};
use crate::Digest;
use crate::claim::Claim;
use crate::encoding::{Candidate, Proof, Reference, decode_candidate, find_candidates};
use crate::envelope::Verified;
use crate::error::{Code, Result, refuse};

/// A proof whose signature is right, or that has none.
#[derive(Clone, Debug)]
pub(super) enum CheckedProof {
    Claim(Box<Verified<Claim>>),
    Reference(Reference),
}

/// A text that should be a proof, and what it is.
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

/// Every candidate of the texts that were found. A text that is refused as a whole (FIND-1), holds too many of them or
/// none (FIND-2) is one, with that code.
pub(super) fn check_candidates(input: &Input) -> Vec<CheckedCandidate> {
    let Publication { status, candidates, .. } = &input.publication;
    if !matches!(status, PublicationStatus::Found | PublicationStatus::Unchecked) {
        return Vec::new();
    }
    let check_text = |placed: &PlacedText| {
        let found_at = placed.found_at.clone();
        let proofs = match candidates_of(&placed.text) {
            Ok(found) => found.iter().map(|it| decode_candidate(it).and_then(|proof| check(proof, input))).collect(),
            Err(error) => vec![Err(error)],
        };
        proofs.into_iter().map(move |proof| CheckedCandidate { found_at: found_at.clone(), proof })
    };
    candidates.iter().flat_map(check_text).collect()
}

fn candidates_of(text: &str) -> Result<Vec<Candidate>> {
    let found = find_candidates(text.as_bytes())?.candidates;
    match found.is_empty() {
        true => refuse(Code::ProofNotFound, "expected a proof in the text"),
        false => Ok(found),
    }
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
