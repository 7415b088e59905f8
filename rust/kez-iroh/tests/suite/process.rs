//! A `kez-iroh` process as the engine sees it, folders that go away, and files to send.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

pub const PATIENCE: Duration = Duration::from_secs(40);

/// A folder that is deleted with its owner.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("kez-iroh-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path.canonicalize().unwrap())
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn make(&self, name: &str) -> PathBuf {
        let path = self.join(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// Bytes that do not repeat, the same for the same seed.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut out = Vec::with_capacity(length + 8);
    while out.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.extend_from_slice(&state.to_le_bytes());
    }
    out.truncate(length);
    out
}

pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Value>,
    /// Lines that nobody asked for yet.
    pub heard: Vec<Value>,
    next: u64,
    pub data: PathBuf,
    pub start: Value,
}

impl Process {
    /// A process that was not started yet.
    pub fn bare() -> Self {
        let mut child =
            Command::new(env!("CARGO_BIN_EXE_kez-iroh")).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (send, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if send.send(serde_json::from_str(&line).unwrap()).is_err() {
                    return;
                }
            }
        });
        let stdin = child.stdin.take();
        Self { child, stdin, lines, heard: Vec::new(), next: 0, data: PathBuf::new(), start: Value::Null }
    }

    /// A started process on loopback.
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, json!({}))
    }

    pub fn start_with(data: &Path, more: Value) -> Self {
        let mut process = Self::bare();
        let mut request = json!({ "do": "start", "data": data, "bind": ["127.0.0.1:0"] });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        if request["bind"].is_null() {
            request.as_object_mut().unwrap().remove("bind");
        }
        process.data = data.to_owned();
        process.start = process.ask(request).unwrap();
        process
    }

    pub fn id(&self) -> String {
        self.start["endpoint"].as_str().unwrap().to_owned()
    }

    /// As a provider in a fetch.
    pub fn provider(&self) -> Value {
        json!({ "endpoint": self.start["endpoint"], "addresses": self.start["addresses"] })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn write(&mut self, line: &str) {
        self.stdin.as_mut().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    fn next_line(&mut self, until: Instant) -> Option<Value> {
        self.lines.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
    }
    /// Sends a request and waits for its answer.
    pub fn ask(&mut self, mut request: Value) -> Result<Value, Value> {
        self.next += 1;
        let id = self.next;
        request["id"] = json!(id);
        self.write(&request.to_string());
        let answer = self.until(|line| line["id"] == json!(id));
        match answer.get("ok") {
            Some(ok) => Ok(ok.clone()),
            None => Err(answer["error"].clone()),
        }
    }

    pub fn code(&mut self, request: Value) -> String {
        self.ask(request).expect_err("a refusal")["code"].as_str().unwrap().to_owned()
    }

    /// The first line, heard already or not yet, that `wanted` says yes to.
    pub fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.heard.iter().position(&wanted) {
            return self.heard.remove(at);
        }
        let until = Instant::now() + PATIENCE;
        while let Some(line) = self.next_line(until) {
            if wanted(&line) {
                return line;
            }
            self.heard.push(line);
        }
        panic!("did not come; heard {:#?}", self.heard.iter().rev().take(12).collect::<Vec<_>>());
    }

    pub fn event(&mut self, event: &str) -> Value {
        self.until(|line| line["event"] == event)
    }

    /// Reads what is there without waiting for more than `time`.
    pub fn listen(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Some(line) = self.next_line(until) {
            self.heard.push(line);
        }
    }

    /// Imports `path` and offers all of it to `peers` as `set`; the files as a fetch wants them.
    pub fn share(&mut self, set: &str, path: &Path, peers: &[String]) -> Vec<Value> {
        let files = self.ask(json!({ "do": "import", "paths": [path] })).unwrap()["files"].as_array().unwrap().clone();
        let hashes: Vec<&Value> = files.iter().map(|file| &file["hash"]).collect();
        self.ask(json!({ "do": "offer", "set": set, "hashes": hashes, "peers": peers })).unwrap();
        files
    }

    /// Fetches and waits for the end.
    pub fn fetch(&mut self, job: &str, files: &[Value], into: &Path, providers: &[Value]) -> Value {
        self.ask(json!({ "do": "fetch", "job": job, "files": files, "into": into, "providers": providers })).unwrap();
        self.end(job)
    }

    pub fn end(&mut self, job: &str) -> Value {
        self.until(|line| line["event"] == "end" && line["job"] == job)
    }

    /// Waits until a job has this part of its bytes.
    pub fn progress(&mut self, job: &str, part: f64) -> Value {
        self.until(|line| {
            line["event"] == "progress"
                && line["job"] == job
                && line["bytes"].as_f64().unwrap() >= line["total"].as_f64().unwrap() * part
        })
    }

    /// As a power cut would end it.
    pub fn kill(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }

    /// Closes stdin and returns the exit code.
    pub fn close(&mut self) -> Option<i32> {
        self.stdin = None;
        self.wait()
    }

    pub fn wait(&mut self) -> Option<i32> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the process does not end");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Two processes, and folders for both.
pub fn pair() -> (Folder, Process, Process) {
    let folder = Folder::new();
    let sender = Process::start(&folder.join("sender"));
    let receiver = Process::start(&folder.join("receiver"));
    folder.make("in");
    (folder, sender, receiver)
}

/// Every file under a folder with its bytes, without what is on its way.
pub fn tree(root: &Path) -> Vec<(String, Vec<u8>)> {
    let mut out = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.symlink_metadata().unwrap().is_dir() {
                open.push(path);
            } else {
                out.push((
                    path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(),
                    std::fs::read(&path).unwrap_or_default(),
                ));
            }
        }
    }
    out.sort();
    out
}

/// The most that a process ever used.
pub fn memory_mb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
