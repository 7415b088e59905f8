//! What is looked at for a verdict, and what is remembered of it. SPEC §6.

use std::collections::BTreeSet;
use std::sync::Arc;

use kez_channels::{Outcome as Seen, find_channel};
use kez_core::sigchain::{Chain, SubjectStatus};
use kez_core::verify::{
    Flag, Input, Mark, PlacedText, Publication, PublicationStatus, Source, SourceKind, SourceOutcome, Status, Verdict,
};
use kez_core::{Code, Digest, Identity, Json, KeyIdentity, System};

use crate::context::Context;
use crate::json::{object, with};
use crate::named::Named;
use crate::outcome::Outcome;
use crate::store::{KnownSource, LastProven};
use crate::told::{self, Told};
use crate::world::{World, ask_file, empty};

/// What a reader asks.
pub struct Question {
    /// The account; none for a file.
    pub subject: Option<Identity>,
    /// The expected key.
    pub primary: Option<KeyIdentity>,
    /// `--require-chain`
    pub require_chain: bool,
    /// `--fresh`
    pub require_fresh: bool,
    /// `--accept-new-account`
    pub accept_new: bool,
    /// `--chain`
    pub files: Vec<String>,
}

/// Looks at an account's own place, then at its chain. VER-1.
pub async fn judge_account(context: &Context, world: &World, question: &Question) -> Outcome<Told> {
    let Some(subject) = &question.subject else {
        return Err(crate::outcome::Failure::usage("Cannot verify: expected an account"));
    };
    let last = context.store.last_proven(subject)?;
    let pinned = pinned_id(context, last.as_ref(), subject)?;
    let known = pinned.or_else(|| last.as_ref()?.account_id.clone());
    let unreachable =
        |code| Publication { status: PublicationStatus::Unreachable(code), candidates: Vec::new(), account_id: None };
    let (Some(channel), Some(net)) = (find_channel(subject.system()), world.net()) else {
        let publication = unreachable(Code::ChannelUnsupported);
        return judge(context, world, question, publication, Vec::new(), Vec::new()).await;
    };
    let look = channel.look(subject.value(), net, &world.options(known)).await;
    let places: Vec<Json> = look.publication.evidence.iter().map(told::place_json(context)).collect();
    let (publication, hints, retry) = read_publication(look.publication);
    let mut told = judge(context, world, question, publication, hints, places).await?;
    if let Some(canary) = look.canary {
        let shown = object! { "canary" => canary.source, "ok" => canary.health.is_ok() };
        told.data = with(told.data, "channel", shown);
    }
    told.retry_after_seconds = retry;
    told.data = with(told.data, "retry_after_seconds", retry);
    Ok(told)
}

/// The account's number by the chain of whom it was proven for last.
fn pinned_id(context: &Context, last: Option<&LastProven>, subject: &Identity) -> Outcome<Option<String>> {
    let Some(last) = last else { return Ok(None) };
    let held = context.store.chains()?;
    let chain = crate::chains::find_of_key(&held, &last.primary).ok().flatten();
    Ok(chain.and_then(|chain| match chain.subject(subject) {
        SubjectStatus::Active(listing) => listing.subject_id.clone(),
        _ => None,
    }))
}

/// The publication as §6 judges it, the hints beside it, and when to ask again.
fn read_publication(seen: kez_channels::Publication) -> (Publication, Vec<String>, Option<u64>) {
    let account_id = seen.account_id;
    let plain = |status| Publication { status, candidates: Vec::new(), account_id: account_id.clone() };
    match seen.outcome {
        Seen::Found { candidates, chain_hints } => {
            let candidates =
                candidates.into_iter().map(|it| PlacedText { text: it.text, found_at: it.found_at }).collect();
            (Publication { status: PublicationStatus::Found, candidates, account_id }, chain_hints, None)
        }
        Seen::Absent => (plain(PublicationStatus::Absent), Vec::new(), None),
        Seen::Invalid(code) => (plain(PublicationStatus::Refused(code)), Vec::new(), None),
        Seen::Unreachable { code, retry_after_seconds } => {
            (plain(PublicationStatus::Unreachable(code)), Vec::new(), retry_after_seconds)
        }
    }
}

