//! From a handle to a DID, both ways asked. SPEC BSKY-1, BSKY-2.

use kez_core::Code;
use url::Url;

use super::did::Did;
use crate::net::read::no_answer;
use crate::net::{Net, NetError, Redirects, Request};
use crate::publication::Evidence;

/// Where a handle leads.
#[derive(Debug)]
pub enum Lead {
    /// To one account.
    To(Did),
    /// To several: `account.one_sided`.
    Several,
    /// To none, as both ways say.
    Nowhere,
    /// To none that answered.
    Unknown(NetError),
}

/// What one way says.
type Way = Result<Vec<Did>, NetError>;

/// Asks DNS and host.
pub async fn resolve<N: Net>(handle: &str, net: &N, evidence: &mut Vec<Evidence>) -> Lead {
    let (by_dns, by_host) = tokio::join!(ask_dns(handle, net), ask_host(handle, net));
    let mut dids: Vec<Did> = Vec::new();
    let mut first_error = None;
    for (source, way) in [(format!("_atproto.{handle}"), by_dns), (host_url(handle), by_host)] {
        match way {
            Ok(named) => {
                let names = named.iter().map(Did::as_str).collect::<Vec<_>>().join(" ");
                evidence.push(Evidence::note(source, format!("names: {names}")));
                dids.extend(named);
            }
            Err(error) => {
                evidence.push(Evidence::error(source, &error));
                first_error = first_error.or(Some(error));
            }
        }
    }
    dids.sort();
    dids.dedup();
    match (dids.pop(), dids.is_empty(), first_error) {
        (Some(did), true, _) => Lead::To(did),
        (Some(_), false, _) => Lead::Several,
        (None, _, Some(error)) => Lead::Unknown(error),
        (None, _, None) => Lead::Nowhere,
    }
}

async fn ask_dns<N: Net>(handle: &str, net: &N) -> Way {
    let name = format!("_atproto.{handle}");
    if name.len() > 253 {
        return Ok(Vec::new());
    }
    let records = net.txt(&name).await?;
    let texts = records.iter().filter_map(|record| str::from_utf8(record).ok());
    Ok(texts.filter_map(|record| Did::parse(record.strip_prefix("did=")?)).collect())
}

fn host_url(handle: &str) -> String {
    format!("https://{handle}/.well-known/atproto-did")
}

async fn ask_host<N: Net>(handle: &str, net: &N) -> Way {
    let url = Url::parse(&host_url(handle)).map_err(|_| NetError::new(Code::NetUrl, "expected a handle"))?;
    let request = Request::get(url).redirects(Redirects::Anywhere);
    let not_a_did = || NetError::new(Code::NetContentType, format!("expected a DID of {handle}, got something else"));
    let response = match net.fetch(&request).await {
        Ok(response) => response,
        Err(error) if error.no_address => return Ok(Vec::new()),
        Err(error) if error.code == Code::LimitBody => return Err(not_a_did()),
        Err(error) => return Err(error),
    };
    match response.status {
        204 | 404 | 410 => return Ok(Vec::new()),
        200 => {}
        _ => return Err(no_answer(&response)),
    }
    if response.body.is_empty() {
        return Ok(Vec::new());
    }
    let text = str::from_utf8(&response.body).map_err(|_| not_a_did())?;
    let line = text.split('\n').next().unwrap_or_default().trim_start_matches('\u{feff}').trim();
    Did::parse(line).map(|did| vec![did]).ok_or_else(not_a_did)
}
