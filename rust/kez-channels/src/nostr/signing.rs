//! What signs events: a secret key in memory, or something that holds one elsewhere. NIP-01.

use std::ops::Range;

use kez_core::digest::sha256;
use kez_core::encoding::{Proof, decode_proof, encode_compact, encode_markdown};
use kez_core::limits::CLOCK_SKEW_SECONDS;
use kez_core::suite::sign_bip340;
use kez_core::{Claim, Code, KeyIdentity, KezError, SecretKey, Signer, Subject, Suite, Verified};

use super::event::{APPLICATION_DATA, Event, NOTE};
use super::places::NAME;
use crate::limits::{MAX_EVENT_BYTES, MIN_PROOF_SECONDS};

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
/// claim of this account by this key that serves at `now` and for a day on, exactly as it is written here. Relays keep the
/// newest application data alone, so that what takes the place of a proof has to be a proof that counts. Profiles, deletions
/// and chains (a beginning of the chain would hide what came after it) cannot be judged by themselves: they are signed with the
/// key at hand. `now` is in Unix seconds. SPEC NOSTR-7
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
    // An event of later stands in the way of a better one until then.
    let serving = now..event.created_at.max(now).saturating_add(MIN_PROOF_SECONDS);
    let is_ours = match (event.kind, tags.as_slice()) {
        (APPLICATION_DATA, [["d", NAME]]) => is_proof(&event.content, key, serving, encode_compact),
        (NOTE, []) => is_proof(&event.content, key, serving, |claim| encode_markdown(claim, None)),
        _ => return refuse("profiles, deletions and chains are signed with the passphrase, and other events are not"),
    };
    match is_ours {
        true => Ok(()),
        false => refuse("expected a proof by this key for itself that counts now and for a day, and nothing beside it"),
    }
}

/// Whether this is the very text that is written for a claim of this account by the same key, which serves all that time, in
/// Unix seconds.
fn is_proof(
    text: &str,
    key: &KeyIdentity,
    serving: Range<u64>,
    write: impl Fn(&Verified<Claim>) -> Result<String, KezError>,
) -> bool {
    let Ok(Proof::Claim(claim)) = decode_proof(text.as_bytes()).map(|read| read.proof) else { return false };
    let Ok(claim) = claim.verify() else { return false };
    let Claim { subject, primary, created_at, expires_at, .. } = claim.payload();
    let is_own = primary == key && matches!(subject, Subject::Known(subject) if subject == key.identity());
    let serves = created_at.unix_seconds() <= serving.start.saturating_add(CLOCK_SKEW_SECONDS)
        && expires_at.is_none_or(|expires_at| serving.end <= expires_at.unix_seconds());
    is_own && serves && write(&claim).is_ok_and(|written| written == text)
}

#[cfg(test)]
#[path = "signing_tests.rs"]
mod tests;
