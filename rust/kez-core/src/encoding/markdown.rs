//! Markdown documents: lines, fences, and the document that we write. SPEC §4.3.

use super::find::{Candidate, Found};
use super::hint::{keep_hint, parse_hint};
use super::json_text::encode_json;
use super::proof::{Proof, decode_proof};
use super::tokens::find_tokens;
use crate::envelope::{Claim, Verified};
use crate::error::{Code, KezError, Result, refuse};
use crate::text::{is_white_space, trim};

const TAG: &str = "kez";
const MIN_FENCE_CHARS: usize = 3;
const MAX_INDENT: usize = 3;

/// An open fence.
struct Fence {
    mark: char,
    count: usize,
    is_ours: bool,
}

/// Candidates and hints of a document, in the order of the text. MD-1 to MD-4.
pub fn search(text: &str) -> Found {
    let mut found = Found::default();
    let mut open: Option<Fence> = None;
    let mut content = String::new();
    for line in text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)) {
        if let Some(fence) = &open {
            if closes(line, fence) {
                if fence.is_ours {
                    found.candidates.push(Candidate::Text(trim(&content).to_owned()));
                }
                content.clear();
                open = None;
            } else if fence.is_ours {
                content.push_str(line);
                content.push('\n');
            }
            continue;
        }
        open = opened_by(line);
        if open.is_none() {
            search_line(line, &mut found);
        }
    }
    if open.is_some_and(|fence| fence.is_ours) {
        let cut = KezError::new(Code::ProofCut, "expected the block tagged kez to be closed");
        found.candidates.push(Candidate::Fault(cut));
    }
    found
}

/// A line outside of all fences.
fn search_line(line: &str, found: &mut Found) {
    if let Some(url) = parse_hint(line) {
        keep_hint(&mut found.hints, url);
    }
    found.candidates.extend(find_tokens(line).map(|token| Candidate::Text(token.to_owned())));
}

/// MD-2: the fence that this line opens.
fn opened_by(line: &str) -> Option<Fence> {
    let (mark, count, info) = fence_run(line)?;
    if mark == '`' && info.contains('`') {
        return None;
    }
    let first_word = trim(info).split(is_white_space).next().unwrap_or_default();
    Some(Fence { mark, count, is_ours: first_word == TAG })
}

/// MD-2: 0 to 3 spaces, at least as many of the same character, and only spaces or tabs after.
fn closes(line: &str, fence: &Fence) -> bool {
    fence_run(line).is_some_and(|(mark, count, rest)| {
        mark == fence.mark && count >= fence.count && rest.chars().all(|character| matches!(character, ' ' | '\t'))
    })
}

/// 0 to 3 spaces and three or more backticks or tildes: which, how many, and what follows.
fn fence_run(line: &str) -> Option<(char, usize, &str)> {
    let marks = line.trim_start_matches(' ');
    if line.len() - marks.len() > MAX_INDENT {
        return None;
    }
    let mark = marks.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let rest = marks.trim_start_matches(mark);
    let count = marks.len() - rest.len();
    (count >= MIN_FENCE_CHARS).then_some((mark, count, rest))
}

/// A document for people with one fence for programs. MD-5. `hint` is where the chain lies, `https://…`, if known.
///
/// What a claim was received with stands in the lines for people: a document that would not be read as this one claim is
/// refused with `encoding.unsupported`.
pub fn encode_markdown(claim: &Verified<Claim>, hint: Option<&str>) -> Result<String> {
    let payload = claim.json().get("payload").and_then(|payload| payload.as_object());
    let line =
        |name: &str| payload.and_then(|payload| payload.get(name)).and_then(|value| value.as_str()).unwrap_or("");
    let subject = line("subject");
    let mut text = format!("# KEZ claim: {subject}\n\nThe holder of the key below says: this account is mine.\n\n");
    text.push_str(&format!("Subject: {subject}\nPrimary: {}\n", line("primary")));
    text.push_str(&format!("Created: {}\n", line("created_at")));
    if let Some(url) = hint {
        text.push_str(&format!("Chain: {url}\n"));
    }
    text.push_str(&format!("\n```{TAG}\n{}\n```\n", encode_json(claim)?));
    match decode_proof(text.as_bytes()) {
        Ok(decoded) if says(&decoded.proof, claim) && decoded.hints.iter().map(String::as_str).eq(hint) => Ok(text),
        _ => refuse(Code::EncodingUnsupported, "expected a claim and a hint that a document for people has room for"),
    }
}

fn says(proof: &Proof, claim: &Verified<Claim>) -> bool {
    matches!(proof, Proof::Claim(read) if read.digest() == claim.digest())
}
