//! Giving events to relays, and what each says. SPEC NOSTR-7.

use futures_util::future::join_all;
use kez_core::canonical::canonicalize;
use kez_core::{Code, Json, hex};
use url::Url;

use super::event::{DELETION, Event};
use super::relay::each_once;
use crate::json;
use crate::net::{Net, NetError, Rights, Socket};
use crate::publication::Relay;

/// What one relay said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayOutcome {
    /// Which.
    pub url: Url,
    /// Whether it took all.
    pub accepted: bool,
    /// Why not; where it took all but a deletion, what came of that.
    pub note: Option<String>,
    /// Whether it had all of it before.
    pub had: bool,
}

/// Gives the events to every relay, all at once, in their order but for a deletion, which goes last: some relays are silent
/// about it, or leave, and have what takes the place of the proof by then. Each says for itself.
pub(super) async fn give<N: Net>(net: &N, relays: &[Relay], key: &[u8; 32], events: &[Event]) -> Vec<RelayOutcome> {
    let mut messages: Vec<Message> = events.iter().filter_map(|event| message(event, key, events.len())).collect();
    messages.sort_by_key(|message| message.may_fail);
    let to_one = |relay: &Relay| {
        let (relay, messages) = (relay.clone(), &messages);
        async move {
            let given = give_one(net, &relay, messages).await;
            let accepted = given.is_ok();
            RelayOutcome {
                url: relay.url,
                accepted,
                note: given.unwrap_or_else(|error| Some(error.message)),
                had: false,
            }
        }
    };
    join_all(each_once(relays).into_iter().map(to_one)).await
}

/// An event on its way.
struct Message {
    id: String,
    text: String,
    /// Whether a relay that does not take it has done its part: of several events the deletion.
    may_fail: bool,
}

fn message(event: &Event, key: &[u8; 32], count: usize) -> Option<Message> {
    let id = hex::encode(&event.id);
    let tags = event.tags.iter().map(|tag| Json::Array(tag.iter().map(|item| item.as_str().into()).collect()));
    let number = |number: i64| Json::Number(number as f64);
    let value = Json::object([
        ("id", id.as_str().into()),
        ("pubkey", hex::encode(key).into()),
        ("created_at", number(i64::try_from(event.created_at).ok()?)),
        ("kind", number(event.kind)),
        ("tags", Json::Array(tags.collect())),
        ("content", event.content.as_str().into()),
        ("sig", hex::encode(&event.sig).into()),
    ]);
    let text = canonicalize(&Json::Array(vec!["EVENT".into(), value])).ok()?;
    Some(Message { id, text, may_fail: count > 1 && event.kind == DELETION })
}

/// Each event is given, whatever becomes of the one before: a relay that keeps no deletions takes what replaces the proof.
/// What came of a deletion that it did not take.
async fn give_one<N: Net>(net: &N, relay: &Relay, messages: &[Message]) -> Result<Option<String>, NetError> {
    let rights = if relay.is_suggested { Rights::Stranger } else { Rights::Reader };
    let mut socket = net.open(&relay.url, rights).await?;
    let (mut refusal, mut deletion) = (None, None);
    for message in messages {
        match give_event(&mut socket, message).await {
            Err(error) if message.may_fail => {
                deletion = Some(format!("the deletion: {}", error.message));
                break;
            }
            Err(error) => return Err(error),
            Ok(None) => {}
            Ok(Some(reason)) if message.may_fail => deletion = Some(format!("the deletion refused: {reason}")),
            Ok(Some(reason)) => {
                refusal.get_or_insert(NetError::new(Code::PublishRefused, format!("refused: {reason}")));
            }
        }
    }
    refusal.map_or(Ok(deletion), Err)
}

/// Why the relay does not take it; none where it does.
async fn give_event(socket: &mut impl Socket, message: &Message) -> Result<Option<String>, NetError> {
    socket.send(message.text.clone()).await?;
    loop {
        let answer = socket.next().await?;
        let value = json::parse(&answer);
        let Some(list) = value.as_ref().and_then(json::Value::as_list) else {
            return Err(NetError::new(Code::NetHttp, "expected messages of nostr"));
        };
        let text = |at: usize| list.get(at).and_then(json::Value::as_text);
        if text(0) != Some("OK") || text(1) != Some(&message.id) {
            continue;
        }
        if list.get(2) == Some(&json::Value::Bool(true)) {
            return Ok(None);
        }
        return Ok(Some(text(3).unwrap_or_default().chars().filter(|it| !it.is_control()).take(200).collect()));
    }
}
