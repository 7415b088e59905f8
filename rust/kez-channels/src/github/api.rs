//! Requests to GitHub, and what its answers mean. SPEC GH-1, GH-2, GH-3, GH-5.

use kez_core::Code;
use url::Url;

use crate::json::Value;
use crate::limits::{
    DEFAULT_WAIT_SECONDS, MAX_FILE_BYTES, MAX_PAGE_DECODED_BYTES, MAX_PAGE_WIRE_BYTES, MAX_REFUSAL_BYTES,
};
use crate::net::policy::wait_seconds;
use crate::net::read::{Answer, judge_json, judge_text};
use crate::net::{JSON, Media, Net, NetError, Redirects, Request, Response};
use crate::publication::Options;

/// The host of the API, which alone gets a token.
pub const API: &str = "https://api.github.com";
const RAW_HOST: &str = "gist.githubusercontent.com";

/// Asks GitHub.
pub struct Api<'a, N> {
    /// The network.
    pub net: &'a N,
    /// Token and time.
    pub options: &'a Options,
}

impl<N: Net> Api<'_, N> {
    /// A GET below the API, with the sizes of a page.
    pub async fn get(&self, path: &str, redirects: Redirects) -> Result<Answer<Value>, NetError> {
        let url = Url::parse(&format!("{API}{path}"));
        self.get_url(url.map_err(|_| NetError::new(Code::NetUrl, "expected a path"))?, redirects).await
    }

    /// A GET of a URL at the API.
    pub async fn get_url(&self, url: Url, redirects: Redirects) -> Result<Answer<Value>, NetError> {
        let request = Request {
            accept: "application/vnd.github+json",
            media: JSON,
            extra_header: Some(("x-github-api-version", "2022-11-28")),
            token: self.options.github_token.clone(),
            ..Request::get(url)
        };
        let request = request.redirects(redirects).bounded(MAX_PAGE_WIRE_BYTES, MAX_PAGE_DECODED_BYTES);
        judge_json(self.heed_limit(self.net.fetch(&request).await?)?, self.options.now)
    }

    /// GH-2: after a limit nothing more is asked, of whichever of GitHub's hosts it is.
    fn heed_limit(&self, response: Response) -> Result<Response, NetError> {
        match limit_seconds(&response, self.options.now) {
            Some(seconds) => Err(NetError { status: Some(response.status), ..NetError::wait(seconds, "GitHub") }),
            None => Ok(response),
        }
    }

    /// The content of a file at the raw host. It costs nothing of the hourly limit.
    pub async fn raw(&self, url: Url) -> Result<Answer<String>, NetError> {
        const PLAIN: &[Media] = &[Media::of("text/plain")];
        let request = Request { accept: "text/plain", media: PLAIN, ..Request::get(url) };
        let request = request.redirects(Redirects::SameHost).bounded(MAX_FILE_BYTES, MAX_FILE_BYTES);
        judge_text(self.heed_limit(self.net.fetch(&request).await?)?, self.options.now)
    }
}

/// Seconds of a limit: GH-2.
fn limit_seconds(response: &Response, now: u64) -> Option<u64> {
    if !matches!(response.status, 403 | 429) {
        return None;
    }
    let named = wait_seconds(response.status, &response.headers, now);
    let says_limit = || {
        let start = response.body.get(..MAX_REFUSAL_BYTES).unwrap_or(&response.body);
        let is_used_up = response.header("x-ratelimit-remaining").is_some_and(|left| left.trim() == "0");
        is_used_up || String::from_utf8_lossy(start).to_ascii_lowercase().contains("rate limit")
    };
    named.or_else(|| says_limit().then_some(DEFAULT_WAIT_SECONDS))
}

/// An account, as answers name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// As it is shown.
    pub login: String,
    /// The permanent number.
    pub id: i64,
}

impl Owner {
    /// An account that counts: a login of 1 to 39 letters, digits and `-`, and a whole number above 0.
    pub fn read(value: &Value) -> Option<Owner> {
        let login = value.text("login")?;
        let id = value.integer("id").filter(|id| *id > 0)?;
        let is_login =
            (1..=39).contains(&login.len()) && login.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
        is_login.then(|| Owner { login: login.to_owned(), id })
    }

    /// Whether it has this login.
    pub fn is(&self, login: &str) -> bool {
        self.login.eq_ignore_ascii_case(login)
    }
}

/// The URL of the next page, if it is at the API. GH-3.
pub fn next_page(response: &Response) -> Option<Url> {
    let link = response.header("link")?;
    let next = link.split(',').find_map(|part| {
        let (url, parameters) = part.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|it| matches!(it.trim(), "rel=\"next\"" | "rel=next"));
        is_next.then_some(url)
    })?;
    Url::parse(next).ok().filter(|url| {
        url.origin().ascii_serialization() == API && url.username().is_empty() && url.password().is_none()
    })
}

/// A raw URL that is one of this gist: of its host, login and id, without user, password or port. GH-5.
pub fn raw_url(text: &str, login: &str, gist: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_at_host = url.scheme() == "https"
        && url.host_str() == Some(RAW_HOST)
        && url.port().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    let mut segments = url.path_segments()?;
    let is_login = segments.next().is_some_and(|it| it.eq_ignore_ascii_case(login));
    (is_at_host && is_login && segments.next() == Some(gist) && segments.next() == Some("raw")).then_some(url)
}
