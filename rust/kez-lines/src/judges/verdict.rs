//! SPEC §6: an input of the shape of `vectors/verdicts.json` to its verdict.

use std::sync::Arc;

use kez_core::envelope::decode;
use kez_core::error::{Code, KezError};
use kez_core::sigchain::ChainEvent;
use kez_core::verify::{
    Flag, Input, Mark, PlacedText, Publication, PublicationStatus, Seen, Source, SourceKind, SourceOutcome, verify,
};
use kez_core::{Digest, Event, Identity, KeyIdentity, Time};
use serde_json::{Value, json};

use crate::outcome::{Answer, Fault, refused};
use crate::question::{count, flag, list, member, optional_text, text, texts};

/// Why there is no input: the question is none, or something in it is refused, which is an outcome.
enum Stop {
    Fault(Fault),
    Outcome(Value),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        Stop::Fault(fault)
    }
}

impl From<KezError> for Stop {
    fn from(error: KezError) -> Stop {
        Stop::Outcome(refused(&error))
    }
}

pub fn verdict(case: &Value) -> Answer {
    match read_input(member(case, "input")?) {
        Ok(input) => {
            let verdict = verify(&input);
            let mut flags: Vec<&str> = verdict.flags.into_iter().map(Flag::as_str).collect();
            flags.sort_unstable();
            let reason = verdict.reason.map(Code::as_str);
            Ok(json!({ "status": verdict.status.as_str(), "reason": reason, "flags": flags }))
        }
        Err(Stop::Outcome(outcome)) => Ok(outcome),
        Err(Stop::Fault(fault)) => Err(fault),
    }
}

fn read_input(input: &Value) -> Result<Input, Stop> {
    let sources = list(input, "chains")?.iter().enumerate().map(|(place, it)| read_source(place, it));
    let sources = sources.collect::<Result<_, Stop>>()?;
    let marks = match input.get("marks") {
        None => Vec::new(),
        Some(_) => list(input, "marks")?.iter().map(read_mark).collect::<Result<_, Stop>>()?,
    };
    Ok(Input {
        subject: optional_text(input, "subject")?.map(Identity::parse).transpose()?,
        primary: optional_text(input, "primary")?.map(KeyIdentity::parse_canonical).transpose()?,
        publication: read_publication(member(input, "publication")?)?,
        sources,
        marks,
        seen: input.get("seen").filter(|seen| !seen.is_null()).map(read_seen).transpose()?,
        now: Time::from_unix_seconds(count(input, "now")?)?,
        require_chain: flag(input, "requireChain"),
        require_fresh: flag(input, "requireFresh"),
    })
}

fn read_publication(publication: &Value) -> Result<Publication, Stop> {
    let code = || read_code(text(publication, "code")?);
    let status = match text(publication, "status")? {
        "unchecked" => PublicationStatus::Unchecked,
        "found" => PublicationStatus::Found,
        "absent" => PublicationStatus::Absent,
        "refused" => PublicationStatus::Refused(code()?),
        "unreachable" => PublicationStatus::Unreachable(code()?),
        other => return Err(Fault(format!("no status {other}")).into()),
    };
    let placed = |it: &Value| -> Result<PlacedText, Fault> {
        let found_at = optional_text(it, "foundAt")?.unwrap_or_default().to_owned();
        Ok(PlacedText { text: text(it, "text")?.to_owned(), found_at })
    };
    let candidates = match publication.get("candidates") {
        None => Vec::new(),
        Some(_) => list(publication, "candidates")?.iter().map(placed).collect::<Result<_, Fault>>()?,
    };
    let account_id = optional_text(publication, "accountId")?.map(str::to_owned);
    Ok(Publication { status, candidates, account_id })
}

fn read_source(place: usize, source: &Value) -> Result<Source, Stop> {
    let stop = |list: &str, at: usize, error: KezError| {
        Stop::Outcome(json!({ "code": error.code().as_str(), "at": [place, list, at] }))
    };
    let events = texts(source, "events")?.into_iter().enumerate().map(|(at, text)| {
        let event = decode::<Event>(text.as_bytes()).map_err(|error| stop("events", at, error))?;
        Ok(Arc::new(ChainEvent::from(event)))
    });
    let events = events.collect::<Result<_, Stop>>()?;
    let heads = texts(source, "heads")?.into_iter().enumerate();
    let heads = heads.map(|(at, text)| decode(text.as_bytes()).map_err(|error| stop("heads", at, error)));
    Ok(Source {
        name: optional_text(source, "name")?.unwrap_or_default().to_owned(),
        kind: read_kind(text(source, "kind")?)?,
        expected: flag(source, "expected"),
        outcome: read_outcome(text(source, "outcome")?)?,
        events,
        heads: heads.collect::<Result<_, Stop>>()?,
        code: optional_text(source, "code")?.map(read_code).transpose()?,
    })
}

fn read_kind(kind: &str) -> Result<SourceKind, Fault> {
    match kind {
        "store" => Ok(SourceKind::Store),
        "local" => Ok(SourceKind::Local),
        "hint" => Ok(SourceKind::Hint),
        "other" => Ok(SourceKind::Other),
        _ => Err(Fault(format!("no kind {kind}"))),
    }
}

fn read_outcome(outcome: &str) -> Result<SourceOutcome, Fault> {
    match outcome {
        "found" => Ok(SourceOutcome::Found),
        "absent" => Ok(SourceOutcome::Absent),
        "failed" => Ok(SourceOutcome::Failed),
        _ => Err(Fault(format!("no outcome {outcome}"))),
    }
}

fn read_mark(mark: &Value) -> Result<Mark, Stop> {
    let primaries = texts(mark, "primaries")?.into_iter().map(KeyIdentity::parse_canonical);
    Ok(Mark {
        chain: Digest::parse(text(mark, "chain")?)?,
        seq: count(mark, "seq")?,
        digest: Digest::parse(text(mark, "digest")?)?,
        primaries: primaries.collect::<kez_core::Result<_>>()?,
    })
}

fn read_seen(seen: &Value) -> Result<Seen, Stop> {
    let primary = KeyIdentity::parse_canonical(text(seen, "primary")?)?;
    Ok(Seen { account_id: optional_text(seen, "accountId")?.map(str::to_owned), primary })
}

fn read_code(code: &str) -> Result<Code, Fault> {
    Code::from_text(code).ok_or_else(|| Fault(format!("no code {code}")))
}
