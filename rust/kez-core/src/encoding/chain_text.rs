//! The compact text of a chain document: `kez:zc1:`. SPEC JSONL-2. What the document holds is checked in `sigchain`.

use super::compact::decompress_text;
use super::{base64url, zstd_frame};
use crate::error::{Code, Result, refuse};
use crate::limits::{MAX_CHAIN_BYTES, MAX_COMPACT_CHAIN_CHARS};

const PREFIX: &str = "kez:zc1:";

/// The chain document of a text, which may end with one LF. Another beginning → `encoding.unsupported`.
pub fn decompress_chain(text: &str) -> Result<Vec<u8>> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let Some(encoded) = text.strip_prefix(PREFIX) else {
        return refuse(Code::EncodingUnsupported, "expected text that begins with kez:zc1:");
    };
    decompress_text(encoded, MAX_COMPACT_CHAIN_CHARS, MAX_CHAIN_BYTES)
}

/// The text of a chain document.
pub fn compress_chain(document: &[u8]) -> Result<String> {
    Ok(format!("{PREFIX}{}", base64url::encode(&zstd_frame::compress(document)?)))
}
