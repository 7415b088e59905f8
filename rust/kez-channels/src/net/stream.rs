//! Server-sent events of a store, one after the other. SPEC NET-7, STORE-11; the form is that of the HTML standard,
//! "Server-sent events".

use std::collections::VecDeque;
use std::time::Instant;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use kez_core::Code;
use tokio::sync::OwnedSemaphorePermit;

use super::http::{Driver, head, transport_error};
use super::lines::{Lines, check_head};
use super::policy::wait_seconds;
use super::target::Target;
use super::watched::Watched;
use super::{Media, NetError};
use crate::limits::{MAX_HEAD_BYTES, MAX_STREAM_LINE_BYTES, STREAM_SILENCE};

const EVENTS: &[Media] = &[Media::of("text/event-stream")];

/// A stream that is open.
pub struct EventStream {
    body: Incoming,
    began: Instant,
    lines: Lines,
    unread: VecDeque<String>,
    block: Block,
    /// Why the stream is over, after what came before that.
    end: Option<NetError>,
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
        let request =
            super::Request { accept: "text/event-stream", media: EVENTS, ..super::Request::get(target.url.clone()) };
        let (mut message, _) = head(target, &request, false, user_agent)?;
        message.headers_mut().remove("accept-encoding");
        if let Some(id) = last_id.and_then(|id| id.parse().ok()) {
            message.headers_mut().insert("last-event-id", id);
        }
        let answer = sender.send_request(message).await.map_err(|error| transport_error(&error))?;
        check(&answer, &request, target, now)?;
        Ok(EventStream {
            body: answer.into_body(),
            began: Instant::now(),
            lines: Lines::new(std::time::Duration::ZERO),
            unread: VecDeque::new(),
            block: Block::default(),
            end: None,
            _driver: driver,
            _turn: turn,
        })
    }

    /// The next event; the end of the stream is `net.refused`. `limit.body`, `text.utf8`: after the events before that.
    pub async fn next(&mut self) -> Result<ServerEvent, NetError> {
        loop {
            while let Some(line) = self.unread.pop_front() {
                if let Some(event) = self.block.take(&line)? {
                    return Ok(event);
                }
            }
            if let Some(error) = &self.end {
                return Err(error.clone());
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    let bytes = frame.data_ref().map_or(&[][..], |data| data.as_ref());
                    let unread = &mut self.unread;
                    let pushed = self.lines.push(bytes, self.began.elapsed(), |line| unread.push_back(line));
                    self.end = pushed.err();
                }
                Some(Err(error)) => return Err(transport_error(&error)),
                None => return Err(NetError::new(Code::NetRefused, "the stream has ended")),
            }
        }
    }
}

/// What came of an event so far.
#[derive(Default)]
struct Block {
    event: Option<String>,
    id: Option<String>,
    data: Vec<String>,
    bytes: usize,
}

impl Block {
    /// The event that this line ends: an empty line does. Comments and events without data are passed over; one that is
    /// longer than a line may be is `limit.body`.
    fn take(&mut self, line: &str) -> Result<Option<ServerEvent>, NetError> {
        if line.is_empty() {
            let Block { event, id, data, .. } = std::mem::take(self);
            let event = event.unwrap_or_else(|| "message".to_owned());
            return Ok((!data.is_empty()).then(|| ServerEvent { event, id, data: data.join("\n") }));
        }
        self.bytes += line.len();
        if self.bytes > MAX_STREAM_LINE_BYTES {
            return Err(NetError::new(Code::LimitBody, "an event of the stream is too long"));
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => self.event = Some(value.to_owned()),
            "id" => self.id = Some(value.to_owned()),
            "data" => self.data.push(value.to_owned()),
            _ => {}
        }
        Ok(None)
    }
}

fn check(
    answer: &hyper::Response<Incoming>,
    request: &super::Request,
    target: &Target,
    now: u64,
) -> Result<(), NetError> {
    let status = answer.status().as_u16();
    let headers = answer.headers().iter();
    let headers: Vec<(String, String)> =
        headers.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))).collect();
    if let Some(seconds) = wait_seconds(status, &headers, now) {
        return Err(NetError { status: Some(status), ..NetError::wait(seconds, &target.host) });
    }
    check_head(request, status, &headers).map_err(|error| NetError { status: Some(status), ..error })?;
    let code = match status {
        200 => return Ok(()),
        404 | 410 => Code::ChainUnknown,
        _ => Code::NetStatus,
    };
    let message = format!("expected a stream of {}, got the status {status}", target.host);
    Err(NetError { status: Some(status), ..NetError::new(code, message) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(lines: &[&str]) -> Vec<ServerEvent> {
        let mut block = Block::default();
        lines.iter().filter_map(|line| block.take(line).unwrap()).collect()
    }

    #[test]
    fn an_event_is_read_by_its_fields_and_ends_with_an_empty_line() {
        let lines =
            [": comment", "event: head", "id: 1-sha256:aa", "data: {", "data:}", "", ": still here", "", "data"];
        let read = events(&lines);
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].event.as_str(), read[0].id.as_deref()), ("head", Some("1-sha256:aa")));
        assert_eq!(read[0].data, "{\n}");
        assert_eq!(events(&["data: 1", "", "data: 2", ""]).len(), 2);
    }

    #[test]
    fn an_event_is_no_longer_than_a_line_may_be() {
        let mut block = Block::default();
        let line = format!("data: {}", "x".repeat(200_000));
        assert!(block.take(&line).is_ok() && block.take(&line).is_ok());
        assert_eq!(block.take(&line).unwrap_err().code, Code::LimitBody);
    }
}
