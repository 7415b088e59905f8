//! A set of events by what they say they follow, before anything is known to be valid. SPEC CHAIN-18, CHAIN-19.

use std::collections::HashMap;
use std::sync::Arc;

use super::event::ChainEvent;
use crate::Digest;

/// Events from all sources together; the same event from two of them is one.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    events: HashMap<Digest, Arc<ChainEvent>>,
    followers: HashMap<Digest, Vec<Arc<ChainEvent>>>,
    geneses: Vec<Arc<ChainEvent>>,
}

impl Graph {
    /// The set of these events.
    pub fn of(events: impl IntoIterator<Item = ChainEvent>) -> Graph {
        let mut graph = Graph::default();
        events.into_iter().for_each(|event| graph.insert(event.into()));
        graph
    }

    /// Adds an event, unless it is known.
    pub fn insert(&mut self, event: Arc<ChainEvent>) {
        let digest = event.digest();
        if self.events.contains_key(&digest) {
            return;
        }
        match event.payload().prev {
            Some(prev) => self.followers.entry(prev).or_default().push(Arc::clone(&event)),
            None => self.geneses.push(Arc::clone(&event)),
        }
        self.events.insert(digest, event);
    }

    /// The event of this name.
    pub fn get(&self, digest: &Digest) -> Option<&Arc<ChainEvent>> {
        self.events.get(digest)
    }

    /// The events 0, valid or not, by their digests.
    pub fn geneses(&self) -> Vec<&Arc<ChainEvent>> {
        by_digest(&self.geneses)
    }

    /// The events that say they follow this one, valid or not. In the order of their digests: nothing may depend on the
    /// order in which they came.
    pub fn followers(&self, digest: &Digest) -> Vec<&Arc<ChainEvent>> {
        self.followers.get(digest).map(|events| by_digest(events)).unwrap_or_default()
    }
}

fn by_digest(events: &[Arc<ChainEvent>]) -> Vec<&Arc<ChainEvent>> {
    let mut sorted: Vec<_> = events.iter().collect();
    sorted.sort_unstable_by_key(|event| event.digest());
    sorted
}
