//! `kez-rs sigchain watch`: what changes in a chain, as stores tell it. SPEC STORE-11. `kez.chain_change/1`

use std::collections::BTreeSet;
use std::time::Duration;

use clap::ArgMatches;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use kez_channels::{NetError, Rights, Url};
use kez_core::envelope::Op;
use kez_core::sigchain::{Chain, ChainEvent, Graph};
use kez_core::verify::{Source, SourceOutcome};
use kez_core::{Code, Digest, Json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::sleep;

use crate::context::Context;
use crate::json::object;
use crate::outcome::{Answer, Failure, Outcome};
use crate::upload::store_name;
use crate::verify::block_on;
use crate::world::World;
use crate::{chains, keys, live, signing};

/// Before a store is asked again after its stream has ended; each time twice as long, up to a minute.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LAST_WAIT: Duration = Duration::from_secs(60);

/// Runs it, until it is interrupted.
pub fn run(context: &Context, matches: &ArgMatches) -> Outcome {
    let name = match matches.get_one::<String>("id").map(String::as_str) {
        Some(typed) if typed.starts_with("sha256:") => Digest::parse(typed)
            .map_err(|error| crate::outcome::cannot("read the chain id")(error).typed())?
            .to_string(),
        Some(typed) => signing::key_named(context, typed)?.to_string(),
        None => keys::acting(context)?.key.to_string(),
    };
    let world = World::new(context, matches, false)?;
    if world.stores().is_empty() {
        return Err(Failure::usage("Cannot watch: expected a store")
            .hint("--store https://sig.example.org, or stores = [\"…\"] in config.toml"));
    }
    block_on(watch(context, &world, &name))
}

async fn watch(context: &Context, world: &World, name: &str) -> Outcome {
    let names = [name.to_owned()];
    let first = join_all(world.stores().iter().map(|store| world.ask_store(store, &names))).await;
    let mut seen = begin(context, world, &first)?;
    for store in world.stores() {
        live::progress(context, &format!("following {}", store_name(store)));
    }
    let (sender, mut changes) = unbounded_channel();
    let id = seen.id;
    let mut followed: FuturesUnordered<_> =
        world.stores().iter().map(|store| follow(context, world, store, id, sender.clone())).collect();
    drop(sender);
    loop {
        tokio::select! {
            change = changes.recv() => match change {
                Some((store, source)) => seen.keep(context, &store, &source)?,
                None => return Err(Failure::new(Code::Internal, "Cannot watch: nothing is followed any more")),
            },
            Some(()) = followed.next() => {}
        }
    }
}

/// What is known of the chain so far.
struct Seen {
    id: Digest,
    events: BTreeSet<Digest>,
}

/// The first look: what the stores and this computer have, told without events.
fn begin(context: &Context, world: &World, sources: &[Source]) -> Outcome<Seen> {
    let served = world.stores().iter().zip(sources).find_map(|(store, source)| {
        source.events.iter().find(|event| event.seq() == 0).map(|event| (store_name(store), event.digest()))
    });
    let Some((store, id)) = served else {
        let is_silent = sources.iter().any(|source| source.outcome == SourceOutcome::Failed);
        let code = if is_silent { Code::ChainUnreachable } else { Code::ChainUnknown };
        return Err(Failure::new(code, "Cannot watch the chain: no store that was asked has it")
            .hint("kez-rs sigchain publish puts a chain of yours into a store."));
    };
    let mut seen = Seen { id, events: BTreeSet::new() };
    let chain = seen.unite(context, sources)?.ok_or_else(|| Failure::new(Code::ChainGenesis, "Cannot find event 0"))?;
    seen.events = chain.tree().events().map(ChainEvent::digest).collect();
    tell(context, &store, &chain, &[])?;
    Ok(seen)
}

impl Seen {
    fn unite(&self, context: &Context, sources: &[Source]) -> Outcome<Option<Chain>> {
        let _lock = context.store.lock()?;
        let mut graph = Graph::default();
        context.store.events()?.into_iter().for_each(|event| graph.insert(event));
        sources.iter().flat_map(|source| &source.events).for_each(|event| graph.insert(event.clone()));
        let Some(genesis) = graph.get(&self.id) else { return Ok(None) };
        let chain = Chain::of(&graph, genesis)?;
        context.store.keep_chain(&chain)?;
        Ok(Some(chain))
    }

    /// Tells of what is new, if anything is.
    fn keep(&mut self, context: &Context, store: &str, source: &Source) -> Outcome<()> {
        let Some(chain) = self.unite(context, std::slice::from_ref(source))? else { return Ok(()) };
        let new: Vec<&ChainEvent> =
            chain.tree().events().filter(|event| !self.events.contains(&event.digest())).collect();
        if new.is_empty() {
            return Ok(());
        }
        tell(context, store, &chain, &new)?;
        self.events.extend(new.iter().map(|event| event.digest()));
        Ok(())
    }
}

fn tell(context: &Context, store: &str, chain: &Chain, new: &[&ChainEvent]) -> Outcome<()> {
    let rows: Vec<Json> = new.iter().map(|event| chains::event_json(event)).collect();
    let data = object! {
        "chain" => chain.id(), "store" => store.to_owned(), "status" => chains::status(chain),
        "contested" => chain.is_contested(), "primary" => chain.state().primary(),
        "head" => object! { "seq" => chain.head().seq(), "digest" => chain.head().digest() }, "events" => rows,
        "seen_at" => context.later()?.unix_seconds(),
    };
    let mark = if chain.is_fork() { "✗ two histories" } else { "✓ one history" };
    let human = match new {
        [] => format!("{}: {mark}, event {}\n", chain.state().primary(), chain.head().seq()),
        new => new.iter().map(|event| line(event)).collect(),
    };
    live::tell(context, Answer::new("kez.chain_change/1", data, human))
}

fn line(event: &ChainEvent) -> String {
    let payload = event.payload();
    let about = match &payload.op {
        Op::Add { subject, .. } | Op::Revoke { subject } => subject.to_string(),
        Op::AddDevice { key, .. } => key.to_string(),
        Op::Rotate { new_primary, .. } => new_primary.to_string(),
        _ => String::new(),
    };
    let (time, seq, op) = (payload.created_at, event.seq(), payload.op.name());
    format!("{time}  event {seq}  {op}  {about}  by {}\n", event.signer())
}

type Changes = UnboundedSender<(String, Source)>;

/// Follows one store for ever: its stream says when to look, and what is looked at proves itself.
async fn follow(context: &Context, world: &World, store: &Url, id: Digest, changes: Changes) {
    let mut wait = FIRST_WAIT;
    let mut last_id = None;
    loop {
        let opened = tokio::time::Instant::now();
        let error = follow_stream(world, store, &id, &changes, &mut last_id).await;
        if opened.elapsed() > LAST_WAIT {
            wait = FIRST_WAIT;
        }
        let named = error.retry_after_seconds.map(Duration::from_secs).unwrap_or_default();
        let pause = wait.max(named.min(LAST_WAIT * 10));
        live::progress(context, &format!("{}: {}; again in {} s", store_name(store), error.message, pause.as_secs()));
        sleep(pause).await;
        wait = (wait * 2).min(LAST_WAIT);
    }
}

/// One stream to its end.
async fn follow_stream(
    world: &World,
    store: &Url,
    id: &Digest,
    changes: &Changes,
    last_id: &mut Option<String>,
) -> NetError {
    let nothing = || NetError::new(Code::NetUrl, "not asked");
    let Some(net) = world.net() else { return nothing() };
    let Ok(url) = Url::parse(&format!("{}/v1/chains/{id}/stream", store_name(store))) else { return nothing() };
    let mut stream = match net.stream(&url, Rights::Reader, last_id.as_deref()).await {
        Ok(stream) => stream,
        Err(error) => return error,
    };
    let mut told = None;
    loop {
        let event = match stream.next().await {
            Ok(event) => event,
            Err(error) => return error,
        };
        let end = end_of(&event.data);
        if event.event == "head" && (end.is_none() || end != told) {
            let source = world.ask_store(store, &[id.to_string()]).await;
            // Nobody listens any more once the command ends.
            let _ = changes.send((store_name(store), source));
            told = end;
            last_id.clone_from(&event.id);
        }
    }
}

/// The end that a message names, and how many events lie beside the path.
fn end_of(data: &str) -> Option<(String, u64)> {
    let value = kez_core::json::parse(data.as_bytes()).ok()?;
    let members = value.as_object()?;
    let forks = match members.get("forks")? {
        Json::Number(forks) => *forks as u64,
        _ => return None,
    };
    Some((members.get("digest")?.as_str()?.to_owned(), forks))
}
