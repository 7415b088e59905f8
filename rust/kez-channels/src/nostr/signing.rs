//! What signs events: a secret key in memory, or something that holds one elsewhere. NIP-01.

use kez_core::digest::sha256;
use kez_core::encoding::{Proof, compress_chain, decode_proof, encode_compact, encode_markdown};
use kez_core::limits::CLOCK_SKEW_SECONDS;
use kez_core::sigchain::{Chain, ChainEvent, Document, Graph, read_document, write_jsonl};
use kez_core::suite::sign_bip340;
use kez_core::{Claim, Code, KeyIdentity, KezError, SecretKey, Signer, Subject, Suite, Verified};

use super::CHAIN_NAME;
use super::event::{APPLICATION_DATA, Event, NOTE};
use super::places::NAME;
use crate::limits::MAX_EVENT_BYTES;

/// Signs events of its own key.
pub trait EventSigner: Signer {
    /// The signature over the id of the event with this serialisation; `auxiliary` is random (BIP-340).
    fn sign_event(&self, serialisation: &str, auxiliary: &[u8; 32]) -> Result<[u8; 64], KezError>;
}

impl EventSigner for SecretKey {
    fn sign_event(&self, serialisation: &str, auxiliary: &[u8; 32]) -> Result<[u8; 64], KezError> {
        sign_bip340(self.expose(), &sha256(serialisation), auxiliary)
    }
}

/// Whether `key` may sign this event for another process, which may be anybody's: application data or a note that holds a
/// claim of this account by this key, application data that holds a chain whose primary it is, each exactly as it is written
/// here. Whoever asks cannot have it say, change or delete anything else. Profiles and deletions cannot be judged by
/// themselves: they are signed with the key at hand. `now` is in Unix seconds. SPEC NOSTR-7
pub fn check_event(serialisation: &str, key: &KeyIdentity, now: u64) -> Result<(), KezError> {
    let refuse = |what: &'static str| Err(KezError::new(Code::SchemaValue, what));
    if key.suite() != Suite::Nostr || serialisation.len() > MAX_EVENT_BYTES {
        return refuse("expected an event of at most 65536 bytes, and a nostr key");
    }
    let read = Event::of_serialisation(serialisation).filter(|(author, _)| author == key.public_key());
    let Some((_, event)) = read else { return refuse("expected an event of this key") };
    // One second after an event that counts.
    if event.created_at > now.saturating_add(CLOCK_SKEW_SECONDS + 1) {
        return refuse("expected an event of now");
    }
    let tags: Vec<Vec<&str>> = event.tags.iter().map(|tag| tag.iter().map(String::as_str).collect()).collect();
    let tags: Vec<&[&str]> = tags.iter().map(Vec::as_slice).collect();
    let is_ours = match (event.kind, tags.as_slice()) {
        (APPLICATION_DATA, [["d", NAME]]) => is_proof(&event.content, key, encode_compact),
        (APPLICATION_DATA, [["d", CHAIN_NAME]]) => is_chain(&event.content, key),
        (NOTE, []) => is_proof(&event.content, key, |claim| encode_markdown(claim, None)),
        _ => return refuse("a profile or a deletion is signed with the passphrase alone, and other events are not"),
    };
    match is_ours {
        true => Ok(()),
        false => refuse("expected a proof by this key for itself, or its own chain, and nothing beside it"),
    }
}

/// Whether this is the very text that is written for a claim of this account by the same key.
fn is_proof(text: &str, key: &KeyIdentity, write: impl Fn(&Verified<Claim>) -> Result<String, KezError>) -> bool {
    let Ok(Proof::Claim(claim)) = decode_proof(text.as_bytes()).map(|read| read.proof) else { return false };
    let Ok(claim) = claim.verify() else { return false };
    let is_own = claim.payload().primary == *key
        && matches!(&claim.payload().subject, Subject::Known(subject) if subject == key.identity());
    is_own && write(&claim).is_ok_and(|written| written == text)
}

/// Whether this is the very text that is written for a chain whose primary the key is.
fn is_chain(text: &str, key: &KeyIdentity) -> bool {
    let Document { events, fault: None } = read_document(text.as_bytes()) else { return false };
    let Some(first) = events.first().map(ChainEvent::digest) else { return false };
    let graph = Graph::of(events);
    let Some(chain) = graph.get(&first).and_then(|first| Chain::of(&graph, first).ok()) else { return false };
    let written = compress_chain(write_jsonl(chain.path()).as_bytes());
    chain.state().primary() == key && written.is_ok_and(|written| written == text)
}

#[cfg(test)]
#[path = "signing_tests.rs"]
mod tests;
