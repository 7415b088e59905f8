//! What the place of an account comes to. A channel tells what it saw; SPEC §6 alone decides. SPEC NET-2, VER-12.

use kez_core::{Code, Digest};

use crate::finding::Sight;
use crate::limits::MAX_ACCOUNT_HINTS;
use crate::net::{NetError, Response, Token};
use url::Url;

/// What a channel saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Publication {
    /// What it comes to.
    pub outcome: Outcome,
    /// The account's permanent number, where the place told one.
    pub account_id: Option<String>,
    /// Each look, in its order.
    pub evidence: Vec<Evidence>,
}

/// Found, absent, or why neither is known.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Texts with something like a proof, at least one.
    Found {
        /// In the order of the channel.
        candidates: Vec<Candidate>,
        /// URLs beside them where the chain may lie, unsigned. FIND-4.
        chain_hints: Vec<String>,
    },
    /// The place answered, and lists no proof.
    Absent,
    /// The place answered with something that speaks against the account: `account.*`, `limit.candidates`, `limit.body`,
    /// a code of decoding.
    Invalid(Code),
    /// No answer.
    Unreachable {
        /// Why.
        code: Code,
        /// When to ask again, if it is known.
        retry_after_seconds: Option<u64>,
    },
}

/// A text that was found in the account's own place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// As it stands there; `kez_core::encoding` finds the proofs in it.
    pub text: String,
    /// Where: a URL, or the name of a DNS record.
    pub found_at: String,
}

/// One look. SPEC VER-1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// What was looked at.
    pub source: String,
    /// What was wrong with it.
    pub code: Option<Code>,
    /// A sentence for people.
    pub note: Option<String>,
    /// The status of HTTP.
    pub http_status: Option<u16>,
    /// The digest of the bytes that came.
    pub sha256: Option<Digest>,
}

/// What a reader knows and wants.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Seconds since 1970.
    pub now: u64,
    /// The account's permanent number: that of the chain, else of the last valid verification.
    pub known_account_id: Option<String>,
    /// Relays, for nostr.
    pub relays: Vec<Relay>,
    /// A token for `api.github.com`. None is needed.
    pub github_token: Option<Token>,
}

/// A relay to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    /// `wss:`, or what the reader named.
    pub url: Url,
    /// Whether the program suggested it; else the reader named it, and it is taken as it is (NET-5).
    pub is_suggested: bool,
}

/// The relays that this program suggests.
pub fn suggested_relays() -> Vec<Relay> {
    let urls = ["wss://relay.damus.io", "wss://nos.lol", "wss://relay.primal.net", "wss://relay.nostr.net"];
    urls.iter().filter_map(|url| Some(Relay { url: Url::parse(url).ok()?, is_suggested: true })).collect()
}

impl Outcome {
    /// What an error of a place comes to. A body that is too long or no UTF-8 is the place's own doing; without an answer
    /// nothing is known (BSKY-10, VER-12).
    pub fn of_error(error: &NetError) -> Outcome {
        match error.code {
            Code::LimitBody | Code::TextUtf8 => Outcome::Invalid(error.code),
            code => Outcome::Unreachable { code, retry_after_seconds: error.retry_after_seconds },
        }
    }

    /// The code, as verdicts and vectors name it; none where something was found.
    pub const fn code(&self) -> Option<Code> {
        match self {
            Outcome::Found { .. } => None,
            Outcome::Absent => Some(Code::ProofNotFound),
            Outcome::Invalid(code) | Outcome::Unreachable { code, .. } => Some(*code),
        }
    }

    /// Whether the canary is looked at before this is reported. VER-14.
    pub fn needs_canary(&self) -> bool {
        match self {
            Outcome::Absent => true,
            Outcome::Invalid(code) => code.as_str().starts_with("account."),
            Outcome::Found { .. } | Outcome::Unreachable { .. } => false,
        }
    }
}

impl Evidence {
    /// A look with a sentence.
    pub fn note(source: impl Into<String>, note: impl Into<String>) -> Evidence {
        Evidence { source: source.into(), note: Some(note.into()), ..Evidence::default() }
    }

    /// A look with a code and a sentence.
    pub fn fault(source: impl Into<String>, code: Code, note: impl Into<String>) -> Evidence {
        Evidence { code: Some(code), ..Evidence::note(source, note) }
    }

    /// A look that got an answer.
    pub fn answer(response: &Response) -> Evidence {
        Evidence {
            source: response.url.to_string(),
            http_status: Some(response.status),
            sha256: Some(Digest::of(&response.body)),
            ..Evidence::default()
        }
    }

    /// A look that got none.
    pub fn error(source: impl Into<String>, error: &NetError) -> Evidence {
        Evidence { http_status: error.status, ..Evidence::fault(source, error.code, error.message.clone()) }
    }
}

/// What a channel collects while it looks.
#[derive(Debug, Default)]
pub struct Look {
    candidates: Vec<Candidate>,
    chain_hints: Vec<String>,
    /// The permanent number.
    pub account_id: Option<String>,
    /// Each look.
    pub evidence: Vec<Evidence>,
}

impl Look {
    /// Keeps a text with something like a proof, and the hints beside it. Whether it was one.
    pub fn keep(&mut self, text: &str, found_at: &str) -> bool {
        let Some(sight) = Sight::of(text) else { return false };
        self.keep_sight(text, found_at, sight);
        true
    }

    /// [`Look::keep`] for a text that was looked at.
    pub fn keep_sight(&mut self, text: &str, found_at: &str, sight: Sight) {
        self.candidates.push(Candidate { text: text.to_owned(), found_at: found_at.to_owned() });
        for hint in sight.hints {
            self.keep_hint(hint);
        }
    }

    /// Keeps where a chain may lie: the first 16 that differ. FIND-4.
    pub fn keep_hint(&mut self, hint: String) {
        if self.chain_hints.len() < MAX_ACCOUNT_HINTS && !self.chain_hints.contains(&hint) {
            self.chain_hints.push(hint);
        }
    }

    /// Whether any text was kept.
    pub fn has_candidates(&self) -> bool {
        !self.candidates.is_empty()
    }

    /// What was kept so far, to decode it.
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// Found, if anything was kept; else this.
    pub fn finish(self, otherwise: Outcome) -> Publication {
        let Look { candidates, chain_hints, account_id, evidence } = self;
        let outcome = match candidates.is_empty() {
            true => otherwise,
            false => Outcome::Found { candidates, chain_hints },
        };
        Publication { outcome, account_id, evidence }
    }

    /// The end by an error of a place.
    pub fn fail(mut self, source: impl Into<String>, error: &NetError) -> Publication {
        self.evidence.push(Evidence::error(source, error));
        self.finish(Outcome::of_error(error))
    }
}
