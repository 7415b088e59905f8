//! Which keys, chains and hints a publication names. SPEC VER-5, VER-6.

use kez_core::encoding::{Proof, decode_candidate, find_candidates};
use kez_core::verify::Publication;
use kez_core::{Digest, KeyIdentity, Subject};

/// The keys and chains that the candidates name, their hints, and their claims.
#[derive(Default)]
pub struct Named {
    /// Primaries of claims whose signature is right.
    pub keys: Vec<KeyIdentity>,
    /// Chains of references.
    pub ids: Vec<Digest>,
    /// URLs beside them, at most 4.
    pub hints: Vec<String>,
    /// What each claim is about, by its digest.
    pub subjects: Vec<(Digest, String)>,
}

impl Named {
    /// Of all its texts, and the hints that the channel found.
    pub fn of(publication: &Publication, hints: Vec<String>) -> Named {
        let mut named = Named { hints, ..Named::default() };
        for placed in &publication.candidates {
            let Ok(found) = find_candidates(placed.text.as_bytes()) else { continue };
            named.hints.extend(found.hints);
            for proof in found.candidates.iter().filter_map(|candidate| decode_candidate(candidate).ok()) {
                named.keep(proof);
            }
        }
        named.hints.sort();
        named.hints.dedup();
        named.hints.truncate(kez_core::limits::MAX_HINTS);
        named
    }

    fn keep(&mut self, proof: Proof) {
        match proof {
            Proof::Claim(claim) => {
                // Nothing of a claim is used before its signature was checked (DEC-2).
                let Ok(claim) = claim.verify() else { return };
                self.keys.push(claim.payload().primary.clone());
                let subject = match &claim.payload().subject {
                    Subject::Known(subject) => subject.to_string(),
                    Subject::Unsupported(text) => text.clone(),
                };
                self.subjects.push((claim.digest(), subject));
            }
            Proof::Reference(reference) => {
                if let Some(host) = &reference.host {
                    self.hints.push(format!("https://{host}/v1/chains/{}", reference.chain));
                }
                self.ids.push(reference.chain);
            }
        }
    }
}
