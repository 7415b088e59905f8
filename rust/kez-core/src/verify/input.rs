//! What a verdict is made of: what the place of the account showed, what the sources of the chain gave, what the reader
//! holds and asks. Whoever fetches fills it in; nothing here is trusted. SPEC VER-2, VER-5, VER-6, VER-10.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::envelope::{ChainHead, Envelope};
use crate::error::Code;
use crate::identity::{Identity, KeyIdentity};
use crate::sigchain::ChainEvent;
use crate::{Digest, Time};

/// The question.
#[derive(Clone, Debug)]
pub struct Input {
    /// The account asked for; none where a claim from a file says it (then that of the claim).
    pub subject: Option<Identity>,
    /// The primary that the reader expects.
    pub primary: Option<KeyIdentity>,
    /// What the account's own place showed.
    pub publication: Publication,
    /// Everything that was asked for the chain.
    pub sources: Vec<Source>,
    /// The high-water marks that the reader holds.
    pub marks: Vec<Mark>,
    /// What the reader kept of its last `valid` verification of the account.
    pub seen: Option<Seen>,
    /// Now.
    pub now: Time,
    /// Whether a chain is required.
    pub require_chain: bool,
    /// Whether freshness is required.
    pub require_fresh: bool,
}

/// What came of looking at the place.
#[derive(Clone, Debug)]
pub struct Publication {
    /// Whether it answered, and what.
    pub status: PublicationStatus,
    /// Its texts, where the status is `Found` or `Unchecked`; each is searched for proofs (SPEC §4.4).
    pub candidates: Vec<PlacedText>,
    /// The account's permanent number, if the channel gave one.
    pub account_id: Option<String>,
}

/// VER-12, VER-14.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicationStatus {
    /// Nobody looked: a claim from a file.
    Unchecked,
    /// It shows texts.
    Found,
    /// It answered, and lists nothing.
    Absent,
    /// It answered, and what it says is refused with this code.
    Refused(Code),
    /// It did not answer, or its platform is not well.
    Unreachable(Code),
}

/// A text and where it was.
#[derive(Clone, Debug)]
pub struct PlacedText {
    /// The text.
    pub text: String,
    /// A URL or the like, for evidence.
    pub found_at: String,
}

/// What kind of source was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A configured store.
    Store,
    /// The reader's own.
    Local,
    /// A URL beside the claim.
    Hint,
    /// One that §7 names.
    Other,
}

/// What a source did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceOutcome {
    /// It gave events.
    Found,
    /// It answered that it has none.
    Absent,
    /// It did not answer.
    Failed,
}

/// A source of the chain, and what it gave.
#[derive(Clone, Debug)]
pub struct Source {
    /// For evidence.
    pub name: String,
    /// What it is.
    pub kind: SourceKind,
    /// Whether its silence counts. VER-6.
    pub expected: bool,
    /// What it did.
    pub outcome: SourceOutcome,
    /// Its events, those before the fault of a refused document included (JSONL-1).
    pub events: Vec<Arc<ChainEvent>>,
    /// Its signed heads.
    pub heads: Vec<Envelope<ChainHead>>,
    /// Why it failed, or why its document was refused.
    pub code: Option<Code>,
}

/// VER-10: how far a reader has seen a chain, and every primary that it had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The chain id.
    pub chain: Digest,
    /// `seq` of the end that was seen.
    pub seq: u64,
    /// Its digest.
    pub digest: Digest,
    /// The keys by which the chain is found.
    pub primaries: BTreeSet<KeyIdentity>,
}

/// VER-9: what the account was when it was last proven to this reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its permanent number.
    pub account_id: Option<String>,
    /// Whose it was.
    pub primary: KeyIdentity,
}

impl Source {
    /// An expected source that did not answer. A 404 of a hinted URL is no answer. VER-6.
    pub(super) fn is_silent(&self) -> bool {
        let is_answer = match self.outcome {
            SourceOutcome::Found => true,
            SourceOutcome::Absent => self.kind != SourceKind::Hint,
            SourceOutcome::Failed => false,
        };
        self.expected && !is_answer
    }

    /// Whether it answered with a chain, in order or not.
    pub(super) fn is_found(&self) -> bool {
        self.outcome == SourceOutcome::Found
    }

    /// The code for which its document was refused: that is no answer either (JSONL-1), but not silence.
    pub(super) fn refusal(&self) -> Option<Code> {
        self.code.filter(|_| self.is_found())
    }

    /// Whether only hints or §7 name it, and it served events: it is left out first. CHAIN-18.
    pub(super) fn is_stray(&self) -> bool {
        matches!(self.kind, SourceKind::Hint | SourceKind::Other) && !self.events.is_empty()
    }
}
