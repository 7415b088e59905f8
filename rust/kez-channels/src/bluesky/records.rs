//! Profile and posts, at the account's own server, else in the public copy. SPEC BSKY-6 to BSKY-10.

use kez_core::Code;
use url::Url;

use super::did::Did;
use super::facets::restore_hint_links;
use crate::finding::Sight;
use crate::json::Value;
use crate::limits::{MAX_DECODED_BYTES, MAX_POSTS};
use crate::net::read::{Answer, judge_json, no_answer};
use crate::net::{Net, NetError, Redirects, Request, Response};
use crate::publication::{Evidence, Look};

const PUBLIC_COPY: &str = "https://public.api.bsky.app";
/// The account's own server answered, and shows nothing. BSKY-8.
const CLOSED: [&str; 5] = ["RecordNotFound", "RepoNotFound", "RepoDeactivated", "RepoTakendown", "RepoSuspended"];

/// What the records of an account come to, beside the candidates that were kept.
#[derive(Debug, Default)]
pub struct Seen {
    /// The first read that gave no answer, or one that may not be used.
    pub error: Option<NetError>,
    /// A record of another account, or no post, holds a candidate.
    pub is_foreign: bool,
}

/// Where the records of an account are read.
pub struct Place<'a, N> {
    /// The network.
    pub net: &'a N,
    /// The account.
    pub did: &'a Did,
    /// Its server.
    pub server: &'a Url,
    /// Seconds since 1970.
    pub now: u64,
}

/// What one read says: a value, absence, or no answer; a plain 400 apart.
struct Read {
    result: Result<Answer<Value>, NetError>,
    is_plain_refusal: bool,
}

