//! References: "my chain is X", and nothing more. SPEC §4.6.

use std::fmt;

use crate::error::{Code, KezError, Result};
use crate::{Digest, hex, names};

/// Where a reference begins; case counts.
pub const PREFIX: &str = "kez:r1:";

/// The id of a chain, and perhaps a host that has it. It proves an account only together with an `add` in that chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The chain id.
    pub chain: Digest,
    /// A domain or `localhost`, unsigned.
    pub host: Option<String>,
}

impl Reference {
    /// `kez:r1:`, 64 hex digits, and perhaps `@` and a host; else `encoding.unsupported`. REF-1.
    pub fn parse(text: &str) -> Result<Reference> {
        Reference::read(text).ok_or_else(|| {
            KezError::new(
                Code::EncodingUnsupported,
                "expected kez:r1:, 64 lower-case hex digits and perhaps @ and a host",
            )
        })
    }

    fn read(text: &str) -> Option<Reference> {
        let value = text.strip_prefix(PREFIX)?;
        let (id, host) = match value.split_once('@') {
            Some((id, host)) => (id, Some(host)),
            None => (value, None),
        };
        if host.is_some_and(|host| !names::is_host(host)) {
            return None;
        }
        Some(Reference { chain: Digest::from_bytes(hex::decode(id)?), host: host.map(str::to_owned) })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{PREFIX}{}", self.chain.to_hex())?;
        match &self.host {
            Some(host) => write!(out, "@{host}"),
            None => Ok(()),
        }
    }
}
