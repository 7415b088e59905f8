//! Verification: what a place and the sources of a chain gave, to one verdict. SPEC §6.

mod candidate;
mod chain;
mod evidence;
mod findings;
mod input;
mod listing;
mod lookup;
mod verdict;
#[expect(clippy::module_inception, reason = "the same stem as in the other implementation")]
mod verify;

pub use input::{Input, Mark, PlacedText, Publication, PublicationStatus, Seen, Source, SourceKind, SourceOutcome};
pub use verdict::{ChainSummary, ClaimSummary, Evidence, EvidenceKind, Flag, Status, Verdict};
pub use verify::verify;
