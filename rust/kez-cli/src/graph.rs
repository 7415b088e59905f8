//! `kez-rs graph`: a whole identity from any part of it. `kez.graph/1`.

use clap::ArgMatches;
use futures_util::future::join_all;
use kez_core::sigchain::{Chain, SubjectStatus};
use kez_core::verify::Status;
use kez_core::{Code, Identity, Json, KeyIdentity, System};

use crate::context::Context;
use crate::draw::Form;
use crate::gather::gather;
use crate::json::{object, with};
use crate::judge::{Question, judge_account};
use crate::outcome::{Answer, Failure, Outcome};
use crate::told::{Told, last_json};
use crate::verify;
use crate::world::World;
use crate::{chains, claim, keys, signing};

/// Runs it.
pub fn run(context: &Context, matches: &ArgMatches) -> Outcome {
    let form = Form::read(matches, context.json)?;
    let world = World::new(context, matches, matches.get_flag("offline"))?;
    let typed = matches.get_one::<String>("id").map(String::as_str);
    let asked = Asked::read(context, typed)?;
    verify::block_on(draw(context, matches, &world, asked, form))
}

struct Asked {
    kind: &'static str,
    text: String,
    account: Option<Identity>,
    key: Option<KeyIdentity>,
}

impl Asked {
    fn read(context: &Context, typed: Option<&str>) -> Outcome<Asked> {
        let of_key = |key: KeyIdentity| Asked { kind: "key", text: key.to_string(), account: None, key: Some(key) };
        match typed {
            None => Ok(of_key(keys::acting(context)?.key)),
            Some(typed) if typed.starts_with("sha256:") => {
                Ok(Asked { kind: "chain", text: typed.to_owned(), account: None, key: None })
            }
            Some(typed) if !typed.contains(':') => Ok(of_key(keys::find(context, typed)?.key)),
            Some(typed) => {
                let identity = claim::parse_subject(typed)?;
                match identity.system().suite() {
                    Some(_) => Ok(of_key(signing::key_named(context, identity.as_str())?)),
                    None => {
                        Ok(Asked { kind: "account", text: identity.to_string(), account: Some(identity), key: None })
                    }
                }
            }
        }
    }
}

/// A key whose chain nobody has is an account where keys have a place of their own, else nothing is known of it.
async fn without_chain(context: &Context, world: &World, files: &[String], asked: Asked) -> Outcome<Asked> {
    if asked.account.is_some() {
        return Ok(asked);
    }
    gather(context, world, files, &asked.text, asked.key.as_ref()).await?;
    let Some(key) = &asked.key else { return Ok(asked) };
    if chains::find_of_key(&context.store.chains()?, key)?.is_some() {
        return Ok(asked);
    }
    match key.identity().system() {
        System::Nostr => Ok(Asked { kind: "account", account: Some(key.identity().clone()), ..asked }),
        _ => {
            let message = format!("Cannot find the chain of {} on this computer", asked.text);
            Err(Failure::new(Code::ChainUnknown, message).hint(
                "Name one of its accounts instead (kez-rs graph dns:example.org), or hand the chain in with --chain FILE, or name a store: --store URL.",
            ))
        }
    }
}

async fn draw(context: &Context, matches: &ArgMatches, world: &World, asked: Asked, form: Form) -> Outcome {
    let mut question = verify::question(matches, None)?;
    let asked = &without_chain(context, world, &question.files, asked).await?;
    let mut told = None;
    if let Some(account) = asked.account.as_ref().filter(|_| world.net().is_some()) {
        question.subject = Some(account.clone());
        told = Some(judge_account(context, world, &question).await?);
    }
    let held = context.store.chains()?;
    let key = asked.key.clone().or_else(|| told.as_ref()?.verdict.primary().cloned());
    let chain = match (&key, asked.kind) {
        (_, "chain") => Some(chains::find(context, &held, Some(&asked.text))?),
        (Some(key), _) => chains::find_of_key(&held, key)?,
        (None, _) => held.values().find(|chain| {
            asked.account.as_ref().is_some_and(|account| matches!(chain.subject(account), SubjectStatus::Active(_)))
        }),
    };
    // Where somebody looked at the account, its verdict says so.
    if chain.is_none() && question.require_chain && told.is_none() {
        return Err(Failure::new(Code::ChainRequired, format!("Cannot show {}: its chain is not known", asked.text))
            .hint("Hand the chain in with --chain FILE, or name a store: --store URL."));
    }
    let accounts = accounts(context, matches, world, asked, chain, told.as_ref()).await?;
    let primary = chain.map(|chain| chain.state().primary().clone()).or(key);
    let data = object! {
        "asked" => object! { "kind" => asked.kind, "identity" => asked.text },
        "identity" => identity_json(context, chain, primary.as_ref())?,
        "accounts" => accounts,
        "devices" => chain.map(|chain| devices(chain, asked)).unwrap_or_default(),
        "checked_at" => context.now,
    };
    let human = match form {
        Form::Text => human(&data),
        form => crate::draw::draw(&data, form),
    };
    let file = claim::write_out(matches, &human)?;
    let data = with(data, "file", file);
    let exit = match &told {
        Some(told) => verify::exit_of(&told.verdict),
        None => {
            if chain.is_some_and(Chain::is_fork) {
                13
            } else {
                0
            }
        }
    };
    Ok(Answer { exit, ..Answer::new("kez.graph/1", data, if file.is_some() { String::new() } else { human }) })
}

