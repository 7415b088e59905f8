//! The real network: every request goes through here. SPEC §7.2.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kez_core::Code;
use tokio::time::timeout;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::CertificateDer;
use url::Url;

use super::address::is_global_unicast;
use super::connect::{connect, tls_config};
use super::http::{Exchange, exchange, max_connection_bytes};
use super::resolver::{Resolver, ResolverSettings};
use super::socket::GuardedSocket;
use super::stream::EventStream;
use super::target::{BaseUrls, Target};
use super::turns::Turns;
use super::{Net, NetError, Request, Response, Rights, find_header, policy};
use crate::limits::{MAX_REDIRECTS, MAX_SOCKET_BYTES, TOTAL_TIME};

/// What the reader may configure.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Who is asked for names.
    pub resolver: ResolverSettings,
    /// Base URLs (http or https) by host, `[hosts]` of the settings. NET-1.
    pub base_urls: BaseUrls,
    /// Root certificates in DER that count beside Mozilla's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// How long one request may take; the 10 s of NET-1 unless the reader says otherwise.
    pub total_time: Option<Duration>,
}

/// The guarded network.
pub struct Guarded {
    resolver: Resolver,
    base_urls: BaseUrls,
    tls: Arc<ClientConfig>,
    turns: Turns,
    total_time: Duration,
}

const USER_AGENT: &str = concat!("kez-rs/", env!("CARGO_PKG_VERSION"));

impl Guarded {
    /// A network with these settings. `net.dns` where no resolver can be made of them, `net.tls` for a broken root.
    pub fn new(settings: Settings) -> Result<Guarded, NetError> {
        let Settings { resolver, base_urls, extra_roots, total_time } = settings;
        let total_time = total_time.unwrap_or(TOTAL_TIME);
        let tls = tls_config(&extra_roots)?;
        Ok(Guarded { resolver: Resolver::new(&resolver, &tls)?, base_urls, tls, turns: Turns::default(), total_time })
    }

    async fn follow(&self, request: &Request) -> Result<Response, NetError> {
        let mut url = request.url.clone();
        url.set_fragment(None);
        let mut rights = request.rights;
        for _ in 0..=MAX_REDIRECTS {
            let target = Target::plan(&url, rights, &self.base_urls)?;
            let answer = self.ask(&target, request).await?;
            let Some(location) = redirect_location(&answer) else {
                return Ok(Response { status: answer.status, url, headers: answer.headers, body: answer.body });
            };
            let next = target.redirect(location, &self.base_urls)?;
            policy::check_redirect(request, &url, &next)?;
            url = next;
            // The reader named the first URL and no other.
            rights = Rights::Stranger;
        }
        Err(NetError::new(Code::NetRedirectLimit, "expected at most 3 redirects"))
    }

    /// 10 seconds in all, unless the reader says otherwise. NET-1.
    async fn in_time<T>(&self, work: impl Future<Output = Result<T, NetError>>) -> Result<T, NetError> {
        match timeout(self.total_time, work).await {
            Ok(result) => result,
            Err(_) => {
                let message = format!("no answer in {} seconds", self.total_time.as_secs_f32());
                Err(NetError::new(Code::NetTimeout, message))
            }
        }
    }

    /// The names of the servers of the zone that begins at a name.
    pub async fn name_servers(&self, name: &str) -> Result<Vec<String>, NetError> {
        self.in_time(self.resolver.name_servers(name)).await
    }

    /// The addresses of a host, if all of them are public; none else. NET-1.
    pub async fn public_addresses(&self, name: &str) -> Result<Vec<IpAddr>, NetError> {
        let addresses = self.in_time(self.resolver.addresses(name)).await?;
        Ok(if addresses.iter().copied().all(is_global_unicast) { addresses } else { Vec::new() })
    }

    /// The events of a store as they happen: STORE-11. The head of the answer has to come in time; after that the stream
    /// may be silent for a minute.
    pub async fn stream(&self, url: &Url, rights: Rights, last_id: Option<&str>) -> Result<EventStream, NetError> {
        let opened = async {
            let target = Target::plan(url, rights, &self.base_urls)?;
            let turn = self.turns.take(&target.host, false, now()).await?;
            let connection = connect(&target, &self.resolver, &self.tls, usize::MAX).await?;
            let opened = EventStream::open(connection, &target, turn, (last_id, USER_AGENT, now())).await;
            if let Err(NetError { retry_after_seconds: Some(seconds), .. }) = &opened {
                self.turns.close(&target.host, false, now(), *seconds);
            }
            opened
        };
        self.in_time(opened).await
    }

    async fn ask(&self, target: &Target, request: &Request) -> Result<Exchange, NetError> {
        let is_first_host = request.url.host_str() == Some(target.host.as_str());
        let authorised = request.token.is_some() && is_first_host;
        let _turn = self.turns.take(&target.host, authorised, now()).await?;
        let connection = connect(target, &self.resolver, &self.tls, max_connection_bytes(request)).await?;
        let answer = exchange(connection, target, request, authorised, USER_AGENT).await?;
        let now = now();
        if let Some(seconds) = policy::wait_seconds(answer.status, &answer.headers, now) {
            self.turns.close(&target.host, authorised, now, seconds);
        }
        Ok(answer)
    }
}

impl Net for Guarded {
    type Socket = GuardedSocket;

    async fn fetch(&self, request: &Request) -> Result<Response, NetError> {
        self.in_time(self.follow(request)).await
    }

    async fn txt(&self, name: &str) -> Result<Vec<Vec<u8>>, NetError> {
        self.in_time(self.resolver.txt(name)).await
    }

    async fn open(&self, url: &Url, rights: Rights) -> Result<GuardedSocket, NetError> {
        if !matches!(url.scheme(), "ws" | "wss") {
            return Err(NetError::new(Code::NetUrl, "expected a URL of wss"));
        }
        let opened = async {
            let target = Target::plan(url, rights, &self.base_urls)?;
            let turn = self.turns.take(&target.host, false, now()).await?;
            let connection = connect(&target, &self.resolver, &self.tls, MAX_SOCKET_BYTES).await?;
            let (opened, wait) = GuardedSocket::open(connection, &target, turn, (now(), self.total_time)).await;
            if let Some(seconds) = wait {
                self.turns.close(&target.host, false, now(), seconds);
            }
            opened
        };
        self.in_time(opened).await
    }
}

fn redirect_location(answer: &Exchange) -> Option<&str> {
    match answer.status {
        301 | 302 | 303 | 307 | 308 => find_header(&answer.headers, "location"),
        _ => None,
    }
}

/// Seconds since 1970. Only what servers ask for is counted with it.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}
