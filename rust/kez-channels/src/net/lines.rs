//! A stream of lines, such as server-sent events, that lasts as long as its server likes. SPEC NET-7.

use std::time::Duration;

use kez_core::Code;

use super::{NetError, Redirects, Request, find_header, policy};
use crate::limits::{MAX_STREAM_LINE_BYTES, MAX_STREAM_MINUTE_BYTES};

const MINUTE: Duration = Duration::from_secs(60);

/// From the bytes of a stream to its lines, whatever the pieces in which they come.
#[derive(Debug)]
pub struct Lines {
    rest: Vec<u8>,
    minute_began: Duration,
    minute_bytes: usize,
}

impl Lines {
    /// At the beginning of a stream; times are those of any clock that does not go back.
    pub const fn new(now: Duration) -> Lines {
        Lines { rest: Vec::new(), minute_began: now, minute_bytes: 0 }
    }

    /// Hands out each line that ends in these bytes. `limit.body`, `text.utf8`: the stream is over then, but the lines
    /// before that count. What follows the last end is kept for the next bytes, or dropped with the stream.
    pub fn push(&mut self, bytes: &[u8], now: Duration, mut take: impl FnMut(String)) -> Result<(), NetError> {
        if now.saturating_sub(self.minute_began) >= MINUTE {
            (self.minute_began, self.minute_bytes) = (now, 0);
        }
        self.minute_bytes = self.minute_bytes.saturating_add(bytes.len());
        if self.minute_bytes > MAX_STREAM_MINUTE_BYTES {
            return Err(too_much("bytes a minute"));
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let ended = piece.strip_suffix(b"\n");
            let more = ended.unwrap_or(piece);
            if self.rest.len() + more.len() > MAX_STREAM_LINE_BYTES {
                return Err(too_much("bytes a line"));
            }
            self.rest.extend_from_slice(more);
            if ended.is_some() {
                take(line(std::mem::take(&mut self.rest))?);
            }
        }
        Ok(())
    }
}

/// The head of the answer to a request for a stream: `net.redirect` for every redirect, `net.content_type`, and `net.http`
/// for a content coding, which nobody asked for.
pub fn check_head(request: &Request, status: u16, headers: &[(String, String)]) -> Result<(), NetError> {
    if matches!(status, 301 | 302 | 303 | 307 | 308) {
        let request = Request { redirects: Redirects::Never, ..request.clone() };
        return policy::check_redirect(&request, &request.url, &request.url);
    }
    policy::check_media_type(request, status, headers)?;
    match find_header(headers, "content-encoding") {
        None | Some("identity") => Ok(()),
        Some(_) => Err(NetError::new(Code::NetHttp, "expected a stream as it is, got one that is compressed")),
    }
}

fn line(mut bytes: Vec<u8>) -> Result<String, NetError> {
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    String::from_utf8(bytes).map_err(|_| NetError::new(Code::TextUtf8, "expected UTF-8 in a stream"))
}

fn too_much(what: &str) -> NetError {
    NetError::new(Code::LimitBody, format!("the stream has too many {what}"))
}
