//! Writing to GitHub with a token of the account: one public gist with the file `kez.md`. SPEC GH-9, NET-6.

use kez_core::canonical::canonicalize;
use kez_core::{Code, Identity, Json};
use url::Url;

use super::api::{API, Api, Owner, next_page};
use super::gist::Gist;
use crate::json::Value;
use crate::limits::{MAX_GIST_PAGES, MAX_PAGE_DECODED_BYTES, MAX_PAGE_WIRE_BYTES};
use crate::net::{JSON, Net, NetError, Redirects, Request, Token};
use crate::publication::Options;
use crate::removal::{holds, is_proof_document, refers};
use crate::writing::Removed;

/// The file of a new gist.
const FILE_NAME: &str = "kez.md";

/// The account's number, where the token is that of the account itself; else `publish.credentials`.
pub async fn check<N: Net>(login: &str, token: &Token, net: &N, now: u64) -> Result<String, NetError> {
    let options = options(token, now);
    let answer = (Api { net, options: &options }).get("/user", Redirects::Never).await.map_err(credentials)?;
    match answer.value.as_ref().and_then(Owner::read) {
        Some(owner) if owner.is(login) => Ok(owner.id.to_string()),
        Some(owner) => {
            let message = format!("the token is that of github:{}", owner.login.to_ascii_lowercase());
            Err(NetError::new(Code::PublishCredentials, message))
        }
        None => Err(NetError::new(Code::PublishCredentials, "GitHub does not accept the token")),
    }
}

/// Puts the text into the file of an earlier claim of the account, else into a new gist; one that holds the very text is
/// left alone, and so is a file in which its owner wrote more, or one with a reference. The page of the gist.
pub async fn publish<N: Net>(
    account: &Identity,
    text: &str,
    token: &Token,
    net: &N,
    now: u64,
) -> Result<String, NetError> {
    let options = options(token, now);
    let writer = Gists { api: Api { net, options: &options }, account, token };
    let file = |name: &str| Json::object([(name, Json::object([("content", text.into())]))]);
    let mut earlier = writer.with_proof().await?;
    earlier.iter_mut().for_each(|it| it.own.retain(|(_, content)| !refers(content)));
    let Some(earlier) = earlier.into_iter().find(|it| !it.own.is_empty()) else {
        let body = Json::object([
            ("description", format!("KEZ proof of {account}").into()),
            ("public", Json::Bool(true)),
            ("files", file(FILE_NAME)),
        ]);
        let answer = writer.write("POST", "/gists", Some(&body)).await?;
        return Ok(answer.as_ref().and_then(Gist::read).map_or_else(|| API.to_owned(), |gist| gist.page()));
    };
    if let Some((name, _)) = earlier.own.first().filter(|(_, content)| content != text) {
        let body = Json::object([("files", file(name))]);
        writer.write("PATCH", &format!("/gists/{}", earlier.gist.id), Some(&body)).await?;
    }
    Ok(earlier.gist.page())
}

/// Takes the files of proofs of the account away, and gists that hold nothing else; a file with more in it is left to its
/// owner, for gists have no undo.
pub async fn unpublish<N: Net>(account: &Identity, token: &Token, net: &N, now: u64) -> Result<Vec<Removed>, NetError> {
    let options = options(token, now);
    let writer = Gists { api: Api { net, options: &options }, account, token };
    let mut removed = Vec::new();
    for found in writer.with_proof().await? {
        let page = || found.gist.page();
        let left = Some("a file holds other text too: remove the proof from it by hand");
        removed.extend((0..found.mixed).map(|_| Removed { url: page(), left }));
        if found.own.is_empty() {
            continue;
        }
        let path = format!("/gists/{}", found.gist.id);
        if found.own.len() == found.total {
            writer.write("DELETE", &path, None).await?;
        } else {
            let names = found.own.iter().map(|(name, _)| (name.clone(), Json::Null));
            let body = Json::object([("files", Json::Object(names.collect()))]);
            writer.write("PATCH", &path, Some(&body)).await?;
        }
        removed.push(Removed { url: page(), left: None });
    }
    Ok(removed)
}