impl<N: Net> Place<'_, N> {
    /// Keeps the texts with a candidate, the profile first.
    pub async fn look(&self, look: &mut Look) -> Seen {
        let did = self.did.encoded();
        let get_profile =
            format!("xrpc/com.atproto.repo.getRecord?repo={did}&collection=app.bsky.actor.profile&rkey=self");
        let list_posts = format!("xrpc/com.atproto.repo.listRecords?repo={did}&collection=app.bsky.feed.post&limit=50");
        let server = self.server.as_str();
        let (profile, posts) = tokio::join!(self.read(server, &get_profile), self.read(server, &list_posts));
        if profile.is_plain_refusal && posts.is_plain_refusal && self.is_closed(&did).await {
            look.evidence.push(Evidence::note(self.server.as_str(), "the account is deactivated"));
            return Seen::default();
        }
        let mut seen = Seen::default();
        for read in [&profile, &posts] {
            match &read.result {
                Ok(answer) => look.evidence.push(Evidence::answer(&answer.response)),
                Err(error) => look.evidence.push(Evidence::error(self.server.as_str(), error)),
            }
        }
        let is_missing = |read: &Read| read.result.as_ref().is_err_and(|error| !is_unusable(error));
        let profile_copy = if is_missing(&profile) { self.copy_of_profile(&did).await } else { None };
        let posts_copy = if is_missing(&posts) { self.copy_of_posts(&did).await } else { None };
        self.keep_profile(&profile.result, profile_copy, look, &mut seen);
        self.keep_posts(&posts.result, posts_copy, look, &mut seen);
        seen.error = profile.result.err().or(posts.result.err());
        seen
    }

    async fn read(&self, server: &str, path: &str) -> Read {
        let fetched = async {
            let url = format!("{}/{path}", server.trim_end_matches('/'));
            let url = Url::parse(&url).map_err(|_| NetError::new(Code::NetUrl, "expected a URL"))?;
            let request = Request::json(url).redirects(Redirects::SameHost);
            self.net.fetch(&request.bounded(MAX_DECODED_BYTES, MAX_DECODED_BYTES)).await
        };
        match fetched.await {
            Ok(response) if response.status == 400 => refusal(response),
            Ok(response) => Read { result: judge_json(response, self.now), is_plain_refusal: false },
            Err(error) => Read { result: Err(error), is_plain_refusal: false },
        }
    }

    /// Whether the status of the repository explains the refusals: such an error, or `active` false of this DID. BSKY-8.
    async fn is_closed(&self, did: &str) -> bool {
        let path = format!("xrpc/com.atproto.sync.getRepoStatus?did={did}");
        match self.read(self.server.as_str(), &path).await.result {
            Ok(Answer { value: Some(status), .. }) => {
                status.is_false("active") && status.text("did") == Some(self.did.as_str())
            }
            Ok(Answer { value: None, response }) => response.status == 400,
            Err(_) => false,
        }
    }

    fn keep_profile(
        &self,
        read: &Result<Answer<Value>, NetError>,
        copy: Option<String>,
        look: &mut Look,
        seen: &mut Seen,
    ) {
        let found_at = format!("https://bsky.app/profile/{}", self.did.as_str());
        if let Some(text) = copy {
            look.keep(&text, &found_at);
        }
        let Ok(Answer { value: Some(record), .. }) = read else { return };
        let Some(text) = record.get("value").and_then(|value| value.text("description")) else { return };
        let own = format!("at://{}/app.bsky.actor.profile/self", self.did.as_str());
        match record.text("uri") == Some(own.as_str()) {
            true => drop(look.keep(text, &found_at)),
            false => self.leave_out(text, look, seen),
        }
    }

    fn keep_posts(
        &self,
        read: &Result<Answer<Value>, NetError>,
        copy: Option<Vec<(String, String)>>,
        look: &mut Look,
        seen: &mut Seen,
    ) {
        for (text, key) in copy.unwrap_or_default() {
            look.keep(&text, &self.post_url(&key));
        }
        let Ok(Answer { value: Some(list), .. }) = read else { return };
        for record in list.list("records").unwrap_or_default().iter().take(MAX_POSTS) {
            let Some(post) = record.get("value") else { continue };
            let Some(text) = post.text("text") else { continue };
            match self.post_key(record.text("uri")) {
                Some(key) => drop(look.keep(&restore_hint_links(text, post), &self.post_url(key))),
                None => self.leave_out(text, look, seen),
            }
        }
    }

    fn leave_out(&self, text: &str, look: &mut Look, seen: &mut Seen) {
        let note = "a record that is not the account's own";
        look.evidence.push(Evidence::fault(self.server.as_str(), Code::AccountOwner, note));
        seen.is_foreign |= Sight::of(text).is_some();
    }

    /// `description` of the copy, if it is of this account. BSKY-9.
    async fn copy_of_profile(&self, did: &str) -> Option<String> {
        let path = format!("xrpc/app.bsky.actor.getProfile?actor={did}");
        let profile = self.read(PUBLIC_COPY, &path).await.result.ok()?.value?;
        (profile.text("did") == Some(self.did.as_str())).then_some(())?;
        profile.text("description").map(str::to_owned)
    }

    /// Texts of the account's posts in the copy, with their keys. BSKY-9.
    async fn copy_of_posts(&self, did: &str) -> Option<Vec<(String, String)>> {
        let path = format!("xrpc/app.bsky.feed.getAuthorFeed?actor={did}&limit=50&filter=posts_with_replies");
        let feed = self.read(PUBLIC_COPY, &path).await.result.ok()?.value?;
        let posts = feed.list("feed")?.iter().take(MAX_POSTS).filter_map(|item| {
            let post = item.get("post")?;
            let key = self.post_key(post.text("uri"))?;
            (post.get("author")?.text("did") == Some(self.did.as_str())).then_some(())?;
            let record = post.get("record")?;
            Some((restore_hint_links(record.text("text")?, record), key.to_owned()))
        });
        Some(posts.collect())
    }

    fn post_url(&self, key: &str) -> String {
        format!("https://bsky.app/profile/{}/post/{key}", self.did.as_str())
    }

    /// The key of one of the account's own posts.
    fn post_key<'u>(&self, uri: Option<&'u str>) -> Option<&'u str> {
        let key = uri?.strip_prefix("at://")?.strip_prefix(self.did.as_str())?.strip_prefix("/app.bsky.feed.post/")?;
        let is_key_byte = |it: u8| it.is_ascii_alphanumeric() || b"._:~-".contains(&it);
        ((1..=512).contains(&key.len()) && key.bytes().all(is_key_byte)).then_some(key)
    }
}

/// A 400 is absence where its error says so, else no answer.
fn refusal(response: Response) -> Read {
    let value = str::from_utf8(&response.body).ok().and_then(crate::json::parse);
    let is_closed = value.as_ref().and_then(|it| it.text("error")).is_some_and(|error| CLOSED.contains(&error));
    match is_closed {
        true => Read { result: Ok(Answer { response, value: None }), is_plain_refusal: false },
        false => Read { result: Err(no_answer(&response)), is_plain_refusal: true },
    }
}

/// An answer that may not be used, and that no copy stands in for.
fn is_unusable(error: &NetError) -> bool {
    matches!(error.code, Code::LimitBody | Code::TextUtf8)
}
