//! `nostr:` — events of a key. Relays are believed in nothing: what they keep back another has. SPEC §7.4.

mod event;
mod give;
mod places;
pub(crate) mod profile;
pub mod publish;
mod relay;
pub mod signing;
mod uri;

use kez_core::{Code, KeyIdentity, hex};

use crate::finding::Sight;
use crate::limits::{MAX_NOSTR_TEXTS, MAX_RELAY_CHAINS};
use crate::net::{Net, NetError};
use crate::publication::{Evidence, Look, Options, Outcome, Publication, Relay, suggested_relays};
pub use event::Event;
use event::{APPLICATION_DATA, DELETION, NOTE, PROFILE, Wanted};
use places::{NAME, texts};
use relay::{RelayAnswer, ask, unite};

/// The `d` tag of application data with a chain. NOSTR-10.
const CHAIN_NAME: &str = "kez-sigchain";
/// A profile that relays have. NOSTR-6.
const CANARY: &str = "npub180cvv07tjdrrgpa0j7j7tmnyl2yr6yr7l8j4s3evf6u64th6gkwsyjh6w6";

/// The texts of a key on the relays of the options.
pub async fn collect<N: Net>(npub: &str, net: &N, options: &Options) -> Publication {
    let mut look = Look::default();
    let Some(key) = parse_key(npub) else {
        return look.finish(Outcome::Invalid(Code::KeyEncoding));
    };
    let author = hex::encode(&key);
    let filters = [
        format!("{{\"authors\":[\"{author}\"],\"kinds\":[0],\"limit\":1}}"),
        format!("{{\"authors\":[\"{author}\"],\"kinds\":[30078],\"#d\":[\"{NAME}\"],\"limit\":1}}"),
        format!("{{\"authors\":[\"{author}\"],\"kinds\":[1],\"limit\":50}}"),
        format!("{{\"authors\":[\"{author}\"],\"kinds\":[5],\"limit\":50}}"),
    ];
    let kinds = [PROFILE, NOTE, DELETION, APPLICATION_DATA];
    let wanted = Wanted { key: &key, kinds: &kinds, name: NAME, now: options.now };
    let is_enough = |events: &[Event]| texts(events, &key, npub).iter().any(|text| Sight::of(&text.text).is_some());
    let answers = ask(net, &options.relays, &filters, &wanted, is_enough).await;
    look.evidence = evidence(&answers);
    let with_candidate = texts(&unite(&answers), &key, npub)
        .into_iter()
        .filter_map(|text| Sight::of(&text.text).map(|sight| (text, sight)));
    for (text, sight) in with_candidate.take(MAX_NOSTR_TEXTS) {
        look.keep_sight(&text.text, &text.found_at, sight);
    }
    look.account_id = Some(npub.to_owned());
    look.finish(answered(&answers).map_or_else(|error| unreachable(&error), |()| Outcome::Absent))
}

/// A profile that is always there. Where the reader asks only relays of his own, a whole answer of one is enough.
pub async fn canary<N: Net>(net: &N, options: &Options) -> (String, Result<(), NetError>) {
    let source = format!("nostr:{CANARY}");
    let Some(key) = parse_key(CANARY) else {
        return (source, Err(NetError::new(Code::Internal, "expected the key of the canary")));
    };
    let filters = [format!("{{\"authors\":[\"{}\"],\"kinds\":[0],\"limit\":1}}", hex::encode(&key))];
    let wanted = Wanted { key: &key, kinds: &[PROFILE], name: NAME, now: options.now };
    let answers = ask(net, &options.relays, &filters, &wanted, |events| !events.is_empty()).await;
    // Whoever named it: a relay that the program suggests has that profile.
    let suggested = suggested_relays();
    let is_suggested = |relay: &Relay| relay.is_suggested || suggested.iter().any(|it| it.url == relay.url);
    let are_own = !options.relays.iter().any(is_suggested);
    let is_well = !unite(&answers).is_empty() || are_own && answers.iter().any(|answer| answer.end.is_ok());
    let missing = || Err(NetError::new(Code::ProofNotFound, "no relay has a profile that is always there"));
    (source, if is_well { Ok(()) } else { missing() })
}

/// What relays have of the chain of this key. NOSTR-10.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelayChains {
    /// Chain documents, compact or JSONL, the newest first; at most 4, all different.
    Found(Vec<String>),
    /// Enough relays answered, and have none.
    Absent,
    /// Why nothing is known.
    Unanswered(NetError),
}

