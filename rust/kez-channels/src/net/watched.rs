//! A connection that ends when it is silent, or after a number of bytes. SPEC NET-1, NET-5.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use kez_core::Code;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::NetError;
use crate::limits::SILENCE;

/// What a connection can be made of: TCP, or TLS over it.
pub trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<C: AsyncRead + AsyncWrite + Send + Unpin> Connection for C {}

/// A connection that is watched.
pub struct Watched {
    inner: Box<dyn Connection>,
    silence: Pin<Box<Sleep>>,
    patience: Duration,
    bytes_left: usize,
}

impl Watched {
    /// Reads at most so many bytes: then `limit.body`; after three seconds without one: `net.timeout`.
    pub fn new(inner: Box<dyn Connection>, max_bytes: usize) -> Watched {
        Watched { inner, silence: Box::pin(sleep(SILENCE)), patience: SILENCE, bytes_left: max_bytes }
    }

    /// The same with another time of silence: streams say something only now and then (STORE-11).
    pub fn patient(mut self, patience: Duration) -> Watched {
        self.patience = patience;
        self.silence.as_mut().reset(Instant::now() + patience);
        self
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut self.inner).poll_read(cx, buf) {
            let count = buf.filled().len().saturating_sub(before);
            let patience = self.patience;
            self.silence.as_mut().reset(Instant::now() + patience);
            let Some(left) = self.bytes_left.checked_sub(count) else {
                return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()));
            };
            self.bytes_left = left;
            return Poll::Ready(read);
        }
        ready!(self.silence.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// What went wrong with a connection: `net.timeout`, `limit.body`, `net.refused`.
pub fn connection_error(error: &io::Error) -> NetError {
    match error.kind() {
        io::ErrorKind::TimedOut => NetError::new(Code::NetTimeout, "no answer in time"),
        io::ErrorKind::FileTooLarge => NetError::new(Code::LimitBody, "the answer is too long"),
        _ => NetError::new(Code::NetRefused, "the connection was refused or cut"),
    }
}

/// The error of the connection somewhere behind this one.
pub fn find_io_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a io::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error);
        }
        next = error.source();
    }
    None
}
