//! Strings of JSON, escapes and surrogates. SPEC JSON-4.

use crate::error::{Code, KezError, Result, refuse};

/// The string at the beginning of the text, which begins with `"`, and what follows its closing quote.
pub fn read_string(text: &str) -> Result<(String, &str)> {
    let mut rest = text.strip_prefix('"').unwrap_or(text);
    let mut string = String::new();
    loop {
        let plain = rest.find(|character: char| matches!(character, '"' | '\\') || character.is_control());
        let Some((before, found)) = plain.and_then(|at| rest.split_at_checked(at)) else {
            return syntax("expected a closing quotation mark");
        };
        string.push_str(before);
        if let Some(after) = found.strip_prefix('"') {
            return Ok((string, after));
        }
        let Some(escape) = found.strip_prefix('\\') else {
            return control();
        };
        let (character, after) = read_escape(escape)?;
        string.push(character);
        rest = after;
    }
}

/// What stands after a backslash.
fn read_escape(text: &str) -> Result<(char, &str)> {
    let mut characters = text.chars();
    let character = match characters.next() {
        Some(same @ ('"' | '\\' | '/')) => same,
        Some('b' | 'f' | 'n' | 'r' | 't') => return control(),
        Some('u') => return read_unicode_escape(characters.as_str()),
        _ => return syntax("expected an escape of JSON"),
    };
    Ok((character, characters.as_str()))
}

/// What stands after `\u`. Both escapes of a pair are read before they are paired.
fn read_unicode_escape(text: &str) -> Result<(char, &str)> {
    let (unit, rest) = read_unit(text)?;
    if let Some(character) = char::from_u32(unit) {
        return if character.is_control() { control() } else { Ok((character, rest)) };
    }
    let surrogate = || KezError::new(Code::JsonSurrogate, "expected a pair of surrogates");
    let (low, rest) = match rest.strip_prefix("\\u") {
        Some(second) if is_high(unit) => read_unit(second)?,
        _ => return Err(surrogate()),
    };
    let pair = [unit, low].map(|unit| u16::try_from(unit).unwrap_or_default());
    match char::decode_utf16(pair).next() {
        Some(Ok(character)) => Ok((character, rest)),
        _ => Err(surrogate()),
    }
}

/// Four hex digits in either case, as RFC 8259 has it.
fn read_unit(text: &str) -> Result<(u32, &str)> {
    match text.split_at_checked(4) {
        Some((digits, rest)) if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
            Ok((u32::from_str_radix(digits, 16).unwrap_or_default(), rest))
        }
        _ => syntax("expected four hex digits"),
    }
}

const fn is_high(unit: u32) -> bool {
    matches!(unit, 0xd800..=0xdbff)
}

fn control<T>() -> Result<T> {
    refuse(Code::JsonControl, "expected a string without control characters")
}

fn syntax<T>(message: &'static str) -> Result<T> {
    refuse(Code::JsonSyntax, message)
}
