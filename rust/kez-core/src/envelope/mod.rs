//! Signed statements: what they are, how they are read and signed. SPEC §2, §3.

mod any;
mod decode;
mod event;
mod head;
mod kind;
mod op;
mod provisional;
pub mod schema;
mod sign;
mod signature;
mod statement;

pub use crate::claim::Claim;
pub use any::{AnyEnvelope, AnyPayload, decode_any};
pub use decode::{Envelope, KnownPayload, Payload, Verified, decode, decode_text, decode_value};
pub use event::Event;
pub use head::ChainHead;
pub use kind::Kind;
pub use op::{Op, Role};
pub use provisional::Provisional;
pub use sign::{sign, sign_kind};
pub use signature::SignatureObject;
pub use statement::check_statement;
