//! WebSockets to relays: text messages only, none compressed, within bounds. SPEC NET-5.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use kez_core::Code;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::target::Target;
use super::watched::{Watched, connection_error};
use super::{NetError, Socket, policy};
use crate::limits::MAX_MESSAGE_BYTES;

/// A WebSocket of the guarded network. It counts as a request at its host until it is dropped.
pub struct GuardedSocket {
    stream: WebSocketStream<Watched>,
    deadline: Instant,
    _turn: OwnedSemaphorePermit,
}

impl GuardedSocket {
    /// The handshake. Beside its result, for how long the host asked to be left alone (NET-4).
    pub async fn open(
        connection: Watched,
        target: &Target,
        turn: OwnedSemaphorePermit,
        (now, total_time): (u64, Duration),
    ) -> (Result<GuardedSocket, NetError>, Option<u64>) {
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        match client_async_with_config(target.url.as_str(), connection, Some(config)).await {
            Ok((stream, _)) => (Ok(GuardedSocket { stream, deadline: Instant::now() + total_time, _turn: turn }), None),
            Err(Error::Http(answer)) => {
                let status = answer.status().as_u16();
                let headers = answer
                    .headers()
                    .iter()
                    .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
                let headers = headers.collect::<Vec<_>>();
                let wait = policy::wait_seconds(status, &headers, now);
                (Err(refusal(status, wait, &target.host)), wait)
            }
            Err(error) => (Err(socket_error(&error)), None),
        }
    }
}

impl Socket for GuardedSocket {
    async fn send(&mut self, text: String) -> Result<(), NetError> {
        match timeout_at(self.deadline, self.stream.send(Message::text(text))).await {
            Ok(sent) => sent.map_err(|error| socket_error(&error)),
            Err(_) => Err(NetError::new(Code::NetTimeout, "the relay took too long")),
        }
    }

    async fn next(&mut self) -> Result<String, NetError> {
        loop {
            let next = timeout_at(self.deadline, self.stream.next()).await;
            match next.map_err(|_| NetError::new(Code::NetTimeout, "the relay took too long"))? {
                Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Binary(_) | Message::Frame(_))) => {
                    return Err(NetError::new(Code::NetHttp, "expected text messages"));
                }
                Some(Ok(Message::Close(_))) | None => {
                    return Err(NetError::new(Code::NetRefused, "the relay closed the connection"));
                }
                Some(Err(error)) => return Err(socket_error(&error)),
            }
        }
    }
}

fn refusal(status: u16, wait: Option<u64>, host: &str) -> NetError {
    let error = match (wait, status) {
        (Some(seconds), _) => NetError::wait(seconds, host),
        (None, 300..=399) => NetError::new(Code::NetRedirect, format!("expected a WebSocket of {host} itself")),
        (None, _) => NetError::new(Code::NetStatus, format!("{host} answered with the status {status}")),
    };
    NetError { status: Some(status), ..error }
}

fn socket_error(error: &Error) -> NetError {
    match error {
        Error::Io(error) => connection_error(error),
        Error::ConnectionClosed | Error::AlreadyClosed => {
            NetError::new(Code::NetRefused, "the relay closed the connection")
        }
        Error::Capacity(CapacityError::MessageTooLong { .. }) => {
            NetError::new(Code::LimitBody, "a message of the relay is too long")
        }
        Error::Url(_) => NetError::new(Code::NetUrl, "expected the URL of a relay"),
        _ => NetError::new(Code::NetHttp, "expected a WebSocket"),
    }
}
