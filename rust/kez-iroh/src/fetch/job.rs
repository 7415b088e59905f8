//! One fetch: its files, its parts and its sources, until all is at its place or somebody ends it.

use super::deliver::{self, Target};
use super::parts::{JobFile, Parts};
use super::source::{self, Source};
use super::work::{Flight, Work};
use crate::limits::{PROGRESS_EVERY, QUIET, SYNC_EVERY};
use crate::meter::Meter;
use crate::node::Node;
use crate::refusal::Refusal;
use iroh::{EndpointAddr, EndpointId};
use iroh_blobs::Hash;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

/// Why a job ends.
#[derive(Debug, Clone)]
pub enum Stop {
    /// Everything is at its place.
    Done,
    /// Parts are kept.
    Paused,
    /// Parts are deleted.
    Cancelled,
    /// Parts are kept.
    Failed(Refusal),
}

/// See the module.
pub struct Job {
    /// The engine's name for it.
    pub name: String,
    into: PathBuf,
    /// What is fetched.
    pub files: Vec<JobFile>,
    /// Where it is written.
    pub parts: Parts,
    work: Mutex<Work>,
    /// Told when there may be work again.
    pub wake: Notify,
    pub(super) stop: watch::Sender<Option<Stop>>,
    over: watch::Sender<bool>,
    /// Bytes of this run.
    pub meter: Meter,
    pub(super) total: u64,
    pub(super) missing: u64,
    complete: Vec<usize>,
    pub(super) sources: Mutex<HashMap<EndpointId, Arc<Source>>>,
    tasks: Mutex<JoinSet<()>>,
    pub(super) faults: AtomicUsize,
    pub(super) got: AtomicU64,
    max_rate: Option<u64>,
    pace: Mutex<Instant>,
}

impl Job {
    #[allow(clippy::too_many_arguments)]
    /// A job of which `missing` bytes are to be fetched; `complete` files have only to be placed.
    pub fn new(
        name: String,
        into: PathBuf,
        files: Vec<JobFile>,
        parts: Parts,
        work: Work,
        missing: u64,
        complete: Vec<usize>,
        max_rate: Option<u64>,
    ) -> Self {
        let total = files.iter().map(|file| file.size).sum();
        Self {
            name,
            into,
            files,
            parts,
            work: Mutex::new(work),
            wake: Notify::new(),
            stop: watch::Sender::new(None),
            over: watch::Sender::new(false),
            meter: Meter::default(),
            total,
            missing,
            complete,
            sources: Mutex::default(),
            tasks: Mutex::default(),
            faults: AtomicUsize::new(0),
            got: AtomicU64::new(0),
            max_rate,
            pace: Mutex::new(Instant::now()),
        }
    }

    /// What is missing.
    pub fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn sources(&self) -> MutexGuard<'_, HashMap<EndpointId, Arc<Source>>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the job; the first reason counts.
    pub fn stop(&self, stop: Stop) {
        self.stop.send_if_modified(|current| {
            current.is_none() && {
                *current = Some(stop);
                true
            }
        });
        self.wake.notify_waiters();
    }

    /// Changes when the job ends.
    pub fn stopping(&self) -> watch::Receiver<Option<Stop>> {
        self.stop.subscribe()
    }

    /// Waits until nothing is written any more.
    pub async fn ended(&self) {
        self.over.subscribe().wait_for(|over| *over).await.ok();
    }

