//! What signs events: a secret key in memory, or something that holds one elsewhere. NIP-01.

use kez_core::digest::sha256;
use kez_core::suite::sign_bip340;
use kez_core::{Code, KeyIdentity, KezError, SecretKey, Signer, Suite};

use super::event::{APPLICATION_DATA, DELETION, Event, NOTE, PROFILE};
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

/// Whether this is the serialisation of an event by `key` of a kind that KEZ writes: for whoever signs for another process.
pub fn check_event(serialisation: &str, key: &KeyIdentity) -> Result<(), KezError> {
    let refuse = |what: &'static str| Err(KezError::new(Code::SchemaValue, what));
    if key.suite() != Suite::Nostr || serialisation.len() > MAX_EVENT_BYTES {
        return refuse("expected an event of at most 65536 bytes, and a nostr key");
    }
    let read = Event::of_serialisation(serialisation);
    let is_written_here = |event: &Event| [PROFILE, NOTE, DELETION, APPLICATION_DATA].contains(&event.kind);
    match read.is_some_and(|(author, event)| author == *key.public_key() && is_written_here(&event)) {
        true => Ok(()),
        false => refuse("expected an event of this key, of a kind that proofs and chains are written as"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kez_core::hex;
    use zeroize::Zeroizing;

    #[test]
    fn events_of_the_key_alone_are_signed() {
        let of = |suite| SecretKey::from_bytes(suite, Zeroizing::new([7; 32])).unwrap();
        let key = of(Suite::Nostr);
        let author = hex::encode(key.key().public_key());
        let event = |author: &str, kind: u32| format!("[0,\"{author}\",1800000000,{kind},[[\"d\",\"kez\"]],\"a\\nb\"]");
        for kind in [0, 1, 5, 30_078] {
            assert!(check_event(&event(&author, kind), key.key()).is_ok(), "{kind}");
        }
        assert!(check_event(&event(&author, 30_078), of(Suite::Ed25519).key()).is_err());
        let wrong =
            [event(&author, 4), event(&"ab".repeat(32), 1), event(&author, 1).replace(',', ", "), "x".repeat(32)];
        for text in wrong {
            assert!(check_event(&text, key.key()).is_err(), "{text}");
        }
    }
}
