//! Endpoints that do not keep to the rules, and what becomes of what they send (F1, F3, F4).

use super::process::{Folder, Process, noise};
use iroh::endpoint::{Connection, ConnectionError, ReadError, ReadToEndError, VarInt, presets};
use iroh::{Endpoint, EndpointAddr, EndpointId, SecretKey};
use iroh_blobs::protocol::{
    ChunkRanges, ChunkRangesSeq, GetManyRequest, GetRequest, ObserveRequest, PushRequest, Request,
};
use iroh_blobs::{ALPN, Hash};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;

/// What a request got.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    Bytes(usize),
    Reset(u64),
    Closed(u64, String),
    Other(String),
}

/// An endpoint in the test itself.
pub struct Stranger {
    runtime: Runtime,
    endpoint: Endpoint,
}

pub struct Flood {
    _connection: Connection,
    opened: Arc<AtomicUsize>,
}

impl Flood {
    pub fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }
}

fn address(process: &Process) -> EndpointAddr {
    let id: [u8; 32] = data_encoding::HEXLOWER.decode(process.id().as_bytes()).unwrap().try_into().unwrap();
    let mut address = EndpointAddr::new(EndpointId::from_bytes(&id).unwrap());
    for ip in process.start["addresses"].as_array().unwrap() {
        address = address.with_ip_addr(ip.as_str().unwrap().parse().unwrap());
    }
    address
}

fn hash(text: &str) -> Hash {
    Hash::from_bytes(data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap().try_into().unwrap())
}

impl Stranger {
    pub fn new(seed: u8) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let endpoint = runtime.block_on(async {
            let builder = Endpoint::builder(presets::Minimal)
                .secret_key(SecretKey::from_bytes(&[seed; 32]))
                .alpns(vec![ALPN.to_vec()]);
            builder.clear_ip_transports().bind_addr("127.0.0.1:0").unwrap().bind().await.unwrap()
        });
        Self { runtime, endpoint }
    }

    pub fn id(&self) -> String {
        data_encoding::HEXLOWER.encode(self.endpoint.id().as_bytes())
    }

    pub fn ask(&self, process: &Process, hash: &str) -> Asked {
        self.ask_as(process, hash, "get")
    }

    pub fn ask_as(&self, process: &Process, text: &str, kind: &str) -> Asked {
        let hash = hash(text);
        let request = match kind {
            "get" => Request::Get(GetRequest::blob(hash)),
            "observe" => Request::Observe(ObserveRequest::new(hash)),
            "many" => Request::GetMany(GetManyRequest::new(vec![hash], ChunkRangesSeq::all())),
            "sequence" => Request::Get(GetRequest::all(hash)),
            _ => Request::Push(PushRequest::new(hash, ChunkRangesSeq::from_ranges([ChunkRanges::all()]))),
        };
        let bytes = if kind == "garbage" { vec![0xff; 100] } else { encode(&request) };
        self.runtime.block_on(async {
            match self.endpoint.connect(address(process), ALPN).await {
                Ok(connection) => exchange(&connection, &bytes).await,
                Err(cause) => Asked::Other(format!("{cause:#}")),
            }
        })
    }

    /// Opens streams without reading from them.
    pub fn flood(&self, process: &Process, text: &str, count: usize) -> Flood {
        let bytes = encode(&Request::Get(GetRequest::blob(hash(text))));
        let opened = Arc::new(AtomicUsize::new(0));
        let connection = self.runtime.block_on(async { self.endpoint.connect(address(process), ALPN).await.unwrap() });
        for _ in 0..count {
            let (connection, opened, bytes) = (connection.clone(), Arc::clone(&opened), bytes.clone());
            self.runtime.spawn(async move {
                let Ok((mut send, recv)) = connection.open_bi().await else { return };
                opened.fetch_add(1, Ordering::SeqCst);
                send.write_all(&bytes).await.ok();
                send.finish().ok();
                tokio::time::sleep(Duration::from_secs(600)).await;
                drop(recv);
            });
        }
        std::thread::sleep(Duration::from_secs(1));
        Flood { _connection: connection, opened }
    }

    /// Why each of `count` connections was closed within a second, if it was.
    pub fn connect_often(&self, process: &Process, count: usize) -> Vec<Option<String>> {
        self.runtime.block_on(async {
            let mut open = Vec::new();
            for _ in 0..count {
                open.push(self.endpoint.connect(address(process), ALPN).await.unwrap());
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            open.iter().map(|connection| connection.close_reason().map(|reason| reason.to_string())).collect()
        })
    }

    /// Answers every request with these bytes; the provider of a fetch.
    pub fn serve(&self, answer: Vec<u8>) -> Value {
        let endpoint = self.endpoint.clone();
        self.runtime.spawn(async move {
            while let Some(incoming) = endpoint.accept().await {
                let answer = answer.clone();
                tokio::spawn(async move {
                    let Ok(connection) = incoming.await else { return };
                    while let Ok((mut send, mut recv)) = connection.accept_bi().await {
                        let answer = answer.clone();
                        tokio::spawn(async move {
                            recv.read_to_end(100_000).await.ok();
                            send.write_all(&answer).await.ok();
                            send.finish().ok();
                            send.stopped().await.ok();
                        });
                    }
                });
            }
        });
        let addresses: Vec<String> = self.endpoint.addr().ip_addrs().map(ToString::to_string).collect();
        json!({ "endpoint": self.id(), "addresses": addresses })
    }
}

