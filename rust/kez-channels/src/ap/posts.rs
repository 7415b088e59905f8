//! Pinned posts of an actor. SPEC AP-7.

use std::borrow::Cow;

use url::Url;

use super::document::{fetch_open, text_of};
use super::html;
use super::webfinger::https_url;
use crate::json::Value;
use crate::limits::MAX_PINNED;
use crate::net::{Net, NetError, Redirects};
use crate::publication::{Evidence, Look};

/// Whose posts, and how they are read.
pub struct Pinned<'a, N> {
    /// The network.
    pub net: &'a N,
    /// The actor's id.
    pub actor: &'a Url,
    /// Seconds since 1970.
    pub now: u64,
}

impl<N: Net> Pinned<'_, N> {
    /// Keeps the posts with a candidate. The first failure of a fetch, in the order of the posts.
    pub async fn look(&self, featured: &Value, look: &mut Look) -> Option<NetError> {
        let posts = match self.items(featured).await {
            Ok(posts) => posts,
            Err(error) => {
                look.evidence.push(Evidence::error(self.actor.as_str(), &error));
                return Some(error);
            }
        };
        let mut first_error = None;
        for post in posts.into_iter().take(MAX_PINNED) {
            if let Err(error) = self.look_at(post, look).await {
                look.evidence.push(Evidence::error(self.actor.as_str(), &error));
                first_error = first_error.or(Some(error));
            }
        }
        first_error
    }

    /// The items of a collection, or of its first page.
    async fn items(&self, featured: &Value) -> Result<Vec<Value>, NetError> {
        let Some(collection) = self.resolve(featured).await? else { return Ok(Vec::new()) };
        if let Some(items) = own_items(&collection) {
            return Ok(items);
        }
        let Some(first) = collection.get("first") else { return Ok(Vec::new()) };
        let page = self.resolve(first).await?;
        Ok(page.and_then(|page| own_items(&page)).unwrap_or_default())
    }

    /// An object is itself, a URL on the actor's host what lies there; anything else, and what is gone, is nothing.
    async fn resolve<'v>(&self, value: &'v Value) -> Result<Option<Cow<'v, Value>>, NetError> {
        if let Value::Object(_) = value {
            return Ok(Some(Cow::Borrowed(value)));
        }
        let Some(url) = value.as_text().and_then(|text| self.on_host(text)) else { return Ok(None) };
        Ok(fetch_open(url, Redirects::SameHost, self.net, self.now).await?.value.map(Cow::Owned))
    }

    async fn look_at(&self, post: Value, look: &mut Look) -> Result<(), NetError> {
        let Some(text) = post.as_text() else {
            let own = post.text("id").and_then(|id| self.on_host(id));
            self.keep(&post, own.as_ref().unwrap_or(self.actor), look);
            return Ok(());
        };
        let Some(url) = self.on_host(text) else { return Ok(()) };
        let answer = fetch_open(url, Redirects::SameHost, self.net, self.now).await?;
        look.evidence.push(Evidence::answer(&answer.response));
        let lies_at = &answer.response.url;
        let is_there = |post: &Value| post.text("id").and_then(https_url).as_ref() == Some(lies_at);
        if let Some(post) = answer.value.filter(is_there) {
            self.keep(&post, lies_at, look);
        }
        Ok(())
    }

    /// The texts of a post by the actor.
    fn keep(&self, post: &Value, found_at: &Url, look: &mut Look) {
        let author = post.get("attributedTo").map(Value::one_or_many).unwrap_or_default();
        let [author] = author else { return };
        let author = author.as_text().or_else(|| author.text("id"));
        if author.and_then(https_url).as_ref() != Some(self.actor) {
            return;
        }
        for text in text_of(post, "content").into_iter().flat_map(html::texts) {
            look.keep(&text, found_at.as_str());
        }
    }

    fn on_host(&self, text: &str) -> Option<Url> {
        https_url(text).filter(|url| url.host() == self.actor.host())
    }
}

/// `orderedItems`, else `items`; none where there is neither.
fn own_items(collection: &Value) -> Option<Vec<Value>> {
    let member = |name: &str| collection.get(name).filter(|items| **items != Value::Null);
    member("orderedItems").or_else(|| member("items")).map(|items| items.one_or_many().to_vec())
}
