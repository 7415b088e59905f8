//! The answer: a status, a reason, flags, and what was looked at. SPEC VER-1, VER-2.

use std::collections::BTreeSet;

use super::input::Mark;
use crate::error::Code;
use crate::identity::KeyIdentity;
use crate::sigchain::Place;
use crate::{Digest, Time};

macro_rules! texts {
    ($(#[$doc:meta])* $name:ident { $($(#[$item_doc:meta])* $item:ident => $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$item_doc])* $item,)+
        }

        impl $name {
            /// The text that other implementations and people see.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$item => $text,)+
                }
            }
        }
    };
}

texts! {
    /// The status of a verdict, the best first: in this order the best of several candidates is chosen (VER-3).
    Status {
        /// Nothing speaks against it.
        Valid => "valid",
        /// Something did not answer that should have.
        Unreachable => "unreachable",
        /// The claim's time is over.
        Expired => "expired",
        /// The chain revokes it.
        Revoked => "revoked",
        /// It is wrong, or not there.
        Invalid => "invalid",
        /// Two histories, and nothing decides between them.
        Fork => "fork",
    }
}

texts! {
    /// What the reader should know beside the status.
    Flag {
        /// Publication was not looked up.
        Unpublished => "unpublished",
        /// Not checked for revocation: no chain is known.
        NoChain => "no_chain",
        /// The chain may have grown.
        Stale => "stale",
        /// The chain had a fork that its rules decided.
        Contested => "contested",
        /// The claim of the primary in force is not listed in its chain.
        Unlisted => "unlisted",
        /// The chain lists the subject without the account's permanent number.
        Unpinned => "unpinned",
        /// A source served an older state than the one held.
        Rollback => "rollback",
    }
}

texts! {
    /// What a piece of evidence is of.
    EvidenceKind {
        /// The account's own place.
        Place => "place",
        /// A piece of text that may be a proof.
        Candidate => "candidate",
        /// A source of the chain.
        Chain => "chain",
        /// A signed head.
        Head => "head",
    }
}

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What it is of.
    pub kind: EvidenceKind,
    /// Where it was, or who gave it.
    pub source: String,
    /// What speaks against it.
    pub code: Option<Code>,
    /// A sentence for people.
    pub note: Option<String>,
}

/// The claim that was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimSummary {
    /// Its digest.
    pub digest: Digest,
    /// Who made it.
    pub primary: KeyIdentity,
    /// When.
    pub created_at: Time,
    /// Until when.
    pub expires_at: Option<Time>,
}

/// The chain that was consulted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainSummary {
    /// The chain id.
    pub id: Digest,
    /// The end of its winning path.
    pub head: Place<Digest>,
    /// The primary in force there.
    pub primary: KeyIdentity,
    /// Until when a signed head says that this is the end.
    pub live_until: Option<Time>,
}

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What it comes to.
    pub status: Status,
    /// Why it is not `valid`.
    pub reason: Option<Code>,
    /// In their fixed order.
    pub flags: BTreeSet<Flag>,
    /// What was looked at; of other candidates too.
    pub evidence: Vec<Evidence>,
    /// The claim that was judged; none for a reference, and where no proof was seen.
    pub claim: Option<ClaimSummary>,
    /// The chain that was consulted.
    pub chain: Option<ChainSummary>,
    /// The mark to write before the verdict is shown, where the chain passed every check of its own. VER-10.
    pub mark: Option<Mark>,
}

impl Verdict {
    /// The primary in force, or the claim's own where no chain is known.
    pub fn primary(&self) -> Option<&KeyIdentity> {
        let in_force = self.chain.as_ref().map(|chain| &chain.primary);
        in_force.or(self.claim.as_ref().map(|claim| &claim.primary))
    }
}
