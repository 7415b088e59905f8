//! One request of a peer: read, held against the allow-list, and answered from the store as a verified stream.

use crate::limits::{MAX_REQUEST_RANGES, REQUEST_READ, SEND_STALL};
use crate::meter::Meter;
use crate::node::{Node, id_text};
use crate::serve::refused;
use bytes::{Bytes, BytesMut};
use iroh::EndpointId;
use iroh::endpoint::{RecvStream, SendStream, VarInt};
use iroh_blobs::Hash;
use iroh_blobs::api::blobs::EncodedItem;
use iroh_blobs::protocol::{ChunkRanges, ERR_INTERNAL, ERR_LIMIT, ERR_PERMISSION, Request};
use n0_future::StreamExt;
use serde_json::json;
use tokio::sync::watch;

/// Bytes that are handed to QUIC at once.
const BATCH: usize = 128 * 1024;

/// Answers, or resets the stream. A hash that is not granted, one that nobody knows and a request of another kind look the same.
pub async fn answer(node: &Node, peer: EndpointId, mut send: SendStream, recv: RecvStream, meter: &Meter) {
    let Err(code) = try_answer(node, peer, &mut send, recv, meter).await else {
        send.finish().ok();
        return;
    };
    send.reset(code).ok();
}

async fn try_answer(
    node: &Node,
    peer: EndpointId,
    send: &mut SendStream,
    mut recv: RecvStream,
    meter: &Meter,
) -> Result<(), VarInt> {
    let read = tokio::time::timeout(REQUEST_READ, Request::read_async(&mut recv)).await;
    let (hash, ranges) = read.ok().and_then(Result::ok).and_then(|(request, _)| blob(request)).ok_or(ERR_PERMISSION)?;
    let changes = node.grants.changes();
    if !node.grants.allows(&peer, &hash) {
        refused(node, &peer, "hash");
        return Err(ERR_PERMISSION);
    }
    if let Some(path) = node.library.changed(&hash) {
        node.out.tell(&json!({ "event": "changed", "hash": hash.to_hex().to_string(), "path": path })).await;
        return Err(ERR_INTERNAL);
    }
    let mut sending =
        Sending { node, peer, hash, changes, meter, send, batch: Vec::new(), head: BytesMut::new(), size: 0 };
    sending.run(ranges).await
}

/// The one kind of request that is answered: ranges of one file.
fn blob(request: Request) -> Option<(Hash, ChunkRanges)> {
    let Request::Get(get) = request else { return None };
    if !get.ranges.is_blob() {
        return None;
    }
    let ranges = get.ranges.iter_infinite().next()?.clone();
    (!ranges.is_empty() && ranges.boundaries().len() <= MAX_REQUEST_RANGES * 2).then_some((get.hash, ranges))
}

struct Sending<'a> {
    node: &'a Node,
    peer: EndpointId,
    hash: Hash,
    changes: watch::Receiver<u64>,
    meter: &'a Meter,
    send: &'a mut SendStream,
    batch: Vec<Bytes>,
    head: BytesMut,
    size: usize,
}

impl Sending<'_> {
    async fn run(&mut self, ranges: ChunkRanges) -> Result<(), VarInt> {
        let mut items = std::pin::pin!(self.node.library.store().blobs().export_bao(self.hash, ranges).stream());
        while let Some(item) = items.next().await {
            match item {
                EncodedItem::Size(size) => self.head.extend_from_slice(&size.to_le_bytes()),
                EncodedItem::Parent(parent) => {
                    self.head.extend_from_slice(parent.pair.0.as_bytes());
                    self.head.extend_from_slice(parent.pair.1.as_bytes());
                }
                EncodedItem::Leaf(leaf) => {
                    self.take_head();
                    self.size += leaf.data.len();
                    self.batch.push(leaf.data);
                    if self.size >= BATCH {
                        self.flush().await?;
                    }
                }
                EncodedItem::Done => {}
                EncodedItem::Error(_) => return self.fail().await,
            }
        }
        self.flush().await
    }

    fn take_head(&mut self) {
        if !self.head.is_empty() {
            self.batch.push(self.head.split().freeze());
        }
    }

    /// The file does not hash to what it did: it was written to without its time changing, or its disk fails.
    /// The stream ends before its time, which says so, and unlike a reset does not take back what is before it.
    async fn fail(&mut self) -> Result<(), VarInt> {
        self.flush().await?;
        let hash = self.hash.to_hex().to_string();
        self.node.out.tell(&json!({ "event": "changed", "hash": hash, "peer": id_text(&self.peer) })).await;
        Ok(())
    }

    /// Sends what was gathered, unless the grant is gone meanwhile.
    async fn flush(&mut self) -> Result<(), VarInt> {
        self.take_head();
        let mut batch = std::mem::take(&mut self.batch);
        let mut write = std::pin::pin!(self.send.write_all_chunks(&mut batch));
        loop {
            if !self.node.grants.allows(&self.peer, &self.hash) {
                return Err(ERR_PERMISSION);
            }
            tokio::select! {
                biased;
                _ = self.changes.changed() => {}
                done = &mut write => {
                    done.map_err(|_| ERR_INTERNAL)?;
                    break;
                }
                () = tokio::time::sleep(SEND_STALL) => return Err(ERR_LIMIT),
            }
        }
        self.meter.add(&self.hash, std::mem::take(&mut self.size) as u64);
        Ok(())
    }
}
