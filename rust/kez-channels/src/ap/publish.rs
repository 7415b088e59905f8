//! Writing to a fediverse account with an access token of its server, by Mastodon's API. SPEC NET-6, AP-4, AP-6, AP-7.

use kez_core::{Code, Identity};
use url::Url;
use url::form_urlencoded::Serializer;

use super::webfinger::{ask, https_url, is_same_url};
use super::{collect, html};
use crate::json::Value;
use crate::net::{Net, NetError, Payload, Token};
use crate::publication::{Options, Outcome};
use crate::removal::{holds, is_proof_alone as is_alone, without_proofs};
use crate::writing::{Removed, check_length, judge, send};

const LABEL: &str = "KEZ";
const INTRO: &str = "My KEZ identity:";
const MAX_FIELD_CHARS: usize = 255;
const MAX_TEXT_CHARS: usize = 500;
const MAX_FIELDS: usize = 32;

/// An account, as the hosts name it.
#[derive(Clone, Debug)]
pub struct Account {
    actor: Url,
    /// Where people see it, by WebFinger.
    pages: Vec<String>,
}

impl Account {
    /// The permanent number.
    pub fn id(&self) -> &str {
        self.actor.as_str()
    }

    /// AP-13: whether the API means this account.
    fn is(&self, account: &Value) -> bool {
        match (account.text("uri"), account.text("url")) {
            (Some(uri), _) => is_same_url(uri, &self.actor),
            (None, Some(url)) => is_same_url(url, &self.actor) || self.pages.iter().any(|page| page == url),
            (None, None) => false,
        }
    }
}

/// The actor, after AP-1 to AP-5 held.
pub async fn find<N: Net>(value: &str, net: &N, now: u64) -> Result<Account, NetError> {
    let publication = collect(value, net, &Options { now, ..Options::default() }).await;
    if let Outcome::Invalid(code) | Outcome::Unreachable { code, .. } = publication.outcome {
        return Err(NetError::new(code, "the account cannot be looked at"));
    }
    let nobody = || NetError::new(Code::PublishRefused, "its server knows no such account");
    let actor = publication.account_id.as_deref().and_then(https_url).ok_or_else(nobody)?;
    let host = value.split_once('@').map_or(value, |(_, host)| host);
    let finger = ask(value, host, net, now).await?.value.filter(|finger| finger.actor.as_ref() == Some(&actor));
    Ok(Account { actor, pages: finger.ok_or_else(nobody)?.pages })
}

/// An account whose token was accepted.
#[derive(Debug)]
pub struct Owner {
    actor: Url,
    token: Token,
    id: String,
    note: String,
    fields: Vec<(String, String)>,
}

impl Owner {
    /// The token has to be that of this very account; else `publish.credentials`.
    pub async fn open<N: Net>(value: &str, found: Account, token: Token, net: &N) -> Result<Owner, NetError> {
        let actor = found.actor.clone();
        let user = value.split_once('@').map_or(value, |(user, _)| user);
        let answer = judge(&send(net, api(&actor, "accounts/verify_credentials")?, Some(&token), None).await?)?;
        let refused = |message: &str| NetError::new(Code::PublishCredentials, message.to_owned());
        let account = answer.ok_or_else(|| refused("the server does not accept the token"))?;
        let is_user = account.text("username").is_some_and(|name| name.eq_ignore_ascii_case(user));
        let id = account.text("id").filter(|id| is_id(id)).filter(|_| is_user && found.is(&account));
        let id = id.ok_or_else(|| refused("the token is that of another account"))?.to_owned();
        let source =
            account.get("source").ok_or_else(|| refused("the token may not read the account's own profile"))?;
        let field = |field: &Value| Some((field.text("name")?.to_owned(), field.text("value")?.to_owned()));
        let fields = source.list("fields").unwrap_or_default().iter().take(MAX_FIELDS).filter_map(field).collect();
        let note = source.text("note").unwrap_or_default().to_owned();
        Ok(Owner { actor, token, id, note, fields })
    }

    /// The permanent number.
    pub fn id(&self) -> &str {
        self.actor.as_str()
    }

    /// A field `KEZ`, or the one from before; the others stay. Where it stands.
    pub async fn write_field<N: Net>(&self, account: &Identity, text: &str, net: &N) -> Result<String, NetError> {
        check_length(text, MAX_FIELD_CHARS)?;
        let mut fields = self.fields.clone();
        let is_ours =
            |(name, value): &(String, String)| name == LABEL && (value.is_empty() || is_alone(value, account));
        match fields.iter_mut().find(|field| is_ours(field) || is_alone(&field.1, account)) {
            Some((_, value)) if value == text => return Ok(self.id().to_owned()),
            Some((_, value)) => *value = text.to_owned(),
            None => fields.push((LABEL.to_owned(), text.to_owned())),
        }
        self.put_fields(&fields, net).await?;
        Ok(self.id().to_owned())
    }

    /// The last lines of the bio; an earlier proof is replaced. Where it stands.
    pub async fn write_bio<N: Net>(&self, account: &Identity, text: &str, net: &N) -> Result<String, NetError> {
        if !self.note.ends_with(text) {
            let kept = without_proofs(&self.note, account);
            let after = if kept.is_empty() { text.to_owned() } else { format!("{kept}\n{text}") };
            check_length(&after, MAX_TEXT_CHARS)?;
            self.put_note(&after, net).await?;
        }
        Ok(self.id().to_owned())
    }

