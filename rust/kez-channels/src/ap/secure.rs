//! Servers that give the actor to signed requests only: the public API of the same server. SPEC AP-10.

use kez_core::Code;
use url::Url;

use super::html;
use super::webfinger::{https_url, is_same_url};
use crate::json::Value;
use crate::limits::{MAX_FIELDS, MAX_PINNED};
use crate::net::read::json;
use crate::net::{Net, NetError, Redirects, Request};
use crate::publication::{Evidence, Look};

/// An account that the API gave, and is the actor.
pub struct ApiAccount {
    id: String,
    value: Value,
}

/// Looks the user up at the actor's host. Whatever stands in the way is `net.status`: nobody is wrong for the strictness
/// of his server; but a server that asks to wait is heard.
pub async fn lookup<N: Net>(
    user: &str,
    actor: &Url,
    pages: &[String],
    net: &N,
    now: u64,
) -> Result<ApiAccount, NetError> {
    let url = api(actor, &format!("accounts/lookup?acct={user}"))?;
    let request = Request::json(url).redirects(Redirects::SameHost);
    let value = json(net, &request, now).await.map_err(closed)?.value.ok_or_else(only_signed)?;
    let id = value.text("id").filter(|id| is_id(id)).ok_or_else(only_signed)?.to_owned();
    let is_user = value.text("username").is_some_and(|name| name.eq_ignore_ascii_case(user));
    let is_actor = match value.text("uri") {
        Some(uri) => is_same_url(uri, actor),
        None => value.text("url").is_some_and(|url| is_same_url(url, actor) || pages.iter().any(|page| page == url)),
    };
    if is_user && is_actor { Ok(ApiAccount { id, value }) } else { Err(only_signed()) }
}

impl ApiAccount {
    /// Note and fields.
    pub fn texts(&self) -> Vec<String> {
        let mut texts: Vec<String> = self.value.text("note").into_iter().flat_map(html::texts).collect();
        for field in self.value.list("fields").unwrap_or_default().iter().take(MAX_FIELDS) {
            texts.extend(field.text("name").map(str::to_owned));
            texts.extend(field.text("value").into_iter().flat_map(html::texts));
        }
        texts
    }

    /// Keeps the pinned posts with a candidate.
    pub async fn look_at_posts<N: Net>(&self, actor: &Url, net: &N, now: u64, look: &mut Look) -> Result<(), NetError> {
        let url = api(actor, &format!("accounts/{}/statuses?pinned=true", self.id))?;
        let answer = json(net, &Request::json(url).redirects(Redirects::SameHost), now).await.map_err(closed)?;
        look.evidence.push(Evidence::answer(&answer.response));
        let value = answer.value.ok_or_else(only_signed)?;
        let posts = value.as_list().ok_or_else(only_signed)?;
        for post in posts.iter().take(MAX_PINNED) {
            let is_own = post.get("account").and_then(|account| account.text("id")) == Some(self.id.as_str());
            let found_at = post.text("uri").and_then(https_url).filter(|uri| uri.host() == actor.host());
            for text in post.text("content").filter(|_| is_own).into_iter().flat_map(html::texts) {
                look.keep(&text, found_at.as_ref().unwrap_or(actor).as_str());
            }
        }
        Ok(())
    }
}

fn api(actor: &Url, path: &str) -> Result<Url, NetError> {
    actor.join(&format!("/api/v1/{path}")).map_err(|_| NetError::new(Code::NetUrl, "expected a URL"))
}

fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_' || it == b'-')
}

/// `unreachable`, `net.status`, never invalid.
fn only_signed() -> NetError {
    NetError::new(Code::NetStatus, "the profile is fine but this server only answers signed requests")
}

fn closed(error: NetError) -> NetError {
    match error.code {
        Code::NetRateLimit => error,
        _ => NetError { status: error.status, ..only_signed() },
    }
}
