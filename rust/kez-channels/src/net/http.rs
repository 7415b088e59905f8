//! One request and its answer over one connection: HTTP/1.1, no cookies, no proxies. SPEC NET-1.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use kez_core::Code;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::target::Target;
use super::watched::{Watched, connection_error, find_io_error};
use super::{NetError, Request, body, policy};
use crate::limits::{MAX_HEAD_BYTES, MAX_INTERIM_ANSWERS};

/// What came back, before redirects are looked at.
pub struct Exchange {
    /// The status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it is meant.
    pub body: Vec<u8>,
}

/// Bytes that a connection may read for this request: its body, and the heads before it.
pub const fn max_connection_bytes(request: &Request) -> usize {
    request.max_wire_bytes.saturating_add(MAX_HEAD_BYTES * 2)
}

/// Asks. `net.http`, `net.timeout`, `net.refused`, `net.content_type` before the body is read, `limit.body`.
pub async fn exchange(
    connection: Watched,
    target: &Target,
    request: &Request,
    authorised: bool,
    user_agent: &str,
) -> Result<Exchange, NetError> {
    let mut builder = http1::Builder::new();
    builder.max_buf_size(MAX_HEAD_BYTES);
    let handshake = builder.handshake::<_, Full<Bytes>>(TokioIo::new(connection)).await;
    let (mut sender, driver) = handshake.map_err(|error| transport_error(&error))?;
    let _driver = Driver(tokio::spawn(async move {
        // What goes wrong on the connection is told to the request as well.
        let _ = driver.await;
    }));
    let (message, too_many_interim) = head(target, request, authorised, user_agent)?;
    let answer = tokio::select! {
        biased;
        () = too_many_interim.notified() => return Err(NetError::new(Code::NetHttp, "too many interim answers")),
        answer = sender.send_request(message) => answer.map_err(|error| transport_error(&error))?,
    };
    read_answer(answer, request).await
}

pub async fn read_answer(answer: hyper::Response<Incoming>, request: &Request) -> Result<Exchange, NetError> {
    let status = answer.status().as_u16();
    let headers = answer
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect::<Vec<_>>();
    policy::check_media_type(request, status, &headers).map_err(|error| NetError { status: Some(status), ..error })?;
    let codings = headers.iter().filter(|(name, _)| name == "content-encoding").map(|(_, value)| value.trim());
    let coding = codings.collect::<Vec<_>>().join(",");
    let body = match body::read(answer.into_body(), &coding, request).await {
        Ok(body) => body,
        // The status alone is the answer.
        Err(error) if error.code == Code::LimitBody && !matches!(status, 200..=299) => Vec::new(),
        Err(error) => return Err(NetError { status: Some(status), ..error }),
    };
    Ok(Exchange { status, headers, body })
}

/// The request, and what tells of too many interim answers to it.
pub fn head(
    target: &Target,
    request: &Request,
    authorised: bool,
    user_agent: &str,
) -> Result<(hyper::Request<Full<Bytes>>, Arc<Notify>), NetError> {
    let path = &target.url[url::Position::BeforePath..url::Position::AfterQuery];
    let host = &target.url[url::Position::BeforeHost..url::Position::AfterPort];
    let method = request.payload.as_ref().map_or("GET", |payload| payload.method);
    let mut builder = hyper::Request::builder()
        .method(method)
        .uri(path)
        .header("host", host)
        .header("accept", request.accept)
        .header("accept-encoding", "gzip")
        .header("user-agent", user_agent)
        .header("connection", "close");
    if let Some((name, value)) = request.extra_header {
        builder = builder.header(name, value);
    }
    if let Some(token) = request.token.as_ref().filter(|_| authorised) {
        builder = builder.header("authorization", format!("Bearer {}", token.as_str()));
    }
    let body = match &request.payload {
        Some(payload) => {
            builder = builder.header("content-type", payload.content_type);
            Full::from(payload.body.clone())
        }
        None => Full::default(),
    };
    let message = builder.body(body);
    let mut message = message.map_err(|_| NetError::new(Code::NetUrl, "expected a URL that a request can hold"))?;
    let (count, notify) = (AtomicUsize::new(0), Arc::new(Notify::new()));
    let told = Arc::clone(&notify);
    hyper::ext::on_informational(&mut message, move |_| {
        if count.fetch_add(1, Ordering::Relaxed) >= MAX_INTERIM_ANSWERS {
            told.notify_one();
        }
    });
    Ok((message, notify))
}

/// What went wrong: the connection, or HTTP on it.
pub fn transport_error(error: &hyper::Error) -> NetError {
    if let Some(error) = find_io_error(error) {
        return connection_error(error);
    }
    match error.is_parse() || error.is_parse_status() {
        true => NetError::new(Code::NetHttp, "expected HTTP"),
        false => NetError::new(Code::NetRefused, "the connection was cut"),
    }
}

/// The task that drives a connection; it ends with the request.
pub struct Driver(pub JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}
