//! `kez-rs claim publish`: the proof into the account's own place, looked at there, and listed in the chain.
//! SPEC NET-6, NOSTR-7, NOSTR-8, GH-9. `kez.publish/1`

use std::sync::Arc;

use clap::ArgMatches;
use kez_core::envelope::{Claim, Verified};
use kez_core::sigchain::{Chain, ChainEvent};
use kez_core::{ClaimDraft, Digest, Identity, Json, Signer as _, sign_claim};

use crate::append::text;
use crate::context::Context;
use crate::json::object;
use crate::judge::judge_account;
use crate::key::{Key, renewed};
use crate::outcome::{Answer, Outcome};
use crate::publish_listing::{check_chain, list, pinned};
use crate::publish_place::{check_place, wait_seconds, wait_until};
use crate::seen::{confirmed, confirmed_if, refers, shows};
use crate::verify::block_on;
use crate::world::World;
use crate::writer::{PlaceOutcome, Writer};
use crate::{chains, claim, signing, verify, zone};

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
    signer: &Key,
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

/// An earlier claim that serves, else a new one, which is not kept yet.
fn claim_for(context: &Context, matches: &ArgMatches, subject: &Identity, signer: &Key) -> Outcome<Verified<Claim>> {
    let expires_at = text(matches, "expires").map(|typed| claim::parse_expiry(typed, context.now)).transpose()?;
    let earlier = claim::earlier(context, signer.key(), subject)?;
    if let Some(claim) = earlier.filter(|_| expires_at.is_none()) {
        return Ok(claim);
    }
    let signer = renewed(context, signer)?;
    Ok(sign_claim(&ClaimDraft { subject: subject.clone(), created_at: context.now, expires_at }, &signer)?)
}
