//! `kez-rs sigchain settle`: the branches of a fork, and which of them is kept. SPEC §5.6, §5.7.

use clap::ArgMatches;
use kez_core::envelope::Op;
use kez_core::sigchain::{Chain, ChainEvent, Graph, Signing};
use kez_core::{Code, Digest};

use crate::append::{answer, append_all, keep, text, texts};
use crate::context::Context;
use crate::json::object;
use crate::key::at_hand;
use crate::outcome::{Answer, Failure, Outcome, cannot};
use crate::{again, chains, signing};

/// Shows the branches, or appends what decides.
pub fn settle(context: &Context, matches: &ArgMatches, chain: &Chain) -> Outcome {
    let (kept, lift) = (text(matches, "keep"), texts(matches, "lift"));
    if kept.is_none() && lift.is_empty() {
        return branches(context, chain);
    }
    let digest = |typed: &str| Digest::parse(typed).map_err(|error| cannot("read the digest")(error).typed());
    let mut reject = lift.into_iter().map(digest).collect::<Outcome<Vec<Digest>>>()?;
    let signer = at_hand(context, signing::signer(context, matches)?)?;
    let mut tip = chain.head().digest();
    let mut revocations = Vec::new();
    if let Some(typed) = kept {
        let kept = digest(typed)?;
        let (tied, chosen) = choose(chain, &kept)?;
        tip = tip_of(chain, &chosen)?;
        let others = tied.into_iter().filter(|digest| *digest != chosen);
        for other in others {
            if matches.get_flag("keep-revocations") {
                let primary = chain.state_after(&tip).map(|state| state.primary().clone());
                let again = |event: &ChainEvent| again::revocation(event, primary.as_ref()?);
                revocations.extend(chains::branch(chain, &other).into_iter().filter_map(again));
            }
            reject.push(other);
        }
    }
    reject.dedup();
    let signing = Signing { signer: &signer, new_key: None, created_at: context.now };
    let ops = std::iter::once(Op::Settle { reject }).chain(revocations);
    let (current, events) = append_all(chain, &tip, ops, signing)?;
    keep(context, &current, &events, Some(&signer))?;
    answer(context, &current, &events)
}

/// The tied successors of the undecided split, and which of them holds this event.
fn choose(chain: &Chain, kept: &Digest) -> Outcome<(Vec<Digest>, Digest)> {
    let missing =
        || Failure::new(Code::ChainUnknown, "Cannot keep this branch: expected an event of an undecided fork");
    let split = chain.splits().iter().find(|split| split.winner.is_none()).ok_or_else(missing)?;
    let highest = split.ranks.iter().map(|(_, rank)| *rank).max().ok_or_else(missing)?;
    let tied: Vec<Digest> =
        split.ranks.iter().filter(|(_, rank)| *rank == highest).map(|(digest, _)| *digest).collect();
    let holds = |first: &&Digest| chains::branch(chain, first).iter().any(|event| event.digest() == *kept);
    let chosen = *tied.iter().find(holds).ok_or_else(missing)?;
    Ok((tied, chosen))
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
