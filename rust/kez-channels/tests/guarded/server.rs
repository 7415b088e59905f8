//! A server on this computer that says whatever a test wants, byte by byte.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::sleep;

/// What the server does after it has read a request.
#[derive(Clone)]
pub enum Script {
    /// Sends this and closes.
    Say(Vec<u8>),
    /// Sends this and says nothing more.
    SayAndWait(Vec<u8>),
    /// Sends this, then a byte each half second.
    Trickle(Vec<u8>),
    /// Sends this after some time.
    Late(Duration, Vec<u8>),
}

pub struct Server {
    pub address: SocketAddr,
    pub asked: Arc<AtomicUsize>,
    pub at_once: Arc<AtomicUsize>,
}

impl Server {
    /// Chooses what to do by the first line of the request.
    pub async fn start(choose: impl Fn(&str) -> Script + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, at_once) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let server = Server { address, asked: Arc::clone(&asked), at_once: Arc::clone(&at_once) };
        let (choose, now) = (Arc::new(choose), Arc::new(AtomicUsize::new(0)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                asked.fetch_add(1, Ordering::SeqCst);
                let (choose, now, at_once) = (Arc::clone(&choose), Arc::clone(&now), Arc::clone(&at_once));
                tokio::spawn(async move {
                    at_once.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    serve(stream, &*choose).await;
                    now.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        server
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, choose: &(impl Fn(&str) -> Script + Send + Sync)) {
    let mut request = Vec::new();
    while !request.windows(4).any(|it| it == b"\r\n\r\n") {
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => request.extend_from_slice(&buffer[..count]),
        }
    }
    match choose(&String::from_utf8_lossy(&request)) {
        Script::Say(bytes) => drop(stream.write_all(&bytes).await),
        Script::SayAndWait(bytes) => {
            let _ = stream.write_all(&bytes).await;
            sleep(Duration::from_secs(30)).await;
        }
        Script::Trickle(bytes) => {
            let _ = stream.write_all(&bytes).await;
            while stream.write_all(b"x").await.is_ok() {
                sleep(Duration::from_millis(500)).await;
            }
        }
        Script::Late(time, bytes) => {
            sleep(time).await;
            let _ = stream.write_all(&bytes).await;
        }
    }
    let _ = stream.shutdown().await;
}

/// An answer of HTTP/1.1.
pub fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// A DNS server with one answer for everything: a code, and records of (type, data).
pub async fn start_dns(code: u8, records: Vec<(u16, Vec<u8>)>) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((_, from)) = socket.recv_from(&mut buffer).await {
            let mut end = 12;
            while buffer[end] != 0 {
                end += usize::from(buffer[end]) + 1;
            }
            let asked = u16::from_be_bytes([buffer[end + 1], buffer[end + 2]]);
            let fitting: Vec<_> = records.iter().filter(|(kind, _)| *kind == asked).collect();
            let mut message = buffer[..2].to_vec();
            message.extend([0x81, 0x80 | code, 0, 1, 0, fitting.len() as u8, 0, 0, 0, 0]);
            message.extend_from_slice(&buffer[12..end + 5]);
            for (kind, data) in fitting {
                message.extend([0xc0, 0x0c]);
                message.extend(kind.to_be_bytes());
                message.extend([0, 1, 0, 0, 0, 60]);
                message.extend((data.len() as u16).to_be_bytes());
                message.extend(data);
            }
            let _ = socket.send_to(&message, from).await;
        }
    });
    address
}
