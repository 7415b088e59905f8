//! Server-sent events of a store, one after the other. SPEC STORE-11; the form is that of the HTML standard, "Server-sent
//! events".

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use kez_core::Code;
use tokio::sync::OwnedSemaphorePermit;

use super::http::{Driver, head, transport_error};
use super::policy::{is_media, wait_seconds};
use super::target::Target;
use super::watched::Watched;
use super::{Media, NetError, find_header};
use crate::limits::{MAX_HEAD_BYTES, MAX_STREAM_EVENT_BYTES, STREAM_SILENCE};

/// A stream that is open.
pub struct EventStream {
    body: Incoming,
    unread: Vec<u8>,
    _driver: Driver,
    _turn: OwnedSemaphorePermit,
}

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerEvent {
    /// `message` unless it says otherwise.
    pub event: String,
    /// What to go on after.
    pub id: Option<String>,
    /// Its lines.
    pub data: String,
}

impl EventStream {
    /// Asks for the stream; beside what it goes on after, who asks, and when.
    pub(super) async fn open(
        connection: Watched,
        target: &Target,
        turn: OwnedSemaphorePermit,
        (last_id, user_agent, now): (Option<&str>, &str, u64),
    ) -> Result<EventStream, NetError> {
        let mut builder = http1::Builder::new();
        builder.max_buf_size(MAX_HEAD_BYTES);
        let connection = TokioIo::new(connection.patient(STREAM_SILENCE));
        let handshake = builder.handshake::<_, Full<Bytes>>(connection).await;
        let (mut sender, driver) = handshake.map_err(|error| transport_error(&error))?;
        let driver = Driver(tokio::spawn(async move {
            // What goes wrong on the connection is told to the reader as well.
            let _ = driver.await;
        }));
        let request = super::Request { accept: "text/event-stream", ..super::Request::get(target.url.clone()) };
        let (mut message, _) = head(target, &request, false, user_agent)?;
        message.headers_mut().remove("accept-encoding");
        if let Some(id) = last_id.and_then(|id| id.parse().ok()) {
            message.headers_mut().insert("last-event-id", id);
        }
        let answer = sender.send_request(message).await.map_err(|error| transport_error(&error))?;
        check(&answer, target, now)?;
        Ok(EventStream { body: answer.into_body(), unread: Vec::new(), _driver: driver, _turn: turn })
    }

    /// The next event; the end of the stream is `net.refused`.
    pub async fn next(&mut self) -> Result<ServerEvent, NetError> {
        loop {
            if let Some(event) = self.take_event() {
                return Ok(event);
            }
            if self.unread.len() > MAX_STREAM_EVENT_BYTES {
                return Err(NetError::new(Code::LimitBody, "an event of the stream is too long"));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => self.unread.extend_from_slice(frame.data_ref().map_or(&[], |data| data.as_ref())),
                Some(Err(error)) => return Err(transport_error(&error)),
                None => return Err(NetError::new(Code::NetRefused, "the stream has ended")),
            }
        }
    }

    /// The first whole event of what came; comments and events without data are passed over.
    fn take_event(&mut self) -> Option<ServerEvent> {
        while let Some(end) = block_end(&self.unread) {
            let block: Vec<u8> = self.unread.drain(..end).collect();
            if let Some(event) = read_block(&String::from_utf8_lossy(&block)) {
                return Some(event);
            }
        }
        None
    }
}

/// Where the first block ends: after an empty line.
fn block_end(bytes: &[u8]) -> Option<usize> {
    let mut line_start = 0;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let is_crlf = *byte == b'\r' && bytes.get(at + 1) == Some(&b'\n');
        if matches!(byte, b'\r' | b'\n') {
            let next = at + if is_crlf { 2 } else { 1 };
            if line_start == at {
                return Some(next);
            }
            line_start = next;
            at = next;
        } else {
            at += 1;
        }
    }
    None
}

fn read_block(block: &str) -> Option<ServerEvent> {
    let mut event = ServerEvent { event: "message".to_owned(), ..ServerEvent::default() };
    let mut data: Vec<&str> = Vec::new();
    for line in block.split(['\r', '\n']).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => event.event = value.to_owned(),
            "id" => event.id = Some(value.to_owned()),
            "data" => data.push(value),
            _ => {}
        }
    }
    event.data = data.join("\n");
    (!data.is_empty()).then_some(event)
}

fn check(answer: &hyper::Response<Incoming>, target: &Target, now: u64) -> Result<(), NetError> {
    let status = answer.status().as_u16();
    let headers = answer.headers().iter();
    let headers: Vec<(String, String)> =
        headers.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))).collect();
    if let Some(seconds) = wait_seconds(status, &headers, now) {
        return Err(NetError { status: Some(status), ..NetError::wait(seconds, &target.host) });
    }
    let is_stream =
        find_header(&headers, "content-type").is_some_and(|it| is_media(it, Media::of("text/event-stream")));
    let code = match (status, is_stream) {
        (200, true) => return Ok(()),
        (200, false) => Code::NetContentType,
        (404 | 410, _) => Code::ChainUnknown,
        (300..=399, _) => Code::NetRedirect,
        _ => Code::NetStatus,
    };
    let message = format!("expected a stream of {}, got the status {status}", target.host);
    Err(NetError { status: Some(status), ..NetError::new(code, message) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_end_with_an_empty_line_of_any_kind() {
        assert_eq!(block_end(b"data: 1\n\ndata: 2"), Some(9));
        assert_eq!(block_end(b"data: 1\r\n\r\nx"), Some(11));
        assert_eq!(block_end(b"data: 1\n"), None);
        assert_eq!(block_end(b"\n"), Some(1));
    }

    #[test]
    fn a_block_is_read_by_its_fields() {
        let event = read_block(": comment\nevent: head\nid: 1-sha256:aa\ndata: {\ndata:}\n\n").unwrap();
        assert_eq!((event.event.as_str(), event.id.as_deref()), ("head", Some("1-sha256:aa")));
        assert_eq!(event.data, "{\n}");
        assert_eq!(read_block(": still here\n\n"), None);
    }
}