/// Gathers the sources of the chain and judges. `places` are rows about the place.
pub async fn judge(
    context: &Context,
    world: &World,
    question: &Question,
    publication: Publication,
    hints: Vec<String>,
    places: Vec<Json>,
) -> Outcome<Told> {
    let last = question.subject.as_ref().map(|subject| context.store.last_proven(subject)).transpose()?.flatten();
    let seen = last.as_ref().filter(|_| !question.accept_new);
    let is_absent = publication.status == PublicationStatus::Absent;
    let former = seen.filter(|_| is_absent && question.primary.is_none()).map(|last| last.primary.clone());
    let mut named = Named::of(&publication, hints, question.subject.as_ref());
    named.keys.extend(question.primary.clone().or_else(|| former.clone()));
    named.keys.sort();
    named.keys.dedup();
    let marks = context.store.marks()?;
    let mut sources = vec![local(context, &named, &marks)?];
    for path in &question.files {
        sources.push(ask_file(path)?);
    }
    let of_reader = sources.len();
    sources.extend(remote(context, world, question, &named, &marks).await?);
    let account_id = publication.account_id.clone();
    let input = Input {
        subject: question.subject.clone(),
        primary: question.primary.clone(),
        publication,
        sources,
        marks,
        seen: seen
            .map(|last| kez_core::verify::Seen { account_id: last.account_id.clone(), primary: last.primary.clone() }),
        now: context.now,
        require_chain: question.require_chain,
        require_fresh: question.require_fresh,
    };
    let mut verdict = kez_core::verify::verify(&input);
    if former.is_some() {
        // VER-2: the second verification, of which only this is used.
        let second = kez_core::verify::verify(&Input { primary: former, ..input.clone() });
        if second.status == Status::Revoked {
            verdict = second;
        }
    }
    if matches!(verdict.reason, Some(Code::TextUtf8 | Code::TextBom | Code::LimitSize)) && question.subject.is_none() {
        // Of what is no text nothing is said but this.
        verdict.flags.remove(&Flag::Unpublished);
    }
    remember(context, question, &verdict, &input.sources, of_reader, account_id)?;
    Ok(told::tell(context, question, verdict, &named, places, last))
}

/// Whether this computer has seen this chain, and the key as a primary of it. VER-10: the mark counts where the events that
/// are held do not show it.
fn is_marked(marks: &[Mark], chain: &Digest, keys: &[KeyIdentity]) -> bool {
    marks.iter().any(|mark| mark.chain == *chain && keys.iter().any(|key| mark.primaries.contains(key)))
}

/// What this computer holds of the chains that are asked about.
fn local(context: &Context, named: &Named, marks: &[Mark]) -> Outcome<Source> {
    let mut source = empty("this computer", SourceKind::Local, false);
    for (id, chain) in context.store.chains()? {
        let is_of_key = named.keys.iter().any(|key| chain.primaries().contains(key));
        if named.ids.contains(&id) || is_of_key || is_marked(marks, &id, &named.keys) {
            source.events.extend(chain.tree().events().cloned().map(Arc::new));
            source.heads.extend(context.store.heads(&id)?);
            source.outcome = SourceOutcome::Found;
        }
    }
    Ok(source)
}

