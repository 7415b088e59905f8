//! What the engine is told of a job.

use super::job::{Job, Stop};
use crate::node::{Node, id_text};
use iroh::EndpointId;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

impl Job {
    /// The answer of `fetch`.
    pub fn describe(&self) -> Value {
        let undelivered = self.work().undelivered;
        json!({ "job": self.name, "total": self.total, "bytes": self.total - self.missing, "files": self.files.len(), "filesDone": self.files.len() - undelivered })
    }

    pub(super) fn progress(&self, state: &str, rate: u64) -> Value {
        let sources: Vec<Value> = self.sources().values().map(|source| source.describe()).collect();
        let done = self.files.len() - self.work().undelivered;
        let bytes = self.bytes();
        json!({ "event": "progress", "job": self.name, "state": state, "bytes": bytes, "total": self.total, "rate": rate,
            "files": self.files.len(), "filesDone": done, "sources": sources })
    }

    /// Tells that a source sent what it should not have.
    pub async fn tell_fault(&self, node: &Node, source: &EndpointId, file: usize, kind: &str, offset: u64) {
        self.faults.fetch_add(1, Ordering::Relaxed);
        let path = self.files.get(file).map(|file| file.relative.as_str());
        node.out.tell(&json!({ "event": "fault", "job": self.name, "peer": id_text(source), "path": path, "kind": kind, "offset": offset })).await;
    }

    /// The last event of the job.
    pub async fn tell_end(&self, node: &Node) {
        let mut event = json!({ "event": "end", "job": self.name, "bytes": self.bytes(),
            "total": self.total, "faults": self.faults.load(Ordering::Relaxed) });
        let stop = self.stop.borrow().clone();
        let (state, error) = match stop {
            Some(Stop::Done) => ("done", None),
            Some(Stop::Cancelled) => ("cancelled", None),
            Some(Stop::Failed(refusal)) => ("failed", Some(refusal)),
            Some(Stop::Paused) | None => ("paused", None),
        };
        if let Some(members) = event.as_object_mut() {
            members.insert("state".to_owned(), json!(state));
            if let Some(error) = error {
                members.insert("error".to_owned(), json!(error));
            }
        }
        node.out.tell(&event).await;
    }

    /// Bytes that are there. What came twice counts once, at the latest in the end.
    fn bytes(&self) -> u64 {
        (self.total - self.missing + self.got.load(Ordering::Relaxed)).min(self.total)
    }
}
