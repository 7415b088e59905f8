//! The one way out: requests, TXT records and WebSockets, as the channels ask for them. SPEC §7.2.
//!
//! [`Net`] is what a channel needs of the world. [`Guarded`] is the real one; tests have tables. What both must judge
//! alike (media types, redirects, requests to wait) is in [`policy`].

pub mod address;
mod body;
mod connect;
mod guarded;
mod http;
pub mod lines;
pub mod policy;
pub mod read;
mod resolver;
mod socket;
mod stream;
pub mod target;
mod turns;
mod watched;

use std::fmt;
use std::future::Future;

use kez_core::Code;
use url::Url;

pub use guarded::{Guarded, Settings};
pub use resolver::ResolverSettings;
pub use socket::GuardedSocket;
pub use stream::{EventStream, ServerEvent};

use crate::limits::{MAX_DECODED_BYTES, MAX_WIRE_BYTES};

/// What a channel needs of the world.
pub trait Net: Sync {
    /// A WebSocket of this network.
    type Socket: Socket;

    /// One request under NET-1 and NET-4. A status of any kind is an answer here; [`read`] judges it.
    fn fetch(&self, request: &Request) -> impl Future<Output = Result<Response, NetError>> + Send;

    /// The TXT records at a name, the strings of each joined, as bytes: DNS does not say what they mean. NXDOMAIN and no
    /// record are the empty list; `net.dns` else.
    fn txt(&self, name: &str) -> impl Future<Output = Result<Vec<Vec<u8>>, NetError>> + Send;

    /// A WebSocket under NET-5.
    fn open(&self, url: &Url, rights: Rights) -> impl Future<Output = Result<Self::Socket, NetError>> + Send;
}

/// Text messages both ways. Dropping it closes the connection.
pub trait Socket: Send {
    /// Sends one message.
    fn send(&mut self, text: String) -> impl Future<Output = Result<(), NetError>> + Send;

    /// The next message, within the limits of NET-5; a connection that was closed is `net.refused`.
    fn next(&mut self) -> impl Future<Output = Result<String, NetError>> + Send;
}

/// Who named the URL. NET-1, NET-5: the right is that of the request, not of the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Some text: only public places, and TLS.
    Stranger,
    /// The reader himself, in his settings: taken as it is, but redirects are not.
    Reader,
}

/// How far redirects are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirects {
    /// By NET-1 alone.
    Anywhere,
    /// To the same host; another one is `net.redirect`.
    SameHost,
    /// Not at all: `net.redirect`.
    Never,
}

/// A media type that an answer may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Media {
    /// `type/subtype` in lower case.
    pub essence: &'static str,
    /// A URL that has to be among the parameter `profile`.
    pub profile: Option<&'static str>,
}

impl Media {
    /// This type, whatever its parameters.
    pub const fn of(essence: &'static str) -> Media {
        Media { essence, profile: None }
    }
}

/// JSON as servers of the web send it.
pub const JSON: &[Media] = &[Media::of("application/json")];

/// A secret of the reader's that goes into a header. It is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A token that a header can hold; none else.
    pub fn new(text: impl Into<String>) -> Option<Token> {
        let text = text.into();
        (!text.is_empty() && text.bytes().all(|it| it.is_ascii_graphic())).then_some(Token(text))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Token(…)")
    }
}

/// What a request writes. It is sent once, to the URL itself.
#[derive(Clone, Debug)]
pub struct Payload {
    /// `POST`, `PATCH`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// The header `Content-Type`.
    pub content_type: &'static str,
    /// As it is sent.
    pub body: Vec<u8>,
}

/// One request: a GET, unless it writes.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where.
    pub url: Url,
    /// The header `Accept`.
    pub accept: &'static str,
    /// What a 2xx may be, else `net.content_type` before its body is read; empty: anything.
    pub media: &'static [Media],
    /// How far redirects are followed.
    pub redirects: Redirects,
    /// Bytes of the body on the wire.
    pub max_wire_bytes: usize,
    /// Bytes of the body after decompression.
    pub max_decoded_bytes: usize,
    /// A header that the place wants.
    pub extra_header: Option<(&'static str, &'static str)>,
    /// Sent as `Authorization: Bearer`, to the host of `url` alone.
    pub token: Option<Token>,
    /// Who named the URL.
    pub rights: Rights,
    /// What is written; none for a GET.
    pub payload: Option<Payload>,
}

impl Request {
    /// A GET with the bounds of NET-1, of anything, by a stranger's URL.
    pub const fn get(url: Url) -> Request {
        Request {
            url,
            accept: "*/*",
            media: &[],
            redirects: Redirects::Anywhere,
            max_wire_bytes: MAX_WIRE_BYTES,
            max_decoded_bytes: MAX_DECODED_BYTES,
            extra_header: None,
            token: None,
            rights: Rights::Stranger,
            payload: None,
        }
    }

    /// A GET of JSON.
    pub fn json(url: Url) -> Request {
        Request { accept: "application/json", media: JSON, ..Request::get(url) }
    }

    /// A request that writes, and follows no redirect: what is written is meant for this URL alone.
    pub fn write(url: Url, method: &'static str, content_type: &'static str, body: Vec<u8>) -> Request {
        let payload = Some(Payload { method, content_type, body });
        Request { accept: "application/json", redirects: Redirects::Never, payload, ..Request::get(url) }
    }

    /// With other bounds of the body.
    pub fn bounded(self, max_wire_bytes: usize, max_decoded_bytes: usize) -> Request {
        Request { max_wire_bytes, max_decoded_bytes, ..self }
    }

    /// With other redirects.
    pub fn redirects(self, redirects: Redirects) -> Request {
        Request { redirects, ..self }
    }
}

/// An answer: status, the URL after redirects, headers and the body as it is meant.
#[derive(Clone, Debug)]
pub struct Response {
    /// 200 to 599.
    pub status: u16,
    /// After redirects, under the names of hosts and not of their base URLs.
    pub url: Url,
    /// Names in lower case, in their order.
    pub headers: Vec<(String, String)>,
    /// Decompressed; empty where it was too long and the status is none of 200 to 299.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of this name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    /// Whether the status is one of 200 to 299.
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }
}

/// The first header of this name.
pub(crate) fn find_header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetError {
    /// A code of SPEC §12.
    pub code: Code,
    /// A sentence for people.
    pub message: String,
    /// When to ask again, if it is known.
    pub retry_after_seconds: Option<u64>,
    /// The status, where there was one.
    pub status: Option<u16>,
    /// The resolver answered that the host has no address. BSKY-2.
    pub no_address: bool,
}

impl NetError {
    /// A failure with this code.
    pub fn new(code: Code, message: impl Into<String>) -> NetError {
        NetError { code, message: message.into(), retry_after_seconds: None, status: None, no_address: false }
    }

    /// `net.rate_limit`, until so many seconds from now.
    pub fn wait(seconds: u64, host: &str) -> NetError {
        let message = format!("{host} asked to wait {seconds} s");
        NetError { retry_after_seconds: Some(seconds), ..NetError::new(Code::NetRateLimit, message) }
    }
}

impl fmt::Display for NetError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} [{}]", self.message, self.code)
    }
}

impl std::error::Error for NetError {}
