//! The state of a chain from all that is known of it. SPEC §5.5 to §5.7.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::commitment::commitment;
use super::event::ChainEvent;
use super::fork::Split;
use super::graph::Graph;
use super::state::{Listing, State};
use super::sticky::Sticky;
use super::tree::Tree;
use super::walk::{Walk, walk};
use crate::Digest;
use crate::envelope::Op;
use crate::error::{Code, KezError, Result};
use crate::identity::{Identity, KeyIdentity};

/// A chain: a function of the set of events that is known of it, and of nothing else.
#[derive(Clone, Debug)]
pub struct Chain {
    id: Digest,
    head: Arc<ChainEvent>,
    tree: Tree,
    walk: Walk,
    sticky: Sticky,
}

/// What the chain says of a subject, sticky revocations included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectStatus<'a> {
    /// The chain does not name it.
    Unknown,
    /// The last `add` on the winning path.
    Active(&'a Listing),
    /// Revoked on the winning path, or on another branch by a revocation that stays in force.
    Revoked,
}

/// What has its say back when revocations of other branches are lifted. FORK-6.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lift {
    /// Active devices that were suspended and are no more, in the order in which they were added.
    pub devices: Vec<KeyIdentity>,
    /// Subjects that were revoked and are no more.
    pub subjects: Vec<Identity>,
}

impl Lift {
    /// Whether all stays revoked that was.
    pub const fn is_empty(&self) -> bool {
        self.devices.is_empty() && self.subjects.is_empty()
    }
}

impl Chain {
    /// The chain of this event 0. The code by which event 0 is not valid; `limit.chain` (CHAIN-18).
    pub fn of(graph: &Graph, genesis: &Arc<ChainEvent>) -> Result<Chain> {
        let tree = Tree::grow(graph, genesis)?;
        let walk = walk(&tree).ok_or_else(|| KezError::new(Code::Internal, "expected a tree with event 0"))?;
        let sticky = Sticky::of(&tree, &walk);
        let last = walk.path.last().and_then(|&place| tree.node(place));
        let head = Arc::clone(last.map_or(genesis, |node| &node.event));
        Ok(Chain { id: genesis.digest(), head, tree, walk, sticky })
    }

    /// CHAIN-2: the digest of event 0.
    pub const fn id(&self) -> Digest {
        self.id
    }

    /// Every valid event, and what was refused.
    pub const fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The state at the end of the winning path. It does not know of sticky revocations.
    pub const fn state(&self) -> &State {
        &self.walk.state
    }

    /// The winning path; where nothing decides a split, what is before it.
    pub fn path(&self) -> impl DoubleEndedIterator<Item = &ChainEvent> {
        self.walk.path.iter().filter_map(|&place| Some(self.tree.node(place)?.event.as_ref()))
    }

    /// The event of the winning path with this `seq`.
    pub fn at(&self, seq: u64) -> Option<&ChainEvent> {
        let place = *self.walk.path.get(usize::try_from(seq).ok()?)?;
        Some(self.tree.node(place)?.event.as_ref())
    }

    /// The last event of the winning path.
    pub fn head(&self) -> &ChainEvent {
        &self.head
    }

    /// The state after a valid event, on whichever branch it is.
    pub fn state_after(&self, digest: &Digest) -> Option<State> {
        let mut line = vec![self.tree.get(digest)?];
        while let Some(prev) = line.last()?.payload().prev {
            line.push(self.tree.get(&prev)?);
        }
        let mut state = State::before_genesis(&line.last()?.payload().primary);
        line.iter().rev().for_each(|event| drop(state.apply(event)));
        Some(state)
    }

    /// The last event of the winning path after which this key could follow as the one that was committed to: it is not
    /// burned, no device, and not the primary. CHAIN-14, CHAIN-15. Never one before the last rotation: a key that rotated in
    /// once would contradict itself (FORK-4).
    pub fn last_place_of(&self, key: &KeyIdentity) -> Option<&ChainEvent> {
        let next = Some(commitment(key));
        let mut state = State::before_genesis(&self.at(0)?.payload().primary);
        let mut place = None;
        for event in self.path() {
            state.apply(event);
            if matches!(event.payload().op, Op::Rotate { .. }) {
                place = None;
            }
            let is_used = state.is_burned(key) || state.is_device(key) || state.primary() == key;
            if state.next() == next && !is_used {
                place = Some(event);
            }
        }
        place
    }

