//! Whether a text of a place holds something like a proof. SPEC §4.4.

use kez_core::encoding::{Candidate, Found, Proof, decode_candidate, find_candidates, parse_hint};
use kez_core::{Identity, Subject};

/// A text with a candidate, whole or broken, or one in which it cannot be told (FIND-1, FIND-2).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sight {
    /// Where the chain may lie, by the text itself.
    pub hints: Vec<String>,
    candidates: Vec<Candidate>,
}

impl Sight {
    /// None where the text holds no candidate.
    pub fn of(text: &str) -> Option<Sight> {
        match find_candidates(text.as_bytes()) {
            Ok(Found { candidates, .. }) if candidates.is_empty() => None,
            Ok(Found { candidates, hints }) => Some(Sight { hints, candidates }),
            Err(_) => Some(Sight::default()),
        }
    }

    /// Of a text that is a candidate by its place alone, with these hints beside it.
    pub fn with_hints(hints: impl IntoIterator<Item = String>) -> Sight {
        Sight { hints: hints.into_iter().collect(), candidates: Vec::new() }
    }

    /// Whether one of the candidates decodes to a reference, or to a claim for this account. AP-7.
    pub fn settles(&self, account: &Identity) -> bool {
        self.candidates.iter().any(|candidate| match decode_candidate(candidate) {
            Ok(Proof::Reference(_)) => true,
            Ok(Proof::Claim(claim)) => {
                matches!(&claim.payload().subject, Subject::Known(subject) if subject == account)
            }
            Err(_) => false,
        })
    }
}

/// Whether a URL is one that a hint may name. FIND-4.
pub fn is_hint_url(url: &str) -> bool {
    parse_hint(&format!("Chain: {url}")).is_some_and(|hint| hint == url)
}
