//! One request for a segment: every 16 KiB is held against the file's hash before it is written, and nothing after a wrong one is read.

use super::job::Job;
use super::parts::write_at;
use super::source::Source;
use super::work::Flight;
use crate::limits::{RECEIVE_STALL, WRITE_BUFFER};
use crate::refusal::Refusal;
use bao_tree::ChunkNum;
use bao_tree::io::BaoContentItem;
use iroh::endpoint::{Connection, ReadError};
use iroh_blobs::get::fsm::{self, AtBlobContent, AtBlobHeaderNextError, BlobContentNext, ConnectedNext, DecodeError};
use iroh_blobs::protocol::{ChunkRanges, ERR_INTERNAL, ERR_LIMIT, ERR_PERMISSION, GetRequest};
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::time::timeout;

/// How a request ended. What was verified until then is written.
pub enum Outcome {
    /// All of it, or all that was still wanted of it.
    Whole,
    /// The job ends.
    Stopped,
    /// Wrong bytes or a wrong size, in a word.
    Wrong(&'static str),
    /// The source does not have the file for us; true if it has and cannot read it.
    Lacking(bool),
    /// The source has too much to do.
    Busy,
    /// The connection ended, or nothing came.
    Gone,
    /// Writing failed.
    Failed(Refusal),
}

/// Fetches `flight` from `source`.
pub async fn pull(job: &Job, source: &Source, connection: &Connection, flight: &Flight) -> Outcome {
    let Some(file) = job.files.get(flight.file) else { return Outcome::Stopped };
    let end = flight.end.load(Ordering::Acquire);
    let ranges = ChunkRanges::from(ChunkNum(flight.start / 1024)..ChunkNum(end.div_ceil(1024)));
    let request = GetRequest::blob_ranges(file.hash, ranges);
    let mut stop = job.stopping();
    let opening = timeout(RECEIVE_STALL, open(connection.clone(), request));
    let opened = tokio::select! {
        opened = opening => opened,
        _ = stop.wait_for(Option::is_some) => return Outcome::Stopped,
    };
    let (content, size) = match opened {
        Ok(Ok(opened)) => opened,
        Ok(Err(outcome)) => return outcome,
        Err(_) => return Outcome::Gone,
    };
    if size != file.size {
        return Outcome::Wrong("size");
    }
    let part = match job.parts.writer(flight.file) {
        Ok(part) => Arc::new(part),
        Err(cause) => return Outcome::Failed(write_refusal(&cause)),
    };
    let mut buffer = Buffer {
        part,
        flight,
        offset: flight.start,
        bytes: Vec::with_capacity(WRITE_BUFFER.min(usize::try_from(file.size).unwrap_or(WRITE_BUFFER))),
    };
    let outcome = read(job, source, content, flight, &mut buffer).await;
    match buffer.flush().await {
        Ok(()) => outcome,
        Err(cause) => Outcome::Failed(write_refusal(&cause)),
    }
}

async fn open(connection: Connection, request: GetRequest) -> Result<(AtBlobContent, u64), Outcome> {
    let connected =
        fsm::start(connection, request, fsm::RequestCounters::default()).next().await.map_err(|_| Outcome::Gone)?;
    let next = connected.next().await.map_err(|_| Outcome::Gone)?;
    let ConnectedNext::StartRoot(root) = next else { return Err(Outcome::Gone) };
    root.next().next().await.map_err(|cause| match cause {
        AtBlobHeaderNextError::Read { source, .. } => reset_outcome(&source),
        _ => Outcome::Lacking(true),
    })
}

async fn read(
    job: &Job,
    source: &Source,
    mut content: AtBlobContent,
    flight: &Flight,
    buffer: &mut Buffer<'_>,
) -> Outcome {
    let mut stop = job.stopping();
    let Some(file) = job.files.get(flight.file) else { return Outcome::Stopped };
    loop {
        let next = tokio::select! {
            next = timeout(RECEIVE_STALL, content.next()) => next,
            _ = stop.wait_for(Option::is_some) => return Outcome::Stopped,
        };
        let item = match next {
            Ok(BlobContentNext::More((more, item))) => {
                content = more;
                item
            }
            Ok(BlobContentNext::Done(_)) => return Outcome::Whole,
            Err(_) => return Outcome::Gone,
        };
        match item {
            Ok(BaoContentItem::Parent(_)) => {}
            Ok(BaoContentItem::Leaf(leaf)) => {
                let end = flight.end.load(Ordering::Acquire);
                if leaf.offset >= end {
                    return Outcome::Whole;
                }
                let bytes = leaf.data.len() as u64;
                flight.taken.store(leaf.offset + bytes, Ordering::Release);
                if let Err(cause) = buffer.push(&leaf.data).await {
                    return Outcome::Failed(write_refusal(&cause));
                }
                source.meter.add(&file.hash, bytes);
                job.count(&file.hash, bytes);
                job.keep_pace(bytes).await;
            }
            Err(DecodeError::ParentHashMismatch { .. } | DecodeError::LeafHashMismatch { .. }) => {
                return Outcome::Wrong("checksum");
            }
            Err(DecodeError::Read { source, .. }) => return reset_outcome(&source),
            // The source found that what it has is not the file, and stopped.
            Err(_) => return Outcome::Lacking(true),
        }
    }
}

/// What a source meant by ending the stream.
fn reset_outcome(cause: &std::io::Error) -> Outcome {
    let reset = cause.get_ref().and_then(|inner| inner.downcast_ref::<ReadError>());
    match reset {
        Some(ReadError::Reset(code)) if *code == ERR_PERMISSION => Outcome::Lacking(false),
        Some(ReadError::Reset(code)) if *code == ERR_INTERNAL => Outcome::Lacking(true),
        Some(ReadError::Reset(code)) if *code == ERR_LIMIT => Outcome::Busy,
        _ => Outcome::Gone,
    }
}

fn write_refusal(cause: &std::io::Error) -> Refusal {
    Refusal::io("target.write", "write what was received", cause)
}

/// Verified bytes that follow each other, on their way to the disk.
struct Buffer<'a> {
    part: Arc<File>,
    flight: &'a Flight,
    offset: u64,
    bytes: Vec<u8>,
}

impl Buffer<'_> {
    async fn push(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() >= WRITE_BUFFER { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> std::io::Result<()> {
        let bytes = std::mem::take(&mut self.bytes);
        if bytes.is_empty() {
            return Ok(());
        }
        let (part, offset) = (Arc::clone(&self.part), self.offset);
        self.offset += bytes.len() as u64;
        let write = move || write_at(&part, &bytes, offset).map(|()| bytes);
        let mut bytes = tokio::task::spawn_blocking(write).await.map_err(std::io::Error::other)??;
        self.flight.written.store(self.offset, Ordering::Release);
        bytes.clear();
        self.bytes = bytes;
        Ok(())
    }
}
