//! `kez-rs sigchain publish` and `sync`: the chain where readers look for it. SPEC §8.3, DNS-5, NOSTR-10. `kez.chain_publish/1`

use std::path::Path;

use clap::ArgMatches;
use futures_util::future::join_all;
use kez_channels::nostr::publish::{Author, publish_chain};
use kez_core::encoding::compress_chain;
use kez_core::envelope::{ChainHead, Envelope};
use kez_core::limits::MAX_CHAIN_BYTES;
use kez_core::sigchain::{Chain, Graph, HeadMeaning, check_head, read_head, sign_head, write_jsonl};
use kez_core::verify::{Source, SourceKind};
use kez_core::{Code, Digest, Signer as _, Time};

use crate::append::HEAD_SECONDS;
use crate::context::{Context, read_input};
use crate::json::object;
use crate::judge::remember_sources;
use crate::key::{Key, with_key};
use crate::outcome::{Answer, Failure, Outcome};
use crate::places::{Places, author_of, zone_lines};
use crate::upload::{Placed, upload};
use crate::verify::block_on;
use crate::world::{World, empty, keep_document};
use crate::{chains, random, signing, web};

/// Runs one of the two.
pub fn run(context: &Context, name: &str, matches: &ArgMatches) -> Outcome {
    let world = World::new(context, matches, false)?;
    let places = Places::read(&world, name, matches)?;
    let key = signing::acting_key(context, matches)?;
    let held = context.store.chains()?;
    let chain = chains::find_of_key(&held, &key)?.ok_or_else(|| crate::append::unknown(&key))?;
    let zone = if places.is_zone { zone_lines(&places, matches, chain)? } else { Vec::new() };
    let author = if places.is_nostr { Some(author_of(context, matches, chain)?) } else { None };
    let id = chain.id();
    block_on(async {
        let sources = gather(&world, &places, &id).await;
        let (chain, brought) = bring(context, &id, &sources)?;
        remember_sources(context, &chain, sources.get(..places.stores.len()).unwrap_or_default())?;
        let head = head_of(context, matches, &chain)?;
        let mut placed = join_all(
            places.stores.iter().zip(&sources).map(|(store, seen)| upload(&world, store, &chain, head.as_ref(), seen)),
        )
        .await;
        if let Some(path) = &places.web {
            placed.push(write_web(path, &chain, sources.last()));
        }
        if let Some(author) = &author {
            placed.extend(to_relays(context, &world, author, &chain).await?);
        }
        answer(&chain, head.as_ref(), brought, &placed, &zone)
    })
}

/// What each place has of the chain: the stores in their order, then the file.
async fn gather(world: &World, places: &Places, id: &Digest) -> Vec<Source> {
    let names = [id.to_string()];
    let mut sources = join_all(places.stores.iter().map(|store| world.ask_store(store, &names))).await;
    if let Some(path) = &places.web {
        let mut source = empty(&path.display().to_string(), SourceKind::Other, false);
        // None there, or none that can be read: the new one takes its place.
        if let Ok(bytes) = read_input(&source.name, MAX_CHAIN_BYTES + 1) {
            keep_document(&mut source, &bytes);
        }
        sources.push(source);
    }
    sources
}

/// What places have and this computer lacks, brought here; the chain then, and how many events were new.
fn bring(context: &Context, id: &Digest, sources: &[Source]) -> Outcome<(Chain, usize)> {
    let _lock = context.store.lock()?;
    let held = context.store.chains()?;
    let before = held.get(id).map_or(0, |chain| chain.tree().len());
    let mut graph = Graph::default();
    context.store.events()?.into_iter().for_each(|event| graph.insert(event));
    sources.iter().flat_map(|source| &source.events).for_each(|event| graph.insert(event.clone()));
    let missing = || Failure::new(Code::ChainUnknown, format!("Cannot find the chain {id} on this computer"));
    let chain = Chain::of(&graph, graph.get(id).ok_or_else(missing)?)?;
    let brought = chain.tree().len().saturating_sub(before);
    if brought > 0 {
        context.store.keep_chain(&chain)?;
    }
    for head in sources.iter().flat_map(|source| &source.heads) {
        if check_head(head, &chain, context.now).is_ok() {
            context.store.keep_head(head)?;
        }
    }
    Ok((chain, brought))
}

/// A head that says that the chain ends where it does: one that is held, else a new one where the key is at hand.
fn head_of(context: &Context, matches: &ArgMatches, chain: &Chain) -> Outcome<Option<Envelope<ChainHead>>> {
    if chain.is_fork() {
        return Ok(None);
    }
    let is_live = |head: &Envelope<ChainHead>| {
        check_head(head, chain, context.now).is_ok() && matches!(read_head(head.payload(), chain), HeadMeaning::Live(_))
    };
    let held = context.store.heads(&chain.id())?.into_iter().filter(is_live);
    if let Some(head) = held.max_by_key(|head| head.payload().expires_at) {
        return Ok(Some(head));
    }
    let Ok(signer) = signing::signer_at_hand(context, matches) else { return Ok(None) };
    if !chain.is_current_key(signer.key()) {
        return Ok(None);
    }
    let expires_at = Time::from_unix_seconds(context.now.unix_seconds() + HEAD_SECONDS)?;
    let head = sign_head(chain, context.now, expires_at, &signer)?.into_inner();
    let _lock = context.store.lock()?;
    context.store.keep_head(&head)?;
    Ok(Some(head))
}