    /// Whether this event is on the winning path.
    pub fn is_on_path(&self, digest: &Digest) -> bool {
        let event = self.tree.get(digest);
        event.is_some_and(|event| self.at(event.seq()).is_some_and(|winner| winner.digest() == *digest))
    }

    /// Whether this event stands on a branch of the split that nothing decides.
    pub fn is_undecided(&self, digest: &Digest) -> bool {
        let below = self.walk.path.last().map(|&end| self.tree.subtree(end));
        let place = self.tree.place_of(digest);
        self.is_fork() && below.zip(place).is_some_and(|(below, place)| place != below.start && below.contains(&place))
    }

    /// Whether this key is or was the primary on the winning path.
    pub fn had_primary(&self, key: &KeyIdentity) -> bool {
        key == self.state().primary() || self.path().any(|event| event.payload().primary == *key)
    }

    /// FORK-4: a split that nothing decides.
    pub fn is_fork(&self) -> bool {
        self.walk.is_fork()
    }

    /// FORK-2, FORK-3: a split that the rules decided.
    pub fn is_contested(&self) -> bool {
        self.walk.is_contested()
    }

    /// The splits that the walk met.
    pub fn splits(&self) -> &[Split] {
        &self.walk.splits
    }

    /// FORK-7: whether this active device's signatures made for use now are not accepted.
    pub fn is_suspended(&self, device: &KeyIdentity) -> bool {
        self.sticky.suspended.contains(device)
    }

    /// Whether this key may sign for use now: heads, credentials, registrations. HEAD-1, FORK-7.
    pub fn is_current_key(&self, key: &KeyIdentity) -> bool {
        let state = self.state();
        key == state.primary() || (state.is_device(key) && !self.is_suspended(key))
    }

    /// The revocations of other branches that stay in force, by digest. FORK-6.
    pub fn sticky_revocations(&self) -> &[Digest] {
        &self.sticky.in_force
    }

    /// What a `revoke_device` of the primary at the end of the winning path would lift: all that these keys signed on other
    /// branches, and what was added by them. FORK-6. Nothing is signed for that.
    pub fn lift_of_revoking(&self, keys: &[KeyIdentity], keep: &[KeyIdentity]) -> Lift {
        let mut walk = self.walk.clone();
        walk.lifted.keys.extend(walk.state.revoked_by(keys, keep));
        walk.state = walk.state.without(keys, keep);
        let sticky = Sticky::of(&self.tree, &walk);
        let is_back = |key: &&KeyIdentity| self.is_suspended(key) && !sticky.suspended.contains(*key);
        let is_revoked = |subject: &Identity| self.state().subject(subject).is_some_and(|it| it.listing.is_none());
        let subjects = self.sticky.subjects.difference(&sticky.subjects);
        Lift {
            devices: walk.state.devices().iter().filter(is_back).cloned().collect(),
            subjects: subjects.filter(|subject| !is_revoked(subject)).cloned().collect(),
        }
    }

    /// What the chain says of a subject.
    pub fn subject(&self, subject: &Identity) -> SubjectStatus<'_> {
        if self.sticky.subjects.contains(subject) {
            return SubjectStatus::Revoked;
        }
        match self.state().subject(subject) {
            None => SubjectStatus::Unknown,
            Some(entry) => entry.listing.as_ref().map_or(SubjectStatus::Revoked, SubjectStatus::Active),
        }
    }

    /// Whether the subject was ever revoked, by the winning path or by what is in force beside it. VER-8.
    pub fn was_revoked(&self, subject: &Identity) -> bool {
        self.sticky.subjects.contains(subject) || self.state().subject(subject).is_some_and(|entry| entry.was_revoked)
    }

    /// Every subject that the winning path or a sticky revocation names, in the order of their texts.
    pub fn subjects(&self) -> BTreeSet<&Identity> {
        self.state().subjects().map(|(subject, _)| subject).chain(&self.sticky.subjects).collect()
    }

    /// Every key that is or was the primary, on any branch.
    pub const fn primaries(&self) -> &BTreeSet<KeyIdentity> {
        self.tree.primaries()
    }
}
