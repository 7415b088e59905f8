//! `kez-rs claim publish` and `unpublish`: the proof into the account's own place, looked at there, and listed in the chain.
//! SPEC NET-6, NOSTR-7, NOSTR-8, GH-9. `kez.publish/1`, `kez.unpublish/1`

use std::sync::Arc;
use std::time::Duration;

use clap::ArgMatches;
use kez_channels::{Look, Outcome as Sight, find_channel};
use kez_core::envelope::{Claim, Op, Verified};
use kez_core::sigchain::{Chain, ChainEvent, Signing, SubjectStatus, append, create_chain};
use kez_core::{ClaimDraft, Code, Digest, Identity, Json, SecretKey, Signer as _, System, Time, sign_claim};
use tokio::time::{Instant, sleep};

use crate::append::{grown, keep, refused, text};
use crate::context::Context;
use crate::json::object;
use crate::judge::judge_account;
use crate::outcome::{Answer, Failure, Outcome};
use crate::seen::{confirmed, confirmed_if, refers, shows, shows_any};
use crate::verify::block_on;
use crate::world::World;
use crate::writer::{PlaceOutcome, Writer};
use crate::{chains, claim, live, signing, verify, zone};

/// What is told of a publication, beside the verdict.
struct Done {
    outcomes: Vec<PlaceOutcome>,
    servers: Vec<Json>,
    account_id: Option<String>,
}

/// Runs `publish`.
pub fn publish(context: &Context, matches: &ArgMatches) -> Outcome {
    let subject = claim::parse_subject(text(matches, "subject").unwrap_or_default())?;
    let place = check_place(&subject, matches)?;
    let wait = wait_seconds(matches, &subject)?;
    let world = World::new(context, matches, false)?;
    let key = signing::acting_key(context, matches)?;
    check_chain(context, &key)?;
    let signer = signing::signer(context, matches)?;
    let writer = Writer::new(context, matches, &subject, place)?;
    block_on(async {
        let known = pinned(context, &key, &subject)?;
        let accepted = if matches.get_flag("accept-new-account") { None } else { known };
        let writer = writer.open(context, &world, accepted.as_deref()).await?;
        if writer.form() == "reference" {
            let written = refer(context, &world, &writer, &subject, &signer, wait).await;
            writer.close(&world).await;
            return answer(context, matches, &world, (&subject, place, &writer), written?).await;
        }
        let claim = claim_for(context, matches, &subject, &signer)?;
        let mut seen_by = None;
        let done = match &writer {
            Writer::Zone => {
                context.store.keep_claim(&claim)?;
                let (servers, net) = zone::wait_for(context, matches, &world, &claim, wait).await?;
                seen_by = net.map(Arc::new);
                Done { outcomes: Vec::new(), servers, account_id: None }
            }
            writer => {
                let outcomes = writer.write(context, &world, &claim).await?;
                context.store.keep_claim(&claim)?;
                let look = wait_until(context, &world, &subject, wait, |look| shows(look, &claim.digest())).await?;
                let account_id = confirmed(&subject, look, &claim.digest())?;
                Done { outcomes, servers: Vec::new(), account_id }
            }
        };
        let proof = Some(claim.digest());
        let (chain, events) = list(context, &subject, proof, &signer, done.account_id.clone())?;
        answer(context, matches, &world, (&subject, place, &writer), Listed { done, seen_by, proof, chain, events })
            .await
    })
}

/// What was published and listed.
struct Listed {
    done: Done,
    seen_by: Option<Arc<kez_channels::Guarded>>,
    proof: Option<Digest>,
    chain: Chain,
    events: Vec<ChainEvent>,
}

async fn answer(
    context: &Context,
    matches: &ArgMatches,
    world: &World,
    (subject, place, writer): (&Identity, &str, &Writer),
    listed: Listed,
) -> Outcome {
    let Listed { done, seen_by, proof, chain, events } = listed;
    let question = verify::question(matches, Some(subject.clone()))?;
    let now = context.refreshed()?;
    let told = judge_account(&now, &world.at(&now).through(seen_by), &question).await?;
    let rows: Vec<Json> = events.iter().map(chains::event_json).collect();
    let data = object! {
        "subject" => subject, "place" => place, "form" => writer.form(), "claim" => proof,
        "outcomes" => done.outcomes.iter().map(PlaceOutcome::to_json).collect::<Vec<_>>(), "servers" => done.servers,
        "chain" => chain.id(), "events" => rows, "verdict" => told.data.clone(),
    };
    let mut human: String = done.outcomes.iter().map(PlaceOutcome::line).collect();
    human.push_str(&verify::human(&told));
    let exit = verify::exit_of(&told.verdict);
    Ok(Answer { exit, ..Answer::new("kez.publish/1", data, human) })
}

