//! The JSON text of an envelope for people: indented by two spaces, members in canonical order. SPEC §4, MD-5.

use crate::canonical::{canonicalize, write_string};
use crate::envelope::Verified;
use crate::error::Result;
use crate::json::{Json, Object};

const INDENT: &str = "  ";

/// The envelope, indented, without a line feed at the end.
pub fn encode_json<P>(envelope: &Verified<P>) -> Result<String> {
    let mut text = String::new();
    write_object(&mut text, envelope.json(), 1)?;
    Ok(text)
}

fn write_value(text: &mut String, value: &Json, depth: usize) -> Result<()> {
    match value {
        Json::Object(members) if !members.is_empty() => write_object(text, members, depth),
        Json::Array(elements) if !elements.is_empty() => {
            let lines = elements.iter().map(|element| (None, element));
            write_lines(text, ('[', ']'), lines, depth)
        }
        other => {
            text.push_str(&canonicalize(other)?);
            Ok(())
        }
    }
}

fn write_object(text: &mut String, members: &Object, depth: usize) -> Result<()> {
    // Names of envelopes are ASCII, whose order in the map is that of RFC 8785.
    let lines = members.iter().map(|(name, value)| (Some(name.as_str()), value));
    write_lines(text, ('{', '}'), lines, depth)
}

fn write_lines<'a>(
    text: &mut String,
    (open, close): (char, char),
    lines: impl Iterator<Item = (Option<&'a str>, &'a Json)>,
    depth: usize,
) -> Result<()> {
    text.push(open);
    for (index, (name, value)) in lines.enumerate() {
        text.push_str(if index > 0 { ",\n" } else { "\n" });
        text.push_str(&INDENT.repeat(depth));
        if let Some(name) = name {
            write_string(text, name);
            text.push_str(": ");
        }
        write_value(text, value, depth + 1)?;
    }
    text.push('\n');
    text.push_str(&INDENT.repeat(depth - 1));
    text.push(close);
    Ok(())
}
