//! Which chain a primary or a reference means, among all that was served and is held. SPEC VER-5, CHAIN-18, CHAIN-19.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::input::{Input, Mark, Source};
use crate::Digest;
use crate::envelope::Op;
use crate::error::{Code, KezError};
use crate::identity::KeyIdentity;
use crate::sigchain::{Chain, ChainEvent, Graph};

/// Every chain that the sources served, of all their events together.
#[derive(Debug)]
pub(super) struct Chains<'a> {
    input: &'a Input,
    chains: BTreeMap<Digest, ChainEntry>,
    /// Events 0 that are not valid.
    refused: BTreeMap<Digest, KezError>,
}

#[derive(Debug)]
struct ChainEntry {
    /// None: more valid events than a reader unites.
    chain: Option<Chain>,
    /// Whether sources were left out because there were too many with them. CHAIN-18.
    is_reduced: bool,
    /// The keys by which it is found, those of the marks included.
    primaries: BTreeSet<KeyIdentity>,
}

/// What is looked up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target<'a> {
    /// The chain of which this is or was a primary.
    Primary(&'a KeyIdentity),
    /// The chain of this id.
    Chain(&'a Digest),
}

/// What a look-up comes to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lookup<'a> {
    /// The chain.
    Chain(&'a Chain),
    /// The chain is known, and is too large: `limit.chain`.
    TooLarge,
    /// Two chains of one primary: `chain.fork`.
    Several,
    /// None was served; whether a mark says that there is one.
    None { is_marked: bool },
}

impl<'a> Chains<'a> {
    pub fn unite(input: &'a Input) -> Chains<'a> {
        let all = graph_of(input.sources.iter());
        let mut chains = Chains { input, chains: BTreeMap::new(), refused: BTreeMap::new() };
        let mut fewer = None;
        for genesis in all.geneses() {
            let mut chain = Chain::of(&all, genesis);
            let is_reduced = chain.as_ref().is_err_and(is_too_large);
            if is_reduced {
                // CHAIN-18: whoever names a source in a text must not be able to silence a chain.
                let fewer = fewer.get_or_insert_with(|| graph_of(input.sources.iter().filter(|it| !it.is_stray())));
                if let Some(genesis) = fewer.get(&genesis.digest()) {
                    chain = Chain::of(fewer, genesis);
                }
            }
            chains.keep(&all, genesis, (chain, is_reduced));
        }
        chains
    }

    fn keep(&mut self, graph: &Graph, genesis: &Arc<ChainEvent>, (chain, is_reduced): (crate::Result<Chain>, bool)) {
        let id = genesis.digest();
        let (chain, mut primaries) = match chain {
            Ok(chain) => {
                // A key that was a primary in what is left out stays one: else its claim would be of no chain, and pass.
                let primaries =
                    if is_reduced { consenting_primaries(graph, genesis) } else { chain.primaries().clone() };
                (Some(chain), primaries)
            }
            Err(error) if is_too_large(&error) => (None, consenting_primaries(graph, genesis)),
            Err(error) => {
                self.refused.insert(id, error);
                return;
            }
        };
        for mark in self.input.marks.iter().filter(|mark| mark.chain == id) {
            primaries.extend(mark.primaries.iter().cloned());
        }
        self.chains.insert(id, ChainEntry { chain, is_reduced, primaries });
    }

    /// A look-up.
    pub fn find(&self, target: Target<'_>) -> Lookup<'_> {
        match target {
            Target::Primary(primary) => self.by_primary(primary),
            Target::Chain(id) => self.by_id(id),
        }
    }

    fn by_id(&self, id: &Digest) -> Lookup<'_> {
        match self.chains.get(id) {
            None => Lookup::None { is_marked: self.marks(id).next().is_some() },
            Some(entry) => entry.chain.as_ref().map_or(Lookup::TooLarge, Lookup::Chain),
        }
    }

    /// A look-up by a primary: by the chain id of the mark that the reader holds, if it holds one of this primary's.
    fn by_primary(&self, primary: &KeyIdentity) -> Lookup<'_> {
        let served: Vec<&Digest> =
            self.chains.iter().filter(|(_, entry)| entry.primaries.contains(primary)).map(|(id, _)| id).collect();
        let marked: BTreeSet<&Digest> = self
            .input
            .marks
            .iter()
            .filter(|mark| mark.primaries.contains(primary) || served.contains(&&mark.chain))
            .map(|mark| &mark.chain)
            .collect();
        let mut marked = marked.into_iter();
        match (marked.next(), marked.next(), served.as_slice()) {
            (first, _, []) => Lookup::None { is_marked: first.is_some() },
            (Some(_), Some(_), _) => Lookup::Several,
            (Some(id), None, _) if self.chains.contains_key(id) => self.by_id(id),
            (Some(_), None, _) => Lookup::Several,
            (None, _, [id]) => self.by_id(id),
            (None, _, _) => Lookup::Several,
        }
    }

    /// Every primary that this chain is known to have had, those of the marks included.
    pub fn primaries(&self, chain: &Chain) -> BTreeSet<KeyIdentity> {
        self.chains.get(&chain.id()).map(|entry| entry.primaries.clone()).unwrap_or_default()
    }

    /// The sources of a chain, without those that were left out.
    pub fn sources(&self, chain: &Chain) -> impl Iterator<Item = &'a Source> {
        let is_reduced = self.is_reduced(chain);
        self.input.sources.iter().filter(move |source| !(is_reduced && source.is_stray()))
    }

    /// Whether an expected source did not answer for this chain. One that was left out counts as one that did not.
    pub fn is_silent(&self, chain: &Chain) -> bool {
        let is_reduced = self.is_reduced(chain);
        self.input.sources.iter().any(|it| it.is_silent() || (is_reduced && it.expected && it.is_stray()))
    }

    fn is_reduced(&self, chain: &Chain) -> bool {
        self.chains.get(&chain.id()).is_some_and(|entry| entry.is_reduced)
    }

    /// The marks of a chain.
    pub fn marks(&self, id: &Digest) -> impl Iterator<Item = &'a Mark> {
        let id = *id;
        self.input.marks.iter().filter(move |mark| mark.chain == id)
    }

    /// The code for which what this source served of a chain was refused: its document, else the first of its events that
    /// is refused there. One that did not answer has none.
    pub fn fault(source: &Source, chain: &Chain) -> Option<Code> {
        if !source.is_found() {
            return None;
        }
        let refused = chain.tree().refused();
        let first = || {
            let of_source = source.events.iter().filter_map(|event| refused.get(&event.digest()));
            of_source.min_by_key(|refusal| refusal.order).map(|refusal| refusal.error.code())
        };
        source.refusal().or_else(first)
    }

    /// The same where no chain was found: its document, else an event 0 that would have begun what was looked for; of
    /// several the first by digest.
    pub fn fault_at_start(&self, source: &Source, target: &Target<'_>) -> Option<Code> {
        let is_meant = |event: &&Arc<ChainEvent>| match target {
            Target::Primary(primary) => event.payload().primary == **primary,
            Target::Chain(id) => event.digest() == **id,
        };
        let of_event = || {
            let begins = source.events.iter().filter(is_meant).map(|event| event.digest());
            let (_, error) = begins.filter_map(|id| Some((id, self.refused.get(&id)?))).min_by_key(|&(id, _)| id)?;
            Some(error.code())
        };
        source.refusal().or_else(|| of_event().filter(|_| source.is_found()))
    }

    /// The same of any chain, for evidence.
    pub fn fault_anywhere(&self, source: &Source) -> Option<Code> {
        let of_genesis = |event: &Arc<ChainEvent>| self.refused.get(&event.digest()).map(KezError::code);
        let mut judged = self.chains.values().filter_map(|entry| entry.chain.as_ref());
        let in_chain = judged.find_map(|chain| Chains::fault(source, chain));
        in_chain.or_else(|| source.refusal()).or_else(|| source.events.iter().find_map(of_genesis))
    }
}

fn is_too_large(error: &KezError) -> bool {
    error.code() == Code::LimitChain
}

fn graph_of<'s>(sources: impl Iterator<Item = &'s Source>) -> Graph {
    let mut graph = Graph::default();
    sources.flat_map(|source| &source.events).for_each(|event| graph.insert(Arc::clone(event)));
    graph
}

/// The primaries of a chain that is too large to be judged: that of event 0, and every key that agreed to be rotated to
/// below it. Without them a claim by a later primary would find no chain, and pass unchecked.
fn consenting_primaries(graph: &Graph, genesis: &Arc<ChainEvent>) -> BTreeSet<KeyIdentity> {
    let mut primaries = BTreeSet::from([genesis.payload().primary.clone()]);
    let mut pending = vec![genesis];
    while let Some(event) = pending.pop() {
        if let Op::Rotate { new_primary, .. } = &event.payload().op
            && event.check_pop().is_ok()
        {
            primaries.insert(new_primary.clone());
        }
        pending.extend(graph.followers(&event.digest()));
    }
    primaries
}
