//! Where in a tree signatures, settlements and rotations are, so that a split asks for a range and not for a walk: a
//! chain may have 10,000 splits, each with all later ones below it.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;

use super::commitment::commitment;
use super::tree::Tree;
use crate::Digest;
use crate::envelope::Op;
use crate::identity::KeyIdentity;

/// Places in rising order, by what is found there.
type Places<K> = HashMap<K, Vec<usize>>;

/// The index of a tree. Keys are found by themselves, and by the commitment that they meet.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    signed_by: Places<KeyIdentity>,
    signed_by_committed: Places<Digest>,
    rotated_from: Places<KeyIdentity>,
    rotated_from_committed: Places<Digest>,
    settled: Places<Digest>,
}

impl Index {
    pub fn of(tree: &Tree) -> Index {
        let mut index = Index::default();
        let mut commitments: HashMap<&KeyIdentity, Digest> = HashMap::new();
        for (place, node) in tree.nodes().iter().enumerate() {
            let signer = node.event.signer();
            let committed = *commitments.entry(signer).or_insert_with(|| commitment(signer));
            push(&mut index.signed_by, signer.clone(), place);
            push(&mut index.signed_by_committed, committed, place);
            match &node.event.payload().op {
                Op::Rotate { .. } => {
                    let primary = &node.event.payload().primary;
                    let committed = *commitments.entry(primary).or_insert_with(|| commitment(primary));
                    push(&mut index.rotated_from, primary.clone(), place);
                    push(&mut index.rotated_from_committed, committed, place);
                }
                Op::Settle { reject } => {
                    reject.iter().for_each(|digest| push(&mut index.settled, *digest, place));
                }
                _ => (),
            }
        }
        index
    }

    /// Whether this key signed an event in the range.
    pub fn is_signed(&self, key: &KeyIdentity, range: &Range<usize>) -> bool {
        !within(&self.signed_by, key, range).is_empty()
    }

    /// Whether a key that meets this commitment signed an event in the range.
    pub fn is_signed_by_committed(&self, next: &Digest, range: &Range<usize>) -> bool {
        !within(&self.signed_by_committed, next, range).is_empty()
    }

    /// Whether the range holds a rotation from this key.
    pub fn is_rotated(&self, key: &KeyIdentity, range: &Range<usize>) -> bool {
        !within(&self.rotated_from, key, range).is_empty()
    }

    /// Whether the range holds a rotation from a key that meets this commitment.
    pub fn is_committed_rotated(&self, next: &Digest, range: &Range<usize>) -> bool {
        !within(&self.rotated_from_committed, next, range).is_empty()
    }

    /// The settlements in the range that reject this event.
    pub fn settlements(&self, rejected: &Digest, range: &Range<usize>) -> &[usize] {
        within(&self.settled, rejected, range)
    }
}

fn push<K: Hash + Eq>(places: &mut Places<K>, key: K, place: usize) {
    places.entry(key).or_default().push(place);
}

fn within<'a, K: Hash + Eq>(places: &'a Places<K>, key: &K, range: &Range<usize>) -> &'a [usize] {
    let all = places.get(key).map(Vec::as_slice).unwrap_or_default();
    let from = all.partition_point(|&place| place < range.start);
    let until = all.partition_point(|&place| place < range.end);
    all.get(from..until).unwrap_or_default()
}
