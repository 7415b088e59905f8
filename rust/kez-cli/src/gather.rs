//! Brings what others have of a chain here, before it is shown.

use std::sync::Arc;

use kez_channels::find_channel;
use kez_core::sigchain::{Chain, Graph, check_head};
use kez_core::verify::Source;
use kez_core::{KeyIdentity, System};

use crate::context::Context;
use crate::outcome::Outcome;
use crate::world::{World, ask_file};

/// Asks documents and stores for the chain of this name, and what §7 names for a key; every event is checked, and kept.
pub async fn gather(
    context: &Context,
    world: &World,
    files: &[String],
    name: &str,
    key: Option<&KeyIdentity>,
) -> Outcome<()> {
    let mut sources = files.iter().map(|path| ask_file(path)).collect::<Outcome<Vec<Source>>>()?;
    let names = [name.to_owned()];
    if world.net().is_some() {
        sources
            .extend(futures_util::future::join_all(world.stores().iter().map(|it| world.ask_store(it, &names))).await);
        let nostr = key.map(KeyIdentity::identity).filter(|key| key.system() == System::Nostr);
        let named = nostr.and_then(|key| find_channel(key.system())?.chain_source(key.value()));
        if let Some(named) = named {
            sources.extend(world.ask_named(&named).await);
        }
    }
    keep(context, &sources)
}

fn keep(context: &Context, sources: &[Source]) -> Outcome<()> {
    let served: Vec<_> = sources.iter().flat_map(|source| &source.events).filter(|event| event.seq() == 0).collect();
    if served.is_empty() {
        return Ok(());
    }
    let _lock = context.store.lock()?;
    let mut graph = Graph::default();
    context.store.events()?.into_iter().for_each(|event| graph.insert(event));
    sources.iter().flat_map(|source| &source.events).for_each(|event| graph.insert(Arc::clone(event)));
    for genesis in served {
        let Some(Ok(chain)) = graph.get(&genesis.digest()).map(|genesis| Chain::of(&graph, genesis)) else { continue };
        context.store.keep_chain(&chain)?;
        for head in sources.iter().flat_map(|source| &source.heads) {
            if check_head(head, &chain, context.now).is_ok() {
                context.store.keep_head(head)?;
            }
        }
    }
    Ok(())
}