/// A reference names the chain, so the account is listed first; then it is written, and looked for.
async fn refer(
    context: &Context,
    world: &World,
    writer: &Writer,
    subject: &Identity,
    signer: &SecretKey,
    wait: u64,
) -> Outcome<Listed> {
    let (chain, events) = list(context, subject, None, signer, writer.account_id())?;
    let id = chain.id();
    let written = writer.write_reference(context, world, &format!("kez:r1:{}", id.to_hex())).await;
    if written.is_err() && !events.is_empty() && !context.quiet {
        context.warn("the chain lists the account already; the same command goes on from there");
    }
    let outcomes = vec![written?];
    let look = wait_until(context, world, subject, wait, |look| refers(look, &id)).await?;
    let account_id = confirmed_if(subject, refers(&look, &id), look)?;
    let done = Done { outcomes, servers: Vec::new(), account_id };
    Ok(Listed { done, seen_by: None, proof: None, chain, events })
}

/// Runs `unpublish`.
pub fn unpublish(context: &Context, matches: &ArgMatches) -> Outcome {
    let subject = claim::parse_subject(text(matches, "subject").unwrap_or_default())?;
    if subject.system() == System::Dns {
        let message = format!("Cannot unpublish {subject}: a zone is edited by its owner alone");
        return Err(Failure::new(Code::ChannelUnsupported, message).hint(format!(
            "Remove the TXT record _kez.{} from the zone.\nIf the domain is not to be yours any more: kez-rs sigchain revoke {subject}",
            subject.value()
        )));
    }
    let place = check_place(&subject, matches)?;
    let wait = wait_seconds(matches, &subject)?;
    let world = World::new(context, matches, false)?;
    let key = signing::acting_key(context, matches)?;
    let writer = Writer::new(context, matches, &subject, place)?;
    block_on(async {
        let known = pinned(context, &key, &subject)?;
        let accepted = if matches.get_flag("accept-new-account") { None } else { known };
        let writer = writer.open(context, &world, accepted.as_deref()).await?;
        let removed = writer.remove(context, &world).await;
        writer.close(&world).await;
        let outcomes = removed?;
        let is_gone = |look: &Look| matches!(look.publication.outcome, Sight::Absent);
        let look = wait_until(context, &world, &subject, wait, is_gone).await?;
        let still_seen = match &look.publication.outcome {
            Sight::Absent => Some(false),
            Sight::Found { .. } => Some(shows_any(&look, &subject)),
            _ => None,
        };
        let data = object! {
            "subject" => subject, "outcomes" => outcomes.iter().map(PlaceOutcome::to_json).collect::<Vec<_>>(),
            "still_seen" => still_seen,
        };
        let (exit, line) = match still_seen {
            Some(false) => (0, format!("✓ {subject} shows no proof of yours\n")),
            Some(true) => (1, format!("✗ {subject} still shows a proof of yours\n")),
            None => (5, format!("? {subject} does not answer\n")),
        };
        let human = outcomes.iter().map(PlaceOutcome::line).collect::<String>() + &line;
        Ok(Answer { exit, ..Answer::new("kez.unpublish/1", data, human) })
    })
}

/// The place of `--place`, else the usual one: `usage`, and `channel.unsupported` where nothing here can write.
fn check_place(subject: &Identity, matches: &ArgMatches) -> Outcome<&'static str> {
    let typed = matches.try_get_one::<String>("place").ok().flatten().map(String::as_str);
    let has_credentials = text(matches, "credential-file").is_some();
    let places: &[&'static str] = match subject.system() {
        System::Dns if typed.is_some() || has_credentials => {
            let message = "Cannot use --place and --credential-file for a domain: its zone is edited by hand";
            return Err(Failure::usage(message));
        }
        System::Dns => &["zone"],
        System::Nostr => &["app-data", "profile", "note"],
        System::Github => &["gist"],
        System::Kez => {
            let message = format!("Cannot publish {subject}: nothing here can write to its place");
            return Err(Failure::new(Code::ChannelUnsupported, message)
                .hint("Its chat server publishes it when the handle is registered."));
        }
        System::Ed25519 => {
            let message = format!("Cannot look at {subject}: it is a key, and keys have no place of their own");
            return Err(Failure::new(Code::ChannelUnsupported, message)
                .hint("Accounts are looked at: dns:, github:, nostr:, bluesky:, ap:, kez:."));
        }
        System::Bluesky => &["profile", "post"],
        System::Ap => &["field", "bio", "post"],
    };
    let has_name_server = matches.try_get_one::<String>("name-server").ok().flatten().is_some();
    if has_name_server && subject.system() != System::Dns {
        let message = format!("Cannot use --name-server for {subject}: expected a domain, dns:…");
        return Err(Failure::usage(message));
    }
    let chosen = match typed {
        None => places.first(),
        Some(typed) => places.iter().find(|place| **place == typed),
    };
    chosen.copied().ok_or_else(|| {
        let expected = places.join(", ");
        Failure::usage(format!("Cannot publish {subject} there: expected --place {expected}"))
    })
}

