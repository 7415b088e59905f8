//! Writing to relays with a key of the owner's. The key signs only what is built here, never a text of a relay's choice.
//! SPEC NOSTR-7, NOSTR-8, NOSTR-11.

use kez_core::digest::sha256;
use kez_core::encoding::{Candidate, find_candidates};
use kez_core::suite::verify_bip340;
use kez_core::{Code, Identity, hex};

use super::event::{APPLICATION_DATA, DELETION, Event, NOTE, PROFILE, Wanted};
pub use super::give::RelayOutcome;
use super::give::give;
use super::places::{NAME, is_gone, newest};
use super::profile::{about, with_proof};
use super::relay::{RelayAnswer, ask, unite};
use super::signing::EventSigner;
use super::{CHAIN_NAME, answered};
use crate::finding::Sight;
use crate::limits::MAX_EVENT_BYTES;
use crate::net::{Net, NetError};
use crate::publication::Options;

/// Where a proof of a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Kind 30078, which nobody sees.
    AppData,
    /// Kind 0, in `about`.
    Profile,
    /// Kind 1.
    Note,
}

/// Who signs, and when.
pub struct Author<'a> {
    signer: &'a dyn EventSigner,
    account: Identity,
    auxiliary: [u8; 32],
    now: u64,
}

impl<'a> Author<'a> {
    /// The owner of a nostr key; `auxiliary` is random (BIP-340).
    pub fn new(signer: &'a dyn EventSigner, auxiliary: [u8; 32], now: u64) -> Author<'a> {
        Author { account: signer.key().identity().clone(), signer, auxiliary, now }
    }

    fn key(&self) -> &[u8; 32] {
        self.signer.key().public_key()
    }

    /// An event of now, or of one second after what it replaces.
    fn event(&self, kind: i64, tags: &[[&str; 2]], content: String, after: Option<u64>) -> Result<Event, NetError> {
        let tags = tags.iter().map(|tag| tag.iter().map(|item| (*item).to_owned()).collect()).collect();
        self.tagged(kind, tags, content, after)
    }

    /// The same, with tags of any form.
    fn tagged(
        &self,
        kind: i64,
        tags: Vec<Vec<String>>,
        content: String,
        after: Option<u64>,
    ) -> Result<Event, NetError> {
        let created_at = after.map_or(self.now, |after| self.now.max(after.saturating_add(1)));
        let mut event = Event { id: [0; 32], created_at, kind, tags, content, sig: [0; 64] };
        let serialisation = event.serialise(self.key())?;
        if serialisation.len() > MAX_EVENT_BYTES {
            let message = format!("expected an event of at most {MAX_EVENT_BYTES} bytes, got {}", serialisation.len());
            return Err(NetError::new(Code::PublishTooLong, message));
        }
        self.sign(&mut event, &serialisation)?;
        Ok(event)
    }

    /// The id and the signature of an event, verified before it is used. SIG-5.
    fn sign(&self, event: &mut Event, serialisation: &str) -> Result<(), NetError> {
        event.id = sha256(serialisation);
        event.sig = self.signer.sign_event(serialisation, &self.auxiliary)?;
        Ok(verify_bip340(self.key(), &event.id, &event.sig)?)
    }

    /// What the relays have of the key.
    async fn look<'o, N: Net>(&self, name: &str, net: &N, options: &'o Options) -> Vec<RelayAnswer<'o>> {
        let author = hex::encode(self.key());
        let data = format!("{{\"authors\":[\"{author}\"],\"kinds\":[30078],\"#d\":[\"{name}\"],\"limit\":1}}");
        let of_kind =
            |kind: i64, limit: u8| format!("{{\"authors\":[\"{author}\"],\"kinds\":[{kind}],\"limit\":{limit}}}");
        let filters = match name {
            NAME => vec![of_kind(0, 1), data, of_kind(1, 50), of_kind(5, 50)],
            _ => vec![data],
        };
        let kinds = [PROFILE, NOTE, DELETION, APPLICATION_DATA];
        let wanted = Wanted { key: self.key(), kinds: &kinds, name, now: options.now };
        ask(net, &options.relays, &filters, &wanted, |_| false).await
    }

    fn holds_proof(&self, text: &str) -> bool {
        Sight::of(text).is_some_and(|sight| sight.settles(&self.account))
    }
}

