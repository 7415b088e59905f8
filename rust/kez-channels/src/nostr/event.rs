//! Events of a key: which count, and why the others do not. SPEC NOSTR-2.

use kez_core::canonical::canonicalize;
use kez_core::digest::sha256;
use kez_core::limits::CLOCK_SKEW_SECONDS;
use kez_core::suite::verify_bip340;
use kez_core::{Code, Json, KezError, hex};

use crate::json::{self, Value};
use crate::limits::{MAX_EVENT_BYTES, MAX_TAGS};

/// Metadata of a key: its profile.
pub const PROFILE: i64 = 0;
/// A note.
pub const NOTE: i64 = 1;
/// A wish to delete, NIP-09.
pub const DELETION: i64 = 5;
/// Application data, NIP-78.
pub const APPLICATION_DATA: i64 = 30_078;

/// An event that the key signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// SHA-256 of its serialisation.
    pub id: [u8; 32],
    /// Seconds since 1970.
    pub created_at: u64,
    /// NIP-01.
    pub kind: i64,
    /// Lists of texts.
    pub tags: Vec<Vec<String>>,
    /// Its text.
    pub content: String,
    /// BIP-340 over `id`.
    pub sig: [u8; 64],
}

/// Which events count.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Whose.
    pub key: &'a [u8; 32],
    /// Of which kinds.
    pub kinds: &'a [i64],
    /// The only `d` tag of application data.
    pub name: &'a str,
    /// Seconds since 1970.
    pub now: u64,
}

impl Event {
    /// What a relay sent, if it counts: the checks of NOSTR-2 in its order.
    pub fn check(value: &Value, wanted: &Wanted<'_>) -> Result<Event, KezError> {
        let Some(Raw { id, pubkey, sig, event }) = Raw::read(value) else {
            return refuse(Code::SchemaType, "no event");
        };
        if pubkey != *wanted.key {
            return refuse(Code::AccountOwner, "the event of another key");
        }
        if !wanted.kinds.contains(&event.kind) {
            return refuse(Code::SchemaValue, "an event of another kind");
        }
        if event.kind == APPLICATION_DATA && !event.is_named(wanted.name) {
            return refuse(Code::SchemaValue, "application data of another name");
        }
        if event.created_at > wanted.now.saturating_add(CLOCK_SKEW_SECONDS) {
            return refuse(Code::TimeFuture, "an event of the future");
        }
        let serialisation = event.serialise(&pubkey)?;
        if serialisation.len() > MAX_EVENT_BYTES {
            return refuse(Code::LimitSize, "an event that is too long");
        }
        if sha256(&serialisation) != id {
            return refuse(Code::SignatureInvalid, "an event with another id");
        }
        verify_bip340(&pubkey, &id, &sig)
            .map_err(|error| KezError::new(Code::SignatureInvalid, error.message().to_owned()))?;
        Ok(event)
    }

    /// An event of this key that nobody signed yet. `limit.size` where it is longer than one may be.
    pub fn unsigned(key: &[u8; 32], created_at: u64, tags: Vec<Vec<String>>, content: &str) -> Result<Event, KezError> {
        let id = [0; 32];
        let event = Event { id, created_at, kind: APPLICATION_DATA, tags, content: content.to_owned(), sig: [0; 64] };
        let serialisation = event.serialise(key)?;
        if serialisation.len() > MAX_EVENT_BYTES {
            return refuse(Code::LimitSize, "an event that is too long");
        }
        Ok(Event { id: sha256(&serialisation), ..event })
    }

    /// The second item of each tag that begins with this.
    pub fn tag_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.tags.iter().filter_map(move |tag| match tag.as_slice() {
            [first, second, ..] if first == name => Some(second.as_str()),
            _ => None,
        })
    }

    /// Whether its text may hold a proof at all.
    pub fn says_kez(&self) -> bool {
        self.content.as_bytes().windows(3).any(|it| it.eq_ignore_ascii_case(b"kez"))
    }

    /// Exactly one `d` tag, and this in it.
    fn is_named(&self, name: &str) -> bool {
        let mut names = self.tags.iter().filter(|tag| tag.first().is_some_and(|first| first == "d"));
        let only = names.next().filter(|_| names.next().is_none());
        only.and_then(|tag| tag.get(1)).is_some_and(|value| value == name)
    }

    /// The event of a serialisation, and whose it is; none unless it is written just so. Nothing of it was checked.
    pub(super) fn of_serialisation(text: &str) -> Option<([u8; 32], Event)> {
        let value = json::parse(text)?;
        let [_, pubkey, created_at, kind, tags, content] = value.as_list()? else { return None };
        let pubkey = hex::decode(pubkey.as_text()?)?;
        let event = Event {
            id: [0; 32],
            created_at: u64::try_from(created_at.as_integer()?).ok()?,
            kind: kind.as_integer()?,
            tags: tags.as_list()?.iter().map(read_tag).collect::<Option<_>>()?,
            content: content.as_text()?.to_owned(),
            sig: [0; 64],
        };
        (event.serialise(&pubkey).ok()? == text).then_some((pubkey, event))
    }

    /// NIP-01, as RFC 8785 writes it.
    pub(super) fn serialise(&self, pubkey: &[u8; 32]) -> Result<String, KezError> {
        let number = |number: i64| Json::Number(number as f64);
        let tags = self.tags.iter().map(|tag| Json::Array(tag.iter().map(|item| item.as_str().into()).collect()));
        let created_at = i64::try_from(self.created_at).unwrap_or(i64::MAX);
        canonicalize(&Json::Array(vec![
            number(0),
            hex::encode(pubkey).into(),
            number(created_at),
            number(self.kind),
            Json::Array(tags.collect()),
            self.content.as_str().into(),
        ]))
    }
}

/// An event of which nothing but its form was checked.
struct Raw {
    id: [u8; 32],
    pubkey: [u8; 32],
    sig: [u8; 64],
    event: Event,
}

impl Raw {
    fn read(value: &Value) -> Option<Raw> {
        let id = hex::decode(value.text("id")?)?;
        let pubkey = hex::decode(value.text("pubkey")?)?;
        let sig = hex::decode(value.text("sig")?)?;
        let created_at = u64::try_from(value.integer("created_at")?).ok()?;
        let kind = value.integer("kind")?;
        let content = value.text("content")?.to_owned();
        let tags = value.list("tags")?;
        if tags.len() > MAX_TAGS {
            return None;
        }
        let tags = tags.iter().map(read_tag).collect::<Option<_>>()?;
        Some(Raw { id, pubkey, sig, event: Event { id, created_at, kind, tags, content, sig } })
    }
}

fn read_tag(tag: &Value) -> Option<Vec<String>> {
    tag.as_list()?.iter().map(|item| item.as_text().map(str::to_owned)).collect()
}

fn refuse<T>(code: Code, message: &'static str) -> Result<T, KezError> {
    Err(KezError::new(code, message))
}