/// Hints, stores, what §7 names, and what served the chain before; where nobody is to be asked, the hints are told as not
/// asked.
async fn remote(
    context: &Context,
    world: &World,
    question: &Question,
    named: &Named,
    marks: &[Mark],
) -> Outcome<Vec<Source>> {
    let mut sources = Vec::new();
    for hint in &named.hints {
        sources.push(world.ask_url(hint, SourceKind::Hint).await);
    }
    if world.net().is_none() {
        return Ok(sources);
    }
    let names = names(named, marks);
    for store in world.stores().iter().filter(|_| !names.is_empty()) {
        sources.push(world.ask_store(store, &names).await);
    }
    let keys = named.keys.iter().map(|key| key.identity()).filter(|key| key.system() == System::Nostr);
    let mut asked: Vec<&Identity> = keys.chain(&question.subject).collect();
    asked.sort();
    asked.dedup();
    for identity in asked {
        let source = find_channel(identity.system()).and_then(|channel| channel.chain_source(identity.value()));
        if let Some(source) = source.filter(|_| !names.is_empty()) {
            sources.extend(world.ask_named(&source).await);
        }
    }
    for known in known_sources(context, named, marks)? {
        let mut is_asked = false;
        for source in sources.iter_mut().filter(|source| source.name == known.name) {
            (source.expected, is_asked) = (true, true);
        }
        if !is_asked {
            sources.extend(world.ask_again(&known).await);
        }
    }
    Ok(sources)
}

/// Under which names a store is asked: the chain ids of the marks of a key, else the key. VER-5.
fn names(named: &Named, marks: &[Mark]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for key in &named.keys {
        let ids = marks.iter().filter(|mark| mark.primaries.contains(key)).map(|mark| mark.chain.to_string());
        let before = names.len();
        names.extend(ids);
        if names.len() == before {
            names.push(key.to_string());
        }
    }
    names.extend(named.ids.iter().map(ToString::to_string));
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// What served the chains that are asked about before. VER-6.
fn known_sources(context: &Context, named: &Named, marks: &[Mark]) -> Outcome<Vec<KnownSource>> {
    let known = context.store.sources()?;
    if known.is_empty() {
        return Ok(known);
    }
    let held = context.store.chains()?;
    let is_meant = |id: &Digest| {
        let of_key = |chain: &Chain| named.keys.iter().any(|key| chain.primaries().contains(key));
        named.ids.contains(id) || held.get(id).is_some_and(of_key) || is_marked(marks, id, &named.keys)
    };
    Ok(known.into_iter().filter(|source| is_meant(&source.chain)).collect())
}

/// VER-6: what served this chain is expected from now on; not what has a fault now, which would only be found again.
pub fn remember_sources(context: &Context, chain: &Chain, sources: &[Source]) -> Outcome<()> {
    let serves = |source: &&Source| {
        let (tree, mut events) = (chain.tree(), source.events.iter().map(|event| event.digest()));
        let is_whole = source.outcome == SourceOutcome::Found && source.code.is_none();
        is_whole
            && events.clone().any(|digest| tree.get(&digest).is_some())
            && !events.any(|digest| tree.refused().contains_key(&digest))
    };
    let served = sources.iter().filter(serves).map(|source| KnownSource {
        chain: chain.id(),
        kind: source.kind,
        name: source.name.clone(),
    });
    context.store.keep_sources(&served.collect::<Vec<_>>())
}

/// VER-10: the chain and its mark are durable before the verdict is shown; so is the last proof.
fn remember(
    context: &Context,
    question: &Question,
    verdict: &Verdict,
    sources: &[Source],
    of_reader: usize,
    account_id: Option<String>,
) -> Outcome<()> {
    if let Some(mark) = &verdict.mark {
        let events = sources.iter().flat_map(|source| &source.events).map(Arc::clone);
        let chain = context.store.keep_verified(mark, events)?;
        // The first are this computer and files, which are named anew each time.
        if let Some(chain) = chain {
            remember_sources(context, &chain, sources.get(of_reader..).unwrap_or_default())?;
        }
    }
    let (Some(subject), Some(primary)) = (&question.subject, verdict.primary()) else { return Ok(()) };
    if verdict.status != Status::Valid {
        return Ok(());
    }
    let proven = LastProven {
        at: context.now.to_string(),
        primary: primary.clone(),
        chain: verdict.chain.as_ref().map(|chain| chain.id),
        account_id,
    };
    context.store.keep_proven(subject, &proven)
}