/// Puts a chain document in compact form onto the relays. An error where no relay answers at all.
pub async fn publish_chain<N: Net>(
    author: &Author<'_>,
    compact: &str,
    net: &N,
    options: &Options,
) -> Result<Vec<RelayOutcome>, NetError> {
    let answers = author.look(CHAIN_NAME, net, options).await;
    check_any(&answers)?;
    let events = unite(&answers);
    let event = place_data(author, CHAIN_NAME, compact, &events)?;
    let mut outcomes = give(net, &options.relays, author.key(), std::slice::from_ref(&event)).await;
    for outcome in &mut outcomes {
        let mut served = answers.iter().filter(|it| it.relay.url == outcome.url).flat_map(|it| &it.events).flatten();
        outcome.had = served.any(|it| it.id == event.id);
    }
    Ok(outcomes)
}

/// Application data of this content; the very event that holds it already, if one does.
fn place_data(author: &Author<'_>, name: &str, content: &str, events: &[Event]) -> Result<Event, NetError> {
    let last = newest(events, APPLICATION_DATA).next();
    match last.filter(|event| event.content == content && !is_gone(events, author.key(), event)) {
        Some(event) => Ok(event.clone()),
        None => author.event(APPLICATION_DATA, &[["d", name]], content.to_owned(), last.map(|it| it.created_at)),
    }
}

/// Puts a proof of the key onto the relays: `text` is compact, or Markdown for a note. `publish.refused` where a profile
/// cannot be changed without losing something.
pub async fn publish_proof<N: Net>(
    author: &Author<'_>,
    place: Place,
    text: &str,
    net: &N,
    options: &Options,
) -> Result<Vec<RelayOutcome>, NetError> {
    let answers = author.look(NAME, net, options).await;
    check_any(&answers)?;
    let events = unite(&answers);
    let given = match place {
        Place::AppData => vec![place_data(author, NAME, text, &events)?],
        Place::Note => place_note(author, text, &events)?,
        Place::Profile => {
            check_half(&answers)?;
            vec![place_profile(author, text, &events)?]
        }
    };
    Ok(give(net, &options.relays, author.key(), &given).await)
}

/// The note, and after it a wish to delete earlier ones with a proof.
fn place_note(author: &Author<'_>, text: &str, events: &[Event]) -> Result<Vec<Event>, NetError> {
    if let Some(event) =
        newest(events, NOTE).find(|event| event.content == text && !is_gone(events, author.key(), event))
    {
        return Ok(vec![event.clone()]);
    }
    let earlier: Vec<&Event> = newest(events, NOTE).filter(|event| author.holds_proof(&event.content)).collect();
    let note = author.event(NOTE, &[], text.to_owned(), earlier.first().map(|event| event.created_at))?;
    let mut given = vec![note];
    if !earlier.is_empty() {
        let ids: Vec<String> = earlier.iter().map(|event| hex::encode(&event.id)).collect();
        let mut tags: Vec<[&str; 2]> = ids.iter().map(|id| ["e", id.as_str()]).collect();
        tags.push(["k", "1"]);
        given.push(author.event(DELETION, &tags, String::new(), None)?);
    }
    Ok(given)
}

fn place_profile(author: &Author<'_>, text: &str, events: &[Event]) -> Result<Event, NetError> {
    let last = newest(events, PROFILE).next().filter(|event| !is_gone(events, author.key(), event));
    let Some(last) = last else {
        return Err(NetError::new(Code::PublishRefused, "no relay has a profile of this key"));
    };
    let shows = |event: &Event| {
        about(&event.content).is_some_and(|about| {
            let found = find_candidates(about.as_bytes()).map(|found| found.candidates).unwrap_or_default();
            found.contains(&Candidate::Text(text.to_owned()))
        })
    };
    // What stands behind an open fence is not there for anybody.
    if shows(last) && about(&last.content).is_some_and(|about| about.ends_with(text)) {
        return Ok(last.clone());
    }
    let event = rewrite(author, last, Some(text))?;
    match shows(&event) {
        true => Ok(event),
        // An open fence, or a text that begins as JSON does, would swallow it.
        false => Err(NetError::new(Code::PublishRefused, "no reader would find a proof after what the profile says")),
    }
}

