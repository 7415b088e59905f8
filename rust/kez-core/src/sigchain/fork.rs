//! Which successor of a split wins. SPEC §5.6, FORK-1 to FORK-4.

use std::ops::Range;

use super::index::Index;
use super::state::State;
use super::tree::Tree;
use crate::Digest;
use crate::envelope::Op;
use crate::limits::MAX_LIST_ENTRIES;

/// What a signature is worth at a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// 1: of any other key.
    Device,
    /// 2: of the primary there.
    Primary,
    /// 3: of the key that `next` commits to there.
    Recovery,
}

impl Rank {
    /// `device`, `primary`, `recovery`
    pub const fn as_str(self) -> &'static str {
        match self {
            Rank::Device => "device",
            Rank::Primary => "primary",
            Rank::Recovery => "recovery",
        }
    }
}

/// A split on the walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The event after which it is.
    pub after: Digest,
    /// Its successors with their ranks.
    pub ranks: Vec<(Digest, Rank)>,
    /// The successor that wins, if one does.
    pub winner: Option<Digest>,
}

/// A successor with its rank.
struct Branch {
    place: usize,
    digest: Digest,
    range: Range<usize>,
    rank: Rank,
}

/// The split after a node, in the state there, and the place of its winner.
pub(super) fn decide(tree: &Tree, index: &Index, place: usize, state: &State) -> Option<(Split, Option<usize>)> {
    let node = tree.node(place)?;
    let branches: Vec<Branch> = node
        .children
        .iter()
        .filter_map(|&child| {
            let range = tree.subtree(child);
            let rank = rank_of(index, &range, state);
            Some(Branch { place: child, digest: tree.node(child)?.event.digest(), range, rank })
        })
        .collect();
    let highest = branches.iter().map(|branch| branch.rank).max()?;
    let tied: Vec<&Branch> = branches.iter().filter(|branch| branch.rank == highest).collect();
    let winner = match tied.as_slice() {
        [only] => Some(*only),
        _ => settled(tree, index, &tied, state),
    };
    let ranks = branches.iter().map(|branch| (branch.digest, branch.rank)).collect();
    let split = Split { after: node.event.digest(), ranks, winner: winner.map(|branch| branch.digest) };
    Some((split, winner.map(|branch| branch.place)))
}

/// FORK-1: the highest rank of a signature in the subtree, judged by the state at the split.
fn rank_of(index: &Index, range: &Range<usize>, state: &State) -> Rank {
    if state.next().is_some_and(|next| index.is_signed_by_committed(&next, range)) {
        return Rank::Recovery;
    }
    if index.is_signed(state.primary(), range) { Rank::Primary } else { Rank::Device }
}

/// FORK-3: the only branch of those tied that decides: a settlement in it names all the others, and none of these rotates
/// the key of their rank away.
fn settled<'a>(tree: &Tree, index: &Index, tied: &[&'a Branch], state: &State) -> Option<&'a Branch> {
    if tied.len() > MAX_LIST_ENTRIES + 1 {
        return None;
    }
    let rotated: Vec<usize> =
        tied.iter().filter(|branch| is_rotated(index, branch, state)).map(|branch| branch.place).collect();
    let mut deciding = tied.iter().filter(|branch| {
        rotated.iter().all(|&place| place == branch.place) && is_settling(tree, index, branch, tied, state)
    });
    match (deciding.next(), deciding.next()) {
        (Some(winner), None) => Some(*winner),
        _ => None,
    }
}

fn is_settling(tree: &Tree, index: &Index, branch: &Branch, tied: &[&Branch], state: &State) -> bool {
    let others: Vec<Digest> = tied.iter().filter(|it| it.place != branch.place).map(|it| it.digest).collect();
    let Some(first) = others.first() else {
        return false;
    };
    index.settlements(first, &branch.range).iter().filter_map(|&place| tree.node(place)).any(|node| {
        // In a tie of recovery the primary at the split is the key that the owner answers: it does not decide.
        let counts = branch.rank != Rank::Recovery || node.event.signer() != state.primary();
        let Op::Settle { reject } = &node.event.payload().op else {
            return false;
        };
        counts && others.iter().all(|digest| reject.contains(digest))
    })
}

/// Whether the branch holds a rotation from the key of its rank.
fn is_rotated(index: &Index, branch: &Branch, state: &State) -> bool {
    match (branch.rank, state.next()) {
        (Rank::Recovery, Some(next)) => index.is_committed_rotated(&next, &branch.range),
        (Rank::Primary, _) => index.is_rotated(state.primary(), &branch.range),
        // A tie of devices holds no settlement: there is nothing to take back.
        (Rank::Recovery, None) | (Rank::Device, _) => false,
    }
}
