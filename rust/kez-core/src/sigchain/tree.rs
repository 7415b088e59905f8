//! The valid events of one chain, each judged once in its only place: after the event that its `prev` names. SPEC §5.4.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use super::apply::{check_event, check_follower};
use super::event::ChainEvent;
use super::graph::Graph;
use super::state::{State, Undo};
use crate::Digest;
use crate::envelope::Op;
use crate::error::{Code, KezError, Result, refuse};
use crate::identity::KeyIdentity;
use crate::limits::MAX_UNITED_EVENTS;

/// A valid event in its place. Nodes stand in pre-order, so that a subtree is a range of them.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub event: Arc<ChainEvent>,
    pub children: Vec<usize>,
    /// The first node after its subtree.
    pub end: usize,
    /// The `add_device` before it by which its signer came; none where a primary signed.
    pub origin: Option<usize>,
}

/// Why an event that follows a valid one is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its first code by §5.3 and §5.4.
    pub error: KezError,
    /// Which refusal of the tree it is: depth first from event 0, siblings by their digests. Of several faults the one with
    /// the lowest is told, for the order in which events came decides nothing.
    pub order: usize,
}

/// Every valid event of a chain, on all branches.
#[derive(Clone, Debug)]
pub struct Tree {
    nodes: Vec<Node>,
    places: HashMap<Digest, usize>,
    refused: BTreeMap<Digest, Refusal>,
    primaries: BTreeSet<KeyIdentity>,
}

impl Tree {
    /// All that descends from event 0 and is valid. An event 0 that is not → its code; more than 20,000 valid events →
    /// `limit.chain` (CHAIN-18). Others do not count.
    pub fn grow(graph: &Graph, genesis: &Arc<ChainEvent>) -> Result<Tree> {
        if genesis.payload().prev.is_some() || genesis.seq() != 0 {
            return refuse(Code::ChainGenesis, "expected event 0");
        }
        let state = State::before_genesis(&genesis.payload().primary);
        check_event(&state, genesis)?;
        Gardener::new(graph, genesis, state).grow()
    }

    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub(super) fn node(&self, place: usize) -> Option<&Node> {
        self.nodes.get(place)
    }

    /// The nodes of the subtree of this one, itself included.
    pub(super) fn subtree(&self, place: usize) -> Range<usize> {
        place..self.node(place).map_or(place, |node| node.end)
    }

    pub(super) fn place_of(&self, digest: &Digest) -> Option<usize> {
        self.places.get(digest).copied()
    }

    /// How many valid events there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never: event 0 is always there.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The valid events; each stands after the one that it follows.
    pub fn events(&self) -> impl Iterator<Item = &ChainEvent> {
        self.nodes.iter().map(|node| node.event.as_ref())
    }

    /// The valid event of this name. Known means valid and known (CHAIN-18).
    pub fn get(&self, digest: &Digest) -> Option<&ChainEvent> {
        self.node(self.place_of(digest)?).map(|node| node.event.as_ref())
    }

    /// The events that follow a valid one and are not valid there. What follows no valid event
    /// was never judged, and is not here.
    pub const fn refused(&self) -> &BTreeMap<Digest, Refusal> {
        &self.refused
    }

    /// Every key that is or was the primary, on any branch.
    pub const fn primaries(&self) -> &BTreeSet<KeyIdentity> {
        &self.primaries
    }
}

/// An event whose followers are being judged.
struct Frame<'a> {
    place: usize,
    /// In reverse: the next one is the last.
    followers: Vec<&'a Arc<ChainEvent>>,
    undo: Undo,
}

/// Judges a graph depth first, with one state that goes along. The stack is a vector: a chain is 10,000 events deep.
struct Gardener<'a> {
    graph: &'a Graph,
    state: State,
    stack: Vec<Frame<'a>>,
    /// The `add_device` of every device on the way.
    origins: HashMap<KeyIdentity, usize>,
    tree: Tree,
}

impl<'a> Gardener<'a> {
    fn new(graph: &'a Graph, genesis: &Arc<ChainEvent>, state: State) -> Gardener<'a> {
        let primaries = BTreeSet::from([genesis.payload().primary.clone()]);
        let tree = Tree { nodes: Vec::new(), places: HashMap::new(), refused: BTreeMap::new(), primaries };
        let mut gardener = Gardener { graph, state, stack: Vec::new(), origins: HashMap::new(), tree };
        gardener.enter(genesis);
        gardener
    }

    fn grow(mut self) -> Result<Tree> {
        while let Some(frame) = self.stack.last_mut() {
            let Some(event) = frame.followers.pop() else {
                self.leave();
                continue;
            };
            let place = frame.place;
            let Some(previous) = self.tree.nodes.get(place) else {
                continue;
            };
            if let Err(error) = check_follower(&self.state, &previous.event, event) {
                let order = self.tree.refused.len();
                self.tree.refused.insert(event.digest(), Refusal { error, order });
                continue;
            }
            if self.tree.nodes.len() == MAX_UNITED_EVENTS {
                return refuse(Code::LimitChain, "expected at most 20000 valid events of one chain");
            }
            let child = self.enter(event);
            if let Some(parent) = self.tree.nodes.get_mut(place) {
                parent.children.push(child);
            }
        }
        Ok(self.tree)
    }

    fn enter(&mut self, event: &Arc<ChainEvent>) -> usize {
        let place = self.tree.nodes.len();
        let origin = self.origins.get(event.signer()).copied();
        match &event.payload().op {
            Op::AddDevice { key, .. } => {
                self.origins.insert(key.clone(), place);
            }
            Op::Rotate { new_primary, .. } => {
                self.tree.primaries.insert(new_primary.clone());
            }
            _ => (),
        }
        let undo = self.state.apply(event);
        let mut followers = self.graph.followers(&event.digest());
        followers.reverse();
        self.stack.push(Frame { place, followers, undo });
        self.tree.places.insert(event.digest(), place);
        self.tree.nodes.push(Node { event: Arc::clone(event), children: Vec::new(), end: place + 1, origin });
        place
    }

    fn leave(&mut self) {
        let Some(frame) = self.stack.pop() else {
            return;
        };
        self.state.undo(frame.undo);
        let end = self.tree.nodes.len();
        if let Some(node) = self.tree.nodes.get_mut(frame.place) {
            node.end = end;
            if let Op::AddDevice { key, .. } = &node.event.payload().op {
                self.origins.remove(key);
            }
        }
    }
}