fn options(token: &Token, now: u64) -> Options {
    Options { now, github_token: Some(token.clone()), ..Options::default() }
}

/// A gist of the account, and how many files it has.
struct Found {
    gist: Gist,
    /// Named files that hold nothing but a proof of the account.
    own: Vec<(String, String)>,
    /// How many more hold one beside other text.
    mixed: usize,
    total: usize,
}

struct Gists<'a, N> {
    api: Api<'a, N>,
    account: &'a Identity,
    token: &'a Token,
}

impl<N: Net> Gists<'_, N> {
    /// The account's own public gists that say kez and are no forks, as GitHub confirms them.
    async fn with_proof(&self) -> Result<Vec<Found>, NetError> {
        let login = self.account.value();
        let first = Url::parse(&format!("{API}/users/{login}/gists?per_page=100"));
        let mut next = first.ok();
        let mut found = Vec::new();
        for _ in 0..MAX_GIST_PAGES {
            let Some(url) = next.take() else { break };
            let answer = self.api.get_url(url, Redirects::SameHost).await.map_err(credentials)?;
            let list = answer.value.as_ref().and_then(Value::as_list).unwrap_or_default();
            let named = list.iter().filter_map(Gist::read);
            for gist in named.filter(|gist| gist.is_named && gist.is_public && gist.owner.is(login)) {
                found.extend(self.confirm(gist).await?);
            }
            next = next_page(&answer.response);
        }
        Ok(found)
    }

    async fn confirm(&self, gist: Gist) -> Result<Option<Found>, NetError> {
        let answer = self.api.get(&format!("/gists/{}", gist.id), Redirects::SameHost).await?;
        let Some(value) = answer.value else { return Ok(None) };
        let is_own = value.text("id") == Some(&gist.id)
            && value.get("owner").and_then(Owner::read).is_some_and(|owner| owner == gist.owner)
            && value.is_true("public")
            && matches!(value.get("fork_of"), None | Some(Value::Null));
        let Some(Value::Object(files)) = value.get("files").filter(|_| is_own) else { return Ok(None) };
        let with_proof = files.iter().filter_map(|(name, file)| {
            let content = file.text("content").filter(|_| !file.is_true("truncated"))?;
            let is_named = name.to_ascii_lowercase().contains("kez");
            (is_named && holds(content, self.account)).then(|| (name.clone(), content.to_owned()))
        });
        let is_own = |(_, content): &(String, String)| is_proof_document(content, self.account);
        let (own, mixed): (Vec<_>, Vec<_>) = with_proof.partition(is_own);
        Ok(Some(Found { own, mixed: mixed.len(), total: files.len(), gist }))
    }

    async fn write(&self, method: &'static str, path: &str, body: Option<&Json>) -> Result<Option<Value>, NetError> {
        let url = Url::parse(&format!("{API}{path}")).map_err(|_| NetError::new(Code::NetUrl, "expected a path"))?;
        let body = body.map(canonicalize).transpose()?.unwrap_or_default().into_bytes();
        let request = Request {
            accept: "application/vnd.github+json",
            media: JSON,
            extra_header: Some(("x-github-api-version", "2022-11-28")),
            token: Some(self.token.clone()),
            ..Request::write(url, method, "application/json", body)
        };
        let response = self.api.net.fetch(&request.bounded(MAX_PAGE_WIRE_BYTES, MAX_PAGE_DECODED_BYTES)).await?;
        if response.is_success() {
            return Ok(std::str::from_utf8(&response.body).ok().and_then(crate::json::parse));
        }
        let code = match response.status {
            401 | 403 | 404 => Code::PublishCredentials,
            500..=599 => Code::NetStatus,
            _ => Code::PublishRefused,
        };
        let message = format!("GitHub answered with the status {}", response.status);
        Err(NetError { status: Some(response.status), ..NetError::new(code, message) })
    }
}

/// A refusal of the token is no fault of the network.
fn credentials(error: NetError) -> NetError {
    match (error.code, error.status) {
        (Code::NetStatus, Some(401 | 403)) => NetError {
            status: error.status,
            ..NetError::new(Code::PublishCredentials, "GitHub does not accept the token")
        },
        _ => error,
    }
}
