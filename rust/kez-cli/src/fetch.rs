//! `kez-rs sigchain fetch`: brings a chain here from stores and documents. SPEC §8.2.

use clap::ArgMatches;
use kez_channels::find_channel;
use kez_core::sigchain::{Chain, Graph};
use kez_core::verify::{Source, SourceKind, SourceOutcome};
use kez_core::{Code, Digest, Identity, Json, KezError};

use crate::context::Context;
use crate::json::object;
use crate::judge::remember_sources;
use crate::network::parse_url;
use crate::outcome::{Answer, Failure, Outcome, cannot};
use crate::world::World;
use crate::{chains, keys, signing, verify};

/// Runs it.
pub fn run(context: &Context, matches: &ArgMatches) -> Outcome {
    let typed = matches.get_one::<String>("id").map(String::as_str);
    let from: Vec<&String> = matches.get_many::<String>("from").map(Iterator::collect).unwrap_or_default();
    let world = World::new(context, matches, false)?;
    let sources = verify::block_on(ask(context, &world, typed, &from))?;
    keep(context, &sources)
}

async fn ask(context: &Context, world: &World, typed: Option<&str>, from: &[&String]) -> Outcome<Vec<Source>> {
    let name = match typed {
        Some(typed) if typed.starts_with("sha256:") => {
            Digest::parse(typed).map_err(|error| cannot("read the chain id")(error).typed())?.to_string()
        }
        Some(typed) if typed.starts_with("dns:") => {
            let identity = Identity::parse(typed)?;
            let named = find_channel(identity.system()).and_then(|it| it.chain_source(identity.value()));
            return Ok(match named {
                Some(named) => world.ask_named(&named).await,
                None => Vec::new(),
            });
        }
        Some(typed) => signing::key_named(context, typed)?.to_string(),
        None => keys::acting(context)?.key.to_string(),
    };
    let mut sources = Vec::new();
    for url in from {
        sources.push(match url.ends_with(".jsonl") {
            true => world.ask_url(parse_url(url)?.as_str(), SourceKind::Hint).await,
            false => world.ask_store(&parse_url(url)?, std::slice::from_ref(&name)).await,
        });
    }
    for store in world.stores().iter().filter(|_| from.is_empty()) {
        sources.push(world.ask_store(store, std::slice::from_ref(&name)).await);
    }
    Ok(sources)
}

fn keep(context: &Context, sources: &[Source]) -> Outcome {
    let lock = context.store.lock()?;
    let mut graph = Graph::default();
    context.store.events()?.into_iter().for_each(|event| graph.insert(event));
    sources.iter().flat_map(|source| &source.events).for_each(|event| graph.insert(event.clone()));
    let before = context.store.chains()?;
    let (mut added, mut found, mut kept, mut refusal) = (0, Vec::new(), Vec::new(), None);
    for genesis in graph.geneses() {
        let served = sources.iter().flat_map(|source| &source.events).any(|event| event.digest() == genesis.digest());
        if !served {
            continue;
        }
        let chain = match Chain::of(&graph, genesis) {
            Ok(chain) => chain,
            Err(error) => {
                refusal = refusal.or(Some(error));
                continue;
            }
        };
        added += chain.tree().len().saturating_sub(before.get(&chain.id()).map_or(0, |chain| chain.tree().len()));
        context.store.keep_chain(&chain)?;
        for head in sources.iter().flat_map(|source| &source.heads).filter(|head| head.payload().chain == chain.id()) {
            if kez_core::sigchain::check_head(head, &chain, context.now).is_ok() {
                context.store.keep_head(head)?;
            }
        }
        found.push(object! {
            "chain" => chain.id(), "status" => chains::status(&chain), "contested" => chain.is_contested(),
            "primary" => chain.state().primary(),
            "head" => object! { "seq" => chain.head().seq(), "digest" => chain.head().digest() },
        });
        kept.push(chain);
    }
    drop(lock);
    for chain in kept {
        remember_sources(context, &chain, sources)?;
    }
    if found.is_empty() {
        return Err(nothing(sources, refusal));
    }
    let data =
        object! { "added" => added, "chains" => found, "places" => sources.iter().map(place).collect::<Vec<_>>() };
    Ok(Answer::new("kez.fetch/1", data, format!("{added} new events\n")))
}

/// Why there is no chain: too much of it (CHAIN-18) is told before silence, and silence before what is missing.
fn nothing(sources: &[Source], refusal: Option<KezError>) -> Failure {
    let is_silent = sources.iter().any(|source| source.outcome == SourceOutcome::Failed);
    let code = match refusal {
        Some(error) if error.code() == Code::LimitChain => return cannot("fetch the chain")(error),
        _ if is_silent => Code::ChainUnreachable,
        Some(error) => return cannot("fetch the chain")(error),
        None => Code::ChainUnknown,
    };
    Failure::new(code, "Cannot fetch the chain: no place that was asked has it")
        .hint("Name a store with --store URL, or a document with --from URL.")
}

fn place(source: &Source) -> Json {
    let outcome = match source.outcome {
        SourceOutcome::Found => "found",
        SourceOutcome::Absent => "absent",
        SourceOutcome::Failed => "failed",
    };
    object! {
        "place" => source.name, "outcome" => outcome, "events" => source.events.len(), "code" => source.code,
        "note" => Json::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_that_is_too_large_is_not_one_that_is_unknown() {
        let code = |outcome, refusal: Option<Code>| {
            let source = Source { outcome, ..crate::world::empty("a", SourceKind::Store, true) };
            nothing(&[source], refusal.map(|code| KezError::new(code, "because"))).code()
        };
        let (absent, failed) = (SourceOutcome::Absent, SourceOutcome::Failed);
        assert_eq!(code(absent, Some(Code::LimitChain)), Code::LimitChain);
        assert_eq!(code(failed, Some(Code::LimitChain)), Code::LimitChain);
        assert_eq!(code(absent, Some(Code::SignatureInvalid)), Code::SignatureInvalid);
        assert_eq!(code(failed, Some(Code::SignatureInvalid)), Code::ChainUnreachable);
        assert_eq!((code(failed, None), code(absent, None)), (Code::ChainUnreachable, Code::ChainUnknown));
    }
}
