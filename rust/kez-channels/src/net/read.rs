//! What an answer means: there, absent, or none at all. SPEC VER-12, NET-4, §7.5.

use kez_core::{Code, KezError};

use super::policy::wait_seconds;
use super::{Net, NetError, Request, Response};
use crate::json::{self, Value};

/// An answer of a place.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// As it came.
    pub response: Response,
    /// What it holds; none is absence: 404, 410, an empty 200.
    pub value: Option<T>,
}

/// Fetches JSON. 404, 410 and an empty 200 are absence; any other status and what is not JSON is an error. VER-12.
pub async fn json<N: Net>(net: &N, request: &Request, now: u64) -> Result<Answer<Value>, NetError> {
    let response = net.fetch(request).await?;
    judge_json(response, now)
}

/// Text in UTF-8, as [`judge_json`].
pub fn judge_text(response: Response, now: u64) -> Result<Answer<String>, NetError> {
    let value = match is_present(&response, now)? {
        true => Some(decode_text(&response)?.to_owned()),
        false => None,
    };
    Ok(Answer { response, value })
}

/// [`json`] for an answer at hand.
pub fn judge_json(response: Response, now: u64) -> Result<Answer<Value>, NetError> {
    if !is_present(&response, now)? {
        return Ok(Answer { response, value: None });
    }
    let value = json::parse(decode_text(&response)?).ok_or_else(|| not_json(&response))?;
    Ok(Answer { response, value: Some(value) })
}

/// Whether there is something; `net.rate_limit` (NET-4) or `net.status` where that is not said.
pub fn is_present(response: &Response, now: u64) -> Result<bool, NetError> {
    if let Some(seconds) = wait_seconds(response.status, &response.headers, now) {
        return Err(NetError { status: Some(response.status), ..NetError::wait(seconds, host(response)) });
    }
    match response.status {
        404 | 410 => Ok(false),
        200 => Ok(!response.body.is_empty()),
        _ => Err(no_answer(response)),
    }
}

/// `net.status`: the status says nothing about what was asked.
pub fn no_answer(response: &Response) -> NetError {
    let message = format!("{} answered with the status {}", host(response), response.status);
    NetError { status: Some(response.status), ..NetError::new(Code::NetStatus, message) }
}

/// `net.content_type`: whatever it is called, it is no JSON.
pub fn not_json(response: &Response) -> NetError {
    let message = format!("expected JSON of {}, got something else", host(response));
    NetError { status: Some(response.status), ..NetError::new(Code::NetContentType, message) }
}

/// `text.utf8`; a byte order mark stays.
fn decode_text(response: &Response) -> Result<&str, NetError> {
    std::str::from_utf8(&response.body).map_err(|_| NetError {
        status: Some(response.status),
        ..NetError::new(Code::TextUtf8, format!("expected UTF-8 of {}", host(response)))
    })
}

fn host(response: &Response) -> &str {
    response.url.host_str().unwrap_or_default()
}

impl From<KezError> for NetError {
    fn from(error: KezError) -> NetError {
        NetError::new(error.code(), error.message().to_owned())
    }
}
