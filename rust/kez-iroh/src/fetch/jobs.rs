//! The fetches and imports that go on, by their names.

use super::begin::begin;
use super::job::{Job, Stop};
use crate::import::Import;
use crate::limits::MAX_JOBS;
use crate::node::Node;
use crate::refusal::Refusal;
use crate::wire::{self, Fetch, MoreProviders};
use iroh::EndpointAddr;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

enum Entry {
    Fetch(Arc<Job>),
    Import(Arc<AtomicBool>),
    /// Its parts are being looked at.
    Opening,
}

/// How somebody ends a job.
#[derive(Clone, Copy)]
pub enum Ending {
    /// Keeping what a fetch has.
    Pause,
    /// Keeping nothing.
    Cancel,
}

/// See the module.
#[derive(Default)]
pub struct Jobs {
    entries: Mutex<HashMap<String, Entry>>,
}

impl Jobs {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reserve(&self, name: &str, entry: Entry) -> Result<(), Refusal> {
        let mut entries = self.lock();
        if entries.contains_key(name) {
            return Err(Refusal::new("job.busy", format!("Cannot start {name}: it is running")));
        }
        if entries.len() >= MAX_JOBS {
            return Err(Refusal::new("limit.count", format!("Cannot start {name}: {MAX_JOBS} jobs are running"))
                .hint("Wait for one to end"));
        }
        entries.insert(name.to_owned(), entry);
        Ok(())
    }

    /// Ends all fetches, keeping what they have.
    pub async fn stop_all(&self) {
        let jobs: Vec<Arc<Job>> = self
            .lock()
            .values()
            .filter_map(|entry| if let Entry::Fetch(job) = entry { Some(Arc::clone(job)) } else { None })
            .collect();
        for job in &jobs {
            job.stop(Stop::Paused);
        }
        for job in &jobs {
            job.ended().await;
        }
    }

    /// `pause` and `cancel`.
    pub async fn end(&self, name: &str, ending: Ending) -> Result<Value, Refusal> {
        let job = match self.lock().get(name) {
            Some(Entry::Fetch(job)) => Arc::clone(job),
            Some(Entry::Import(cancelled)) => {
                cancelled.store(true, Ordering::Relaxed);
                return Ok(json!({}));
            }
            Some(Entry::Opening) => {
                return Err(
                    Refusal::new("job.busy", format!("Cannot end {name}: it is just starting")).hint("Try again")
                );
            }
            None => return Err(unknown(name)),
        };
        job.stop(match ending {
            Ending::Pause => Stop::Paused,
            Ending::Cancel => Stop::Cancelled,
        });
        job.ended().await;
        Ok(json!({}))
    }

    /// `providers`.
    pub fn add(&self, node: &Arc<Node>, more: &MoreProviders) -> Result<Value, Refusal> {
        let addresses = node.askable(wire::providers(&more.providers)?);
        let job = match self.lock().get(&more.job) {
            Some(Entry::Fetch(job)) => Arc::clone(job),
            _ => return Err(unknown(&more.job)),
        };
        job.add_sources(node, addresses);
        Ok(json!({}))
    }

    fn remove(&self, name: &str) {
        self.lock().remove(name);
    }
}

fn unknown(name: &str) -> Refusal {
    Refusal::new("job.unknown", format!("Cannot find {name}: no job of that name is running"))
}

/// Starts or continues a fetch; the answer says what is there already.
pub async fn fetch(node: &Arc<Node>, fetch: Fetch) -> Result<Value, Refusal> {
    wire::label(&fetch.job)?;
    let providers: Vec<EndpointAddr> = node.askable(wire::providers(&fetch.providers)?);
    let name = fetch.job.clone();
    node.jobs.reserve(&name, Entry::Opening)?;
    let opened = tokio::task::spawn_blocking(move || begin(fetch)).await;
    let job = match opened.unwrap_or_else(|_| Err(Refusal::new("internal", "Cannot open the job"))) {
        Ok(job) => Arc::new(job),
        Err(refusal) => {
            node.jobs.remove(&name);
            return Err(refusal);
        }
    };
    node.jobs.lock().insert(name.clone(), Entry::Fetch(Arc::clone(&job)));
    let answer = job.describe();
    let node = Arc::clone(node);
    tokio::spawn(async move {
        job.run(&node, providers).await;
        node.jobs.remove(&name);
        job.tell_end(&node).await;
    });
    Ok(answer)
}

/// Hashes files; the answer comes when all are.
pub async fn import(node: &Arc<Node>, paths: Vec<PathBuf>, name: Option<String>) -> Result<Value, Refusal> {
    let import = Import::new(name.clone(), node.out.clone());
    if let Some(name) = &name {
        wire::label(name)?;
        node.jobs.reserve(name, Entry::Import(Arc::clone(&import.cancelled)))?;
    }
    let answer = import.run(&node.library, paths).await;
    if let Some(name) = &name {
        node.jobs.remove(name);
    }
    answer
}
