//! Chain documents: one branch from event 0, one JCS envelope a line. SPEC §5.9, JSONL-1 to JSONL-3.

use super::event::ChainEvent;
use super::link::check_link;
use crate::encoding::decompress_chain;
use crate::envelope::{Event, Kind, decode_value};
use crate::error::{Code, KezError, Result, refuse};
use crate::json;
use crate::limits::{MAX_CHAIN_BYTES, MAX_CHAIN_EVENTS, MAX_ENVELOPE_BYTES};
use crate::text::decode_utf8;

/// What was read of a document.
#[derive(Debug)]
pub struct Document {
    /// Its linked events up to the fault. They are used as events: a revocation among them is not lost.
    pub events: Vec<ChainEvent>,
    /// Why the document is refused, if it is. A refused document is no answer.
    pub fault: Option<KezError>,
}

/// Reads a document in either form: text that begins with `kez:` in any case is the compact one (JSONL-2, ENC-1).
pub fn read_document(bytes: &[u8]) -> Document {
    if !bytes.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"kez:")) {
        return read_jsonl(bytes);
    }
    match decode_utf8(bytes).and_then(decompress_chain) {
        Ok(jsonl) => read_jsonl(&jsonl),
        Err(error) => Document { events: Vec::new(), fault: Some(error) },
    }
}

/// Reads a document as JSONL. Signatures and what §5.4 asks are not looked at.
pub fn read_jsonl(bytes: &[u8]) -> Document {
    let mut events: Vec<ChainEvent> = Vec::new();
    let fault = split_lines(bytes).and_then(|lines| {
        for line in lines {
            let event = read_line(line)?;
            check_place(events.last(), &event)?;
            events.push(event);
        }
        Ok(())
    });
    Document { events, fault: fault.err() }
}

/// One line without its LF: longer than 4,000 bytes → `limit.size`; DEC-1 from step 3, where `json.syntax` is
/// `chain.jsonl`; not `JCS(envelope)` → `chain.not_canonical`.
pub fn read_line(line: &str) -> Result<ChainEvent> {
    if line.len() > MAX_ENVELOPE_BYTES {
        return refuse(Code::LimitSize, "expected a line of at most 4000 bytes");
    }
    let value = json::parse_text(line).map_err(|error| match error.code() {
        Code::JsonSyntax => error.with_code(Code::ChainJsonl),
        _ => error,
    })?;
    let envelope = decode_value::<Event>(value, Kind::SigchainEvent)?;
    match envelope.canonical() == line {
        true => Ok(envelope.into()),
        false => refuse(Code::ChainNotCanonical, "expected a line in canonical form"),
    }
}

/// The document of these events, as every implementation writes it (JSONL-3). The caller gives one branch from event 0.
pub fn write_jsonl<'a>(events: impl IntoIterator<Item = &'a ChainEvent>) -> String {
    let mut text = String::new();
    for event in events {
        text.push_str(event.canonical());
        text.push('\n');
    }
    text
}

/// The lines of a document as a whole: `limit.chain`, `text.utf8`, `text.bom`, `chain.jsonl`, `limit.chain`.
fn split_lines(bytes: &[u8]) -> Result<impl Iterator<Item = &str>> {
    if bytes.len() > MAX_CHAIN_BYTES {
        return refuse(Code::LimitChain, "expected a chain of at most 8388608 bytes");
    }
    let text = decode_utf8(bytes)?;
    let Some(lines) = text.strip_suffix('\n') else {
        return refuse(Code::ChainJsonl, "expected lines, each with LF after it");
    };
    if lines.contains(['\r', '\0']) || lines.split('\n').any(str::is_empty) {
        return refuse(Code::ChainJsonl, "expected no empty line, no CR and no NUL");
    }
    if lines.split('\n').nth(MAX_CHAIN_EVENTS).is_some() {
        return refuse(Code::LimitChain, "expected at most 10000 events");
    }
    Ok(lines.split('\n'))
}

/// The first has `seq` 0, else `chain.genesis`; each other follows the one before (§5.3).
fn check_place(last: Option<&ChainEvent>, event: &ChainEvent) -> Result<()> {
    match last {
        Some(last) => check_link(&last.place(), &event.predecessor()),
        None if event.seq() == 0 => Ok(()),
        None => refuse(Code::ChainGenesis, format!("expected event 0 first, got event {}", event.seq())),
    }
}
