//! What speaks against a candidate, and which of it is the status. SPEC VER-2.

use std::collections::BTreeSet;

use super::verdict::{Flag, Status};
use crate::error::Code;

/// The order of reasons of one status. VER-2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Decoding, signature and binding: they end the matter.
    Binding,
    /// Where no proof was seen.
    Publication,
    /// `identity.unsupported`
    Subject,
    /// VER-5 to VER-7, VER-10, VER-11.
    Chain,
    /// VER-8, VER-9.
    Listing,
    /// VER-4.
    Times,
}

/// Statuses in the order in which they win. VER-2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Fork,
    Invalid,
    Revoked,
    Expired,
    NotFound,
    Unreachable,
}

/// Everything that was found, with flags.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    found: Vec<(Weight, Phase, Status, Code)>,
    pub flags: BTreeSet<Flag>,
}

impl Findings {
    pub fn add(&mut self, status: Status, phase: Phase, code: Code) {
        let weight = match status {
            Status::Fork => Weight::Fork,
            Status::Invalid if code == Code::ProofNotFound => Weight::NotFound,
            Status::Invalid => Weight::Invalid,
            Status::Revoked => Weight::Revoked,
            Status::Expired => Weight::Expired,
            Status::Unreachable => Weight::Unreachable,
            Status::Valid => return,
        };
        self.found.push((weight, phase, status, code));
    }

    pub fn flag(&mut self, flag: Flag) {
        self.flags.insert(flag);
    }

    /// Whether anything speaks against the chain itself. That it may have grown is no doubt about what is there.
    pub fn has_doubts_of_chain(&self) -> bool {
        self.found.iter().any(|&(_, phase, _, code)| phase == Phase::Chain && code != Code::ChainStale)
    }

    /// Whether this was found.
    pub fn has(&self, code: Code) -> bool {
        self.found.iter().any(|&(_, _, _, found)| found == code)
    }

    /// The status that wins and its first reason; of one phase the one that was found first.
    pub fn outcome(&self) -> (Status, Option<Code>) {
        let first = self.found.iter().min_by_key(|(weight, phase, ..)| (*weight, *phase));
        first.map_or((Status::Valid, None), |&(_, _, status, code)| (status, Some(code)))
    }
}
