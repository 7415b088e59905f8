//! `kez:` — the record of a chat server. It names a chain; only that chain can say that the handle is its own. SPEC §7.7.

use kez_core::canonical::canonicalize;
use kez_core::envelope::{AnyPayload, decode_any};
use kez_core::json::{self as strict, Json, Object};
use kez_core::limits::CLOCK_SKEW_SECONDS;
use kez_core::{Code, Digest, KezError, Kind, Time};
use url::Url;

use crate::finding::{Sight, is_hint_url};
use crate::limits::MAX_RECORD_BYTES;
use crate::net::read::{is_present, no_answer, not_json};
use crate::net::{Net, NetError, Redirects, Request, Response};
use crate::publication::{Evidence, Look, Options, Outcome, Publication};

/// What a record names.
struct Record {
    chain: Digest,
    hint: Option<String>,
}

/// The record of `handle@host`.
pub async fn collect<N: Net>(value: &str, net: &N, options: &Options) -> Publication {
    let mut look = Look::default();
    let Some((account, url)) = Account::parse(value) else {
        return look.finish(Outcome::Invalid(Code::IdentitySyntax));
    };
    let source = url.to_string();
    let request = Request::json(url).redirects(Redirects::SameHost).bounded(MAX_RECORD_BYTES, MAX_RECORD_BYTES);
    let response = match fetch(net, &request, options.now).await {
        Ok(Some(response)) => response,
        Ok(None) => {
            look.evidence.push(Evidence::note(source, format!("{} knows no {}", account.host, account.handle)));
            return look.finish(Outcome::Absent);
        }
        Err(error) => return look.fail(source, &error),
    };
    let fault = match read(&response, &account, options.now) {
        Ok(Record { chain, hint }) => {
            look.evidence.push(Evidence::answer(&response));
            look.account_id = Some(chain.to_string());
            look.keep_sight(&format!("kez:r1:{}", chain.to_hex()), &source, Sight::with_hints(hint));
            return look.finish(Outcome::Absent);
        }
        Err(fault) => fault,
    };
    let evidence = Evidence::answer(&response);
    look.evidence.push(Evidence { code: Some(fault.code()), note: Some(fault.message().to_owned()), ..evidence });
    look.finish(match fault.code() {
        // KEZ-2: a body that is no JSON is no answer.
        Code::JsonSyntax => Outcome::of_error(&not_json(&response)),
        code => Outcome::Invalid(code),
    })
}

/// `/livez` of the host. KEZ-6.
pub async fn canary<N: Net>(value: &str, net: &N, _options: &Options) -> (String, Result<(), NetError>) {
    let host = value.split_once('@').map_or(value, |(_, host)| host);
    let text = format!("https://{host}/livez");
    let Ok(url) = Url::parse(&text) else {
        return (text, Err(NetError::new(Code::NetUrl, "expected a host")));
    };
    let health = match net.fetch(&Request::get(url)).await {
        Ok(response) if response.status == 200 => Ok(()),
        Ok(response) => Err(no_answer(&response)),
        Err(error) => Err(error),
    };
    (text, health)
}

struct Account<'a> {
    handle: &'a str,
    host: &'a str,
}

impl Account<'_> {
    fn parse(value: &str) -> Option<(Account<'_>, Url)> {
        let (handle, host) = value.split_once('@')?;
        let url = Url::parse(&format!("https://{host}/v1/handles/{handle}")).ok()?;
        Some((Account { handle, host }, url))
    }
}

/// The answer, if there is a record: KEZ-2.
async fn fetch<N: Net>(net: &N, request: &Request, now: u64) -> Result<Option<Response>, NetError> {
    let response = net.fetch(request).await?;
    Ok(is_present(&response, now)?.then_some(response))
}

/// KEZ-3 to KEZ-5.
fn read(response: &Response, account: &Account<'_>, now: u64) -> Result<Record, KezError> {
    // Like every JSON of a platform it may begin with a byte order mark.
    let bytes = response.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&response.body);
    let record = strict::parse(bytes)?;
    let record = record.as_object().ok_or_else(|| other_account("the record is no object"))?;
    if !names(record, account) {
        return Err(other_account("the record is that of another account"));
    }
    let registration = record
        .get("registration")
        .ok_or_else(|| KezError::new(Code::SchemaMissingMember, "expected a member registration"))?;
    let chain = read_registration(registration, account, now)?;
    let hint = record.get("chain_url").and_then(Json::as_str).filter(|url| is_hint_url(url));
    Ok(Record { chain, hint: hint.map(str::to_owned) })
}

/// KEZ-3: an envelope whose signature is right; KEZ-4: for this handle and host, and not of the future.
fn read_registration(json: &Json, account: &Account<'_>, now: u64) -> Result<Digest, KezError> {
    let envelope = decode_any(canonicalize(json)?.as_bytes(), Kind::HandleRegistration)?.verify()?;
    let AnyPayload::Provisional(payload) = envelope.payload() else {
        return Err(KezError::new(Code::EnvelopeKind, "expected a handle_registration"));
    };
    let payload = &payload.0;
    if !names(payload, account) {
        return Err(KezError::new(Code::AccountOneSided, "the registration is for another handle or host"));
    }
    let text = |name| payload.get(name).and_then(Json::as_str).unwrap_or_default();
    if Time::parse(text("created_at"))?.unix_seconds() > now.saturating_add(CLOCK_SKEW_SECONDS) {
        return Err(KezError::new(Code::TimeFuture, "the registration is dated in the future"));
    }
    Digest::parse(text("chain"))
}

fn names(object: &Object, account: &Account<'_>) -> bool {
    let is = |name, expected| object.get(name).and_then(Json::as_str) == Some(expected);
    is("handle", account.handle) && is("host", account.host)
}

fn other_account(message: &'static str) -> KezError {
    KezError::new(Code::AccountId, message)
}
