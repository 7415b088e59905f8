//! `kez-rs sigchain show`, `head`, `export`, `import`. The events are made in `append`.

use clap::ArgMatches;
use kez_core::envelope::{ChainHead, Envelope, decode};
use kez_core::sigchain::{Chain, ChainEvent, Graph, read_document, sign_head, write_jsonl};
use kez_core::{Code, Digest, Json, Time};

use crate::claim::{parse_duration, write_out};
use crate::context::{Context, read_input};
use crate::json::object;
use crate::outcome::{Answer, Failure, Outcome, cannot};
use crate::{append, chains, signing};

/// Runs one of its commands.
pub fn run(context: &Context, name: &str, matches: &ArgMatches) -> Outcome {
    match name {
        "show" => show(context, matches),
        "head" => head(context, matches),
        "export" => export(context, matches),
        "import" => import(context, matches),
        "fetch" => crate::fetch::run(context, matches),
        "watch" => crate::watch::run(context, matches),
        "publish" | "sync" => crate::publish_chain::run(context, name, matches),
        _ => append::run(context, name, matches),
    }
}

fn text<'a>(matches: &'a ArgMatches, name: &str) -> Option<&'a str> {
    matches.get_one::<String>(name).map(String::as_str)
}

fn show(context: &Context, matches: &ArgMatches) -> Outcome {
    let held = context.store.chains()?;
    let chain = chains::find(context, &held, text(matches, "id"))?;
    Ok(Answer::new("kez.chain/1", chains::chain_json(context, chain)?, chains::chain_text(context, chain)?))
}

fn head(context: &Context, matches: &ArgMatches) -> Outcome {
    let typed = text(matches, "expires").unwrap_or("7d");
    let seconds = parse_duration(typed).filter(|seconds| (1..=7 * 86_400).contains(seconds));
    let seconds = seconds.ok_or_else(|| Failure::usage("Cannot read --expires: expected a time of at most 7d"))?;
    let held = context.store.chains()?;
    let key = signing::acting_key(context, matches)?;
    let chain = chains::find_of_key(&held, &key)?
        .ok_or_else(|| Failure::new(Code::ChainUnknown, format!("Cannot find a chain of {key} on this computer")))?;
    if chain.is_fork() {
        return Err(Failure::new(
            Code::ChainFork,
            "Cannot sign where the chain ends: nothing decides between its histories",
        ));
    }
    let signer = signing::signer(context, matches)?;
    let expires_at = Time::from_unix_seconds(context.now.unix_seconds() + seconds)?;
    let head = sign_head(chain, context.now, expires_at, &signer).map_err(cannot("sign where the chain ends"))?;
    let _lock = context.store.lock()?;
    context.store.keep_head(&head)?;
    let line = format!("{}\n", head.canonical());
    let file = write_out(matches, &line)?;
    let payload = head.payload();
    let data = object! {
        "chain" => payload.chain, "seq" => payload.seq, "digest" => payload.digest, "signer" => head.signer(),
        "issued_at" => payload.issued_at, "expires_at" => payload.expires_at, "text" => head.canonical(), "file" => file,
    };
    Ok(Answer::new("kez.head/1", data, if file.is_some() { String::new() } else { line }))
}

/// The events up to this one and on from it: the branch that holds it.
fn branch_with(chain: &Chain, digest: &Digest) -> Outcome<Vec<ChainEvent>> {
    let missing = || Failure::new(Code::ChainUnknown, "Cannot export this branch: expected an event of the chain");
    let mut line = vec![chain.tree().get(digest).ok_or_else(missing)?.clone()];
    while let Some(prev) = line.last().and_then(|event| event.payload().prev) {
        line.push(chain.tree().get(&prev).ok_or_else(missing)?.clone());
    }
    line.reverse();
    let after = chains::branch(chain, digest).into_iter().cloned();
    let graph = Graph::of(line.into_iter().chain(after));
    let genesis = graph.get(&chain.id()).ok_or_else(missing)?;
    Ok(Chain::of(&graph, genesis)?.path().cloned().collect())
}