    /// A public post that is pinned; the pinned one from before is edited. Where it stands.
    pub async fn write_post<N: Net>(&self, account: &Identity, text: &str, net: &N) -> Result<String, NetError> {
        check_length(text, MAX_TEXT_CHARS)?;
        let pinned = self.pinned(net).await?;
        if let Some(post) = pinned.iter().find(|post| post.text == text) {
            return Ok(post.url.clone());
        }
        if let Some(post) = pinned.iter().find(|post| post.is_alone(account)) {
            self.call("PUT", &format!("statuses/{}", post.id), &[("status", text)], net).await?;
            return Ok(post.url.clone());
        }
        let answer = self.call("POST", "statuses", &[("status", text), ("visibility", "public")], net).await?;
        let post = answer.as_ref().and_then(|answer| self.post(answer));
        let post = post.ok_or_else(|| NetError::new(Code::PublishRefused, "the server did not say what it made"))?;
        if let Err(error) = self.call("POST", &format!("statuses/{}/pin", post.id), &[], net).await {
            // Nobody finds a post that is not pinned.
            self.call("DELETE", &format!("statuses/{}", post.id), &[], net).await?;
            return Err(error);
        }
        Ok(post.url)
    }

    /// Takes proofs of the account out of fields and bio, and deletes pinned posts that hold nothing else.
    pub async fn unpublish<N: Net>(&self, account: &Identity, net: &N) -> Result<Vec<Removed>, NetError> {
        let mut removed = Vec::new();
        let gone = || Removed { url: self.id().to_owned(), left: None };
        if self.fields.iter().any(|(_, value)| holds(value, account)) {
            let rest = |(name, value): &(String, String)| match holds(value, account) {
                true => (name.clone(), without_proofs(value, account)),
                false => (name.clone(), value.clone()),
            };
            let is_left = |(_, value): &(String, String)| !holds(value, account) || !is_alone(value, account);
            let mut fields: Vec<_> = self.fields.iter().filter(|field| is_left(field)).map(rest).collect();
            // A server keeps the fields that it is not told about: empty ones are the wish to remove.
            fields.resize(self.fields.len(), (String::new(), String::new()));
            self.put_fields(&fields, net).await?;
            removed.push(gone());
        }
        if holds(&self.note, account) {
            self.put_note(&without_proofs(&self.note, account), net).await?;
            removed.push(gone());
        }
        for post in self.pinned(net).await?.into_iter().filter(|post| holds(&post.text, account)) {
            let left = (!post.is_alone(account)).then_some("the post holds other text, and is left to you");
            if left.is_none() {
                self.call("DELETE", &format!("statuses/{}", post.id), &[], net).await?;
            }
            removed.push(Removed { url: post.url, left });
        }
        Ok(removed)
    }

    async fn pinned<N: Net>(&self, net: &N) -> Result<Vec<Post>, NetError> {
        let url = api(&self.actor, &format!("accounts/{}/statuses?pinned=true", self.id))?;
        let answer = judge(&send(net, url, Some(&self.token), None).await?)?;
        Ok(answer.as_ref().and_then(Value::as_list).unwrap_or_default().iter().filter_map(|it| self.post(it)).collect())
    }

    fn post(&self, post: &Value) -> Option<Post> {
        let id = post.text("id").filter(|id| is_id(id))?.to_owned();
        let text = html::texts(post.text("content")?).into_iter().next()?;
        Some(Post { id, text, url: post.text("uri").unwrap_or(self.id()).to_owned() })
    }

    async fn put_fields<N: Net>(&self, fields: &[(String, String)], net: &N) -> Result<(), NetError> {
        let named = fields.iter().enumerate().flat_map(|(at, (name, value))| {
            let key = |part: &str| format!("fields_attributes[{at}][{part}]");
            [(key("name"), name.as_str()), (key("value"), value.as_str())]
        });
        let named: Vec<(String, &str)> = named.collect();
        let pairs: Vec<(&str, &str)> = named.iter().map(|(key, value)| (key.as_str(), *value)).collect();
        self.call("PATCH", "accounts/update_credentials", &pairs, net).await.map(drop)
    }

    async fn put_note<N: Net>(&self, note: &str, net: &N) -> Result<(), NetError> {
        self.call("PATCH", "accounts/update_credentials", &[("note", note)], net).await.map(drop)
    }

    async fn call<N: Net>(
        &self,
        method: &'static str,
        path: &str,
        pairs: &[(&str, &str)],
        net: &N,
    ) -> Result<Option<Value>, NetError> {
        let body = Serializer::new(String::new()).extend_pairs(pairs).finish().into_bytes();
        let payload = Payload { method, content_type: "application/x-www-form-urlencoded", body };
        judge(&send(net, api(&self.actor, path)?, Some(&self.token), Some(payload)).await?)
    }
}

struct Post {
    id: String,
    text: String,
    url: String,
}

impl Post {
    /// Whether it holds nothing but a proof, and the words that `kez` writes before one.
    fn is_alone(&self, account: &Identity) -> bool {
        is_alone(self.text.trim().strip_prefix(INTRO).unwrap_or(&self.text), account)
    }
}

fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_' || it == b'-')
}

fn api(actor: &Url, path: &str) -> Result<Url, NetError> {
    actor.join(&format!("/api/v1/{path}")).map_err(|_| NetError::new(Code::NetUrl, "expected a URL"))
}
