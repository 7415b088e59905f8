//! The texts of a proof. An envelope has one meaning and several texts; its signature is over its JSON. SPEC §4.

pub mod base64url;
mod chain_text;
mod compact;
pub mod dns;
mod find;
mod hint;
mod json_text;
mod markdown;
mod proof;
mod reference;
mod tokens;
mod zstd_frame;

pub use chain_text::{compress_chain, decompress_chain};
pub use compact::{decode_compact, encode_compact};
pub use dns::encode_dns;
pub use find::{Candidate, Found, find_candidates, find_in_records};
pub use hint::parse_hint;
pub use json_text::encode_json;
pub use markdown::encode_markdown;
pub use proof::{Decoded, Proof, decode_candidate, decode_proof, pick_proof};
pub use reference::Reference;
