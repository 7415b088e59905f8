//! Proofs in the DNS: TXT records, and their line in a zone file. SPEC §4.5.

use super::compact::encode_compact;
use super::hint::parse_hint;
use crate::envelope::{Claim, Verified};
use crate::error::{Code, KezError, Result, refuse};
use crate::identity::{Subject, System};
use crate::limits::MAX_TXT_STRING_BYTES;

/// What the owner name of a record begins with; the domain follows.
pub const OWNER_PREFIX: &str = "_kez.";
const TTL_SECONDS: u32 = 3_600;

/// What one record is, its strings joined. DNS-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// Begins with `kez:` in any case: a candidate.
    Proof(&'a str),
    /// Says where the chain lies.
    Hint(&'a str),
    /// Not ours.
    Other,
}

/// DNS-1 for the text of a record.
pub fn classify_record(text: &str) -> Record<'_> {
    if let Some(url) = parse_hint(text) {
        return Record::Hint(url);
    }
    match super::find::begins_with_kez(text) {
        true => Record::Proof(text),
        false => Record::Other,
    }
}

/// The zone-file line of a claim of a domain; of another subject → `encoding.unsupported`. DNS-2.
pub fn encode_dns(claim: &Verified<Claim>) -> Result<String> {
    match &claim.payload().subject {
        Subject::Known(subject) if subject.system() == System::Dns => {
            format_zone_line(subject.value(), &encode_compact(claim)?)
        }
        _ => refuse(Code::EncodingUnsupported, "expected a claim of a domain"),
    }
}

/// The zone-file line of a compact text, a reference or a hint; text that a line cannot hold → `encoding.unsupported`.
pub fn format_zone_line(domain: &str, text: &str) -> Result<String> {
    if matches!(classify_record(text), Record::Other) || !text.bytes().all(is_string_byte) {
        return refuse(Code::EncodingUnsupported, "expected text that a TXT record of KEZ holds");
    }
    let mut line = format!("{OWNER_PREFIX}{domain}. {TTL_SECONDS} IN TXT");
    let mut rest = text;
    while let Some((string, after)) = rest.split_at_checked(rest.len().min(MAX_TXT_STRING_BYTES)) {
        line.push_str(&format!(" \"{string}\""));
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    Ok(line)
}

/// What needs no escape in a string of a zone file, and no second byte.
fn is_string_byte(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')
}

/// The joined strings of a zone-file line, else `encoding.unsupported`. DNS-3.
pub fn parse_zone_line(line: &str) -> Result<String> {
    read_zone_line(line)
        .ok_or_else(|| KezError::new(Code::EncodingUnsupported, "expected a zone-file line with one TXT record"))
}

fn read_zone_line(line: &str) -> Option<String> {
    let (owner, rest) = next_word(line)?;
    let name = owner.strip_prefix(OWNER_PREFIX)?;
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let rest = match next_word(rest)? {
        (ttl, after) if is_ttl(ttl) => after,
        _ => rest,
    };
    let rest = match next_word(rest)? {
        ("IN", after) => after,
        _ => rest,
    };
    match next_word(rest)? {
        ("TXT", strings) => read_strings(strings),
        _ => None,
    }
}

/// A word, and what follows the spaces or tabs that must come after it.
fn next_word(text: &str) -> Option<(&str, &str)> {
    let (word, rest) = text.split_at_checked(text.find([' ', '\t'])?)?;
    Some((word, skip_blanks(rest)))
}

fn is_ttl(word: &str) -> bool {
    (1..=10).contains(&word.len()) && word.bytes().all(|digit| digit.is_ascii_digit())
}

/// One or more quoted strings without `"` and `\` inside.
fn read_strings(text: &str) -> Option<String> {
    let mut joined = String::new();
    let mut rest = text;
    loop {
        let (string, after) = rest.strip_prefix('"')?.split_once('"')?;
        if string.contains('\\') {
            return None;
        }
        joined.push_str(string);
        rest = skip_blanks(after);
        if rest.is_empty() {
            return Some(joined);
        }
    }
}

fn skip_blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}
