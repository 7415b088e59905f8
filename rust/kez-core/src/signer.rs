//! What signs: a secret key in memory, or something that holds one elsewhere. SPEC SIG-5, §9.

use std::fmt;

use zeroize::Zeroizing;

use crate::error::Result;
use crate::identity::KeyIdentity;
use crate::suite::Suite;

/// Signs bytes that its owner built. It is never given text that another party chose (ENV-4).
pub trait Signer {
    /// Whose signatures it makes.
    fn key(&self) -> &KeyIdentity;

    /// The signature over these bytes by the suite of the key. Callers use [`sign_bytes`], which checks it.
    fn sign(&self, signed: &[u8]) -> Result<[u8; 64]>;
}

/// The signature over these bytes, verified before it is handed out. SIG-5.
pub fn sign_bytes(signer: &dyn Signer, signed: &[u8]) -> Result<[u8; 64]> {
    let signature = signer.sign(signed)?;
    let key = signer.key();
    key.suite().verify(key.public_key(), signed, &signature)?;
    Ok(signature)
}

/// A secret key in memory. It is never shown, and wiped when dropped.
#[derive(Clone)]
pub struct SecretKey {
    secret: Zeroizing<[u8; 32]>,
    key: KeyIdentity,
}

impl SecretKey {
    /// The Ed25519 seed, or the BIP-340 secret key; out of the range of the latter → `key.encoding`. MNEM-2.
    pub fn from_bytes(suite: Suite, secret: Zeroizing<[u8; 32]>) -> Result<SecretKey> {
        let key = KeyIdentity::from_public_key(suite, suite.public_key(&secret)?);
        Ok(SecretKey { secret, key })
    }

    /// A nostr key from `nsec1…` (NIP-19), else `key.encoding`.
    pub fn from_nsec(text: &str) -> Result<SecretKey> {
        SecretKey::from_bytes(Suite::Nostr, Suite::parse_nsec(text)?)
    }

    /// The 32 bytes, for storing them; the caller keeps them from being shown.
    pub fn expose(&self) -> &Zeroizing<[u8; 32]> {
        &self.secret
    }
}

impl Signer for SecretKey {
    fn key(&self) -> &KeyIdentity {
        &self.key
    }

    fn sign(&self, signed: &[u8]) -> Result<[u8; 64]> {
        self.key.suite().sign(&self.secret, signed)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SecretKey({})", self.key)
    }
}