    /// Adds sources, or gives those that there are other addresses.
    pub fn add_sources(self: &Arc<Self>, node: &Arc<Node>, addresses: Vec<EndpointAddr>) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        for address in addresses {
            self.work().forgive(&address.id);
            let mut sources = self.sources();
            if let Some(source) = sources.get(&address.id).filter(|source| !source.is_over()) {
                source.move_to(address);
                continue;
            }
            let source = Arc::new(Source::new(address));
            sources.insert(source.id, Arc::clone(&source));
            tasks.spawn(source::run(Arc::clone(self), Arc::clone(node), source));
        }
        drop(tasks);
        self.wake.notify_waiters();
    }

    /// Runs until the job ends, and leaves the parts as they must be.
    pub async fn run(self: &Arc<Self>, node: &Arc<Node>, addresses: Vec<EndpointAddr>) {
        self.add_sources(node, addresses);
        for index in self.complete.clone() {
            self.place(index).await;
        }
        self.check_done();
        self.check_hopeless();
        self.watch_over(node).await;
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let orderly = async { while tasks.join_next().await.is_some() {} };
        tokio::time::timeout(Duration::from_secs(2), orderly).await.ok();
        tasks.shutdown().await;
        self.note().await;
        let job = Arc::clone(self);
        let end = self.stop.borrow().clone();
        let tidy = move || {
            deliver::sync_folders(job.files.iter().map(|file| file.path.as_path()));
            if matches!(end, Some(Stop::Done | Stop::Cancelled)) {
                job.parts.remove();
            }
        };
        tokio::task::spawn_blocking(tidy).await.ok();
        self.over.send_replace(true);
    }

    /// Progress and the journal, until the job ends.
    async fn watch_over(self: &Arc<Self>, node: &Node) {
        let mut stop = self.stopping();
        let mut ticks = tokio::time::interval(PROGRESS_EVERY);
        let (mut noted, mut heard, mut told) = (Instant::now(), Instant::now(), "");
        loop {
            tokio::select! {
                _ = stop.wait_for(Option::is_some) => return,
                _ = ticks.tick() => {}
            }
            let reading = self.meter.read();
            if reading.is_some() {
                heard = Instant::now();
            }
            let state = if heard.elapsed() > QUIET || self.sources().values().all(|source| !source.is_connected()) {
                "waiting"
            } else {
                "running"
            };
            if reading.is_some() || state != told {
                told = state;
                node.out.mention(&self.progress(state, reading.map_or(0, |reading| reading.rate)));
            }
            if noted.elapsed() >= SYNC_EVERY {
                self.note().await;
                noted = Instant::now();
            }
        }
    }

    /// Makes what was written last and notes it.
    async fn note(self: &Arc<Self>) {
        let written = self.work().drain_unnoted();
        if written.is_empty() {
            return;
        }
        let job = Arc::clone(self);
        let noted = tokio::task::spawn_blocking(move || job.parts.note(&written)).await;
        if let Ok(Err(cause)) = noted {
            self.stop(Stop::Failed(Refusal::io("target.write", "keep what was received", &cause)));
        }
    }

    /// Ends a flight, and places its file if that is complete.
    pub async fn land(self: &Arc<Self>, flight: &Flight) {
        let complete = self.work().land(flight);
        self.wake.notify_waiters();
        if complete {
            self.place(flight.file).await;
            self.check_done();
        }
    }

    async fn place(self: &Arc<Self>, index: usize) {
        let job = Arc::clone(self);
        let placing = move || {
            let Some(file) = job.files.get(index) else { return Ok(()) };
            deliver::deliver(
                &job.parts,
                index,
                file.size,
                &Target { into: &job.into, path: &file.path, overwrite: file.overwrite },
            )
        };
        match tokio::task::spawn_blocking(placing).await {
            Ok(Ok(())) => self.work().undelivered -= 1,
            Ok(Err(refusal)) => self.stop(Stop::Failed(refusal)),
            Err(_) => self.stop(Stop::Failed(Refusal::new("internal", "Cannot place a file"))),
        }
    }

    fn check_done(&self) {
        if self.work().undelivered == 0 {
            self.stop(Stop::Done);
        }
    }

    /// Has a file fetched elsewhere, if there is anybody else.
    pub fn avoid(&self, source: &EndpointId, file: usize) {
        if self.sources().values().any(|other| other.id != *source && !other.is_over()) {
            self.work().lacks(*source, file);
        }
    }

    /// Ends the job if no source is left that could bring anything.
    pub fn check_hopeless(&self) {
        let (left, why): (Vec<_>, Vec<_>) = self
            .sources()
            .values()
            .map(|source| (source.id, source.verdict()))
            .partition(|(_, verdict)| verdict.is_none());
        let left: Vec<EndpointId> = left.into_iter().map(|(id, _)| id).collect();
        if !self.work().is_hopeless(&left) {
            return;
        }
        let faulty = why.iter().any(|(_, verdict)| *verdict == Some("faulty"));
        let refusal = if faulty {
            Refusal::new("peer.faulty", "Cannot go on: what the sources send is not the file")
                .hint("Ask for it to be offered again")
        } else {
            Refusal::new("peer.refused", "Cannot go on: no source gives what is missing")
                .hint("Ask for it to be offered again. What was received is kept")
        };
        self.stop(Stop::Failed(refusal));
    }

    /// Counts bytes that were verified.
    pub fn count(&self, hash: &Hash, bytes: u64) {
        self.meter.add(hash, bytes);
        self.got.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Waits as long as the rate that was asked for demands.
    pub async fn keep_pace(&self, bytes: u64) {
        let Some(rate) = self.max_rate else { return };
        let until = {
            let mut next = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
            *next = (*next).max(Instant::now()) + Duration::from_secs(1).mul_f64(bytes as f64 / rate.max(1) as f64);
            *next
        };
        tokio::time::sleep_until(until.into()).await;
    }
}
