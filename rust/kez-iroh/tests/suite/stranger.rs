//! An endpoint in the test itself, that need not keep to the rules.

use super::process::Process;
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
        self.provider()
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

impl Stranger {
    /// Until the test ends: whoever drops it is gone.
    pub fn stay(self) -> &'static Self {
        Box::leak(Box::new(self))
    }

    /// Answers every request with these bytes, so many a second.
    pub fn trickle(&self, answer: Vec<u8>, bytes_per_second: usize) -> Value {
        let endpoint = self.endpoint.clone();
        self.runtime.spawn(async move {
            while let Some(incoming) = endpoint.accept().await {
                let answer = answer.clone();
                tokio::spawn(async move {
                    let Ok(connection) = incoming.await else { return };
                    while let Ok((mut send, recv)) = connection.accept_bi().await {
                        let answer = answer.clone();
                        tokio::spawn(async move {
                            for piece in answer.chunks(bytes_per_second / 4) {
                                if send.write_all(piece).await.is_err() {
                                    return;
                                }
                                tokio::time::sleep(Duration::from_millis(250)).await;
                            }
                            drop(recv);
                        });
                    }
                });
            }
        });
        self.provider()
    }

    /// Asks for a file and reads so many bytes a second of it; how many it has.
    pub fn sip(&self, process: &Process, text: &str, bytes_per_second: usize) -> Arc<AtomicUsize> {
        let (bytes, address, endpoint) =
            (encode(&Request::Get(GetRequest::blob(hash(text)))), address(process), self.endpoint.clone());
        let taken = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&taken);
        self.runtime.spawn(async move {
            let connection = endpoint.connect(address, ALPN).await.unwrap();
            let (mut send, mut recv) = connection.open_bi().await.unwrap();
            send.write_all(&bytes).await.unwrap();
            send.finish().unwrap();
            let mut piece = vec![0; bytes_per_second / 4];
            while recv.read_exact(&mut piece).await.is_ok() {
                counted.fetch_add(piece.len(), Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
        });
        taken
    }

    /// Leaves in the middle of a transfer: with a word, or without one as a cut cable does.
    pub fn leave(self, process: &Process, text: &str, says: Option<u32>) {
        let bytes = encode(&Request::Get(GetRequest::blob(hash(text))));
        self.runtime.block_on(async {
            let connection = self.endpoint.connect(address(process), ALPN).await.unwrap();
            let (mut send, mut recv) = connection.open_bi().await.unwrap();
            send.write_all(&bytes).await.unwrap();
            send.finish().unwrap();
            recv.read_exact(&mut [0; 5_000]).await.unwrap();
            if let Some(code) = says {
                connection.close(VarInt::from_u32(code), b"no more");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        self.runtime.shutdown_background();
    }

    /// Leaves while it shakes hands.
    pub fn leave_early(self, process: &Process, after: Duration) {
        self.runtime.block_on(async {
            tokio::time::timeout(after, self.endpoint.connect(address(process), ALPN)).await.ok();
        });
        self.runtime.shutdown_background();
    }

    fn provider(&self) -> Value {
        let addresses: Vec<String> = self.endpoint.addr().ip_addrs().map(ToString::to_string).collect();
        json!({ "endpoint": self.id(), "addresses": addresses })
    }

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
        self.provider()
    }
}
