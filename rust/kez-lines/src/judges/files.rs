//! SPEC §2.4: documents of shared files, and manifests against a chain.

use kez_core::envelope::decode;
use kez_core::files::{Mark, check_manifest, read_page, read_root};
use kez_core::sigchain::{ChainEvent, Graph};
use kez_core::{Digest, Event, KezError, Time};
use serde_json::Value;

use super::replay::only_chain;
use crate::outcome::{Answer, Fault, of, refused};
use crate::question::{count, input, member, optional_text, text, texts};

pub fn shared_files(case: &Value) -> Answer {
    match text(case, "part")? {
        "root" => root(case),
        "page" => Ok(of(read_page(&input(case)?).map(|page| page.entries.len()))),
        "manifest" => manifest(case),
        part => Err(Fault(format!("no part {part}"))),
    }
}

fn root(case: &Value) -> Answer {
    let root = digest(text(case, "root")?)?;
    let read = read_root(&input(case)?, &root, count(case, "size")?);
    Ok(of(read.map(|root| root.sections.iter().map(Vec::len).sum::<usize>())))
}

fn manifest(case: &Value) -> Answer {
    let mut graph = Graph::default();
    for text in texts(case, "events")? {
        match decode::<Event>(text.as_bytes()) {
            Ok(envelope) => graph.insert(ChainEvent::from(envelope).into()),
            Err(error) => return Ok(refused(&error)),
        }
    }
    let chain = match only_chain(&graph) {
        Ok(chain) => chain,
        Err(error) => return Ok(refused(&error)),
    };
    let mark = match case.get("mark") {
        None => None,
        Some(_) => Some(mark(member(case, "mark")?)?),
    };
    let anchored = optional_text(case, "anchored")?.map(str::as_bytes);
    let now = Time::from_unix_seconds(count(case, "now")?).map_err(fault)?;
    let judged = check_manifest(&chain, text(case, "manifest")?.as_bytes(), anchored, mark.as_ref(), now);
    Ok(of(judged.map(|manifest| manifest.digest().to_string())))
}

fn mark(value: &Value) -> Result<Mark, Fault> {
    Ok(Mark { seq: count(value, "seq")?, digest: digest(text(value, "digest")?)? })
}

fn digest(text: &str) -> Result<Digest, Fault> {
    Digest::parse(text).map_err(fault)
}

fn fault(error: KezError) -> Fault {
    Fault(error.to_string())
}