/// DNS-5: the document at the well-known place, readable for everybody.
fn write_web(path: &Path, chain: &Chain, seen: Option<&Source>) -> Placed {
    let place = path.display().to_string();
    let document = write_jsonl(chain.path());
    let before = seen.map_or(0, |seen| seen.events.iter().filter(|event| chain.is_on_path(&event.digest())).count());
    let total = chain.path().count();
    match web::write(path, document.as_bytes()) {
        Ok(()) => {
            let sent = total.saturating_sub(before);
            Placed { to: "web", place, is_whole: true, sent, ..Placed::default() }
        }
        Err(failure) => Placed {
            to: "web",
            place,
            missing: total.saturating_sub(before),
            code: Some(failure.code()),
            note: Some(failure.message().to_owned()),
            ..Placed::default()
        },
    }
}

/// NOSTR-10, NOSTR-11. A relay has the whole chain or nothing new of it.
async fn to_relays(context: &Context, world: &World, key: &Key, chain: &Chain) -> Outcome<Vec<Placed>> {
    let total = chain.path().count();
    let row = |place: String| Placed { to: "nostr", place, ..Placed::default() };
    let compact = compress_chain(write_jsonl(chain.path()).as_bytes())?;
    let Some(net) = world.net() else { return Ok(Vec::new()) };
    let (auxiliary, now, options) = (random::bytes()?, context.now.unix_seconds(), world.options(None));
    let publish = async |key: &Key| publish_chain(&Author::new(key, auxiliary, now), &compact, net, &options).await;
    let outcomes = match with_key(context, key, publish).await? {
        Ok(outcomes) => outcomes,
        Err(error) => {
            return Ok(vec![Placed {
                missing: total,
                code: Some(error.code),
                note: Some(error.message),
                retry_after_seconds: error.retry_after_seconds,
                ..row(key.key().to_string())
            }]);
        }
    };
    let is_only_one = outcomes.iter().filter(|outcome| outcome.accepted).count() == 1;
    let only = "the only relay that accepted it: fewer than two are easily lost";
    let told = outcomes.into_iter().map(|outcome| {
        let place = outcome.url.as_str().trim_end_matches('/').to_owned();
        match outcome.accepted {
            true => {
                let sent = if outcome.had { 0 } else { total };
                Placed { is_whole: true, sent, note: is_only_one.then(|| only.to_owned()), ..row(place) }
            }
            false => Placed { missing: total, code: Some(Code::PublishRefused), note: outcome.note, ..row(place) },
        }
    });
    Ok(told.collect())
}

fn answer(
    chain: &Chain,
    head: Option<&Envelope<ChainHead>>,
    brought: usize,
    placed: &[Placed],
    zone: &[String],
) -> Outcome {
    let until = head.map(|head| head.payload().expires_at);
    let data = object! {
        "chain" => chain.id(), "status" => chains::status(chain), "contested" => chain.is_contested(),
        "head" => chains::head_json(chain, until), "brought" => brought,
        "places" => placed.iter().map(|it| it.to_json(chain)).collect::<Vec<_>>(), "zone" => zone.to_vec(),
    };
    let mut human = String::new();
    for place in placed {
        human.push_str(&line(place, chain));
    }
    for line in zone {
        human.push_str(&format!("{line}\n"));
    }
    if !placed.is_empty() {
        let (seq, digest) = (chain.head().seq(), chain.head().digest());
        human.push_str(&format!("  chain {}, event {seq}, {digest}\n", chain.id()));
    }
    Ok(Answer { exit: exit_of(placed), ..Answer::new("kez.chain_publish/1", data, human) })
}

fn line(place: &Placed, chain: &Chain) -> String {
    let why = match (&place.note, place.code) {
        (Some(note), Some(code)) => format!("; {note} [{code}]"),
        (Some(note), None) => format!("; {note}"),
        _ => String::new(),
    };
    let until = place.head_until.as_ref().map(|until| format!("; signed head until {until}")).unwrap_or_default();
    match place.state(chain) {
        "whole" => format!("✓ {}  has it all{until}{why}\n", place.place),
        "part" => format!("! {}  lacks {} events{why}\n", place.place, place.missing),
        _ => format!("✗ {}  took nothing{why}\n", place.place),
    }
}

/// 0 where one place has it all, or none was to be written; else 5 where all failed for the network, 1 where one refused.
fn exit_of(placed: &[Placed]) -> u8 {
    let is_net = |place: &Placed| place.code.is_some_and(|code| code.as_str().starts_with("net."));
    match placed {
        [] => 0,
        all if all.iter().any(|place| place.is_whole) => 0,
        all if all.iter().all(is_net) => 5,
        _ => 1,
    }
}
