//! A key that signs: its secret is here, or an agent holds it.

use kez_channels::nostr::signing::EventSigner;
use kez_core::{KeyIdentity, KezError, SecretKey, Signer};

use crate::agent::AgentKey;

/// What commands sign with.
#[derive(Clone, Debug)]
pub enum Key {
    /// Its secret is in this process.
    Here(SecretKey),
    /// Another process signs.
    Agent(AgentKey),
}

impl Key {
    fn signer(&self) -> &dyn EventSigner {
        match self {
            Key::Here(key) => key,
            Key::Agent(key) => key,
        }
    }
}

impl Signer for Key {
    fn key(&self) -> &KeyIdentity {
        self.signer().key()
    }

    fn sign(&self, signed: &[u8]) -> Result<[u8; 64], KezError> {
        self.signer().sign(signed)
    }
}

impl EventSigner for Key {
    fn sign_event(&self, serialisation: &str, auxiliary: &[u8; 32]) -> Result<[u8; 64], KezError> {
        self.signer().sign_event(serialisation, auxiliary)
    }
}
