//! Requests in, answers out: until `stop`, the end of stdin or SIGTERM.

use crate::fetch::jobs;
use crate::fetch::jobs::Ending;
use crate::lines::{Line, Lines};
use crate::node::Node;
use crate::output::Output;
use crate::refusal::Refusal;
use crate::wire::{self, Offer, Operation};
use serde_json::{Map, Value, json};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::ctrl_c;
use zeroize::Zeroize;

/// Exit code when nobody reads what is said.
const UNHEARD: u8 = 1;

/// Runs the process.
pub async fn serve() -> ExitCode {
    let (out, mut writer) = Output::start();
    let mut lines = Lines::default();
    let mut node: Option<Arc<Node>> = None;
    // A terminal sends its interrupt to all; kez decides what it means and closes stdin.
    tokio::spawn(async { while ctrl_c().await.is_ok() {} });
    let mut terminated = std::pin::pin!(terminated());
    let mut farewell = None;
    loop {
        let line = tokio::select! {
            line = lines.next() => line,
            () = &mut terminated => break,
            _ = &mut writer => return ExitCode::from(UNHEARD),
        };
        match line {
            Line::End => break,
            Line::TooLong => {
                out.answer(&Value::Null, Err(Refusal::new("request.size", "Cannot read the request: it is too long")))
                    .await
            }
            Line::Text(mut line) => {
                let read = read(&line);
                line.zeroize();
                let (id, operation) = match read {
                    Ok(read) => read,
                    Err((id, refusal)) => {
                        out.answer(&id, Err(refusal)).await;
                        continue;
                    }
                };
                if matches!(operation, Operation::Stop(_)) {
                    farewell = Some(id);
                    break;
                }
                handle(&out, &mut node, id, operation).await;
            }
        }
    }
    if let Some(node) = node {
        node.stop().await;
    }
    if let Some(id) = farewell {
        out.answer(&id, Ok(json!({}))).await;
    }
    drop(out);
    // Tasks that were stopped may hold a way out for a moment.
    tokio::time::timeout(std::time::Duration::from_millis(500), writer).await.ok();
    ExitCode::SUCCESS
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}

/// The request in a line, or what is wrong with it and the id to say it to.
fn read(line: &[u8]) -> Result<(Value, Operation), (Value, Refusal)> {
    let unreadable = || Refusal::new("request.json", "Cannot read the request: expected a JSON object with id and do");
    let mut members: Map<String, Value> = serde_json::from_slice(line).map_err(|_| (Value::Null, unreadable()))?;
    let id = members.remove("id").ok_or_else(|| (Value::Null, unreadable()))?;
    if !(id.is_string() || id.is_number()) {
        return Err((Value::Null, wire::member("id is no text or number")));
    }
    let operation = serde_json::from_value(Value::Object(members));
    // The message names members, not values, but for words of ours that are not known.
    operation.map(|operation| (id.clone(), operation)).map_err(|cause| (id, wire::member(plain(&cause))))
}

/// What serde says, without what the engine sent: that may be a seed.
fn plain(cause: &serde_json::Error) -> String {
    let text = cause.to_string();
    if text.starts_with("unknown field") || text.starts_with("missing field") || text.starts_with("unknown variant") {
        return text;
    }
    "a member is not of its type".to_owned()
}

async fn handle(out: &Output, node: &mut Option<Arc<Node>>, id: Value, operation: Operation) {
    let Operation::Start(start) = operation else {
        let Some(node) = node else {
            return out.answer(&id, Err(Refusal::new("state.stopped", "Cannot do that yet: start comes first"))).await;
        };
        let (out, node) = (out.clone(), Arc::clone(node));
        // What may take long does not hold up what comes after it.
        if matches!(operation, Operation::Import(_) | Operation::Fetch(_) | Operation::Pause(_) | Operation::Cancel(_))
        {
            tokio::spawn(async move { out.answer(&id, perform(&node, operation).await).await });
            return;
        }
        return out.answer(&id, perform(&node, operation).await).await;
    };
    if node.is_some() {
        return out.answer(&id, Err(Refusal::new("state.started", "Cannot start: it is running"))).await;
    }
    match Node::start(start, out.clone()).await {
        Ok(started) => {
            out.answer(&id, Ok(started.addresses())).await;
            *node = Some(started);
        }
        Err(refusal) => out.answer(&id, Err(refusal)).await,
    }
}

async fn perform(node: &Arc<Node>, operation: Operation) -> Result<Value, Refusal> {
    match operation {
        Operation::Start(_) | Operation::Stop(_) => Ok(json!({})),
        Operation::Addresses(_) => Ok(node.addresses()),
        Operation::Import(import) => {
            wire::bounded(import.paths.len(), crate::limits::MAX_FILES, "paths")?;
            jobs::import(node, import.paths, import.job).await
        }
        Operation::Offer(offer) => offer_set(node, &offer).await,
        Operation::Allow(allow) => {
            let peers = wire::endpoints(&allow.peers)?;
            known(node.grants.allow(&allow.set, peers), &allow.set)
        }
        Operation::Forget(set) => {
            let hashes = node.grants.hashes(&set.set);
            known(node.grants.forget(&set.set), &set.set)?;
            for hash in hashes.iter().filter(|hash| !node.grants.offers(hash)) {
                node.library.release(hash).await;
            }
            Ok(json!({}))
        }
        Operation::Fetch(fetch) => jobs::fetch(node, fetch).await,
        Operation::Providers(more) => node.jobs.add(node, &more),
        Operation::Pause(job) => node.jobs.end(&job.job, Ending::Pause).await,
        Operation::Cancel(job) => node.jobs.end(&job.job, Ending::Cancel).await,
    }
}

async fn offer_set(node: &Arc<Node>, offer: &Offer) -> Result<Value, Refusal> {
    wire::label(&offer.set)?;
    let (hashes, peers) = (wire::hashes(&offer.hashes)?, wire::endpoints(&offer.peers)?);
    wire::bounded(node.grants.len() + 1, crate::limits::MAX_SETS, "sets")?;
    for hash in &hashes {
        if !node.library.has(hash).await {
            let what = format!("Cannot offer {}: no file of that hash was imported", hash.to_hex());
            return Err(Refusal::new("file.unknown", what).hint("Import it first"));
        }
        node.library.keep(*hash).await?;
    }
    node.grants.put(&offer.set, hashes, peers);
    Ok(json!({}))
}

fn known(done: bool, set: &str) -> Result<Value, Refusal> {
    if done {
        return Ok(json!({}));
    }
    Err(Refusal::new(
        "set.unknown",
        format!("Cannot find the set {}", set.chars().take(64).flat_map(char::escape_default).collect::<String>()),
    ))
}
