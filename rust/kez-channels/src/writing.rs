//! What writers to several platforms have in common: requests with a credential, what a refusal means. SPEC NET-6.

use kez_core::Code;
use url::Url;

use crate::json::Value;
use crate::limits::{MAX_DECODED_BYTES, MAX_PAGE_WIRE_BYTES};
use crate::net::{JSON, Net, NetError, Payload, Redirects, Request, Response, Token};

/// What became of a text with a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Where it stands, or stood.
    pub url: String,
    /// Why it is left there; none where it was taken away.
    pub left: Option<&'static str>,
}

/// A text that the platform does not hold.
pub fn check_length(text: &str, limit: usize) -> Result<(), NetError> {
    let length = text.chars().count();
    match length <= limit {
        true => Ok(()),
        false => {
            let message = format!("the text would have {length} characters, and the place holds {limit}");
            Err(NetError::new(Code::PublishTooLong, message))
        }
    }
}

/// One request with a credential, which follows no redirect: a GET where nothing is written.
pub async fn send<N: Net>(
    net: &N,
    url: Url,
    token: Option<&Token>,
    payload: Option<Payload>,
) -> Result<Response, NetError> {
    let media = if payload.is_none() { JSON } else { &[] };
    let request = Request { accept: "application/json", media, token: token.cloned(), payload, ..Request::get(url) };
    net.fetch(&request.redirects(Redirects::Never).bounded(MAX_PAGE_WIRE_BYTES, MAX_DECODED_BYTES)).await
}

/// The JSON of a 2xx; `publish.credentials`, `publish.refused` or `net.status` else.
pub fn judge(response: &Response) -> Result<Option<Value>, NetError> {
    if response.is_success() {
        return Ok(std::str::from_utf8(&response.body).ok().and_then(crate::json::parse));
    }
    let code = match response.status {
        401 | 403 => Code::PublishCredentials,
        429 => Code::NetRateLimit,
        500..=599 => Code::NetStatus,
        _ => Code::PublishRefused,
    };
    let host = response.url.host_str().unwrap_or_default();
    let message = format!("{host} answered with the status {}", response.status);
    Err(NetError { status: Some(response.status), ..NetError::new(code, message) })
}
