//! Documents about chains: those at hints and well-known places, and what a store says. SPEC VER-5, DNS-5, §8.2.
//!
//! Nothing here is believed: a chain proves itself.

use url::Url;

use crate::limits::MAX_CHAIN_BODY_BYTES;
use crate::net::read::is_present;
use crate::net::{Net, NetError, Redirects, Request, Response, Rights};

/// The bytes of a chain document (`kez_core::sigchain` reads them); none where there is none.
pub async fn fetch_chain<N: Net>(url: Url, rights: Rights, net: &N, now: u64) -> Result<Option<Vec<u8>>, NetError> {
    let response = fetch(url, rights, net).await?;
    Ok(is_present(&response, now)?.then_some(response.body))
}

/// Any answer of a store, problems included, with the bounds of a chain document.
pub async fn fetch<N: Net>(url: Url, rights: Rights, net: &N) -> Result<Response, NetError> {
    let request = Request { rights, ..Request::get(url) };
    let request = request.redirects(Redirects::Anywhere).bounded(MAX_CHAIN_BODY_BYTES, MAX_CHAIN_BODY_BYTES);
    net.fetch(&request).await
}
