//! Settings, from the environment alone.

use crate::Fault;
use std::env::{VarError, var};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

/// Bytes a second of one endpoint: enough for a fast line, and not the whole of a machine's.
const CLIENT_RATE: u32 = 8 << 20;

/// See `USAGE`.
pub struct Settings {
    /// HTTP.
    pub listen: SocketAddr,
    /// Bytes a second that one endpoint may send; none: no limit.
    pub client_rate: Option<NonZeroU32>,
    /// Where addresses are asked for, if anywhere.
    pub quic: Option<Quic>,
}

/// The QUIC endpoint and its certificate.
pub struct Quic {
    /// UDP.
    pub listen: SocketAddr,
    /// PEM.
    pub certificate: PathBuf,
    /// PEM.
    pub key: PathBuf,
}

impl Settings {
    /// What is not as it must be is refused by name.
    pub fn read() -> Result<Self, Fault> {
        let listen = address("KEZ_RELAY_LISTEN")?.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 3340)));
        let client_rate = match text("KEZ_RELAY_CLIENT_RATE")? {
            None => CLIENT_RATE,
            Some(text) => text
                .parse()
                .map_err(|_| wrong("KEZ_RELAY_CLIENT_RATE", "a number of bytes a second, at most 4294967295"))?,
        };
        let quic = match (address("KEZ_RELAY_QUIC")?, text("KEZ_RELAY_CERTIFICATE")?, text("KEZ_RELAY_KEY")?) {
            (None, None, None) => None,
            (Some(listen), Some(certificate), Some(key)) => {
                Some(Quic { listen, certificate: certificate.into(), key: key.into() })
            }
            _ => {
                return Err(
                    "Cannot use KEZ_RELAY_QUIC, KEZ_RELAY_CERTIFICATE, KEZ_RELAY_KEY: expected all of them or none"
                        .into(),
                );
            }
        };
        Ok(Self { listen, client_rate: NonZeroU32::new(client_rate), quic })
    }
}

/// An empty variable counts as not set, as in compose files.
fn text(name: &str) -> Result<Option<String>, Fault> {
    match var(name) {
        Ok(text) => Ok(Some(text).filter(|text| !text.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(wrong(name, "a text")),
    }
}

fn address(name: &str) -> Result<Option<SocketAddr>, Fault> {
    text(name)?
        .map(|text| text.parse().map_err(|_| wrong(name, "an address and a port such as 127.0.0.1:3340")))
        .transpose()
}

fn wrong(name: &str, expected: &str) -> Fault {
    format!("Cannot use {name}: expected {expected}").into()
}
