//! SPEC §7: what the places of an account answer, and what they come to.

use std::future::Future;

use kez_channels::nostr::{Event, RelayChains, chain_documents, chain_event};
use kez_channels::{Candidate, Channel, Options, Outcome, Publication};
use kez_core::hex;
use serde_json::{Value, json};

use super::table::Table;
use crate::outcome::{Answer, Fault};
use crate::question::{member, optional_text, text};

/// Now, in all vectors of places.
const NOW: u64 = 1_800_000_000;

pub fn publication(suite: &str, case: &Value) -> Answer {
    let channel = match suite {
        "channel-ap" => Channel::Ap,
        "channel-bluesky" => Channel::Bluesky,
        "channel-dns" => Channel::Dns,
        "channel-github" => Channel::Github,
        "channel-kez" => Channel::Kez,
        "channel-nostr" => Channel::Nostr,
        _ => return Err(Fault(format!("no suite {suite}"))),
    };
    let input = member(case, "input")?;
    let table = Table::new(input);
    let known_account_id = optional_text(input, "known_account_id")?.map(str::to_owned);
    let options = Options { known_account_id, ..options(&table) };
    let publication = wait(channel.collect(text(input, "value")?, &table, &options))?;
    Ok(describe(&publication))
}

pub fn nostr_chain(case: &Value) -> Answer {
    let input = member(case, "input")?;
    let (npub, table) = (text(input, "value")?, Table::new(input));
    let options = options(&table);
    if let Some(chain) = optional_text(input, "text")? {
        return Ok(match wait(chain_event(npub, chain, &table, &options))? {
            Ok(event) => json!({ "event": unsigned(npub, &event)? }),
            Err(error) => json!({ "code": error.code.as_str() }),
        });
    }
    Ok(match wait(chain_documents(npub, &table, &options))? {
        RelayChains::Found(documents) => json!({ "status": "found", "documents": documents }),
        RelayChains::Absent => json!({ "status": "absent", "documents": [] }),
        RelayChains::Unanswered(_) => json!({ "status": "unreachable", "documents": [] }),
    })
}

fn options(table: &Table) -> Options {
    Options { now: NOW, relays: table.relays(), ..Options::default() }
}

/// Nothing here waits for a real place, only for the clock.
fn wait<T>(work: impl Future<Output = T>) -> Result<T, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    Ok(runtime.map_err(|error| Fault(error.to_string()))?.block_on(work))
}

/// An event as relays take it, without its signature.
fn unsigned(npub: &str, event: &Event) -> Result<Value, Fault> {
    let key = kez_core::KeyIdentity::parse_canonical(&format!("nostr:{npub}"));
    let key = key.map_err(|error| Fault(error.message().to_owned()))?;
    Ok(json!({
        "id": hex::encode(&event.id),
        "pubkey": hex::encode(key.public_key()),
        "created_at": event.created_at,
        "kind": event.kind,
        "tags": event.tags,
        "content": event.content,
    }))
}

/// A publication in the words of the vectors; evidence has sentences of each implementation.
fn describe(publication: &Publication) -> Value {
    let code = publication.outcome.code().map(|code| code.as_str());
    let mut outcome = match &publication.outcome {
        Outcome::Found { candidates, chain_hints } => {
            let candidates =
                candidates.iter().map(|Candidate { text, found_at }| json!({ "text": text, "found_at": found_at }));
            let candidates: Vec<Value> = candidates.collect();
            json!({ "status": "found", "code": code, "candidates": candidates, "chain_hints": chain_hints })
        }
        Outcome::Absent => json!({ "status": "absent", "code": code }),
        Outcome::Invalid(_) => json!({ "status": "invalid", "code": code }),
        Outcome::Unreachable { .. } => json!({ "status": "unreachable", "code": code }),
    };
    let more = match (&publication.outcome, &publication.account_id) {
        (Outcome::Found { .. }, Some(id)) => Some(("account_id", json!(id))),
        (Outcome::Unreachable { retry_after_seconds: Some(seconds), .. }, _) => {
            Some(("retry_after_seconds", json!(seconds)))
        }
        _ => None,
    };
    if let (Some(members), Some((name, value))) = (outcome.as_object_mut(), more) {
        members.insert(name.to_owned(), value);
    }
    outcome
}
