//! Lines to the engine. Answers and ends wait until there is room; progress is dropped when the engine does not read.

use crate::limits::OUTPUT_QUEUE;
use crate::refusal::Refusal;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt, BufWriter, stdout};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// The way to the engine.
#[derive(Debug, Clone)]
pub struct Output {
    lines: mpsc::Sender<String>,
}

impl Output {
    /// Starts the writer; its task ends when the last `Output` is gone, or with an error when nobody reads.
    pub fn start() -> (Self, JoinHandle<std::io::Result<()>>) {
        let (lines, queue) = mpsc::channel(OUTPUT_QUEUE);
        (Self { lines }, tokio::spawn(write_all(queue)))
    }

    /// Answers request `id`.
    pub async fn answer(&self, id: &Value, result: Result<Value, Refusal>) {
        let line = match result {
            Ok(ok) => json!({ "id": id, "ok": ok }),
            Err(error) => json!({ "id": id, "error": error }),
        };
        self.lines.send(line.to_string()).await.ok();
    }

    /// Tells something that must arrive.
    pub async fn tell<T: Serialize>(&self, event: &T) {
        if let Ok(line) = serde_json::to_string(event) {
            self.lines.send(line).await.ok();
        }
    }

    /// Tells something that the next event of its kind replaces.
    pub fn mention<T: Serialize>(&self, event: &T) {
        if let Ok(line) = serde_json::to_string(event) {
            self.lines.try_send(line).ok();
        }
    }
}

async fn write_all(mut queue: mpsc::Receiver<String>) -> std::io::Result<()> {
    let mut out = BufWriter::new(stdout());
    while let Some(line) = queue.recv().await {
        out.write_all(line.as_bytes()).await?;
        out.write_all(b"\n").await?;
        if queue.is_empty() {
            out.flush().await?;
        }
    }
    out.flush().await
}
