//! One endpoint that may have the files: connected to, asked over a few streams at once, and tried again when it goes away.

use super::job::Job;
use super::pull::{self, Outcome};
use crate::limits::{CLOSE_REASON, CONNECT, FAULTS, PULLS, REFUSALS, RETRY_PAUSE_MAX};
use crate::meter::Meter;
use crate::node::{Node, id_text};
use crate::paths;
use iroh::endpoint::{ConnectError, ConnectWithOptsError, ConnectingError, Connection, ConnectionError};
use iroh::{EndpointAddr, EndpointId};
use iroh_blobs::protocol::ERR_PERMISSION;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;

struct State {
    address: EndpointAddr,
    connection: Option<Connection>,
    word: &'static str,
    verdict: Option<&'static str>,
}

/// See the module.
pub struct Source {
    /// Its id.
    pub id: EndpointId,
    /// Its bytes.
    pub meter: Meter,
    state: Mutex<State>,
    moved: Notify,
    faults: AtomicU32,
}

impl Source {
    /// A source that was not asked yet.
    pub fn new(address: EndpointAddr) -> Self {
        let id = address.id;
        let state = Mutex::new(State { address, connection: None, word: "connecting", verdict: None });
        Self { id, meter: Meter::default(), state, moved: Notify::new(), faults: AtomicU32::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it can be reached from now on; tried at once.
    pub fn move_to(&self, address: EndpointAddr) {
        self.lock().address = address;
        self.moved.notify_one();
    }

    /// Why it is asked no more, if so.
    pub fn verdict(&self) -> Option<&'static str> {
        self.lock().verdict
    }

    /// Whether it is asked no more.
    pub fn is_over(&self) -> bool {
        self.verdict().is_some()
    }

    /// Whether there is a connection.
    pub fn is_connected(&self) -> bool {
        self.lock().connection.is_some()
    }

    /// Its entry in a progress event.
    pub fn describe(&self) -> Value {
        let rate = self.meter.read().map_or(0, |reading| reading.rate);
        let bytes = self.meter.total();
        let state = self.lock();
        let path = state.connection.as_ref().map_or("none", paths::kind);
        json!({ "peer": id_text(&self.id), "state": state.word, "path": path, "rate": rate, "bytes": bytes })
    }

    /// One more fault; true if it is asked no more.
    fn is_faulty(&self) -> bool {
        self.faults.fetch_add(1, Ordering::Relaxed) + 1 >= FAULTS
    }
}

async fn tell(job: &Job, node: &Node, source: &Source, word: &'static str) {
    let path = {
        let mut state = source.lock();
        if state.word == word && word != "connected" {
            return;
        }
        state.word = word;
        state.connection.as_ref().map_or("none", paths::kind)
    };
    node.out
        .tell(&json!({ "event": "source", "job": job.name, "peer": id_text(&source.id), "state": word, "path": path }))
        .await;
}

/// How the time with a source ended.
enum End {
    /// The job is over.
    Job,
    /// It went away.
    Lost,
    /// It gives nothing to us.
    Refused,
    /// It sent wrong bytes too often.
    Faulty,
}

/// Asks the source until the job ends or the source is asked no more.
pub async fn run(job: Arc<Job>, node: Arc<Node>, source: Arc<Source>) {
    let mut refusals = 0;
    let mut pause = Duration::from_millis(250);
    let mut stop = job.stopping();
    loop {
        if stop.borrow().is_some() {
            return;
        }
        let end = visit(&job, &node, &source, &mut pause).await;
        source.lock().connection = None;
        match end {
            End::Job => return,
            End::Faulty => return give_up(&job, &node, &source, "faulty").await,
            End::Refused => {
                refusals += 1;
                if refusals >= REFUSALS {
                    return give_up(&job, &node, &source, "refused").await;
                }
            }
            End::Lost => {}
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(RETRY_PAUSE_MAX),
            () = source.moved.notified() => pause = Duration::from_millis(250),
            _ = stop.wait_for(Option::is_some) => return,
        }
    }
}

async fn give_up(job: &Job, node: &Node, source: &Source, verdict: &'static str) {
    source.lock().verdict = Some(verdict);
    tell(job, node, source, verdict).await;
    job.check_hopeless();
}

async fn visit(job: &Arc<Job>, node: &Arc<Node>, source: &Arc<Source>, pause: &mut Duration) -> End {
    let address = source.lock().address.clone();
    let mut stop = job.stopping();
    let connecting = tokio::time::timeout(CONNECT, node.endpoint.connect(address, iroh_blobs::ALPN));
    let connected = tokio::select! {
        connected = connecting => connected,
        _ = stop.wait_for(Option::is_some) => return End::Job,
    };
    let connection = match connected {
        Ok(Ok(connection)) => connection,
        Ok(Err(cause)) => {
            let word = trouble(&cause);
            tell(job, node, source, word).await;
            return if word == "refused" { End::Refused } else { End::Lost };
        }
        Err(_) => {
            tell(job, node, source, "unreachable").await;
            return End::Lost;
        }
    };
    source.lock().connection = Some(connection.clone());
    tell(job, node, source, "connected").await;
    let end = pull_all(job, node, source, &connection, pause).await;
    match end {
        End::Job => connection.close(0u32.into(), b"done"),
        End::Faulty => connection.close(0u32.into(), b"faulty"),
        End::Lost => tell(job, node, source, "lost").await,
        End::Refused => tell(job, node, source, "refused").await,
    }
    end
}

/// Several requests at once, so that neither distance nor small files leave the connection idle.
async fn pull_all(
    job: &Arc<Job>,
    node: &Arc<Node>,
    source: &Arc<Source>,
    connection: &Connection,
    pause: &mut Duration,
) -> End {
    let before = source.meter.total();
    let mut pulls = JoinSet::new();
    for _ in 0..PULLS {
        pulls.spawn(pull_some(Arc::clone(job), Arc::clone(node), Arc::clone(source), connection.clone()));
    }
    let mut end = End::Job;
    while let Some(one) = pulls.join_next().await {
        match one {
            Ok(End::Job) => {}
            Ok(other) => {
                if matches!(other, End::Lost) {
                    // Why the other side closed comes a moment after its streams end.
                    tokio::time::timeout(CLOSE_REASON, connection.closed()).await.ok();
                }
                if is_refused(connection.close_reason().as_ref()) {
                    end = End::Refused;
                } else if !matches!(end, End::Faulty | End::Refused) {
                    end = other;
                }
                // The others end by themselves: their connection is gone.
                connection.close(0u32.into(), b"");
            }
            Err(_) => end = End::Lost,
        }
    }
    if source.meter.total() > before {
        *pause = Duration::from_millis(250);
    }
    end
}

async fn pull_some(job: Arc<Job>, node: Arc<Node>, source: Arc<Source>, connection: Connection) -> End {
    let mut stop = job.stopping();
    loop {
        if stop.borrow().is_some() {
            return End::Job;
        }
        if source.faults.load(Ordering::Relaxed) >= FAULTS {
            return End::Faulty;
        }
        let woken = job.wake.notified();
        let flight = job.work().take(source.id);
        let Some(flight) = flight else {
            tokio::select! {
                () = woken => continue,
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
                _ = stop.wait_for(Option::is_some) => return End::Job,
                _ = connection.closed() => return End::Lost,
            }
            continue;
        };
        let outcome = pull::pull(&job, &source, &connection, &flight).await;
        let at = flight.taken.load(Ordering::Acquire);
        match outcome {
            Outcome::Whole | Outcome::Stopped => {}
            Outcome::Wrong(kind) => {
                job.tell_fault(&node, &source.id, flight.file, kind, at).await;
                let over = source.is_faulty();
                job.avoid(&source.id, flight.file);
                job.land(&flight).await;
                if over {
                    return End::Faulty;
                }
                continue;
            }
            Outcome::Lacking(damaged) => {
                job.work().lacks(source.id, flight.file);
                if damaged {
                    job.tell_fault(&node, &source.id, flight.file, "source", at).await;
                }
                job.land(&flight).await;
                job.check_hopeless();
                continue;
            }
            Outcome::Busy => tokio::time::sleep(Duration::from_millis(500)).await,
            Outcome::Gone => {
                job.land(&flight).await;
                return End::Lost;
            }
            Outcome::Failed(refusal) => {
                job.land(&flight).await;
                job.stop(super::job::Stop::Failed(refusal));
                return End::Job;
            }
        }
        job.land(&flight).await;
    }
}

/// In a word, why there is no connection.
fn trouble(cause: &ConnectError) -> &'static str {
    let connection = match cause {
        ConnectError::Connecting { source: ConnectingError::ConnectionError { source, .. }, .. }
        | ConnectError::Connection { source, .. } => source,
        ConnectError::Connect { source: ConnectWithOptsError::NoAddress { .. }, .. } => return "unknown",
        _ => return "unreachable",
    };
    match connection {
        // Who answers at that address has not the key of that name.
        ConnectionError::TransportError(_) | ConnectionError::ConnectionClosed(_) => "impostor",
        other if is_refused(Some(other)) => "refused",
        _ => "unreachable",
    }
}

fn is_refused(reason: Option<&ConnectionError>) -> bool {
    matches!(reason, Some(ConnectionError::ApplicationClosed(close)) if close.error_code == ERR_PERMISSION)
}
