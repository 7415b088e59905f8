//! A chain into a store, event by event, and a signed head after it. SPEC §8.3.

use kez_channels::net::policy::wait_seconds;
use kez_channels::{Net as _, NetError, Rights, Url, net};
use kez_core::envelope::{ChainHead, Envelope};
use kez_core::sigchain::{Chain, ChainEvent};
use kez_core::verify::{Source, SourceOutcome};
use kez_core::{Code, Digest, Json};

use crate::json::object;
use crate::world::World;

/// How much of the chain a place has now.
#[derive(Clone, Debug, Default)]
pub struct Placed {
    /// `sig`, `web` or `nostr`.
    pub to: &'static str,
    /// Its URL, or the path of a file.
    pub place: String,
    /// Whether it has the winning branch.
    pub is_whole: bool,
    /// Events that it did not have before.
    pub sent: usize,
    /// Events that it still lacks.
    pub missing: usize,
    /// Until when its signed head holds.
    pub head_until: Option<String>,
    /// Why something is missing.
    pub code: Option<Code>,
    /// A sentence about it.
    pub note: Option<String>,
    /// When to come back.
    pub retry_after_seconds: Option<u64>,
}

impl Placed {
    /// `whole`, `part` or `failed`: nothing.
    pub fn state(&self, chain: &Chain) -> &'static str {
        match (self.is_whole, self.missing < chain.path().count()) {
            (true, _) => "whole",
            // Relays and files have it all or not at all.
            (false, true) if self.to == "sig" => "part",
            _ => "failed",
        }
    }

    /// A row of `places`.
    pub fn to_json(&self, chain: &Chain) -> Json {
        object! {
            "to" => self.to, "place" => self.place, "state" => self.state(chain), "sent" => self.sent,
            "missing" => self.missing, "head_until" => self.head_until, "code" => self.code, "note" => self.note,
            "retry_after_seconds" => self.retry_after_seconds,
        }
    }

    fn fail(&mut self, error: NetError) {
        self.code = Some(error.code);
        self.note = Some(error.message);
        self.retry_after_seconds = error.retry_after_seconds;
    }
}

/// The name of a store for people: its URL without the slash at the end.
pub fn store_name(store: &Url) -> String {
    store.as_str().trim_end_matches('/').to_owned()
}

/// Gives a store what it lacks: the winning branch first, then what lost, then the head. `seen` is what it served.
pub async fn upload(
    world: &World,
    store: &Url,
    chain: &Chain,
    head: Option<&Envelope<ChainHead>>,
    seen: &Source,
) -> Placed {
    let has = |event: &ChainEvent| seen.events.iter().any(|it| it.digest() == event.digest());
    let mut placed = Placed { to: "sig", place: store_name(store), ..Placed::default() };
    let losing = crate::chains::losing(chain);
    let lacking: Vec<&ChainEvent> = chain.path().chain(losing).filter(|event| !has(event)).collect();
    let mut stored: Vec<Digest> = seen.events.iter().map(|event| event.digest()).collect();
    if seen.outcome == SourceOutcome::Failed {
        placed.code = Some(seen.code.unwrap_or(Code::NetStatus));
        placed.note = Some("the store did not answer".to_owned());
    } else {
        for event in lacking {
            match post_event(world, store, &chain.id(), event).await {
                Ok(is_new) => {
                    stored.push(event.digest());
                    placed.sent += usize::from(is_new);
                }
                // A branch that a store has no room for is no loss of the winning one.
                Err(_) if !chain.is_on_path(&event.digest()) => {}
                Err(error) => {
                    placed.fail(error);
                    break;
                }
            }
        }
    }
    placed.missing = chain.path().filter(|event| !stored.contains(&event.digest())).count();
    placed.is_whole = placed.missing == 0;
    if let Some(head) = head.filter(|_| placed.is_whole) {
        match post_head(world, store, &chain.id(), head).await {
            Ok(()) => placed.head_until = Some(head.payload().expires_at.to_string()),
            Err(error) => placed.fail(error),
        }
    }
    placed
}

/// Whether the store did not have it before.
async fn post_event(world: &World, store: &Url, chain: &Digest, event: &ChainEvent) -> Result<bool, NetError> {
    let answer = post(world, store, &format!("{chain}/events"), event.canonical()).await?;
    let is_kept = || member(&answer.body, "kept") == Some(Json::Bool(true));
    match answer.status {
        201 => Ok(true),
        200 => Ok(false),
        409 if is_kept() => Ok(true),
        _ => Err(refusal(&answer, world.now())),
    }
}

async fn post_head(world: &World, store: &Url, chain: &Digest, head: &Envelope<ChainHead>) -> Result<(), NetError> {
    let answer = post(world, store, &format!("{chain}/heads"), head.canonical()).await?;
    if answer.is_success() { Ok(()) } else { Err(refusal(&answer, world.now())) }
}

async fn post(world: &World, store: &Url, path: &str, line: &str) -> Result<net::Response, NetError> {
    let Some(network) = world.net() else { return Err(NetError::new(Code::NetUrl, "not asked")) };
    let url = Url::parse(&format!("{}/v1/chains/{path}", store_name(store)));
    let url = url.map_err(|_| NetError::new(Code::NetUrl, "expected the URL of a store"))?;
    let request = net::Request::write(url, "POST", "application/json", line.as_bytes().to_vec());
    network.fetch(&net::Request { rights: Rights::Reader, ..request }).await
}

fn member(body: &[u8], name: &str) -> Option<Json> {
    kez_core::json::parse(body).ok()?.as_object()?.get(name).cloned()
}

/// What a store said instead of taking it. STORE-4.
fn refusal(answer: &net::Response, now: u64) -> NetError {
    let text = |name: &str| member(&answer.body, name).and_then(|value| value.as_str().map(str::to_owned));
    let code = text("code").and_then(|code| Code::from_text(&code)).unwrap_or(match answer.status {
        429 => Code::NetRateLimit,
        _ => Code::NetStatus,
    });
    let host = answer.url.host_str().unwrap_or_default();
    // What a stranger says is told as one short line.
    let detail = text("detail").or_else(|| text("title"));
    let detail = detail.map(|detail| detail.chars().filter(|it| !it.is_control()).take(200).collect::<String>());
    let message = detail.unwrap_or_else(|| format!("{host} answered with the status {}", answer.status));
    NetError {
        status: Some(answer.status),
        retry_after_seconds: wait_seconds(answer.status, &answer.headers, now),
        ..NetError::new(code, message)
    }
}
