//! The one proof of a text. SPEC FIND-3, FIND-5, ENC-1.

use super::compact::{self, decode_compact};
use super::find::{Candidate, begins_with_kez, find_candidates};
use super::reference::{self, Reference};
use crate::Digest;
use crate::envelope::{Claim, Envelope, decode};
use crate::error::{Code, Result, refuse};

/// What a candidate decodes to. The signature of a claim has not been checked.
#[derive(Clone, Debug, PartialEq)]
pub enum Proof {
    /// A claim.
    Claim(Box<Envelope<Claim>>),
    /// The id of a chain that must name the account.
    Reference(Reference),
}

/// A proof, and the hints that stood beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The proof.
    pub proof: Proof,
    /// URLs where the chain may lie, unsigned.
    pub hints: Vec<String>,
}

impl Proof {
    /// What two texts that say the same have in common: the digest of the claim, or the chain.
    fn meaning(&self) -> (bool, Digest) {
        match self {
            Proof::Claim(claim) => (true, claim.digest()),
            Proof::Reference(reference) => (false, reference.chain),
        }
    }
}

/// The proof of one candidate. FIND-5: `{` is JSON of a claim, `kez:` in any case compact text or a reference, anything
/// else → `json.syntax`.
pub fn decode_candidate(candidate: &Candidate) -> Result<Proof> {
    let text = match candidate {
        Candidate::Text(text) => text,
        Candidate::Fault(error) => return Err(error.clone()),
    };
    if text.starts_with('{') {
        return Ok(Proof::Claim(Box::new(decode(text.as_bytes())?)));
    }
    if !begins_with_kez(text) {
        return refuse(Code::JsonSyntax, "expected a claim as JSON, compact text or a reference");
    }
    if text.starts_with(compact::PREFIX) {
        return Ok(Proof::Claim(Box::new(decode_compact(text)?)));
    }
    if text.starts_with(reference::PREFIX) {
        return Ok(Proof::Reference(Reference::parse(text)?));
    }
    refuse(Code::EncodingUnsupported, "expected text that begins with kez:z1: or kez:r1:")
}

/// FIND-3 for a text: exactly one proof, else the codes of FIND-1 and FIND-2, `proof.ambiguous`, or the code of the first
/// candidate where none decodes.
pub fn decode_proof(bytes: &[u8]) -> Result<Decoded> {
    let found = find_candidates(bytes)?;
    Ok(Decoded { proof: pick_proof(&found.candidates)?, hints: found.hints })
}

/// FIND-3 for candidates: those that decode and say the same count once.
pub fn pick_proof(candidates: &[Candidate]) -> Result<Proof> {
    let mut proofs: Vec<Proof> = Vec::new();
    let mut first_fault = None;
    for candidate in candidates {
        match decode_candidate(candidate) {
            Ok(proof) => proofs.push(proof),
            Err(error) => first_fault = first_fault.or(Some(error)),
        }
    }
    let mut proofs = proofs.into_iter();
    match (proofs.next(), first_fault) {
        (Some(proof), _) if proofs.all(|other| other.meaning() == proof.meaning()) => Ok(proof),
        (Some(_), _) => refuse(Code::ProofAmbiguous, "expected one proof in the text, got different ones"),
        (None, Some(error)) => Err(error),
        (None, None) => refuse(Code::ProofNotFound, "expected a proof in the text"),
    }
}
