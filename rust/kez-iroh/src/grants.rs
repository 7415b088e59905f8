//! The allow-list: which endpoint may have which files. It is asked before the store, and nothing is granted when the process starts.

use iroh::EndpointId;
use iroh_blobs::Hash;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Files that are offered together to the same endpoints.
#[derive(Debug, Default)]
struct Set {
    hashes: HashSet<Hash>,
    peers: HashSet<EndpointId>,
}

#[derive(Debug, Default)]
struct Lists {
    sets: HashMap<String, Set>,
    by_peer: HashMap<EndpointId, HashSet<String>>,
}

/// All grants. `changes` lets running transfers ask again at once.
#[derive(Debug)]
pub struct Grants {
    lists: Mutex<Lists>,
    version: watch::Sender<u64>,
}

impl Default for Grants {
    fn default() -> Self {
        Self { lists: Mutex::default(), version: watch::Sender::new(0) }
    }
}

impl Grants {
    /// Makes or replaces the set `name`.
    pub fn put(&self, name: &str, hashes: HashSet<Hash>, peers: HashSet<EndpointId>) {
        self.change(|lists| {
            lists.unlink(name);
            lists.link(name, &peers);
            lists.sets.insert(name.to_owned(), Set { hashes, peers });
        });
    }

    /// Replaces the endpoints of a set; false if there is no such set.
    pub fn allow(&self, name: &str, peers: HashSet<EndpointId>) -> bool {
        self.change(|lists| {
            if !lists.sets.contains_key(name) {
                return false;
            }
            lists.unlink(name);
            lists.link(name, &peers);
            if let Some(set) = lists.sets.get_mut(name) {
                set.peers = peers;
            }
            true
        })
    }

    /// Takes a set back; false if there was none.
    pub fn forget(&self, name: &str) -> bool {
        self.change(|lists| {
            lists.unlink(name);
            lists.sets.remove(name).is_some()
        })
    }

    /// What a set holds.
    pub fn hashes(&self, name: &str) -> HashSet<Hash> {
        self.lock().sets.get(name).map(|set| set.hashes.clone()).unwrap_or_default()
    }

    /// How many sets there are.
    pub fn len(&self) -> usize {
        self.lock().sets.len()
    }

    /// Whether anything at all is granted to `peer`.
    pub fn lists(&self, peer: &EndpointId) -> bool {
        self.lock().by_peer.contains_key(peer)
    }

    /// Whether `peer` may have `hash`. A hash that nobody knows and one that is granted to others cost the same look-ups.
    pub fn allows(&self, peer: &EndpointId, hash: &Hash) -> bool {
        let lists = self.lock();
        let Some(names) = lists.by_peer.get(peer) else { return false };
        names.iter().filter_map(|name| lists.sets.get(name)).any(|set| set.hashes.contains(hash))
    }

    /// Whether any set still offers `hash`.
    pub fn offers(&self, hash: &Hash) -> bool {
        self.lock().sets.values().any(|set| set.hashes.contains(hash))
    }

    /// Changes whenever a grant did.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    fn change<T>(&self, edit: impl FnOnce(&mut Lists) -> T) -> T {
        let result = edit(&mut self.lock());
        self.version.send_modify(|version| *version += 1);
        result
    }

    fn lock(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lists {
    fn link(&mut self, name: &str, peers: &HashSet<EndpointId>) {
        for peer in peers {
            self.by_peer.entry(*peer).or_default().insert(name.to_owned());
        }
    }

    fn unlink(&mut self, name: &str) {
        let Some(set) = self.sets.get(name) else { return };
        for peer in &set.peers {
            if let Some(names) = self.by_peer.get_mut(peer) {
                names.remove(name);
                if names.is_empty() {
                    self.by_peer.remove(peer);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Grants;
    use iroh::{EndpointId, SecretKey};
    use iroh_blobs::Hash;
    use std::collections::HashSet;

    fn peer(seed: u8) -> EndpointId {
        SecretKey::from_bytes(&[seed; 32]).public()
    }

    #[test]
    fn allows_says_yes_only_for_a_hash_of_a_set_of_that_peer() {
        let (grants, a, b) = (Grants::default(), Hash::new("a"), Hash::new("b"));
        grants.put("one", HashSet::from([a]), HashSet::from([peer(1)]));
        grants.put("two", HashSet::from([b]), HashSet::from([peer(2)]));
        assert!(grants.allows(&peer(1), &a) && grants.allows(&peer(2), &b));
        assert!(!grants.allows(&peer(1), &b) && !grants.allows(&peer(3), &a));
        assert!(!grants.lists(&peer(3)));
    }

    #[test]
    fn allow_and_forget_take_back_what_was_granted() {
        let (grants, a) = (Grants::default(), Hash::new("a"));
        grants.put("one", HashSet::from([a]), HashSet::from([peer(1)]));
        assert!(grants.allow("one", HashSet::from([peer(2)])));
        assert!(!grants.lists(&peer(1)) && grants.allows(&peer(2), &a));
        assert!(grants.forget("one") && !grants.forget("one"));
        assert!(!grants.lists(&peer(2)) && !grants.offers(&a) && !grants.allow("one", HashSet::new()));
    }
}