/// The profile with this proof or with none; its tags as they were.
fn rewrite(author: &Author<'_>, last: &Event, proof: Option<&str>) -> Result<Event, NetError> {
    let content = with_proof(&last.content, &author.account, proof);
    let content = content.ok_or_else(|| {
        NetError::new(Code::PublishRefused, "the profile is nothing that could be written again as it is")
    })?;
    author.tagged(PROFILE, last.tags.clone(), content, Some(last.created_at))
}

/// Takes every proof of the key away from the relays; nothing is written where none is there. NOSTR-8.
pub async fn unpublish<N: Net>(author: &Author<'_>, net: &N, options: &Options) -> Result<Vec<RelayOutcome>, NetError> {
    let answers = author.look(NAME, net, options).await;
    check_any(&answers)?;
    check_half(&answers)?;
    let events = unite(&answers);
    let given = taken_back(author, &events)?;
    match given.is_empty() {
        true => Ok(Vec::new()),
        false => Ok(give(net, &options.relays, author.key(), &given).await),
    }
}

fn taken_back(author: &Author<'_>, events: &[Event]) -> Result<Vec<Event>, NetError> {
    let with_proof = |kind: i64| {
        let all = newest(events, kind).filter(|event| author.holds_proof(&event.content));
        all.filter(|event| !is_gone(events, author.key(), event)).collect::<Vec<_>>()
    };
    let (data, notes) = (with_proof(APPLICATION_DATA), with_proof(NOTE));
    let mut given = Vec::new();
    if !data.is_empty() || !notes.is_empty() {
        let ids: Vec<String> = data.iter().chain(&notes).map(|event| hex::encode(&event.id)).collect();
        let address = format!("{APPLICATION_DATA}:{}:{NAME}", hex::encode(author.key()));
        let mut tags: Vec<[&str; 2]> = ids.iter().map(|id| ["e", id.as_str()]).collect();
        if !data.is_empty() {
            tags.extend([["a", &address], ["k", "30078"]]);
        }
        if !notes.is_empty() {
            tags.push(["k", "1"]);
        }
        // It has to be no older than what its address names.
        let last = data.first().map(|event| event.created_at.saturating_sub(1));
        let deletion = author.event(DELETION, &tags, String::new(), last)?;
        let after = deletion.created_at;
        given.push(deletion);
        if !data.is_empty() {
            given.push(author.event(APPLICATION_DATA, &[["d", NAME]], String::new(), Some(after))?);
        }
    }
    let profile = newest(events, PROFILE).next().filter(|event| !is_gone(events, author.key(), event));
    let profile = profile.filter(|event| about(&event.content).is_some_and(|about| author.holds_proof(&about)));
    if let Some(profile) = profile {
        given.push(rewrite(author, profile, None)?);
    }
    Ok(given)
}

/// An error where no relay answered at all.
fn check_any(answers: &[RelayAnswer<'_>]) -> Result<(), NetError> {
    match answers.iter().any(|answer| answer.end.is_ok()) {
        true => Ok(()),
        false => answered(answers),
    }
}

/// What is there is not seen where most relays are silent.
fn check_half(answers: &[RelayAnswer<'_>]) -> Result<(), NetError> {
    if answered(answers).is_ok() {
        return Ok(());
    }
    let whole = answers.iter().filter(|answer| answer.end.is_ok()).count();
    let message = format!("expected an answer of at least half of the relays, got {whole} of {}", answers.len());
    Err(NetError::new(Code::PublishRefused, message))
}
