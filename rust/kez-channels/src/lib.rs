#![forbid(unsafe_code)]
//! The places where proofs lie, and the one guarded way to them. SPEC.md §7, and written from it.
//!
//! A channel tells what it saw of an account ([`Publication`]); `kez_core::verify` alone judges. Channels only read; what
//! writes is beside them, in the `publish` of each.

pub mod ap;
pub mod bluesky;
pub mod channel;
mod dns;
mod finding;
pub mod github;
pub mod json;
mod kez;
pub mod limits;
pub mod net;
pub mod nostr;
pub mod publication;
mod removal;
pub mod source;
pub mod writing;

pub use channel::{Canary, ChainSource, Channel, Look, find_channel};
pub use net::{Guarded, Net, NetError, ResolverSettings, Rights, Settings, Token};
pub use publication::{Candidate, Evidence, Options, Outcome, Publication, Relay, suggested_relays};
pub use url::Url;
