//! Who asks for files, and whether they get them. The order is: connection limits, the allow-list, the request, the allow-list for its
//! hash, and only then the store. An endpoint that is not listed learns that somebody is there, which it knew, and nothing else.

use crate::limits::{
    HANDSHAKE, MAX_CONNECTIONS, MAX_HANDSHAKES, MAX_PEER_CONNECTIONS, MAX_PEER_REQUESTS, MAX_REFUSALS_TOLD,
    MAX_WINDOW_REQUESTS, PROGRESS_EVERY, REQUEST_WINDOW,
};
use crate::meter::Meter;
use crate::node::{Node, id_text};
use crate::{answer, paths};
use iroh::EndpointId;
use iroh::endpoint::{Connection, Incoming};
use iroh_blobs::protocol::{ERR_LIMIT, ERR_PERMISSION};
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Semaphore;

/// What one peer uses over all its connections.
struct Guest {
    connections: usize,
    requests: Arc<Semaphore>,
    window: (Instant, u32),
}

#[derive(Default)]
struct Seats {
    guests: HashMap<EndpointId, Guest>,
    connections: usize,
    refusals: Option<(Instant, u32)>,
}

/// Limits of all who are connected.
#[derive(Default)]
pub struct Desk {
    seats: Mutex<Seats>,
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The peer's share of requests, or none when there are too many connections.
    fn sit(&self, peer: EndpointId) -> Option<Arc<Semaphore>> {
        let mut seats = self.lock();
        if seats.connections >= MAX_CONNECTIONS {
            return None;
        }
        let guest = seats.guests.entry(peer).or_insert_with(|| Guest {
            connections: 0,
            requests: Arc::new(Semaphore::new(MAX_PEER_REQUESTS)),
            window: (Instant::now(), 0),
        });
        if guest.connections >= MAX_PEER_CONNECTIONS {
            return None;
        }
        guest.connections += 1;
        let requests = Arc::clone(&guest.requests);
        seats.connections += 1;
        Some(requests)
    }

    fn leave(&self, peer: &EndpointId) {
        let mut seats = self.lock();
        seats.connections = seats.connections.saturating_sub(1);
        let Some(guest) = seats.guests.get_mut(peer) else { return };
        guest.connections = guest.connections.saturating_sub(1);
        // A peer that comes and goes does not get a new window each time.
        if guest.connections == 0 && guest.window.0.elapsed() > REQUEST_WINDOW {
            seats.guests.remove(peer);
        }
    }

    /// Whether one more request of this peer is within its window.
    fn count(&self, peer: &EndpointId) -> bool {
        let mut seats = self.lock();
        let Some(guest) = seats.guests.get_mut(peer) else { return false };
        if guest.window.0.elapsed() > REQUEST_WINDOW {
            guest.window = (Instant::now(), 0);
        }
        guest.window.1 += 1;
        guest.window.1 <= MAX_WINDOW_REQUESTS
    }

    /// Whether a refusal is still told: a flood of them must not become a flood of lines.
    fn may_tell(&self) -> bool {
        let mut seats = self.lock();
        let (since, count) = seats.refusals.get_or_insert((Instant::now(), 0));
        if since.elapsed().as_secs() >= 1 {
            (*since, *count) = (Instant::now(), 0);
        }
        *count += 1;
        *count <= MAX_REFUSALS_TOLD
    }
}

/// Tells the engine that somebody got nothing.
pub fn refused(node: &Node, peer: &EndpointId, why: &str) {
    if node.desk.may_tell() {
        node.out.mention(&json!({ "event": "refused", "peer": id_text(peer), "why": why }));
    }
}

/// Accepts until the endpoint closes. No end of one connection ends it.
pub async fn accept_all(node: Arc<Node>) {
    let handshakes = Arc::new(Semaphore::new(MAX_HANDSHAKES));
    while let Some(incoming) = node.endpoint.accept().await {
        let Ok(permit) = Arc::clone(&handshakes).try_acquire_owned() else {
            incoming.refuse();
            continue;
        };
        // With many under way, who asks shows first that its address is its own.
        if handshakes.available_permits() < MAX_HANDSHAKES / 2 && !incoming.remote_addr_validated() {
            incoming.retry().ok();
            continue;
        }
        let node = Arc::clone(&node);
        tokio::spawn(async move {
            let connection = tokio::time::timeout(HANDSHAKE, shake(incoming)).await.ok().flatten();
            drop(permit);
            if let Some(connection) = connection {
                welcome(&node, connection).await;
            }
        });
    }
}

async fn shake(incoming: Incoming) -> Option<Connection> {
    incoming.accept().ok()?.await.ok()
}

async fn welcome(node: &Arc<Node>, connection: Connection) {
    let peer = connection.remote_id();
    if !node.grants.lists(&peer) {
        connection.close(ERR_PERMISSION, b"refused");
        return refused(node, &peer, "unlisted");
    }
    let Some(requests) = node.desk.sit(peer) else {
        connection.close(ERR_LIMIT, b"limit");
        return refused(node, &peer, "connections");
    };
    let state = serve(node, &connection, peer, &requests).await;
    node.desk.leave(&peer);
    node.out.tell(&json!({ "event": "peer", "peer": id_text(&peer), "state": state })).await;
}

/// Answers requests until the connection ends or nothing is granted any more; how it ended.
async fn serve(node: &Arc<Node>, connection: &Connection, peer: EndpointId, requests: &Arc<Semaphore>) -> &'static str {
    let meter = Arc::new(Meter::default());
    let mut changes = node.grants.changes();
    let mut ticks = tokio::time::interval(PROGRESS_EVERY);
    let mut path = "none";
    loop {
        tokio::select! {
            stream = connection.accept_bi() => {
                let Ok((mut send, recv)) = stream else { break };
                let permit = Arc::clone(requests).try_acquire_owned().ok().filter(|_| node.desk.count(&peer));
                let Some(permit) = permit else {
                    send.reset(ERR_LIMIT).ok();
                    refused(node, &peer, "requests");
                    continue;
                };
                let (node, meter) = (Arc::clone(node), Arc::clone(&meter));
                tokio::spawn(async move {
                    answer::answer(&node, peer, send, recv, &meter).await;
                    drop(permit);
                });
            }
            _ = changes.changed() => {
                if !node.grants.lists(&peer) {
                    connection.close(ERR_PERMISSION, b"refused");
                    tell_serving(node, &peer, path, &meter);
                    return "cut";
                }
            }
            _ = ticks.tick() => {
                let now = paths::kind(connection);
                if now != path {
                    let state = if path == "none" { "connected" } else { "path" };
                    path = now;
                    node.out.tell(&json!({ "event": "peer", "peer": id_text(&peer), "state": state, "path": path })).await;
                }
                tell_serving(node, &peer, path, &meter);
            }
        }
    }
    tell_serving(node, &peer, path, &meter);
    // A peer whose streams were cut may be faster to leave than we are to close.
    if node.grants.lists(&peer) { "gone" } else { "cut" }
}

fn tell_serving(node: &Node, peer: &EndpointId, path: &str, meter: &Meter) {
    if let Some(reading) = meter.read() {
        let files: Vec<_> = reading
            .files
            .iter()
            .map(|(hash, bytes)| json!({ "hash": hash.to_hex().to_string(), "bytes": bytes }))
            .collect();
        let (bytes, rate) = (reading.bytes, reading.rate);
        node.out.mention(&json!({ "event": "serving", "peer": id_text(peer), "path": path, "bytes": bytes, "rate": rate, "files": files }));
    }
}