fn identity_json(context: &Context, chain: Option<&Chain>, primary: Option<&KeyIdentity>) -> Outcome<Json> {
    let Some(chain) = chain else {
        return Ok(object! { "primary" => primary, "previous" => Vec::<Json>::new(), "chain" => Json::Null });
    };
    let status = match (chain.is_fork(), chain.is_contested()) {
        (true, _) => "fork",
        (false, true) => "contested",
        (false, false) => "ok",
    };
    let mut previous = chains::primaries(chain);
    previous.retain(|key| key != chain.state().primary());
    let head = chains::head_json(chain, chains::live_until(context, chain)?);
    Ok(object! {
        "primary" => chain.state().primary(), "previous" => previous,
        "chain" => object! { "id" => chain.id(), "status" => status, "head" => head },
    })
}

fn devices(chain: &Chain, asked: &Asked) -> Vec<Json> {
    let is_asked = |row: &Json| row.as_object().and_then(|row| row.get("key")?.as_str()) == Some(&asked.text);
    chains::devices_json(chain)
        .into_iter()
        .map(|row| {
            let asked = is_asked(&row);
            with(row, "asked", asked)
        })
        .collect()
}

async fn accounts(
    context: &Context,
    matches: &ArgMatches,
    world: &World,
    asked: &Asked,
    chain: Option<&Chain>,
    told: Option<&Told>,
) -> Outcome<Vec<Json>> {
    let listed =
        |subject: &&Identity| chain.is_some_and(|chain| matches!(chain.subject(subject), SubjectStatus::Active(_)));
    let mut subjects: Vec<&Identity> =
        chain.map(|chain| chain.subjects().into_iter().filter(|it| listed(it)).collect()).unwrap_or_default();
    if let Some(account) = &asked.account
        && !subjects.contains(&account)
    {
        subjects.push(account);
        subjects.sort();
    }
    let row = |subject: &'_ Identity| {
        let subject = subject.clone();
        async move {
            let is_asked = asked.account.as_ref() == Some(&subject);
            let own;
            let judged = match told.filter(|_| is_asked) {
                Some(told) => Some(told),
                None if world.net().is_some() && kez_channels::find_channel(subject.system()).is_some() => {
                    let primary = chain.map(|chain| chain.state().primary().clone());
                    let question = Question { primary, ..verify::question(matches, Some(subject.clone()))? };
                    own = judge_account(context, world, &question).await?;
                    Some(&own)
                }
                None => None,
            };
            account_json(context, &subject, is_asked, chain, judged)
        }
    };
    join_all(subjects.into_iter().map(row)).await.into_iter().collect()
}

fn account_json(
    context: &Context,
    subject: &Identity,
    asked: bool,
    chain: Option<&Chain>,
    told: Option<&Told>,
) -> Outcome<Json> {
    let listing = chain.and_then(|chain| match chain.subject(subject) {
        SubjectStatus::Active(listing) => Some(listing),
        _ => None,
    });
    let last = context.store.last_proven(subject)?;
    let status = told.map(|told| told.verdict.status);
    let proven = status == Some(Status::Valid);
    let (glyph, word, tone) = badge(status);
    let mut flags: Vec<String> = match told {
        Some(told) => told.verdict.flags.iter().map(|flag| flag.as_str().to_owned()).collect(),
        None => vec!["unpublished".to_owned()],
    };
    flags.sort();
    let account_id = listing.and_then(|it| it.subject_id.clone()).or_else(|| last.as_ref()?.account_id.clone());
    let evidence = told.and_then(|told| told.places.last().cloned());
    Ok(object! {
        "subject" => subject, "asked" => asked, "status" => status.map_or("unchecked", Status::as_str),
        "reason" => told.and_then(|told| told.verdict.reason), "flags" => flags, "proven" => proven,
        "badge" => object! { "glyph" => glyph, "word" => word, "tone" => tone },
        "listed" => chain.map(|_| listing.is_some()), "account_id" => account_id,
        "expires_at" => told.and_then(|told| told.verdict.claim.as_ref()?.expires_at),
        "evidence" => evidence,
        "last_proven" => told.map_or(last.as_ref(), |told| told.last.as_ref()).map(last_json),
        "retry_after_seconds" => told.and_then(|told| told.retry_after_seconds),
    })
}

const fn badge(status: Option<Status>) -> (&'static str, &'static str, &'static str) {
    match status {
        None => ("○", "not looked at", "muted"),
        Some(Status::Valid) => ("✓", "proven", "good"),
        Some(Status::Expired) => ("!", "expired", "warn"),
        Some(Status::Unreachable) => ("?", "unreachable", "warn"),
        Some(Status::Revoked) => ("✗", "revoked", "bad"),
        Some(Status::Invalid) => ("✗", "not proven", "bad"),
        Some(Status::Fork) => ("✗", "two histories", "bad"),
    }
}

fn human(data: &Json) -> String {
    let list = |name: &str| match data.as_object().and_then(|data| data.get(name)) {
        Some(Json::Array(rows)) => rows.clone(),
        _ => Vec::new(),
    };
    let member = |row: &Json, name: &str| {
        row.as_object().and_then(|row| Some(row.get(name)?.as_str()?.to_owned())).unwrap_or_default()
    };
    let identity = data.as_object().and_then(|data| data.get("identity").cloned()).unwrap_or(Json::Null);
    let mut text = format!("{}\n├─ accounts\n", member(&identity, "primary"));
    for row in list("accounts") {
        text.push_str(&format!("│  └─ {}  {}\n", member(&row, "subject"), member(&row, "status")));
    }
    text.push_str("└─ devices\n");
    for row in list("devices") {
        text.push_str(&format!("   └─ {}\n", member(&row, "key")));
    }
    text
}
