//! The winning path: from event 0, through decided splits, to the end or to a split that nothing decides. SPEC §5.6.

use std::collections::HashSet;

use super::fork::{Split, decide};
use super::index::Index;
use super::state::State;
use super::tree::Tree;
use crate::Digest;
use crate::envelope::Op;
use crate::identity::KeyIdentity;

/// What the walk came to.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    /// The places of the winning path, by `seq`.
    pub path: Vec<usize>,
    /// The state at its end.
    pub state: State,
    /// Every split that it met; only the last can be without a winner.
    pub splits: Vec<Split>,
    /// What the primary of the path took back on it.
    pub lifted: Lifted,
}

/// What lifts a revocation of another branch: events of the path that the primary or the committed key signed. FORK-6.
#[derive(Clone, Debug, Default)]
pub(super) struct Lifted {
    /// Keys that a `revoke_device` revokes, directly or because of who added them.
    pub keys: HashSet<KeyIdentity>,
    /// Digests that a `settle` rejects.
    pub rejected: HashSet<Digest>,
}

/// Walks the tree once.
pub(super) fn walk(tree: &Tree) -> Option<Walk> {
    let genesis = tree.node(0)?;
    let state = State::before_genesis(&genesis.event.payload().primary);
    let mut walk = Walk { path: Vec::new(), state, splits: Vec::new(), lifted: Lifted::default() };
    let mut index = None;
    let mut next = Some(0);
    while let Some(node) = next.and_then(|place| tree.node(place)) {
        let place = next?;
        walk.step(place, tree)?;
        next = match node.children.as_slice() {
            [] => None,
            [only] => Some(*only),
            _ => {
                let index = index.get_or_insert_with(|| Index::of(tree));
                let (split, winner) = decide(tree, index, place, &walk.state)?;
                walk.splits.push(split);
                winner
            }
        };
    }
    Some(walk)
}

impl Walk {
    fn step(&mut self, place: usize, tree: &Tree) -> Option<()> {
        let event = &tree.node(place)?.event;
        match &event.payload().op {
            Op::RevokeDevice { keys, keep } if !event.is_by_device() => {
                self.lifted.keys.extend(self.state.revoked_by(keys, keep));
            }
            Op::Settle { reject } => self.lifted.rejected.extend(reject),
            _ => (),
        }
        self.state.apply(event);
        self.path.push(place);
        Some(())
    }

    /// FORK-4: the walk ended at a split.
    pub fn is_fork(&self) -> bool {
        self.splits.last().is_some_and(|split| split.winner.is_none())
    }

    /// FORK-2, FORK-3: a split was decided.
    pub fn is_contested(&self) -> bool {
        self.splits.iter().any(|split| split.winner.is_some())
    }
}
