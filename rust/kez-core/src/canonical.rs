//! The canonical text of a JSON value: RFC 8785. SPEC §3.3.

use crate::error::{Code, Result, refuse};
use crate::json::{Json, Object};
use crate::limits::MAX_CANONICAL_DEPTH;

/// JCS. A number that is not finite, or nesting deeper than 64 → `json.not_plain`.
pub fn canonicalize(value: &Json) -> Result<String> {
    let mut text = String::new();
    write_value(&mut text, value, 0)?;
    Ok(text)
}

/// JCS of an object whose members are at hand.
pub fn canonicalize_object(members: &Object) -> Result<String> {
    let mut text = String::new();
    write_object(&mut text, members, 1)?;
    Ok(text)
}

/// `depth` is that of the container which holds the value.
fn write_value(text: &mut String, value: &Json, depth: usize) -> Result<()> {
    match value {
        Json::Array(_) | Json::Object(_) if depth >= MAX_CANONICAL_DEPTH => {
            return refuse(Code::JsonNotPlain, "expected at most 64 levels");
        }
        Json::Null => text.push_str("null"),
        Json::Bool(true) => text.push_str("true"),
        Json::Bool(false) => text.push_str("false"),
        Json::Number(number) => text.push_str(&format_number(*number)?),
        Json::String(string) => write_string(text, string),
        Json::Array(elements) => write_array(text, elements, depth + 1)?,
        Json::Object(members) => write_object(text, members, depth + 1)?,
    }
    Ok(())
}

fn write_array(text: &mut String, elements: &[Json], depth: usize) -> Result<()> {
    text.push('[');
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_value(text, element, depth)?;
    }
    text.push(']');
    Ok(())
}

/// RFC 8785 §3.2.3: by UTF-16 code units, which differs from code points above U+FFFF.
fn write_object(text: &mut String, members: &Object, depth: usize) -> Result<()> {
    let mut sorted: Vec<(&String, &Json)> = members.iter().collect();
    sorted.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
    text.push('{');
    for (index, (name, value)) in sorted.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_string(text, name);
        text.push(':');
        write_value(text, value, depth)?;
    }
    text.push('}');
    Ok(())
}

/// RFC 8785 §3.2.2.2: the shortest escapes, and only for what must be escaped.
pub(crate) fn write_string(text: &mut String, string: &str) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\u{c}' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            '\0'..='\u{1f}' => text.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => text.push(character),
        }
    }
    text.push('"');
}

/// RFC 8785 §3.2.2.3: as ECMAScript's Number::toString.
pub(crate) fn format_number(number: f64) -> Result<String> {
    if !number.is_finite() {
        return refuse(Code::JsonNotPlain, "expected a number that JSON has");
    }
    if number == 0.0 {
        return Ok("0".to_owned());
    }
    let scientific = shortest(number.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits = mantissa.replace('.', "");
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let sign = if number < 0.0 { "-" } else { "" };
    Ok(format!("{sign}{}", layout(&digits, exponent)))
}

/// The fewest digits that give the number back, as `d.ddde±x`. Where two such texts are equally near, ECMAScript wants the
/// even one and Rust's shortest form does not care; its rounding to a number of digits does.
fn shortest(number: f64) -> String {
    let some = format!("{number:e}");
    let decimals = some.split_once('e').map_or(0, |(mantissa, _)| mantissa.len().saturating_sub(2));
    let nearest = format!("{number:.decimals$e}");
    if nearest.parse() == Ok(number) { nearest } else { some }
}

/// The digits d.ddd × 10^exponent, where the point is within reach as they are, else with an exponent.
fn layout(digits: &str, exponent: i32) -> String {
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |number: i32| "0".repeat(usize::try_from(number).unwrap_or_default());
    match exponent {
        0..=20 if exponent >= count - 1 => format!("{digits}{}", zeros(exponent + 1 - count)),
        0..=20 => with_point(digits, exponent + 1),
        -6..=-1 => format!("0.{}{digits}", zeros(-exponent - 1)),
        _ => {
            let mantissa = if count == 1 { digits.to_owned() } else { with_point(digits, 1) };
            format!("{mantissa}e{exponent:+}")
        }
    }
}

fn with_point(digits: &str, at: i32) -> String {
    let at = usize::try_from(at).unwrap_or_default();
    match digits.split_at_checked(at) {
        Some((before, after)) => format!("{before}.{after}"),
        None => digits.to_owned(),
    }
}
