//! Names to records: the system's resolver, or those that the reader names. SPEC DNS-4, NET-1.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError as LookupError, NoRecords};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use kez_core::Code;
use tokio_rustls::rustls::ClientConfig;
use url::{Host, Url};

use super::NetError;

/// Who is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ResolverSettings {
    /// As the system says.
    #[default]
    System,
    /// These servers.
    Servers(Vec<Server>),
}

/// A DNS server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// UDP and TCP.
    Plain(SocketAddr),
    /// DNS over HTTPS (RFC 8484).
    Https(Url),
}

impl ResolverSettings {
    /// Servers separated by commas: `1.2.3.4`, `[::1]:53`, `https://…`; none where one of them is neither.
    pub fn parse(text: &str) -> Option<ResolverSettings> {
        text.split(',').map(|server| Server::parse(server.trim())).collect::<Option<_>>().map(ResolverSettings::Servers)
    }
}

impl Server {
    fn parse(text: &str) -> Option<Server> {
        if text.starts_with("https://") {
            return Url::parse(text).ok().map(Server::Https);
        }
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        let with_port = || text.parse::<SocketAddr>().ok();
        bare.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, 53)).or_else(with_port).map(Server::Plain)
    }

    /// How it is asked; none where it is named by a host.
    fn config(&self) -> Option<NameServerConfig> {
        match self {
            Server::Plain(address) => Some(plain(*address)),
            Server::Https(url) => by_address(url),
        }
    }
}

/// Asks for records.
pub struct Resolver {
    inner: TokioResolver,
    /// The servers that the reader named; none: as the system says.
    servers: Vec<Server>,
    tls: Arc<ClientConfig>,
}

impl Resolver {
    /// A resolver of these settings, else `net.dns`.
    pub fn new(settings: &ResolverSettings, tls: &Arc<ClientConfig>) -> Result<Resolver, NetError> {
        let (builder, servers) = match settings {
            ResolverSettings::System => (TokioResolver::builder_tokio().map_err(|_| no_resolver())?, Vec::new()),
            ResolverSettings::Servers(servers) => {
                (with_servers(servers.iter().filter_map(Server::config).collect()), servers.clone())
            }
        };
        Ok(Resolver { inner: build(builder, tls)?, servers, tls: Arc::clone(tls) })
    }

    /// The TXT records at a name; none where the name or such a record does not exist. `net.dns`, `net.timeout`.
    pub async fn txt(&self, name: &str) -> Result<Vec<Vec<u8>>, NetError> {
        let records = self.lookup(name, RecordType::TXT).await?;
        let texts = records.iter().filter_map(|data| match data {
            RData::TXT(txt) => Some(txt.txt_data.concat()),
            _ => None,
        });
        Ok(texts.collect())
    }

    /// The names of the servers of the zone that begins at a name; none where none does. `net.dns`.
    pub async fn name_servers(&self, name: &str) -> Result<Vec<String>, NetError> {
        let records = self.lookup(name, RecordType::NS).await?;
        let names = records.iter().filter_map(|data| match data {
            RData::NS(name) => Some(name.0.to_ascii().trim_end_matches('.').to_ascii_lowercase()),
            _ => None,
        });
        Ok(names.collect())
    }

    /// Every address of a host, of both kinds. `net.dns`, `net.timeout`.
    pub async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, NetError> {
        let both = tokio::join!(self.lookup(name, RecordType::A), self.lookup(name, RecordType::AAAA));
        let addresses = both.0?.into_iter().chain(both.1?).filter_map(|data| match data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            RData::AAAA(address) => Some(IpAddr::V6(address.0)),
            _ => None,
        });
        Ok(addresses.collect())
    }

    async fn lookup(&self, name: &str, kind: RecordType) -> Result<Vec<RData>, NetError> {
        // With its last dot: no search list is tried.
        let name = Name::from_ascii(format!("{name}.")).map_err(|_| NetError::new(Code::NetDns, "expected a name"))?;
        match self.for_lookup().await?.lookup(name.clone(), kind).await {
            Ok(lookup) => Ok(lookup.answers().iter().map(|record| record.data.clone()).collect()),
            // An answer, that there is none.
            Err(LookupError::Dns(DnsError::NoRecordsFound(NoRecords {
                response_code: ResponseCode::NXDomain | ResponseCode::NoError,
                ..
            }))) => Ok(Vec::new()),
            Err(error) => {
                let code = if matches!(error, LookupError::Timeout) { Code::NetTimeout } else { Code::NetDns };
                Err(NetError::new(code, format!("expected an answer about {name}, got: {error}")))
            }
        }
    }

    async fn for_lookup(&self) -> Result<TokioResolver, NetError> {
        if self.servers.iter().all(|server| server.config().is_some()) {
            return Ok(self.inner.clone());
        }
        // The addresses of servers that are named by a host are looked up when they are needed. One that cannot be found does
        // not stand in the way of the others.
        let mut configs = Vec::new();
        for server in &self.servers {
            match (server.config(), server) {
                (Some(config), _) => configs.push(config),
                (None, Server::Https(url)) => configs.extend(self.by_name(url).await.unwrap_or_default()),
                (None, Server::Plain(_)) => {}
            }
        }
        match configs.is_empty() {
            true => Err(no_resolver()),
            false => build(with_servers(configs), &self.tls),
        }
    }

    async fn by_name(&self, url: &Url) -> Result<Vec<NameServerConfig>, NetError> {
        let system = build(TokioResolver::builder_tokio().map_err(|_| no_resolver())?, &self.tls)?;
        let host = url.host_str().unwrap_or_default();
        let found = system.lookup_ip(format!("{host}.")).await.map_err(|_| no_resolver())?;
        Ok(found.iter().map(|address| over_https(address, host, url)).collect())
    }
}

type Builder = hickory_resolver::ResolverBuilder<TokioRuntimeProvider>;

fn with_servers(servers: Vec<NameServerConfig>) -> Builder {
    TokioResolver::builder_with_config(
        ResolverConfig::from_parts(None, Vec::new(), servers),
        TokioRuntimeProvider::default(),
    )
}

/// Nothing is kept from one look-up to the next: what is asked is what is now.
fn build(builder: Builder, tls: &Arc<ClientConfig>) -> Result<TokioResolver, NetError> {
    let mut tls = ClientConfig::clone(tls);
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let mut builder = builder.with_tls_config(tls);
    let options: &mut ResolverOpts = builder.options_mut();
    options.cache_size = 0;
    options.attempts = 2;
    options.timeout = Duration::from_secs(3);
    builder.build().map_err(|_| no_resolver())
}

fn plain(address: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.to_vec())
}

fn by_address(url: &Url) -> Option<NameServerConfig> {
    let address = match url.host()? {
        Host::Ipv4(address) => IpAddr::V4(address),
        Host::Ipv6(address) => IpAddr::V6(address),
        Host::Domain(_) => return None,
    };
    Some(over_https(address, &address.to_string(), url))
}

fn over_https(address: IpAddr, name: &str, url: &Url) -> NameServerConfig {
    let mut connection = ConnectionConfig::https(Arc::from(name), Some(Arc::from(url.path())));
    connection.port = url.port_or_known_default().unwrap_or(443);
    NameServerConfig::new(address, true, vec![connection])
}

fn no_resolver() -> NetError {
    NetError::new(Code::NetDns, "expected a DNS server that can be asked")
}
