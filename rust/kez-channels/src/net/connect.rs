//! From a target to a connection: look up once, check every address, connect to one of them. SPEC NET-1.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use kez_core::Code;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring, version};
use url::Host;

use super::NetError;
use super::address::is_global_unicast;
use super::resolver::Resolver;
use super::target::Target;
use super::watched::{Watched, connection_error};
use crate::limits::{MAX_ADDRESSES, SILENCE};

/// TLS with Mozilla's roots and those that the reader added.
pub fn tls_config(extra_roots: &[CertificateDer<'static>]) -> Result<Arc<ClientConfig>, NetError> {
    let broken = |_| NetError::new(Code::NetTls, "expected a root certificate");
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for root in extra_roots {
        roots.add(root.clone()).map_err(broken)?;
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .map_err(broken)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Connects: `net.dns`, `net.address`, `net.refused`, `net.timeout`, `net.tls`. At most so many bytes are read from it.
pub async fn connect(
    target: &Target,
    resolver: &Resolver,
    tls: &Arc<ClientConfig>,
    max_bytes: usize,
) -> Result<Watched, NetError> {
    let addresses = addresses(target, resolver).await?;
    let stream = connect_to_one(&addresses, target.port()).await?;
    if !target.is_tls() {
        return Ok(Watched::new(Box::new(stream), max_bytes));
    }
    let name = server_name(target)?;
    let handshake = timeout(SILENCE, TlsConnector::from(Arc::clone(tls)).connect(name, stream));
    let stream = handshake
        .await
        .map_err(|_| NetError::new(Code::NetTimeout, "no TLS in time"))?
        .map_err(|error| tls_error(&error, target))?;
    Ok(Watched::new(Box::new(stream), max_bytes))
}

/// Every address of the host, each of them one that may be asked. The connection is made to these and no others.
async fn addresses(target: &Target, resolver: &Resolver) -> Result<Vec<IpAddr>, NetError> {
    let addresses = match target.url.host() {
        Some(Host::Ipv4(address)) => vec![IpAddr::V4(address)],
        Some(Host::Ipv6(address)) => vec![IpAddr::V6(address)],
        // RFC 6761 §6.3: no resolver is asked about it.
        Some(Host::Domain("localhost")) => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        Some(Host::Domain(name)) => resolver.addresses(name).await?,
        None => Vec::new(),
    };
    if addresses.is_empty() {
        let message = format!("expected an address of {}, got none", target.host);
        return Err(NetError { no_address: true, ..NetError::new(Code::NetDns, message) });
    }
    if !target.is_private_allowed && !addresses.iter().copied().all(is_global_unicast) {
        return Err(NetError::new(Code::NetAddress, format!("expected public addresses of {} alone", target.host)));
    }
    Ok(addresses)
}

async fn connect_to_one(addresses: &[IpAddr], port: u16) -> Result<TcpStream, NetError> {
    let mut last = NetError::new(Code::NetRefused, "the connection was refused");
    for &address in addresses.iter().take(MAX_ADDRESSES) {
        match timeout(SILENCE, TcpStream::connect(SocketAddr::new(address, port))).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = connection_error(&error),
            Err(_) => last = NetError::new(Code::NetTimeout, "no connection in time"),
        }
    }
    Err(last)
}

fn server_name(target: &Target) -> Result<ServerName<'static>, NetError> {
    let name = target.url.host_str().unwrap_or_default();
    let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
    ServerName::try_from(name).map_err(|_| NetError::new(Code::NetTls, "expected a host that a certificate can name"))
}

fn tls_error(error: &std::io::Error, target: &Target) -> NetError {
    let is_tls = error.get_ref().is_some_and(|inner| inner.is::<tokio_rustls::rustls::Error>());
    match is_tls {
        true => NetError::new(Code::NetTls, format!("expected a right certificate of {}", target.host)),
        false => connection_error(error),
    }
}