/// `--wait`
fn wait_seconds(matches: &ArgMatches, subject: &Identity) -> Outcome<u64> {
    let usual = if subject.system() == System::Dns { 600 } else { 60 };
    let Some(typed) = text(matches, "wait") else { return Ok(usual) };
    let seconds = typed.parse::<u64>().ok().filter(|seconds| *seconds <= 86_400);
    seconds.ok_or_else(|| Failure::usage("Cannot use --wait: expected 0 to 86400 seconds"))
}

/// Nothing is begun that could not be listed afterwards.
fn check_chain(context: &Context, key: &kez_core::KeyIdentity) -> Outcome<()> {
    let held = context.store.chains()?;
    match chains::find_of_key(&held, key)? {
        Some(chain) if chain.is_fork() => Err(Failure::new(
            Code::ChainFork,
            "Cannot list the account: the chain has two histories, and nothing decides between them",
        )
        .hint("kez-rs sigchain settle shows the branches; --keep decides.")),
        _ => Ok(()),
    }
}

/// The account's permanent number by the owner's chain. NET-6.
fn pinned(context: &Context, key: &kez_core::KeyIdentity, subject: &Identity) -> Outcome<Option<String>> {
    let held = context.store.chains()?;
    Ok(chains::find_of_key(&held, key)?.and_then(|chain| match chain.subject(subject) {
        SubjectStatus::Active(listing) => listing.subject_id.clone(),
        _ => None,
    }))
}

/// An earlier claim that serves, else a new one, which is not kept yet.
fn claim_for(
    context: &Context,
    matches: &ArgMatches,
    subject: &Identity,
    signer: &SecretKey,
) -> Outcome<Verified<Claim>> {
    let expires_at = text(matches, "expires").map(|typed| claim::parse_expiry(typed, context.now)).transpose()?;
    let earlier = claim::earlier(context, signer.key(), subject)?;
    if let Some(claim) = earlier.filter(|_| expires_at.is_none()) {
        return Ok(claim);
    }
    Ok(sign_claim(&ClaimDraft { subject: subject.clone(), created_at: context.now, expires_at }, signer)?)
}

/// Looks until it is as wanted, or the time is over.
async fn wait_until(
    context: &Context,
    world: &World,
    subject: &Identity,
    wait: u64,
    is_as_wanted: impl Fn(&Look) -> bool,
) -> Outcome<Look> {
    let unsupported = || Failure::new(Code::ChannelUnsupported, format!("Cannot look at {subject}"));
    let channel = find_channel(subject.system()).ok_or_else(unsupported)?;
    let end = Instant::now() + Duration::from_secs(wait);
    let mut pause = Duration::from_secs(2);
    loop {
        let now = context.refreshed()?;
        let world = world.at(&now);
        let net = world.net().ok_or_else(unsupported)?;
        let look = channel.look(subject.value(), net, &world.options(None)).await;
        if is_as_wanted(&look) || Instant::now() + pause > end {
            return Ok(look);
        }
        live::progress(context, &format!("{subject} does not show it yet"));
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(60));
    }
}

/// Lists the account with this claim, if there is one, unless the chain says so already, and signs where the chain ends.
fn list(
    context: &Context,
    subject: &Identity,
    proof: Option<Digest>,
    signer: &SecretKey,
    account_id: Option<String>,
) -> Outcome<(Chain, Vec<ChainEvent>)> {
    let _lock = context.store.lock()?;
    let held = context.store.chains()?;
    let chain = chains::find_of_key(&held, signer.key())?;
    let listing = chain.and_then(|chain| match chain.subject(subject) {
        SubjectStatus::Active(listing) => Some(listing.clone()),
        _ => None,
    });
    let is_so = listing.is_some_and(|it| {
        (proof.is_none() || it.proof == proof) && (account_id.is_none() || it.subject_id == account_id)
    });
    if let Some(chain) = chain.filter(|_| is_so) {
        keep(context, chain, &[], Some(signer))?;
        return Ok((chain.clone(), Vec::new()));
    }
    let op = Op::Add { subject: subject.clone(), subject_id: account_id, proof };
    let created_at: Time = context.now;
    let signing = Signing { signer, new_key: None, created_at };
    let event = match chain {
        Some(chain) => append(chain, op, signing),
        None => create_chain(op, signing),
    };
    let event = event.map_err(refused)?;
    if chain.is_none() && !context.quiet {
        context.warn("this began a new chain; if this identity has one on another computer, publish nothing of this one and import that");
    }
    let chain = grown(chain, std::slice::from_ref(&event))?;
    keep(context, &chain, std::slice::from_ref(&event), Some(signer))?;
    Ok((chain, vec![event]))
}
