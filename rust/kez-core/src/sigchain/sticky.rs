//! Revocations of branches that lost: they stay in force until the owner lifts them. SPEC §5.7, FORK-6, FORK-7.

use std::collections::{BTreeSet, HashMap};

use super::state::State;
use super::tree::{Node, Tree};
use super::walk::Walk;
use crate::Digest;
use crate::envelope::Op;
use crate::identity::{Identity, KeyIdentity};

/// What sticky revocations in force come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sticky {
    /// The revocations.
    pub in_force: Vec<Digest>,
    /// Subjects that are revoked, whatever the winning path says.
    pub subjects: BTreeSet<Identity>,
    /// Active devices of the winning path that sign nothing for use now.
    pub suspended: BTreeSet<KeyIdentity>,
}

impl Sticky {
    pub fn of(tree: &Tree, walk: &Walk) -> Sticky {
        let mut sticky = Sticky::default();
        if tree.len() == walk.path.len() {
            return sticky;
        }
        let lifting = Lifting::of(tree, walk);
        let descent = Descent::of(&walk.state);
        let mut on_path = walk.path.iter().copied().peekable();
        for (place, node) in tree.nodes().iter().enumerate() {
            // Places of the path rise as those of the tree do.
            if on_path.next_if_eq(&place).is_some() || lifting.lifts(place, node) {
                continue;
            }
            match &node.event.payload().op {
                Op::Revoke { subject } => {
                    sticky.subjects.insert(subject.clone());
                }
                Op::RevokeDevice { keys, keep } => {
                    let suspended = descent.devices(&walk.state, keys, keep);
                    sticky.suspended.extend(suspended.cloned());
                }
                _ => continue,
            }
            sticky.in_force.push(node.event.digest());
        }
        sticky
    }
}

/// Which revocations the winning path lifts.
struct Lifting<'a> {
    walk: &'a Walk,
    /// Whether going up from the signer of each node meets a key that was revoked.
    by_line: Vec<bool>,
}

impl<'a> Lifting<'a> {
    /// One pass for all: what lies above a node has a lower place.
    fn of(tree: &Tree, walk: &'a Walk) -> Lifting<'a> {
        let mut by_line: Vec<bool> = Vec::with_capacity(tree.len());
        for node in tree.nodes() {
            let signer = node.event.signer();
            let is_lifted = !walk.state.is_device(signer)
                && (walk.lifted.keys.contains(signer)
                    || node.origin.and_then(|above| by_line.get(above)).is_some_and(|&above| above));
            by_line.push(is_lifted);
        }
        Lifting { walk, by_line }
    }

    fn lifts(&self, place: usize, node: &Node) -> bool {
        self.walk.lifted.rejected.contains(&node.event.digest()) || self.by_line.get(place).is_some_and(|&it| it)
    }
}

/// The active devices at the end of the path by whom they descend from. There are 32 at most: a bit for each.
struct Descent<'a>(HashMap<&'a KeyIdentity, u32>);

impl<'a> Descent<'a> {
    fn of(state: &'a State) -> Descent<'a> {
        let mut bits: HashMap<&KeyIdentity, u32> = HashMap::new();
        for (number, device) in state.devices().iter().enumerate() {
            for key in state.lineage().line(device) {
                *bits.entry(key).or_default() |= 1_u32.checked_shl(number as u32).unwrap_or_default();
            }
        }
        Descent(bits)
    }

    /// FORK-7: those that are one of `keys`, or were added by one, and are not in `keep`.
    fn devices<'s>(
        &self,
        state: &'s State,
        keys: &[KeyIdentity],
        keep: &'s [KeyIdentity],
    ) -> impl Iterator<Item = &'s KeyIdentity> {
        let below = keys.iter().filter_map(|key| self.0.get(key)).fold(0, |all, bits| all | bits);
        let is_below = move |number: usize| below.checked_shr(number as u32).is_some_and(|bits| bits & 1 == 1);
        let devices = state.devices().iter().enumerate().filter(move |(number, _)| is_below(*number));
        devices.map(|(_, device)| device).filter(move |device| !keep.contains(device))
    }
}
