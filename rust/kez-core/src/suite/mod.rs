//! The two ways to sign. SPEC §2 (ENV-2) and §3.5.

mod ed25519;
mod schnorr;

use zeroize::Zeroizing;

use crate::error::{Code, Result, refuse};
use crate::hex;
use crate::identity::System;

/// How a key of a system signs; the system alone decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    /// `ed25519-sha512-jcs`: RFC 8032 Ed25519 over the bytes themselves.
    Ed25519,
    /// `nostr-secp256k1-schnorr-sha256-jcs`: BIP-340 over SHA-256 of the bytes.
    Nostr,
}

impl Suite {
    /// The value of `alg`. ENV-2.
    pub const fn alg(self) -> &'static str {
        match self {
            Suite::Ed25519 => "ed25519-sha512-jcs",
            Suite::Nostr => "nostr-secp256k1-schnorr-sha256-jcs",
        }
    }

    /// The system of its keys.
    pub const fn system(self) -> System {
        match self {
            Suite::Ed25519 => System::Ed25519,
            Suite::Nostr => System::Nostr,
        }
    }

    /// Whether the signature is by this key over these bytes: `key.weak`, `key.encoding`, `signature.invalid`, in this
    /// order. SPEC §3.5; `signed` is what the suite signs, before any hash of its own.
    pub fn verify(self, public_key: &[u8], signed: &[u8], signature: &[u8]) -> Result<()> {
        match self {
            Suite::Ed25519 => ed25519::verify(public_key, signed, signature),
            Suite::Nostr => schnorr::verify(public_key, signed, signature),
        }
    }

    /// The public key of a secret key. Out of the range of the suite → `key.encoding` (MNEM-2).
    pub fn public_key(self, secret: &Zeroizing<[u8; 32]>) -> Result<[u8; 32]> {
        match self {
            Suite::Ed25519 => Ok(ed25519::public_key(secret)),
            Suite::Nostr => schnorr::public_key(secret),
        }
    }

    /// The signature over these bytes; the same bytes give the same signature (ENV-2).
    pub fn sign(self, secret: &Zeroizing<[u8; 32]>, signed: &[u8]) -> Result<[u8; 64]> {
        match self {
            Suite::Ed25519 => Ok(ed25519::sign(secret, signed)),
            Suite::Nostr => schnorr::sign(secret, signed),
        }
    }

    /// The 32 bytes of the value of a key identity, else `key.encoding` (ID-2).
    pub(crate) fn parse_public_key(self, value: &str) -> Result<[u8; 32]> {
        let key = match self {
            Suite::Ed25519 => hex::decode(value),
            Suite::Nostr => schnorr::parse_npub(value),
        };
        match key {
            Some(key) => Ok(key),
            None => refuse(Code::KeyEncoding, format!("expected {}", self.key_form())),
        }
    }

    /// The value of the key identity of these bytes.
    pub(crate) fn format_public_key(self, public_key: &[u8; 32]) -> String {
        match self {
            Suite::Ed25519 => hex::encode(public_key),
            Suite::Nostr => schnorr::format_npub(public_key),
        }
    }

    /// The secret of `nsec1…` (NIP-19), else `key.encoding`; the message does not repeat it (ID-8).
    pub(crate) fn parse_nsec(text: &str) -> Result<Zeroizing<[u8; 32]>> {
        match schnorr::parse_nsec(text) {
            Some(secret) => Ok(secret),
            None => refuse(Code::KeyEncoding, "expected nsec1 and 58 lower-case characters of a secret key"),
        }
    }

    const fn key_form(self) -> &'static str {
        match self {
            Suite::Ed25519 => "64 lower-case hex digits of a public key",
            Suite::Nostr => "npub1 and 58 lower-case characters of a public key",
        }
    }
}

/// BIP-340 over a message of any length, as the BIP defines it. Envelopes sign a SHA-256 instead, see [`Suite::verify`];
/// nostr events sign their id with this.
pub fn verify_bip340(public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<()> {
    schnorr::verify_message(public_key, message, signature)
}

/// BIP-340 over a message of any length, with auxiliary randomness that the caller brings: nostr events are signed so.
/// Envelopes are signed by [`Suite::sign`], with none (ENV-2). The caller verifies what it hands out (SIG-5).
pub fn sign_bip340(secret: &Zeroizing<[u8; 32]>, message: &[u8], auxiliary: &[u8; 32]) -> Result<[u8; 64]> {
    schnorr::sign_message(secret, message, auxiliary)
}
