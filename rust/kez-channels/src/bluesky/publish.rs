//! Writing to a Bluesky account with an app password: the profile's description, or a post. SPEC BSKY-12, NET-6.

use kez_core::canonical::canonicalize;
use kez_core::{Code, Identity, Json};
use url::Url;

use super::collect;
use super::did::{self, Did, fetch_document};
use crate::json::Value;
use crate::net::{Net, NetError, Payload, Token};
use crate::nostr::profile::write;
use crate::publication::{Options, Outcome};
use crate::removal::{holds, is_proof_alone, without_proofs};
use crate::writing::{Removed, check_length, judge, send};

const PROFILE: &str = "app.bsky.actor.profile";
const POST: &str = "app.bsky.feed.post";
const MAX_PROFILE_CHARS: usize = 256;
const MAX_POST_CHARS: usize = 300;

/// An account, as its own document names it.
#[derive(Debug)]
pub struct Account {
    did: Did,
    server: Url,
}

impl Account {
    /// The account of a handle, after BSKY-1 to BSKY-4 held.
    pub async fn find<N: Net>(handle: &str, net: &N, now: u64) -> Result<Account, NetError> {
        let publication = collect(handle, net, &Options { now, ..Options::default() }).await;
        if let Outcome::Invalid(code) | Outcome::Unreachable { code, .. } = publication.outcome {
            return Err(NetError::new(code, "the account cannot be looked at"));
        }
        let nobody = || NetError::new(Code::PublishRefused, "the handle leads to no account with a server");
        let did = publication.account_id.as_deref().and_then(Did::parse).ok_or_else(nobody)?;
        let document = fetch_document(&did, net, now).await?.value.ok_or_else(nobody)?;
        let is_its_own = document.text("id") == Some(did.as_str()) && did::name(&document).as_deref() == Some(handle);
        let server = did::server(&document, &did).filter(|_| is_its_own).ok_or_else(nobody)?;
        Ok(Account { did, server })
    }

    /// The permanent number.
    pub fn id(&self) -> &str {
        self.did.as_str()
    }

    fn url(&self, path: &str) -> Result<Url, NetError> {
        self.server.join(&format!("/xrpc/{path}")).map_err(|_| NetError::new(Code::NetUrl, "expected a path"))
    }

    /// A session with this app password; one of another account is not used.
    pub async fn log_in<N: Net>(self, password: &Token, net: &N) -> Result<Session, NetError> {
        let body = Json::object([("identifier", self.id().into()), ("password", password.as_str().into())]);
        let url = self.url("com.atproto.server.createSession")?;
        let response = send(net, url, None, Some(payload(&canonicalize(&body)?))).await?;
        let refused = || NetError::new(Code::PublishCredentials, "the server does not accept the app password");
        if matches!(response.status, 400 | 401 | 403) {
            return Err(refused());
        }
        let answer = judge(&response)?.ok_or_else(refused)?;
        let token = |name| answer.text(name).and_then(Token::new);
        let (Some(access), Some(refresh)) = (token("accessJwt"), token("refreshJwt")) else { return Err(refused()) };
        let is_own = answer.text("did") == Some(self.id());
        let session = Session { account: self, access, refresh };
        if !is_own {
            session.close(net).await;
            return Err(NetError::new(Code::PublishCredentials, "the app password is that of another account"));
        }
        Ok(session)
    }
}

/// An open session. [`Session::close`] ends it.
#[derive(Debug)]
pub struct Session {
    account: Account,
    access: Token,
    refresh: Token,
}

impl Session {
    /// The permanent number.
    pub fn id(&self) -> &str {
        self.account.id()
    }

    /// Ends the session; that the server does not answer changes nothing.
    pub async fn close<N: Net>(&self, net: &N) {
        if let Ok(url) = self.account.url("com.atproto.server.deleteSession") {
            drop(send(net, url, Some(&self.refresh), Some(payload(""))).await);
        }
    }

    /// The proof as the last paragraph of the description, an earlier one of the account removed. Where it stands.
    pub async fn write_profile<N: Net>(&self, account: &Identity, text: &str, net: &N) -> Result<String, NetError> {
        let (record, cid) = self.profile(net).await?.unwrap_or_default();
        let before = description(&record).unwrap_or_default().to_owned();
        if !before.ends_with(text) {
            let kept = without_proofs(&before, account);
            let after = if kept.is_empty() { text.to_owned() } else { format!("{kept}\n\n{text}") };
            check_length(&after, MAX_PROFILE_CHARS)?;
            self.put_profile(record, cid, after, net).await?;
        }
        Ok(self.page(None))
    }

    /// A new post, and earlier ones that hold nothing but a proof of the account deleted. Where it stands.
    pub async fn write_post<N: Net>(
        &self,
        account: &Identity,
        text: &str,
        created_at: &str,
        net: &N,
    ) -> Result<String, NetError> {
        check_length(text, MAX_POST_CHARS)?;
        let posts = self.posts(net).await?;
        if let Some((key, _)) = posts.iter().find(|(_, post)| post == text) {
            return Ok(self.page(Some(key)));
        }
        let record = Json::object([("$type", POST.into()), ("createdAt", created_at.into()), ("text", text.into())]);
        let body = Json::object([("collection", POST.into()), ("record", record), ("repo", self.id().into())]);
        let answer = self.call("com.atproto.repo.createRecord", &canonicalize(&body)?, net).await?;
        for (key, _) in posts.iter().filter(|(_, post)| is_proof_alone(post, account)) {
            self.delete_post(key, net).await?;
        }
        let uri = answer.as_ref().and_then(|answer| answer.text("uri")).unwrap_or_default();
        Ok(self.page(uri.rsplit('/').next().filter(|key| !key.is_empty())))
    }

