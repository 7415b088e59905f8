//! Who added whom on one path. SPEC CHAIN-12, FORK-6, FORK-7: "added, directly or through others".
//!
//! A device stays in its lineage after it was revoked: else a thief's device could add another, revoke itself, and leave
//! no line to the key that the owner revokes. A chain can make such a line as long as itself, so going up is by jump
//! pointers (Myers, "An applicative random-access stack", 1983): O(log n), and one more is added or taken off in O(1).

use std::collections::HashMap;

use crate::identity::KeyIdentity;

/// The keys of a path in the order in which they came: a key comes to a path once (CHAIN-15).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lineage {
    entries: Vec<Entry>,
    places: HashMap<KeyIdentity, usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    key: KeyIdentity,
    parent: Option<usize>,
    /// A place further up, or itself at the top.
    jump: usize,
    depth: usize,
}

impl Lineage {
    /// A key that nobody added: a primary.
    pub(super) fn push_primary(&mut self, key: KeyIdentity) {
        self.push(key, None);
    }

    /// A device, and the key that added it.
    pub(super) fn push_device(&mut self, key: KeyIdentity, added_by: &KeyIdentity) {
        let parent = self.places.get(added_by).copied();
        self.push(key, parent);
    }

    /// Takes the last one off again.
    pub(super) fn pop(&mut self) {
        if let Some(entry) = self.entries.pop() {
            self.places.remove(&entry.key);
        }
    }

    /// The key that added this one; none for a primary, and for a key that is not on this path.
    pub fn adder(&self, key: &KeyIdentity) -> Option<&KeyIdentity> {
        let entry = self.entries.get(*self.places.get(key)?)?;
        Some(&self.entries.get(entry.parent?)?.key)
    }

    /// Whether one of `ancestors` added this key, directly or through others.
    pub fn is_added_by(&self, key: &KeyIdentity, ancestors: &[KeyIdentity]) -> bool {
        let Some(&place) = self.places.get(key) else {
            return false;
        };
        ancestors.iter().filter_map(|ancestor| self.places.get(ancestor)).any(|&above| self.descends(place, above))
    }

    /// This key, the one that added it, and so on up.
    pub fn line<'a>(&'a self, key: &KeyIdentity) -> impl Iterator<Item = &'a KeyIdentity> {
        let first = self.places.get(key).and_then(|&place| self.entries.get(place));
        std::iter::successors(first, |entry| self.entries.get(entry.parent?)).map(|entry| &entry.key)
    }

    fn push(&mut self, key: KeyIdentity, parent: Option<usize>) {
        let place = self.entries.len();
        let (jump, depth) = match parent.and_then(|above| self.entries.get(above)) {
            None => (place, 0),
            Some(above) => (self.jump_of_child(parent.unwrap_or(place), above), above.depth + 1),
        };
        self.places.insert(key.clone(), place);
        self.entries.push(Entry { key, parent, jump, depth });
    }

    /// Two jumps of equal length become one of the double length and a step.
    fn jump_of_child(&self, parent: usize, entry: &Entry) -> usize {
        let depth = |place: usize| self.entries.get(place).map_or(0, |it| it.depth);
        let second = self.entries.get(entry.jump).map_or(parent, |it| it.jump);
        let is_equal = entry.depth - depth(entry.jump) == depth(entry.jump) - depth(second);
        if is_equal { second } else { parent }
    }

    fn descends(&self, place: usize, above: usize) -> bool {
        let Some(target) = self.entries.get(above) else {
            return false;
        };
        let mut at = place;
        while let Some(entry) = self.entries.get(at).filter(|entry| entry.depth > target.depth) {
            let jumped = self.entries.get(entry.jump).filter(|it| it.depth >= target.depth);
            at = match (jumped, entry.parent) {
                (Some(_), _) => entry.jump,
                (None, Some(parent)) => parent,
                (None, None) => return false,
            };
        }
        at == above && at != place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Suite;

    fn key(number: usize) -> KeyIdentity {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        KeyIdentity::from_public_key(Suite::Ed25519, bytes)
    }

    #[test]
    fn is_added_by_agrees_with_going_up_step_by_step() {
        let mut lineage = Lineage::default();
        lineage.push_primary(key(0));
        for number in 1..200 {
            lineage.push_device(key(number), &key(if number % 3 == 0 { number * 7919 % number } else { number - 1 }));
        }
        for below in 0..200 {
            let line: Vec<_> = lineage.line(&key(below)).skip(1).cloned().collect();
            for above in 0..200 {
                assert_eq!(lineage.is_added_by(&key(below), &[key(above)]), line.contains(&key(above)));
            }
        }
        let whole = lineage.clone();
        lineage.push_device(key(999), &key(3));
        lineage.pop();
        assert_eq!(lineage, whole);
    }
}
