//! What the chain and its sources say, whichever candidate it is. SPEC VER-2, VER-7, VER-10, VER-11, HEAD-2.

use super::findings::{Findings, Phase};
use super::input::{Input, Mark, Source, SourceKind};
use super::lookup::{Chains, Target};
use super::verdict::{Flag, Status};
use crate::Time;
use crate::error::Code;
use crate::sigchain::{Chain, ChainEvent, HeadMeaning, check_head, read_head};

/// VER-7: no chain was found.
pub(super) fn judge_absence(
    input: &Input,
    chains: &Chains<'_>,
    is_marked: bool,
    target: Target<'_>,
    to: &mut Findings,
) {
    let fault = || expected(input).find_map(|source| chains.fault_at_start(source, &target));
    if expected(input).any(Source::is_silent) {
        to.add(Status::Unreachable, Phase::Chain, Code::ChainUnreachable);
    } else if let Some(code) = fault() {
        to.add(Status::Invalid, Phase::Chain, code);
    } else if is_marked {
        to.add(Status::Unreachable, Phase::Chain, Code::ChainRollback);
    } else if matches!(target, Target::Chain(_)) {
        to.add(Status::Invalid, Phase::Chain, Code::ClaimNotInChain);
    } else if input.require_chain || input.require_fresh {
        to.add(Status::Unreachable, Phase::Chain, Code::ChainRequired);
    } else {
        to.flag(Flag::NoChain);
    }
}

/// A chain was found. Until when it is live, by the head that says the longest.
pub(super) fn judge_chain(input: &Input, chains: &Chains<'_>, chain: &Chain, to: &mut Findings) -> Option<Time> {
    if chain.is_fork() {
        to.add(Status::Fork, Phase::Chain, Code::ChainFork);
    }
    if chain.is_contested() {
        to.flag(Flag::Contested);
    }
    let has_fault = judge_sources(chains, chain, to);
    for mark in chains.marks(&chain.id()) {
        judge_mark(chains, chain, mark, to);
    }
    let live_until = judge_heads(input, chains, chain, to);
    if has_fault || chains.is_silent(chain) || live_until.is_none() {
        to.flag(Flag::Stale);
        if input.require_fresh {
            to.add(Status::Unreachable, Phase::Chain, Code::ChainStale);
        }
    }
    live_until
}

fn expected(input: &Input) -> impl Iterator<Item = &Source> {
    input.sources.iter().filter(|source| source.expected)
}

/// The fault of an expected source, unless a source without fault served the end of the winning path. Whether there is one.
fn judge_sources(chains: &Chains<'_>, chain: &Chain, to: &mut Findings) -> bool {
    let mut expected = chains.sources(chain).filter(|source| source.expected);
    let Some(code) = expected.find_map(|source| Chains::fault(source, chain)) else {
        return false;
    };
    let end = chain.head().digest();
    let confirms = |source: &Source| {
        source.is_found()
            && source.events.iter().any(|event| event.digest() == end)
            && Chains::fault(source, chain).is_none()
    };
    if !chains.sources(chain).any(confirms) {
        to.add(Status::Invalid, Phase::Chain, code);
    }
    true
}

/// HEAD-2. A head that does not count (HEAD-1) has no effect.
fn judge_heads(input: &Input, chains: &Chains<'_>, chain: &Chain, to: &mut Findings) -> Option<Time> {
    let heads = chains.sources(chain).flat_map(|source| &source.heads);
    let mut live_until = None;
    for head in heads.filter(|head| head.payload().chain == chain.id()) {
        if check_head(head, chain, input.now).is_err() {
            continue;
        }
        match read_head(head.payload(), chain) {
            HeadMeaning::Live(until) => live_until = live_until.max(Some(until)),
            HeadMeaning::Withheld => to.add(Status::Unreachable, Phase::Chain, Code::ChainWithheld),
            HeadMeaning::Contradiction => to.add(Status::Fork, Phase::Chain, Code::ChainFork),
            HeadMeaning::None => {}
        }
    }
    live_until
}

/// VER-10.
fn judge_mark(chains: &Chains<'_>, chain: &Chain, mark: &Mark, to: &mut Findings) {
    let is_known = chain.tree().get(&mark.digest).is_some();
    if !is_known {
        match chain.at(mark.seq) {
            Some(_) => to.add(Status::Fork, Phase::Chain, Code::ChainFork),
            None => to.add(Status::Unreachable, Phase::Chain, Code::ChainRollback),
        }
    }
    let is_lost = is_known && !chain.is_on_path(&mark.digest) && !chain.is_undecided(&mark.digest);
    if !is_lost && chains.sources(chain).any(|source| is_older(source, chain, mark)) {
        to.flag(Flag::Rollback);
    }
}

/// Whether a source served the chain from event 0 on, but no valid event of the mark's `seq` or a later one. What the
/// reader's own store has is what is held.
fn is_older(source: &Source, chain: &Chain, mark: &Mark) -> bool {
    let is_asked = source.kind != SourceKind::Local && source.is_found();
    let served = source.events.iter().filter_map(|event| chain.tree().get(&event.digest())).map(ChainEvent::seq);
    let (begins, last) = served.fold((false, 0), |(begins, last), seq| (begins || seq == 0, last.max(seq)));
    is_asked && begins && last < mark.seq
}