fn encode(request: &Request) -> Vec<u8> {
    postcard::to_stdvec(request).unwrap()
}

async fn exchange(connection: &Connection, bytes: &[u8]) -> Asked {
    let asked = async {
        let (mut send, mut recv) = connection.open_bi().await.map_err(closed)?;
        // The other side may be gone already.
        send.write_all(bytes).await.ok();
        send.finish().ok();
        let mut count = 0;
        let mut size = [0; 8];
        recv.read_exact(&mut size).await.map_err(|cause| match cause {
            iroh::endpoint::ReadExactError::ReadError(cause) => read_error(cause),
            other => Asked::Other(other.to_string()),
        })?;
        match recv.read_to_end(usize::MAX).await {
            Ok(rest) => count += rest.len(),
            Err(ReadToEndError::Read(cause)) => return Err(read_error(cause)),
            Err(cause) => return Err(Asked::Other(cause.to_string())),
        }
        // Hash pairs are between the bytes.
        Ok(Asked::Bytes(count.min(usize::try_from(u64::from_le_bytes(size)).unwrap())))
    };
    asked.await.unwrap_or_else(|other| other)
}

fn read_error(cause: ReadError) -> Asked {
    match cause {
        ReadError::Reset(code) => Asked::Reset(code.into_inner()),
        ReadError::ConnectionLost(cause) => closed(cause),
        other => Asked::Other(other.to_string()),
    }
}

fn closed(cause: ConnectionError) -> Asked {
    match cause {
        ConnectionError::ApplicationClosed(close) => {
            Asked::Closed(VarInt::into_inner(close.error_code), String::from_utf8_lossy(&close.reason).into_owned())
        }
        other => Asked::Other(other.to_string()),
    }
}

/// A file as iroh-blobs would send it: its size, hash pairs and bytes.
fn encoded(bytes: &[u8]) -> Vec<u8> {
    let outboard = bao_tree::io::outboard::PreOrderMemOutboard::create(bytes, bao_tree::BlockSize::from_chunk_log(4));
    let mut out = (bytes.len() as u64).to_le_bytes().to_vec();
    bao_tree::io::sync::encode_ranges_validated(bytes, &outboard, &ChunkRanges::all(), &mut out).unwrap();
    out
}

struct Scene {
    folder: Folder,
    receiver: Process,
    bytes: Vec<u8>,
    wanted: Vec<Value>,
}

