//! Which pieces of a text may be proofs, and which lines are hints. SPEC FIND-1, FIND-2, FIND-4.

use super::dns::{OWNER_PREFIX, Record, classify_record, parse_zone_line};
use super::hint::keep_hint;
use super::markdown;
use crate::error::{Code, KezError, Result, refuse};
use crate::limits::{MAX_CANDIDATES, MAX_TEXT_BYTES, MAX_TXT_RECORDS};
use crate::text::{decode_utf8, is_white_space, trim};

/// A piece of text that may be a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Candidate {
    /// JSON, compact text, a reference, or whatever a fence of ours holds. FIND-5.
    Text(String),
    /// A place that should hold a proof and does not: a fence that never closes, a line that is no zone-file line.
    Fault(KezError),
}

/// What a text holds: at most 8 candidates and 4 hints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// In the order of the text.
    pub candidates: Vec<Candidate>,
    /// URLs of hints, unsigned.
    pub hints: Vec<String>,
}

impl Found {
    /// FIND-2.
    fn bounded(self) -> Result<Found> {
        match self.candidates.len() > MAX_CANDIDATES {
            true => refuse(Code::LimitCandidates, "expected at most 8 proofs in one text"),
            false => Ok(self),
        }
    }
}

/// FIND-1: `limit.size`, `text.utf8`, `text.bom`, then the candidates; more than 8 → `limit.candidates`. None is an answer
/// here, because a text without a proof may still hold a hint.
pub fn find_candidates(bytes: &[u8]) -> Result<Found> {
    if bytes.len() > MAX_TEXT_BYTES {
        return refuse(Code::LimitSize, "expected a text of at most 1048576 bytes");
    }
    let text = trim(decode_utf8(bytes)?);
    let is_one = text.starts_with('{') || begins_with_kez(text) && !text.contains(is_white_space);
    if is_one {
        return Ok(Found { candidates: vec![Candidate::Text(text.to_owned())], hints: Vec::new() });
    }
    if text.starts_with(OWNER_PREFIX) {
        return zone_lines(text).bounded();
    }
    markdown::search(text).bounded()
}

/// The TXT records under one name, the strings of each joined. DNS-1; more than 16 records → `limit.candidates`.
pub fn find_in_records<'a>(records: impl IntoIterator<Item = &'a str>) -> Result<Found> {
    let mut found = Found::default();
    for (index, record) in records.into_iter().enumerate() {
        if index >= MAX_TXT_RECORDS {
            return refuse(Code::LimitCandidates, "expected at most 16 TXT records under one name");
        }
        keep_record(record, &mut found);
    }
    found.bounded()
}

fn zone_lines(text: &str) -> Found {
    let mut found = Found::default();
    for line in text.split('\n').map(trim).filter(|line| !line.is_empty()) {
        match parse_zone_line(line) {
            Ok(record) => keep_record(&record, &mut found),
            Err(error) => found.candidates.push(Candidate::Fault(error)),
        }
    }
    found
}

fn keep_record(record: &str, found: &mut Found) {
    match classify_record(record) {
        Record::Proof(text) => found.candidates.push(Candidate::Text(text.to_owned())),
        Record::Hint(url) => keep_hint(&mut found.hints, url),
        Record::Other => {}
    }
}

/// `kez:` in any case: text that means to be ours.
pub(super) fn begins_with_kez(text: &str) -> bool {
    text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("kez:"))
}