fn export(context: &Context, matches: &ArgMatches) -> Outcome {
    let held = context.store.chains()?;
    let chain = chains::find(context, &held, text(matches, "id"))?;
    let events = match text(matches, "branch") {
        Some(typed) => {
            branch_with(chain, &Digest::parse(typed).map_err(|error| cannot("read --branch")(error).typed())?)?
        }
        None => chain.path().cloned().collect(),
    };
    let document = write_jsonl(&events);
    let format = text(matches, "format").unwrap_or("jsonl");
    let (told, written) = match format {
        "compact" => {
            let compact = kez_core::encoding::compress_chain(document.as_bytes())?;
            (compact.clone(), format!("{compact}\n"))
        }
        _ => (document.clone(), document),
    };
    let file = write_out(matches, &written)?;
    let data = object! {
        "chain" => chain.id(), "events" => events.len(), "format" => format, "text" => told, "file" => file,
    };
    Ok(Answer::new("kez.export/1", data, if file.is_some() { String::new() } else { written }))
}

fn import(context: &Context, matches: &ArgMatches) -> Outcome {
    let bytes = read_input(text(matches, "file").unwrap_or_default(), kez_core::limits::MAX_CHAIN_BYTES + 4_000_000)?;
    let _lock = context.store.lock()?;
    if is_head(&bytes) {
        return import_head(context, &bytes);
    }
    let document = read_document(&bytes);
    let Some(first) = document.events.first() else {
        let fault = document.fault.unwrap_or_else(|| kez_core::KezError::new(Code::ChainJsonl, "expected a chain"));
        return Err(cannot("read the chain")(fault));
    };
    let held = context.store.chains()?;
    let id = first.digest();
    let before = held.get(&id);
    let known = before.into_iter().flat_map(|chain| chain.tree().events()).cloned();
    let graph = Graph::of(known.chain(document.events.iter().cloned()));
    let mut refused = Vec::new();
    let chain = match graph.get(&id).map(|genesis| Chain::of(&graph, genesis)) {
        Some(Ok(chain)) => Some(chain),
        Some(Err(error)) => {
            refused.push(refused_json(Some(0), Some(id), error.code()));
            None
        }
        None => None,
    };
    let mut told: Vec<_> = chain.iter().flat_map(|chain| chain.tree().refused()).collect();
    told.sort_by_key(|(_, refusal)| refusal.order);
    for (digest, refusal) in told {
        refused.push(refused_json(graph.get(digest).map(|event| event.seq()), Some(*digest), refusal.error.code()));
    }
    if let Some(fault) = &document.fault {
        refused.push(refused_json(Some(document.events.len() as u64), None, fault.code()));
    }
    let held = before.map_or(0, |chain| chain.tree().len());
    let added = chain.as_ref().map_or(0, |chain| chain.tree().len()).saturating_sub(held);
    if let Some(chain) = &chain {
        context.store.keep_chain(chain)?;
    }
    let data = object! {
        "chain" => id, "read" => document.events.len(), "added" => added, "refused" => refused.clone(),
        "status" => chain.as_ref().map(chains::status), "contested" => chain.as_ref().is_some_and(Chain::is_contested),
        "primary" => chain.as_ref().map(|chain| chain.state().primary().clone()),
    };
    let human = format!("{added} new events of {} read\n  chain {id}\n", document.events.len());
    Ok(Answer { exit: u8::from(!refused.is_empty()), ..Answer::new("kez.import/1", data, human) })
}

fn refused_json(seq: Option<u64>, digest: Option<Digest>, code: Code) -> Json {
    object! { "seq" => seq, "digest" => digest, "code" => code }
}

/// A signed head is one JSON object that says so.
fn is_head(bytes: &[u8]) -> bool {
    let kind = kez_core::json::parse(bytes)
        .ok()
        .and_then(|value| Some(value.as_object()?.get("kez")?.as_str()? == "chain_head"));
    kind == Some(true)
}

fn import_head(context: &Context, bytes: &[u8]) -> Outcome {
    // Whether its signer may speak is judged when it is used: the event that lets it may come later.
    let head = decode::<ChainHead>(bytes).and_then(Envelope::verify).map_err(cannot("read the head"))?.into_inner();
    let held = context.store.chains()?;
    let payload = head.payload();
    if !held.contains_key(&payload.chain) {
        let message = format!("Cannot take the head: chain {} is not on this computer", payload.chain);
        return Err(Failure::new(Code::ChainUnknown, message));
    }
    context.store.keep_head(&head)?;
    let row = object! {
        "seq" => payload.seq, "digest" => payload.digest, "signer" => head.signer(), "expires_at" => payload.expires_at,
        "envelope" => head.digest(),
    };
    let human = format!("a head of chain {} until {}\n", payload.chain, payload.expires_at);
    Ok(Answer::new("kez.import/1", object! { "chain" => payload.chain, "head" => row }, human))
}
