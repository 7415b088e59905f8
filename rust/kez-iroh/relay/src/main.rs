//! `kez-relay`: iroh's own relay server as a service. It passes packets on that it cannot read between endpoints that cannot reach each
//! other directly, writes nothing down, and says nothing of them. Behind a proxy that speaks HTTPS. docs/guides/self-host.md
#![forbid(unsafe_code)]

mod health;
mod settings;

use iroh_relay::server::{
    ClientRateLimit, DEFAULT_CERT_RELOAD_INTERVAL, QuicConfig, RelayConfig, Server, ServerConfig, reloading_resolver,
};
use rustls::crypto::{CryptoProvider, ring};
use settings::{Quic, Settings};
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

const USAGE: &str = "kez-relay passes encrypted packets of files between computers that cannot reach each other directly.\n\
    kez-relay              serves until SIGTERM or SIGINT\n\
    kez-relay healthcheck  asks the one that runs here; exits with 0 or 1\n\
    kez-relay --version\n\
    Environment:\n\
    KEZ_RELAY_LISTEN       address and port for HTTP and WebSockets, behind a proxy with HTTPS (default: 127.0.0.1:3340)\n\
    KEZ_RELAY_CLIENT_RATE  bytes a second that one endpoint may send (default: 8388608; 0: no limit)\n\
    KEZ_RELAY_QUIC         address and UDP port at which endpoints ask which address they have (usually 0.0.0.0:7842; default: none)\n\
    KEZ_RELAY_CERTIFICATE, KEZ_RELAY_KEY  PEM files for it, read again every day\n";

/// Of a service's way to end.
type Fault = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => finish(Settings::read().and_then(|settings| serve(&settings))),
        (Some("healthcheck"), None) => finish(Settings::read().and_then(|settings| health::ask(settings.listen))),
        (Some("--version"), None) => say(&format!("kez-relay {}", env!("CARGO_PKG_VERSION"))),
        (Some("--help" | "-h"), None) => say(USAGE.trim_end()),
        _ => {
            std::io::stderr().write_all(USAGE.as_bytes()).ok();
            ExitCode::from(2)
        }
    }
}

fn finish(outcome: Result<(), Fault>) -> ExitCode {
    let Err(fault) = outcome else { return ExitCode::SUCCESS };
    writeln!(std::io::stderr(), "kez-relay: {fault}").ok();
    ExitCode::FAILURE
}

fn say(text: &str) -> ExitCode {
    if writeln!(std::io::stdout(), "{text}").is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn serve(settings: &Settings) -> Result<(), Fault> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let mut relay = RelayConfig::new(settings.listen);
        relay.limits.client_rx = settings.client_rate.map(ClientRateLimit::new);
        let mut config = ServerConfig::default();
        config.relay = Some(relay);
        if let Some(quic) = &settings.quic {
            config.quic = Some(quic_config(quic).await?);
        }
        let mut server = Server::spawn(config).await?;
        let address = server.http_addr().ok_or("it has no address")?;
        say(&format!("kez-relay {} listens at http://{address}", env!("CARGO_PKG_VERSION")));
        tokio::select! {
            how = ended() => how?,
            how = server.join() => return Err(format!("the server ended: {how:?}").into()),
        }
        server.shutdown().await?;
        Ok(())
    })
}

/// Which address somebody has is told over QUIC, which has certificates of its own: no proxy can stand before it.
async fn quic_config(quic: &Quic) -> Result<QuicConfig, Fault> {
    let provider = Arc::new(ring::default_provider());
    let resolver = certificates(&provider, quic).await?;
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    let mut config = QuicConfig::new(quic.listen);
    config.server_config = Some(tls);
    Ok(config)
}

async fn certificates(
    provider: &CryptoProvider,
    quic: &Quic,
) -> Result<Arc<dyn rustls::server::ResolvesServerCert>, Fault> {
    reloading_resolver(provider, quic.certificate.clone(), quic.key.clone(), DEFAULT_CERT_RELOAD_INTERVAL)
        .await
        .map_err(|cause| {
            format!("Cannot read KEZ_RELAY_CERTIFICATE ({}) and KEZ_RELAY_KEY: {cause:#}", quic.certificate.display())
                .into()
        })
}

/// SIGINT, and where there is one SIGTERM.
async fn ended() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            how = tokio::signal::ctrl_c() => how,
            _ = term.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
