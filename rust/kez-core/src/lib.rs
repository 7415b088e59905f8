#![forbid(unsafe_code)]
//! The KEZ protocol as pure functions: bytes in, values out. SPEC.md §1 to §6 and §9, and written from it.
//!
//! There is no clock, network, file or ambient randomness here: they come in as arguments. Refusals are [`KezError`] with
//! a code of SPEC §12, and the first check that fails gives it.

pub mod canonical;
pub mod claim;
mod codes;
pub mod digest;
pub mod encoding;
pub mod envelope;
pub mod error;
pub mod files;
pub mod hex;
pub mod identity;
pub mod json;
pub mod limits;
pub mod mnemonic;
pub mod names;
pub mod sigchain;
pub mod sign_claim;
pub mod signer;
pub mod suite;
pub mod text;
pub mod time;
pub mod verify;

pub use digest::Digest;
pub use envelope::{Claim, Envelope, Event, Kind, Op, Verified};
pub use error::{Code, KezError, Result};
pub use identity::{Identity, KeyIdentity, Subject, System};
pub use json::Json;
pub use sign_claim::{ClaimDraft, sign_claim};
pub use signer::{SecretKey, Signer};
pub use suite::Suite;
pub use time::Time;