    /// Takes proofs of the account out of the description, and deletes posts that hold nothing else.
    pub async fn unpublish<N: Net>(&self, account: &Identity, net: &N) -> Result<Vec<Removed>, NetError> {
        let mut removed = Vec::new();
        if let Some((record, cid)) = self.profile(net).await?
            && let Some(before) = description(&record).filter(|text| holds(text, account))
        {
            let after = without_proofs(before, account);
            self.put_profile(record, cid, after, net).await?;
            removed.push(Removed { url: self.page(None), left: None });
        }
        for (key, text) in self.posts(net).await?.iter().filter(|(_, text)| holds(text, account)) {
            let left = (!is_proof_alone(text, account)).then_some("the post holds other text, and is left to you");
            if left.is_none() {
                self.delete_post(key, net).await?;
            }
            removed.push(Removed { url: self.page(Some(key)), left });
        }
        Ok(removed)
    }

    /// Members and `cid` of the profile, if there is one.
    async fn profile<N: Net>(&self, net: &N) -> Result<Option<Record>, NetError> {
        let repo = self.account.did.encoded();
        let url =
            self.account.url(&format!("com.atproto.repo.getRecord?repo={repo}&collection={PROFILE}&rkey=self"))?;
        let response = send(net, url, None, None).await?;
        if response.status == 400 {
            let value = std::str::from_utf8(&response.body).ok().and_then(crate::json::parse);
            if value.is_some_and(|value| value.text("error") == Some("RecordNotFound")) {
                return Ok(None);
            }
        }
        let unreadable = || NetError::new(Code::PublishRefused, "the profile is none that could be written again");
        let answer = judge(&response)?.ok_or_else(unreadable)?;
        let cid = answer.text("cid").ok_or_else(unreadable)?.to_owned();
        match answer.get("value") {
            Some(Value::Object(members)) => Ok(Some((members.clone(), Some(cid)))),
            _ => Err(unreadable()),
        }
    }

    async fn put_profile<N: Net>(
        &self,
        mut record: Vec<(String, Value)>,
        cid: Option<String>,
        text: String,
        net: &N,
    ) -> Result<(), NetError> {
        record.retain(|(name, _)| name != "description" && name != "$type");
        record.push(("$type".to_owned(), Value::Text(PROFILE.to_owned())));
        record.push(("description".to_owned(), Value::Text(text)));
        let member = |name: &str, text: &str| (name.to_owned(), Value::Text(text.to_owned()));
        let body = Value::Object(vec![
            member("repo", self.id()),
            member("collection", PROFILE),
            member("rkey", "self"),
            ("record".to_owned(), Value::Object(record)),
            ("swapRecord".to_owned(), cid.map_or(Value::Null, Value::Text)),
        ]);
        let body = write(&body)
            .ok_or_else(|| NetError::new(Code::PublishRefused, "the profile is none that could be written again"))?;
        self.call("com.atproto.repo.putRecord", &body, net).await.map(drop)
    }

    /// Keys and texts of the newest posts.
    async fn posts<N: Net>(&self, net: &N) -> Result<Vec<(String, String)>, NetError> {
        let repo = self.account.did.encoded();
        let url = self.account.url(&format!("com.atproto.repo.listRecords?repo={repo}&collection={POST}&limit=50"))?;
        let answer = judge(&send(net, url, None, None).await?)?;
        let records = answer.as_ref().and_then(|it| it.list("records")).unwrap_or_default();
        let own = format!("at://{}/{POST}/", self.id());
        let post = |record: &Value| {
            let key = record.text("uri")?.strip_prefix(&own)?.to_owned();
            Some((key, record.get("value")?.text("text")?.to_owned()))
        };
        Ok(records.iter().filter_map(post).collect())
    }

    async fn delete_post<N: Net>(&self, key: &str, net: &N) -> Result<(), NetError> {
        let body = Json::object([("collection", POST.into()), ("repo", self.id().into()), ("rkey", key.into())]);
        self.call("com.atproto.repo.deleteRecord", &canonicalize(&body)?, net).await.map(drop)
    }

    async fn call<N: Net>(&self, method: &str, body: &str, net: &N) -> Result<Option<Value>, NetError> {
        judge(&send(net, self.account.url(method)?, Some(&self.access), Some(payload(body))).await?)
    }

    fn page(&self, post: Option<&str>) -> String {
        let post = post.map(|key| format!("/post/{key}")).unwrap_or_default();
        format!("https://bsky.app/profile/{}{post}", self.id())
    }
}

type Record = (Vec<(String, Value)>, Option<String>);

fn description(record: &[(String, Value)]) -> Option<&str> {
    record.iter().rfind(|(name, _)| name == "description").and_then(|(_, value)| value.as_text())
}

fn payload(body: &str) -> Payload {
    Payload { method: "POST", content_type: "application/json", body: body.as_bytes().to_vec() }
}
