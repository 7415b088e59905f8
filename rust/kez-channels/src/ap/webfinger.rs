//! WebFinger: from a name to an actor, and whether a host confirms it. SPEC AP-1, AP-5.

use kez_core::{Code, names};
use url::Url;

use crate::json::Value;
use crate::limits::{MAX_ACTOR_URL_CHARS, MAX_MEMBERS};
use crate::net::read::{Answer, json};
use crate::net::{Media, Net, NetError, Request};

const MEDIA: &[Media] = &[Media::of("application/jrd+json"), Media::of("application/json")];
const PROFILE_PAGE: &str = "http://webfinger.net/rel/profile-page";

/// What a host says about an account.
#[derive(Clone, Debug)]
pub struct Finger {
    /// `user@host` folded where it is that by `acct:`, else as it stands.
    pub subject: Option<String>,
    /// Whether it is that by `acct:`. AP-5 (b).
    pub is_account: bool,
    /// The actor.
    pub actor: Option<Url>,
    /// Pages of the profile.
    pub pages: Vec<String>,
    /// The host that answered, after redirects.
    pub host: String,
}

/// WebFinger of this account at this host; without a value where the host answered that there is none.
pub async fn ask<N: Net>(account: &str, host: &str, net: &N, now: u64) -> Result<Answer<Finger>, NetError> {
    let (user, domain) = account.split_once('@').unwrap_or((account, host));
    let text = format!("https://{host}/.well-known/webfinger?resource=acct%3A{}%40{domain}", encode(user));
    let url = Url::parse(&text).map_err(|_| NetError::new(Code::NetUrl, "expected a host"))?;
    let accept = "application/jrd+json, application/json";
    let answer = json(net, &Request { accept, media: MEDIA, ..Request::get(url) }, now).await?;
    let value = answer.value.as_ref().map(|value| Finger::read(value, &answer.response.url));
    Ok(Answer { value, response: answer.response })
}

impl Finger {
    fn read(value: &Value, from: &Url) -> Finger {
        let links = || value.list("links").unwrap_or_default().iter().take(MAX_MEMBERS);
        let actor = links().filter(|link| is_self(link)).find_map(|link| actor_url(link.text("href")?));
        let pages = links().filter(|link| link.text("rel") == Some(PROFILE_PAGE));
        Finger {
            subject: value.text("subject").map(read_subject),
            is_account: value.text("subject").is_some_and(|subject| account_of(subject).is_some()),
            actor,
            pages: pages.filter_map(|link| link.text("href")).map(str::to_owned).collect(),
            host: from.host_str().unwrap_or_default().to_owned(),
        }
    }

    /// Whether this answer confirms the actor under one of these subjects.
    pub fn confirms(&self, actor: &Url, subjects: &[Option<&str>]) -> bool {
        let is_expected = |subject: &str| subjects.contains(&Some(subject)) || is_same_url(subject, actor);
        self.actor.as_ref() == Some(actor) && self.subject.as_deref().is_some_and(is_expected)
    }
}

/// A URL of https without a fragment.
pub fn https_url(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| url.scheme() == "https" && url.fragment().is_none())
}

/// An https URL that an actor may have.
pub fn actor_url(text: &str) -> Option<Url> {
    https_url(text).filter(|_| text.chars().count() <= MAX_ACTOR_URL_CHARS)
}

/// URLs are compared in the spelling of the URL standard.
pub fn is_same_url(text: &str, url: &Url) -> bool {
    https_url(text).as_ref() == Some(url)
}

/// `user` and `domain` of a subject that is an account by `acct:`.
pub fn subject_domain(subject: &str) -> Option<&str> {
    let (_, domain) = subject.split_once('@')?;
    (!subject.contains(['/', ':']) && names::is_domain(domain)).then_some(domain)
}

fn is_self(link: &Value) -> bool {
    const TYPES: [&str; 2] =
        ["application/activity+json", "application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\""];
    link.text("rel") == Some("self") && link.text("type").is_some_and(|kind| TYPES.contains(&kind))
}

fn read_subject(subject: &str) -> String {
    account_of(subject).unwrap_or_else(|| subject.to_owned())
}

/// `acct:` in any case, an optional `@`, and a text with one `@` inside; folded.
fn account_of(subject: &str) -> Option<String> {
    let (scheme, rest) = subject.split_at_checked(5)?;
    scheme.eq_ignore_ascii_case("acct:").then_some(())?;
    let rest = rest.strip_prefix('@').unwrap_or(rest);
    let (user, host) = rest.split_once('@')?;
    (!user.is_empty() && !host.is_empty() && !host.contains('@')).then(|| rest.to_ascii_lowercase())
}

fn encode(user: &str) -> String {
    let is_plain = |it: u8| it.is_ascii_alphanumeric() || b"_.-".contains(&it);
    user.bytes().map(|it| if is_plain(it) { char::from(it).to_string() } else { format!("%{it:02X}") }).collect()
}