fn scene() -> Scene {
    let folder = Folder::new();
    let receiver = Process::start(&folder.join("receiver"));
    folder.make("in");
    let bytes = noise(1_000_000, 9);
    let wanted = vec![json!({ "hash": Hash::new(&bytes).to_hex().to_string(), "size": bytes.len(), "path": "f" })];
    Scene { folder, receiver, bytes, wanted }
}

#[test]
fn an_honest_answer_of_the_stranger_is_taken() {
    let mut scene = scene();
    let stranger = Stranger::new(20);
    let provider = stranger.serve(encoded(&scene.bytes));
    let end = scene.receiver.fetch("j", &scene.wanted, &scene.folder.join("in"), &[provider]);
    assert_eq!(end["state"], "done", "{end}");
    assert!(std::fs::read(scene.folder.join("in/f")).unwrap() == scene.bytes);
}

#[test]
fn one_wrong_bit_is_found_and_nothing_after_it_is_written() {
    let mut scene = scene();
    let mut lie = encoded(&scene.bytes);
    let at = lie.len() / 2;
    lie[at] ^= 1;
    let stranger = Stranger::new(21);
    let provider = stranger.serve(lie);
    let end = scene.receiver.fetch("j", &scene.wanted, &scene.folder.join("in"), &[provider]);
    assert_eq!(
        (&end["state"], &end["error"]["code"], &end["faults"]),
        (&json!("failed"), &json!("peer.faulty"), &json!(3))
    );
    let fault = scene.receiver.event("fault");
    assert_eq!(
        (&fault["peer"], &fault["kind"], &fault["path"]),
        (&json!(stranger.id()), &json!("checksum"), &json!("f"))
    );
    let part = std::fs::read(scene.folder.join("in/.kez-incoming-j/0.part")).unwrap();
    assert!(part.len() < 520_000 && part == scene.bytes[..part.len()]);
    assert!(!scene.folder.join("in/f").exists());
}

#[test]
fn wrong_bytes_of_one_source_are_fetched_from_another() {
    let mut scene = scene();
    std::fs::write(scene.folder.join("f"), &scene.bytes).unwrap();
    let mut honest = Process::start(&scene.folder.join("honest"));
    honest.share("s", &scene.folder.join("f"), &[scene.receiver.id()]);
    let mut lie = encoded(&scene.bytes);
    lie[300_000] ^= 0x80;
    let stranger = Stranger::new(22);
    let liar = stranger.serve(lie);
    // The liar is asked first: the honest one is not reachable yet.
    let nowhere = json!({ "endpoint": honest.id(), "addresses": ["127.0.0.1:9"] });
    let request = json!({ "do": "fetch", "job": "j", "files": scene.wanted, "into": scene.folder.join("in"), "providers": [liar, nowhere] });
    scene.receiver.ask(request).unwrap();
    assert_eq!(scene.receiver.event("fault")["peer"], json!(stranger.id()));
    scene.receiver.ask(json!({ "do": "providers", "job": "j", "providers": [honest.provider()] })).unwrap();
    let end = scene.receiver.end("j");
    assert_eq!((&end["state"], &end["faults"]), (&json!("done"), &json!(1)));
    assert!(std::fs::read(scene.folder.join("in/f")).unwrap() == scene.bytes);
}

#[test]
fn a_size_that_is_not_the_signed_one_is_refused_before_anything_is_written() {
    for (seed, size) in [(30, 1_000_001_u64), (31, 999_999), (32, 1 << 53), (33, u64::MAX), (34, 0)] {
        let mut scene = scene();
        let mut lie = encoded(&scene.bytes);
        lie[..8].copy_from_slice(&size.to_le_bytes());
        let stranger = Stranger::new(seed);
        let provider = stranger.serve(lie);
        let end = scene.receiver.fetch("j", &scene.wanted, &scene.folder.join("in"), &[provider]);
        assert_eq!(end["error"]["code"], "peer.faulty", "{size}: {end}");
        assert_eq!(scene.receiver.event("fault")["kind"], "size");
        assert!(!scene.folder.join("in/.kez-incoming-j/0.part").exists());
    }
}

