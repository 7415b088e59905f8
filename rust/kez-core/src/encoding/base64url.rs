//! base64url in its only spelling: no padding, no other character, spare bits zero. RFC 4648 §5, SPEC B64-1.

use crate::error::{Code, KezError, Result};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Text without padding.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, &byte| (bits << 8) | u32::from(byte)) << (8 * (3 - group.len()));
        for place in 0..=group.len() {
            let index = (bits >> (18 - 6 * place)) & 63;
            text.extend(ALPHABET.get(index as usize).copied().map(char::from));
        }
    }
    text
}

/// The bytes, else `encoding.base64url`.
pub fn decode(text: &str) -> Result<Vec<u8>> {
    decode_groups(text.as_bytes())
        .ok_or_else(|| KezError::new(Code::EncodingBase64url, "expected base64url without padding and spare bits"))
}

fn decode_groups(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for group in text.chunks(4) {
        let mut bits = 0u32;
        for &character in group {
            bits = (bits << 6) | sextet(character)?;
        }
        bits <<= 6 * (4 - group.len());
        // 2, 3 or 4 characters hold 1, 2 or 3 bytes; a single one holds none.
        let count = group.len().checked_sub(1).filter(|&count| count > 0)?;
        let [_, all @ ..] = bits.to_be_bytes();
        let (whole, spare) = all.split_at_checked(count)?;
        if spare.iter().any(|&byte| byte != 0) {
            return None;
        }
        bytes.extend_from_slice(whole);
    }
    Some(bytes)
}

fn sextet(character: u8) -> Option<u32> {
    Some(u32::from(match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    }))
}
