//! Bytes to text, and the white space of SPEC §4. SPEC §3.1 (DEC-1 step 2), FIND-1.

use crate::error::{Code, Result, refuse};

/// The bytes as text: not UTF-8 → `text.utf8`; begins with U+FEFF → `text.bom`.
pub fn decode_utf8(bytes: &[u8]) -> Result<&str> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return refuse(Code::TextUtf8, "expected UTF-8, got other bytes");
    };
    refuse_bom(text)?;
    Ok(text)
}

/// Text that begins with U+FEFF → `text.bom`.
pub fn refuse_bom(text: &str) -> Result<()> {
    if text.starts_with('\u{feff}') {
        return refuse(Code::TextBom, "expected text, got a byte order mark before it");
    }
    Ok(())
}

/// White space of SPEC §4, which is also that of JSON (JSON-1).
pub const fn is_white_space(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' ')
}

/// The text without white space of SPEC §4 at its ends. Unicode's other spaces stay.
pub fn trim(text: &str) -> &str {
    text.trim_matches(is_white_space)
}