/// Chain documents of a key on the relays of the options: an older version takes nothing back, a newer one hides nothing,
/// and no deletion is heard.
pub async fn chain_documents<N: Net>(npub: &str, net: &N, options: &Options) -> RelayChains {
    let Some(key) = parse_key(npub) else {
        return RelayChains::Unanswered(NetError::new(Code::KeyEncoding, "expected an npub"));
    };
    let answers = ask_for_chains(&key, net, options).await;
    let events = unite(&answers);
    let mut contents: Vec<String> = Vec::new();
    for event in places::newest(&events, APPLICATION_DATA) {
        if !event.content.is_empty() && !contents.contains(&event.content) && contents.len() < MAX_RELAY_CHAINS {
            contents.push(event.content.clone());
        }
    }
    match (contents.is_empty(), answered(&answers)) {
        (false, _) => RelayChains::Found(contents),
        (true, Ok(())) => RelayChains::Absent,
        (true, Err(error)) => RelayChains::Unanswered(error),
    }
}

/// The event of this key with its chain in compact form, for every relay: one that is there already, or a new one, which its
/// owner has to sign. `publish.too_long` where the chain has outgrown an event; `net.url` without a relay. NOSTR-11
pub async fn chain_event<N: Net>(npub: &str, text: &str, net: &N, options: &Options) -> Result<Event, NetError> {
    let key = parse_key(npub).ok_or_else(|| NetError::new(Code::KeyEncoding, "expected an npub"))?;
    if options.relays.is_empty() {
        return Err(NetError::new(Code::NetUrl, "no relay to give it to"));
    }
    let events = unite(&ask_for_chains(&key, net, options).await);
    let newest = places::newest(&events, APPLICATION_DATA).next();
    if let Some(event) = newest.filter(|event| event.content == text) {
        return Ok(event.clone());
    }
    let created_at = options.now.max(newest.map_or(0, |event| event.created_at.saturating_add(1)));
    let tags = vec![vec!["d".to_owned(), CHAIN_NAME.to_owned()]];
    Event::unsigned(&key, created_at, tags, text).map_err(|error| match error.code() {
        Code::LimitSize => NetError::new(Code::PublishTooLong, "the chain has outgrown an event of nostr"),
        code => NetError::new(code, error.message().to_owned()),
    })
}

async fn ask_for_chains<'a, N: Net>(key: &[u8; 32], net: &N, options: &'a Options) -> Vec<RelayAnswer<'a>> {
    let author = hex::encode(key);
    let filters = [format!("{{\"authors\":[\"{author}\"],\"kinds\":[30078],\"#d\":[\"{CHAIN_NAME}\"],\"limit\":1}}")];
    let wanted = Wanted { key, kinds: &[APPLICATION_DATA], name: CHAIN_NAME, now: options.now };
    ask(net, &options.relays, &filters, &wanted, |_| false).await
}

/// Whether at least half of the relays gave a whole answer, else the error of the first that did not. NOSTR-5.
fn answered(answers: &[RelayAnswer<'_>]) -> Result<(), NetError> {
    let whole = answers.iter().filter(|answer| answer.end.is_ok()).count();
    if answers.is_empty() {
        return Err(NetError::new(Code::NetUrl, "no relay to ask"));
    }
    match answers.iter().find_map(|answer| answer.end.as_ref().err()) {
        Some(error) if whole * 2 < answers.len() => {
            let waits = answers.iter().filter_map(|answer| answer.end.as_ref().err()?.retry_after_seconds);
            Err(NetError { retry_after_seconds: waits.min(), ..error.clone() })
        }
        _ => Ok(()),
    }
}

/// One relay never speaks against a person, whatever it does.
fn unreachable(error: &NetError) -> Outcome {
    Outcome::Unreachable { code: error.code, retry_after_seconds: error.retry_after_seconds }
}

/// Each relay, and beside it what it sent that does not count.
fn evidence(answers: &[RelayAnswer<'_>]) -> Vec<Evidence> {
    let mut evidence = Vec::new();
    for answer in answers {
        let source = answer.relay.url.as_str();
        evidence.push(match &answer.end {
            Ok(()) => Evidence::note(source, format!("{} events", answer.events.len())),
            Err(error) => Evidence::error(source, error),
        });
        let refused = answer.events.iter().filter_map(|event| event.as_ref().err());
        evidence.extend(refused.map(|error| Evidence::fault(source, error.code(), error.message().to_owned())));
    }
    evidence
}

fn parse_key(npub: &str) -> Option<[u8; 32]> {
    KeyIdentity::parse_canonical(&format!("nostr:{npub}")).ok().map(|key| *key.public_key())
}
