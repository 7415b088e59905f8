//! Documents of ActivityStreams, read by their short names. SPEC AP-3, AP-4, AP-6.

use kez_core::Code;
use url::Url;

use super::html;
use super::webfinger::actor_url;
use crate::json::Value;
use crate::limits::{MAX_FIELDS, MAX_LANGUAGES};
use crate::net::read::{Answer, judge_json};
use crate::net::{Media, Net, NetError, Redirects, Request};

const ACTIVITY_STREAMS: &str = "https://www.w3.org/ns/activitystreams";
const ACCEPT: &str =
    "application/activity+json, application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"";
/// Neither `application/json` nor `text/plain`: a server that keeps uploads would serve them so.
const MEDIA: &[Media] = &[
    Media::of("application/activity+json"),
    Media { essence: "application/ld+json", profile: Some(ACTIVITY_STREAMS) },
];
const ACTOR_TYPES: [&str; 5] = ["Person", "Service", "Application", "Group", "Organization"];

/// A document, or that it is to be had by signed requests only (401, 403).
pub enum Fetched {
    /// As [`crate::net::read::json`].
    Open(Answer<Value>),
    /// AP-10.
    Signed,
}

/// Fetches a document.
pub async fn fetch<N: Net>(url: Url, redirects: Redirects, net: &N, now: u64) -> Result<Fetched, NetError> {
    let request = Request { accept: ACCEPT, media: MEDIA, ..Request::get(url) }.redirects(redirects);
    let response = net.fetch(&request).await?;
    let is_refused = matches!(response.status, 401 | 403);
    match judge_json(response, now) {
        Err(error) if is_refused && error.code == Code::NetStatus => Ok(Fetched::Signed),
        answer => answer.map(Fetched::Open),
    }
}

/// Fetches a document that has to be open.
pub async fn fetch_open<N: Net>(url: Url, redirects: Redirects, net: &N, now: u64) -> Result<Answer<Value>, NetError> {
    match fetch(url, redirects, net, now).await? {
        Fetched::Open(answer) => Ok(answer),
        Fetched::Signed => Err(NetError::new(Code::NetStatus, "the server only answers signed requests")),
    }
}

/// Whether it is an actor.
pub fn is_actor(document: &Value) -> bool {
    let types = document.get("type").map(Value::one_or_many).unwrap_or_default();
    types.iter().filter_map(Value::as_text).any(|kind| ACTOR_TYPES.contains(&kind))
}

/// The id, where it is an https URL and the one where the document lies.
pub fn own_id(document: &Value, lies_at: &Url) -> Option<Url> {
    document.text("id").and_then(actor_url).filter(|id| id == lies_at)
}

/// A text member, else one of its map by languages.
pub fn text_of<'a>(document: &'a Value, name: &str) -> Vec<&'a str> {
    if let Some(text) = document.text(name) {
        return vec![text];
    }
    match document.get(&format!("{name}Map")) {
        Some(Value::Object(languages)) => {
            languages.iter().take(MAX_LANGUAGES).filter_map(|(_, value)| value.as_text()).collect()
        }
        _ => Vec::new(),
    }
}

/// The texts of a profile: its summary, then names and values of its fields.
pub fn profile_texts(actor: &Value) -> Vec<String> {
    let mut texts: Vec<String> = text_of(actor, "summary").into_iter().flat_map(html::texts).collect();
    let attachments = actor.get("attachment").map(Value::one_or_many).unwrap_or_default().iter();
    for field in attachments.take(MAX_FIELDS).filter(|field| is_field(field)) {
        texts.extend(text_of(field, "name").into_iter().map(str::to_owned));
        texts.extend(text_of(field, "value").into_iter().flat_map(html::texts));
    }
    texts
}

fn is_field(attachment: &Value) -> bool {
    let types = attachment.get("type").map(Value::one_or_many).unwrap_or_default();
    types.iter().any(|kind| kind.as_text() == Some("PropertyValue"))
}
