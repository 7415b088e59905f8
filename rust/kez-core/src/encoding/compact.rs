//! Compact text: `kez:z1:` and base64url of one zstd frame of JSON. SPEC §4.1.

use super::{base64url, zstd_frame};
use crate::claim::Claim;
use crate::envelope::{Envelope, Verified, decode};
use crate::error::{Code, Result, refuse};
use crate::limits::{MAX_COMPACT_CHARS, MAX_ENVELOPE_JSON_BYTES};

/// Where compact text begins; case counts.
pub const PREFIX: &str = "kez:z1:";

/// The envelope of a compact text, by ENC-2: `limit.decompressed`, `encoding.base64url`, the frame, then DEC-1 from step 2.
pub fn decode_compact(text: &str) -> Result<Envelope<Claim>> {
    let Some(encoded) = text.strip_prefix(PREFIX) else {
        return refuse(Code::EncodingUnsupported, "expected text that begins with kez:z1:");
    };
    decode(&decompress_text(encoded, MAX_COMPACT_CHARS, MAX_ENVELOPE_JSON_BYTES)?)
}

/// What stands after a prefix to the content of its frame.
pub fn decompress_text(encoded: &str, max_chars: usize, cap: usize) -> Result<Vec<u8>> {
    if encoded.len() > max_chars {
        return refuse(Code::LimitDecompressed, format!("expected at most {max_chars} characters of base64url"));
    }
    zstd_frame::decompress(&base64url::decode(encoded)?, cap)
}

/// The compact text of a claim. ENC-3.
pub fn encode_compact(envelope: &Verified<Claim>) -> Result<String> {
    let frame = zstd_frame::compress(envelope.canonical().as_bytes())?;
    Ok(format!("{PREFIX}{}", base64url::encode(&frame)))
}
