//! Digests: `sha256:` and 64 hex digits. SPEC, notation, and ENV-7.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::error::{Code, KezError, Result};
use crate::hex;

const PREFIX: &str = "sha256:";

/// SHA-256 of something, as names of envelopes and chains are written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: impl AsRef<[u8]>) -> Digest {
        Digest(sha256(bytes))
    }

    /// The digest whose 32 bytes are known.
    pub const fn from_bytes(bytes: [u8; 32]) -> Digest {
        Digest(bytes)
    }

    /// `sha256:` and 64 lower-case hex digits, else `schema.value` (OBJ-1).
    pub fn parse(text: &str) -> Result<Digest> {
        text.strip_prefix(PREFIX)
            .and_then(hex::decode)
            .map(Digest)
            .ok_or_else(|| KezError::new(Code::SchemaValue, "expected sha256: and 64 lower-case hex digits"))
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 hex digits without `sha256:`, as in a reference (REF-1).
    pub fn to_hex(&self) -> String {
        hex::encode(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{PREFIX}{}", self.to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// SHA-256 of the bytes.
pub fn sha256(bytes: impl AsRef<[u8]>) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
