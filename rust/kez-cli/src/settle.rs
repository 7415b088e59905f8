//! `kez-rs sigchain settle`: the branches of a fork, and which of them is kept. SPEC §5.6, §5.7.

use std::collections::HashSet;

use clap::ArgMatches;
use kez_core::envelope::Op;
use kez_core::sigchain::{Chain, ChainEvent, Graph, Signing};
use kez_core::{Code, Digest, KeyIdentity};

use crate::append::{answer, append_all, check_after, keep, text, texts};
use crate::context::Context;
use crate::json::object;
use crate::key::at_hand;
use crate::outcome::{Answer, Failure, Outcome, cannot};
use crate::{again, chains, signing};

/// Of a digest that is typed: `sha256:` and eight digits.
const MIN_DIGEST_CHARS: usize = 15;

/// Shows the branches, or appends what decides.
pub fn settle(context: &Context, matches: &ArgMatches, (chain, key): (&Chain, &KeyIdentity)) -> Outcome {
    let (kept, lift) = (text(matches, "keep"), texts(matches, "lift"));
    if kept.is_none() && lift.is_empty() {
        return branches(context, chain);
    }
    let digest = |typed: &str| Digest::parse(typed).map_err(|error| cannot("read the digest")(error).typed());
    let mut reject = lift.into_iter().map(|typed| listed(chain, typed)).collect::<Outcome<Vec<Digest>>>()?;
    let mut tip = chain.head().digest();
    let mut revocations = Vec::new();
    if let Some(typed) = kept {
        let (others, chosen) = choose(chain, &digest(typed)?)?;
        tip = tip_of(chain, &chosen)?;
        if matches.get_flag("keep-revocations") {
            let rejected = others.iter().filter(|digest| !reject.contains(digest));
            revocations = lifted(chain, rejected, &tip);
        }
        reject.extend(others);
    }
    let mut seen = HashSet::new();
    reject.retain(|digest| seen.insert(*digest));
    let op = Op::Settle { reject };
    check_after(chain, &tip, &op, key)?;
    let signer = at_hand(context, signing::signer(context, matches)?)?;
    let signing = Signing { signer: &signer, new_key: None, created_at: context.now };
    let ops = std::iter::once(op).chain(revocations);
    let (current, events) = append_all(chain, &tip, ops, signing)?;
    keep(context, &current, &events, Some(&signer))?;
    answer(context, &current, &events)
}

/// The revocation on a losing branch whose digest begins so. `usage`
fn listed(chain: &Chain, typed: &str) -> Outcome<Digest> {
    let text = typed.trim_end_matches('…');
    let is_revocation = |event: &&ChainEvent| matches!(event.payload().op, Op::Revoke { .. } | Op::RevokeDevice { .. });
    let revocations = chains::losing(chain).into_iter().filter(is_revocation).map(ChainEvent::digest);
    let found: Vec<Digest> = revocations.filter(|digest| digest.to_string().starts_with(text)).collect();
    match found[..] {
        [only] if text.len() >= MIN_DIGEST_CHARS => Ok(only),
        _ => Err(Failure::usage(
            "Cannot choose by this digest: expected sha256: and enough digits for one of those listed",
        )),
    }
}

/// What is signed again where these are rejected. A settlement lifts what it names and nothing after that (FORK-6).
fn lifted<'a>(chain: &Chain, rejected: impl Iterator<Item = &'a Digest>, tip: &Digest) -> Vec<Op> {
    let Some(state) = chain.state_after(tip) else { return Vec::new() };
    let primary = state.primary().clone();
    let events = rejected.filter_map(|digest| chain.tree().get(digest));
    let again = events.filter_map(|event| Some((event, again::revocation(event, &primary)?))).collect();
    again::new_to(state, again).into_iter().map(|(_, op)| op).collect()
}

/// Which successor of the undecided split holds this event, and the tied ones that are none of it. A branch of a lower rank
/// can be kept too: the settlement raises it.
fn choose(chain: &Chain, kept: &Digest) -> Outcome<(Vec<Digest>, Digest)> {
    let missing =
        || Failure::new(Code::ChainUnknown, "Cannot keep this branch: expected an event of an undecided fork");
    let split = chain.splits().iter().find(|split| split.winner.is_none()).ok_or_else(missing)?;
    let highest = split.ranks.iter().map(|(_, rank)| *rank).max().ok_or_else(missing)?;
    let holds = |first: &Digest| chains::branch(chain, first).iter().any(|event| event.digest() == *kept);
    let (chosen, _) = *split.ranks.iter().find(|(digest, _)| holds(digest)).ok_or_else(missing)?;
    let others = split.ranks.iter().filter(|(digest, rank)| *rank == highest && *digest != chosen);
    Ok((others.map(|(digest, _)| *digest).collect(), chosen))
}

/// The end of a branch: that of the chain that has no other.
fn tip_of(chain: &Chain, first: &Digest) -> Outcome<Digest> {
    let branch = chains::branch(chain, first);
    let known: Vec<ChainEvent> = chain.path().chain(branch).cloned().collect::<Vec<_>>();
    let graph = Graph::of(known);
    let id = chain.id();
    let genesis = graph.get(&id).ok_or_else(|| Failure::new(Code::ChainGenesis, "Cannot find event 0"))?;
    Ok(Chain::of(&graph, genesis)?.head().digest())
}

fn branches(context: &Context, chain: &Chain) -> Outcome {
    let in_force = chain.sticky_revocations();
    let revocations = chains::losing(chain).into_iter().filter(|event| in_force.contains(&event.digest()));
    let data = object! {
        "chain" => chain.id(), "status" => chains::status(chain), "contested" => chain.is_contested(),
        "splits" => chains::splits_json(context, chain)?, "devices" => chains::devices_json(chain),
        "revocations" => revocations.map(chains::event_json).collect::<Vec<_>>(),
    };
    let mut human = String::new();
    for split in chain.splits() {
        for (digest, rank) in &split.ranks {
            let mark = if split.winner == Some(*digest) { "wins" } else { rank.as_str() };
            human.push_str(&format!("{digest}  {mark}  {} events\n", chains::branch(chain, digest).len()));
        }
    }
    Ok(Answer::new(
        "kez.settle/1",
        data,
        if human.is_empty() { "The chain has one history.\n".to_owned() } else { human },
    ))
}
