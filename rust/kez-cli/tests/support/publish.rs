//! Homes and small servers on loopback for the tests of commands that write.
#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

pub const ALICE: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";

pub struct Home(pub PathBuf);

impl Home {
    /// A home with Alice's identity.
    pub fn new(name: &str, key_type: &str) -> Home {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(path.join("kez")).unwrap();
        let home = Home(path);
        let restore = ["identity", "restore", "alice", "--mnemonic", "-", "--no-passphrase", "--key-type", key_type];
        let (code, answer) = home.json(&restore, ALICE);
        assert_eq!(code, 0, "{answer}");
        home
    }

    pub fn settings(&self, text: &str) {
        fs::write(self.0.join("kez/config.toml"), text).unwrap();
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kez-rs"));
        command
            .args(args)
            .args(["--json", "-q"])
            .env_clear()
            .env("KEZ_HOME", self.0.join("kez"))
            .current_dir(&self.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn json(&self, args: &[&str], input: &str) -> (i32, Value) {
        let mut child = self.command(args).spawn().unwrap();
        // A command that reads nothing ends before all of it is written.
        drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap_or(-1), serde_json::from_str(&text).unwrap())
    }

    pub fn ok(&self, args: &[&str]) -> Value {
        let (code, answer) = self.json(args, "");
        assert_eq!(code, 0, "{args:?}: {answer}");
        answer["data"].clone()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// A command that goes on until it is dropped; its lines are read one by one.
pub struct Running(Child, BufReader<std::process::ChildStdout>);

impl Running {
    pub fn start(mut command: Command) -> Running {
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Running(child, stdout)
    }

    pub fn line(&mut self) -> Value {
        let mut line = String::new();
        self.1.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

pub struct Asked {
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// Answers every request on a connection of its own; the port is any that is free. The answer may take the stream over.
pub fn serve(
    answer: impl Fn(&Asked, &mut TcpStream) -> Option<(u16, &'static str, String)> + Send + Sync + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = Arc::clone(&answer);
            thread::spawn(move || talk(stream.unwrap(), &*answer));
        }
    });
    url
}

fn talk(
    mut stream: TcpStream,
    answer: &impl Fn(&Asked, &mut TcpStream) -> Option<(u16, &'static str, String)>,
) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut words = first.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|it| it.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let asked = Asked { method, path, headers, body: String::from_utf8(body).ok()? };
    let (status, content_type, body) = answer(&asked, &mut stream)?;
    let head = format!(
        "HTTP/1.1 {status} x\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).ok()
}

/// A store of one path without forks: what tests of commands need of SPEC §8.
#[derive(Default)]
pub struct Store {
    pub lines: Mutex<Vec<String>>,
    pub heads: Mutex<Vec<String>>,
}

impl Store {
    pub fn start(self: &Arc<Store>) -> String {
        let store = Arc::clone(self);
        serve(move |asked, stream| store.answer(asked, stream))
    }

    fn answer(&self, asked: &Asked, stream: &mut TcpStream) -> Option<(u16, &'static str, String)> {
        let problem = |status: u16, code: &str| {
            Some((status, "application/problem+json", json!({"code": code, "status": status}).to_string()))
        };
        let lines = self.lines.lock().unwrap().clone();
        let rest = asked.path.splitn(5, '/').nth(4).unwrap_or_default();
        match (asked.method.as_str(), rest) {
            ("POST", "events") => {
                assert_eq!(asked.headers["content-type"], "application/json");
                let event: Value = serde_json::from_str(&asked.body).unwrap();
                if lines.contains(&asked.body) {
                    return Some((200, "application/json", "{}".to_owned()));
                }
                if event["payload"]["seq"] != lines.len() {
                    return problem(409, "chain.gap");
                }
                self.lines.lock().unwrap().push(asked.body.clone());
                Some((201, "application/json", "{}".to_owned()))
            }
            ("POST", "heads") => {
                self.heads.lock().unwrap().push(asked.body.clone());
                Some((204, "application/json", String::new()))
            }
            _ if lines.is_empty() => problem(404, "chain.unknown"),
            ("GET", "stream") => {
                self.stream(stream);
                None
            }
            ("GET", "head") => {
                let heads = self.heads.lock().unwrap().join(",");
                Some((200, "application/json", format!("{{\"heads\":[{heads}]}}")))
            }
            ("GET", "forks") => Some((200, "application/jsonl", String::new())),
            _ => Some((200, "application/jsonl", lines.join("\n") + "\n")),
        }
    }

    /// Says how many events there are, whenever that changes.
    fn stream(&self, stream: &mut TcpStream) {
        let head = "HTTP/1.1 200 x\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n: hello\n\n";
        stream.write_all(head.as_bytes()).unwrap();
        let mut told = 0;
        loop {
            let count = self.lines.lock().unwrap().len();
            if count != told {
                let data = json!({"seq": count - 1, "digest": format!("{count}"), "forks": 0});
                let message = format!("event: head\nid: {count}-x\ndata: {data}\n\n");
                if stream.write_all(message.as_bytes()).is_err() {
                    return;
                }
                told = count;
            }
            thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}
