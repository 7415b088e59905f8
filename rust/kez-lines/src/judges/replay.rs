//! SPEC §5.4 to §5.7: the state that a set of events defines.

use kez_core::envelope::decode;
use kez_core::error::{Code, KezError};
use kez_core::sigchain::{Chain, ChainEvent, Graph, Split, SubjectStatus};
use kez_core::{Digest, Event, KeyIdentity};
use serde_json::{Map, Value, json};

use crate::outcome::{Answer, refused};
use crate::question::texts;

pub fn replay(case: &Value) -> Answer {
    let mut graph = Graph::default();
    for (place, text) in texts(case, "events")?.into_iter().enumerate() {
        match decode::<Event>(text.as_bytes()) {
            Ok(envelope) => graph.insert(ChainEvent::from(envelope).into()),
            Err(error) => return Ok(json!({ "code": error.code().as_str(), "at": place })),
        }
    }
    Ok(match only_chain(&graph) {
        Ok(chain) => json!({ "ok": state(&chain) }),
        Err(error) => refused(&error),
    })
}

/// The question names no chain: several events 0 → `chain.fork`, none or one that is not valid → `chain.genesis`.
pub(super) fn only_chain(graph: &Graph) -> kez_core::Result<Chain> {
    match graph.geneses().as_slice() {
        [] => Err(KezError::new(Code::ChainGenesis, "no event 0")),
        [genesis] => Chain::of(graph, genesis).map_err(|error| match error.code() {
            Code::LimitChain => error,
            _ => error.with_code(Code::ChainGenesis),
        }),
        _ => Err(KezError::new(Code::ChainFork, "several events 0")),
    }
}

fn state(chain: &Chain) -> Value {
    let (state, head) = (chain.state(), chain.head());
    let device = |key: &KeyIdentity| json!({ "key": key.as_str(), "suspended": chain.is_suspended(key) });
    let refused = chain.tree().refused().iter().map(|(digest, refusal)| (*digest, refusal.error.code().as_str()));
    let ranks = chain.splits().iter().flat_map(|split: &Split| &split.ranks).map(|(it, rank)| (*it, rank.as_str()));
    json!({
        "status": if chain.is_fork() { "fork" } else { "valid" },
        "contested": chain.is_contested(),
        "head": { "seq": head.seq(), "digest": head.digest().to_string() },
        "primary": state.primary().as_str(),
        "next": state.next().map(|next| next.to_string()),
        "devices": state.devices().iter().map(device).collect::<Vec<_>>(),
        "subjects": subjects(chain),
        "files": state.files().map(|files| files.manifest.to_string()),
        "refused": by_digest(refused),
        "ranks": by_digest(ranks),
    })
}

fn subjects(chain: &Chain) -> Value {
    let named = chain.subjects().into_iter().filter_map(|subject| {
        let status = match chain.subject(subject) {
            SubjectStatus::Active(_) => "active",
            SubjectStatus::Revoked => "revoked",
            SubjectStatus::Unknown => return None,
        };
        Some((subject.to_string(), status.into()))
    });
    Value::Object(named.collect::<Map<_, _>>())
}

fn by_digest<'a>(entries: impl Iterator<Item = (Digest, &'a str)>) -> Value {
    Value::Object(entries.map(|(digest, text)| (digest.to_string(), text.into())).collect())
}
