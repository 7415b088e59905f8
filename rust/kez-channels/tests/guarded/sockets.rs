//! TLS and WebSockets: NET-1, NET-5.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use kez_channels::net::{Request, Socket};
use kez_channels::{Guarded, Net, Rights, Settings, Url};
use kez_core::Code;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto::ring};
use tokio_tungstenite::tungstenite::Message;

use crate::dead_resolver;

/// A server with a certificate for `localhost`: its URL, and the certificate.
async fn start_tls() -> (Url, CertificateDer<'static>) {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = certified.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            let _ = stream.shutdown().await;
        }
    });
    (Url::parse(&format!("https://localhost:{port}/")).unwrap(), certificate)
}

#[tokio::test]
async fn certificates_are_checked() {
    let (url, root) = start_tls().await;
    let request = Request { rights: Rights::Reader, ..Request::get(url.clone()) };
    let strict = Guarded::new(dead_resolver()).unwrap();
    assert_eq!(strict.fetch(&request).await.unwrap_err().code, Code::NetTls);
    let trusting = Guarded::new(Settings { extra_roots: vec![root], ..dead_resolver() }).unwrap();
    assert_eq!(trusting.fetch(&request).await.unwrap().body, b"ok");
    // The certificate is for the name, not for the address.
    let mut by_address = url;
    by_address.set_host(Some("127.0.0.1")).unwrap();
    let request = Request { rights: Rights::Reader, ..Request::get(by_address) };
    assert_eq!(trusting.fetch(&request).await.unwrap_err().code, Code::NetTls);
}

/// A relay that answers each message with these.
async fn start_relay(answers: Vec<Message>) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answers = answers.clone();
            tokio::spawn(async move {
                let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
                while let Some(Ok(Message::Text(_))) = socket.next().await {
                    for answer in answers.clone() {
                        let _ = socket.send(answer).await;
                    }
                }
            });
        }
    });
    Url::parse(&format!("ws://127.0.0.1:{port}/")).unwrap()
}

async fn first_answer(answers: Vec<Message>) -> Result<String, Code> {
    let url = start_relay(answers).await;
    let net = Guarded::new(dead_resolver()).unwrap();
    let mut socket = net.open(&url, Rights::Reader).await.map_err(|error| error.code)?;
    socket.send("question".to_owned()).await.map_err(|error| error.code)?;
    socket.next().await.map_err(|error| error.code)
}

#[tokio::test]
async fn messages_are_texts_within_bounds() {
    assert_eq!(first_answer(vec![Message::text("answer")]).await, Ok("answer".to_owned()));
    let pinged = vec![Message::Ping(vec![1].into()), Message::text("answer")];
    assert_eq!(first_answer(pinged).await, Ok("answer".to_owned()));
    assert_eq!(first_answer(vec![Message::text("a".repeat(131_072))]).await.map(|text| text.len()), Ok(131_072));
    assert_eq!(first_answer(vec![Message::text("a".repeat(131_073))]).await, Err(Code::LimitBody));
    assert_eq!(first_answer(vec![Message::binary(vec![1])]).await, Err(Code::NetHttp));
    assert_eq!(first_answer(vec![Message::Close(None)]).await, Err(Code::NetRefused));
    // Control frames count as well.
    assert_eq!(first_answer(vec![Message::Ping(vec![0; 125].into()); 10_000]).await, Err(Code::LimitBody));
}

#[tokio::test]
async fn a_silent_relay_is_given_up() {
    let start = std::time::Instant::now();
    assert_eq!(first_answer(Vec::new()).await, Err(Code::NetTimeout));
    assert!(start.elapsed() < Duration::from_secs(6));
}

#[tokio::test]
async fn a_stranger_names_no_private_relay() {
    let url = start_relay(Vec::new()).await;
    let net = Guarded::new(dead_resolver()).unwrap();
    assert_eq!(net.open(&url, Rights::Stranger).await.err().unwrap().code, Code::NetUrl);
    let mut secure = Url::parse("wss://127.0.0.1/").unwrap();
    assert_eq!(net.open(&secure, Rights::Stranger).await.err().unwrap().code, Code::NetAddress);
    secure.set_scheme("wss").unwrap();
    assert_eq!(
        net.open(&Url::parse("https://a.example/").unwrap(), Rights::Stranger).await.err().unwrap().code,
        Code::NetUrl
    );
}
