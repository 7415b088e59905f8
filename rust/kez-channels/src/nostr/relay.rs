//! One talk with each relay, all at once. SPEC NOSTR-1, NOSTR-5.

use std::collections::HashMap;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use kez_core::{Code, KezError};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use super::event::{Event, Wanted};
use crate::json::{self, Value};
use crate::limits::{MAX_EVENTS, MAX_RELAYS, RELAYS_GRACE, RELAYS_TIME, TOTAL_TIME};
use crate::net::{Net, NetError, Rights, Socket};
use crate::publication::Relay;

/// The name of the one subscription of a talk.
const SUBSCRIPTION: &str = "kez";

/// What one relay gave.
#[derive(Debug)]
pub struct RelayAnswer<'a> {
    /// Which.
    pub relay: &'a Relay,
    /// What it sent for the question, and why it does not count; also before it failed.
    pub events: Vec<Result<Event, KezError>>,
    /// Whether that is its whole answer, else why not.
    pub end: Result<(), NetError>,
}

enum Report {
    Opened,
    Event(usize, Value),
    End(usize, Result<(), NetError>),
}

/// Asks all relays, and waits for all, but not for ever: 4 s from the first open connection on, and 1 s after a whole
/// answer while `is_enough` says so of the events that count. Each event is checked once.
pub async fn ask<'a, N: Net>(
    net: &N,
    relays: &'a [Relay],
    filters: &[String],
    wanted: &Wanted<'_>,
    is_enough: impl Fn(&[Event]) -> bool,
) -> Vec<RelayAnswer<'a>> {
    let late = || Err(NetError::new(Code::NetTimeout, "the relay took too long"));
    let relays = each_once(relays);
    let mut answers: Vec<_> =
        relays.into_iter().map(|relay| RelayAnswer { relay, events: Vec::new(), end: late() }).collect();
    let question = format!("[\"REQ\",\"{SUBSCRIPTION}\",{}]", filters.join(","));
    let (sender, mut reports) = unbounded_channel();
    let mut talks: FuturesUnordered<_> = answers
        .iter()
        .enumerate()
        .map(|(index, answer)| talk(net, answer.relay, question.clone(), index, sender.clone()))
        .collect();
    drop(sender);
    let mut deadline = Instant::now() + TOTAL_TIME + RELAYS_TIME;
    let (mut is_open, mut is_whole) = (false, false);
    loop {
        let report = tokio::select! {
            biased;
            () = sleep_until(deadline) => None,
            report = reports.recv() => report,
            Some(()) = talks.next() => continue,
        };
        let may_be_enough = match report {
            None => return answers,
            Some(Report::Opened) => {
                deadline = if is_open { deadline } else { deadline.min(Instant::now() + RELAYS_TIME) };
                is_open = true;
                false
            }
            Some(Report::Event(index, value)) => {
                let event = Event::check(&value, wanted);
                let may_hold_proof = event.as_ref().is_ok_and(Event::says_kez);
                if let Some(answer) = answers.get_mut(index) {
                    answer.events.push(event);
                }
                may_hold_proof
            }
            Some(Report::End(index, end)) => {
                is_whole |= end.is_ok();
                if let Some(answer) = answers.get_mut(index) {
                    answer.end = end;
                }
                true
            }
        };
        if may_be_enough && is_whole && deadline > Instant::now() + RELAYS_GRACE && is_enough(&unite(&answers)) {
            deadline = Instant::now() + RELAYS_GRACE;
        }
    }
}

/// The relays that are asked: the first of those that are named, each once. NOSTR-1.
pub fn each_once(relays: &[Relay]) -> Vec<&Relay> {
    let mut once: Vec<&Relay> = Vec::new();
    for relay in relays {
        if once.len() < MAX_RELAYS && !once.iter().any(|it| it.url == relay.url) {
            once.push(relay);
        }
    }
    once
}

/// The events that count, each once. NOSTR-3.
pub fn unite(answers: &[RelayAnswer<'_>]) -> Vec<Event> {
    let mut events: HashMap<[u8; 32], Event> = HashMap::new();
    for event in answers.iter().flat_map(|answer| &answer.events).flatten() {
        events.entry(event.id).or_insert_with(|| event.clone());
    }
    events.into_values().collect()
}

async fn talk<N: Net>(net: &N, relay: &Relay, question: String, index: usize, reports: UnboundedSender<Report>) {
    let end = converse(net, relay, question, index, &reports).await;
    // Nobody listens any more once the time is over.
    let _ = reports.send(Report::End(index, end));
}

async fn converse<N: Net>(
    net: &N,
    relay: &Relay,
    question: String,
    index: usize,
    reports: &UnboundedSender<Report>,
) -> Result<(), NetError> {
    let rights = if relay.is_suggested { Rights::Stranger } else { Rights::Reader };
    let mut socket = net.open(&relay.url, rights).await?;
    let _ = reports.send(Report::Opened);
    socket.send(question).await?;
    let mut events = 0;
    loop {
        match Message::read(&socket.next().await?)? {
            Message::Event(event) => {
                events += 1;
                if events > MAX_EVENTS {
                    return Err(NetError::new(Code::LimitBody, "the relay sent more events than were asked for"));
                }
                let _ = reports.send(Report::Event(index, event));
            }
            Message::Whole => return Ok(()),
            Message::Closed => return Err(NetError::new(Code::NetRefused, "the relay refused to answer")),
            Message::Other => {}
        }
    }
}

enum Message {
    Event(Value),
    Whole,
    Closed,
    Other,
}

impl Message {
    /// What is no JSON list ends the talk.
    fn read(text: &str) -> Result<Message, NetError> {
        let value = json::parse(text);
        let Some(list) = value.as_ref().and_then(Value::as_list) else {
            return Err(NetError::new(Code::NetHttp, "expected messages of nostr"));
        };
        let is_ours = list.get(1).and_then(Value::as_text) == Some(SUBSCRIPTION);
        Ok(match list.first().and_then(Value::as_text) {
            Some("EVENT") if is_ours => Message::Event(list.get(2).cloned().unwrap_or(Value::Null)),
            Some("EOSE") if is_ours => Message::Whole,
            Some("CLOSED") if is_ours => Message::Closed,
            _ => Message::Other,
        })
    }
}
