//! From the events of all relays to the texts of a key. SPEC NOSTR-3, NOSTR-4.

use std::cmp::Reverse;
use std::collections::HashSet;

use kez_core::hex;

use super::event::{APPLICATION_DATA, DELETION, Event, NOTE, PROFILE};
use super::uri;
use crate::json::{self, Value};
use crate::limits::MAX_POSTS;

/// The `d` tag of application data with a proof.
pub const NAME: &str = "kez";

/// A text, and its NIP-21 URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// As it was signed.
    pub text: String,
    /// Where it stands.
    pub found_at: String,
}

/// The texts of this key, in the order of NOSTR-4.
pub fn texts(events: &[Event], key: &[u8; 32], npub: &str) -> Vec<Text> {
    let wishes = Wishes::of(events, key);
    let is_there = |event: &&Event| !wishes.names(event);
    let mut texts = Vec::new();
    if let Some(data) = newest(events, APPLICATION_DATA).next().filter(is_there) {
        texts.push(Text { text: data.content.clone(), found_at: uri::application_data(NAME, key) });
    }
    if let Some(about) = newest(events, PROFILE).next().filter(is_there).and_then(about) {
        texts.push(Text { text: about, found_at: format!("nostr:{npub}") });
    }
    let is_looked_at = |event: &&Event| event.content.to_ascii_lowercase().contains("kez");
    let notes = newest(events, NOTE).filter(is_looked_at).take(MAX_POSTS).filter(is_there);
    texts.extend(notes.map(|note| Text { text: note.content.clone(), found_at: uri::note(&note.id) }));
    texts
}

/// The events of a kind, the newest first; of one second the lowest id first.
pub fn newest(events: &[Event], kind: i64) -> impl Iterator<Item = &Event> {
    let mut of_kind: Vec<_> = events.iter().filter(|event| event.kind == kind).collect();
    of_kind.sort_by_key(|event| (Reverse(event.created_at), event.id));
    of_kind.into_iter()
}

/// Whether the key asked to delete this event. NOSTR-3.
pub fn is_gone(events: &[Event], key: &[u8; 32], event: &Event) -> bool {
    Wishes::of(events, key).names(event)
}

/// The member `about`, if the content is a JSON object and that a text.
fn about(profile: &Event) -> Option<String> {
    json::parse(&profile.content).as_ref().and_then(|value: &Value| value.text("about")).map(str::to_owned)
}

/// What the key asked to delete.
struct Wishes<'a> {
    ids: HashSet<&'a str>,
    /// Addresses, and when the wish was made.
    addresses: Vec<(&'a str, u64)>,
    profile: String,
    data: String,
}

impl Wishes<'_> {
    fn of<'a>(events: &'a [Event], key: &[u8; 32]) -> Wishes<'a> {
        let deletions = || events.iter().filter(|event| event.kind == DELETION);
        let key = hex::encode(key);
        Wishes {
            ids: deletions().flat_map(|event| event.tag_values("e")).collect(),
            addresses: deletions()
                .flat_map(|event| event.tag_values("a").map(move |address| (address, event.created_at)))
                .collect(),
            profile: format!("{PROFILE}:{key}:"),
            data: format!("{APPLICATION_DATA}:{key}:{NAME}"),
        }
    }

    fn names(&self, event: &Event) -> bool {
        let address = match event.kind {
            PROFILE => Some(&self.profile),
            APPLICATION_DATA => Some(&self.data),
            _ => None,
        };
        let by_address =
            |address: &String| self.addresses.iter().any(|(named, at)| named == address && *at >= event.created_at);
        self.ids.contains(hex::encode(&event.id).as_str()) || address.is_some_and(by_address)
    }
}