#[test]
fn a_manifest_whose_size_is_wrong_is_not_believed_although_the_source_plays_along() {
    let mut scene = scene();
    scene.wanted[0]["size"] = json!(1_000_001);
    let mut lie = encoded(&scene.bytes);
    lie[..8].copy_from_slice(&1_000_001_u64.to_le_bytes());
    lie.push(0);
    let stranger = Stranger::new(35);
    let provider = stranger.serve(lie);
    let end = scene.receiver.fetch("j", &scene.wanted, &scene.folder.join("in"), &[provider]);
    assert_eq!(end["state"], "failed", "{end}");
    assert!(!scene.folder.join("in/f").exists());
}

#[test]
fn fewer_bytes_than_stated_and_none_at_all_are_no_file() {
    for (seed, keep) in [(36, 0), (37, 8), (38, 500_000)] {
        let mut scene = scene();
        let mut lie = encoded(&scene.bytes);
        lie.truncate(keep);
        let stranger = Stranger::new(seed);
        let provider = stranger.serve(lie);
        let end = scene.receiver.fetch("j", &scene.wanted, &scene.folder.join("in"), &[provider]);
        assert_eq!(end["state"], "failed", "{keep}: {end}");
        assert!(!scene.folder.join("in/f").exists());
    }
}

#[test]
fn an_impostor_at_the_address_gets_no_connection() {
    let mut scene = scene();
    let stranger = Stranger::new(39);
    let mut provider = stranger.serve(encoded(&scene.bytes));
    provider["endpoint"] = json!(Stranger::new(40).id());
    let request = json!({ "do": "fetch", "job": "j", "files": scene.wanted, "into": scene.folder.join("in"), "providers": [provider] });
    scene.receiver.ask(request).unwrap();
    let state = scene.receiver.until(|line| line["event"] == "source");
    assert_eq!(state["state"], "impostor", "{state}");
    scene.receiver.ask(json!({ "do": "cancel", "job": "j" })).unwrap();
    assert_eq!(scene.receiver.end("j")["bytes"], 0);
}

#[test]
fn a_source_of_a_few_bytes_a_second_does_not_hold_up_the_others() {
    let mut scene = scene();
    std::fs::write(scene.folder.join("f"), &scene.bytes).unwrap();
    let mut honest = Process::start(&scene.folder.join("honest"));
    honest.share("s", &scene.folder.join("f"), &[scene.receiver.id()]);
    let stranger = Stranger::new(41);
    // A size, and nothing for ever: its stream is not finished.
    let slow = stranger.stall(1_000_000);
    let request = json!({ "do": "fetch", "job": "j", "files": scene.wanted, "into": scene.folder.join("in"), "providers": [slow] });
    scene.receiver.ask(request).unwrap();
    scene.receiver.until(|line| line["event"] == "source" && line["state"] == "connected");
    scene.receiver.ask(json!({ "do": "providers", "job": "j", "providers": [honest.provider()] })).unwrap();
    let most = scene.receiver.progress("j", 0.9);
    assert!(most["total"] == 1_000_000);
}

impl Stranger {
    /// Answers every request with a size, and then with nothing.
    pub fn stall(&self, size: u64) -> Value {
        let endpoint = self.endpoint.clone();
        self.runtime.spawn(async move {
            while let Some(incoming) = endpoint.accept().await {
                tokio::spawn(async move {
                    let Ok(connection) = incoming.await else { return };
                    let mut held = Vec::new();
                    while let Ok((mut send, recv)) = connection.accept_bi().await {
                        send.write_all(&size.to_le_bytes()).await.ok();
                        held.push((send, recv));
                    }
                });
            }
        });
        let addresses: Vec<String> = self.endpoint.addr().ip_addrs().map(ToString::to_string).collect();
        json!({ "endpoint": self.id(), "addresses": addresses })
    }
}
