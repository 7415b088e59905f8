//! A relay for tests: iroh's own server, without TLS, on a port of loopback that it prints. It ends when its stdin closes.
#![forbid(unsafe_code)]

use iroh_relay::server::{RelayConfig, Server, ServerConfig};
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bind =
        std::env::args().nth(1).map_or_else(|| Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))), |text| text.parse())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut config = ServerConfig::default();
    config.relay = Some(RelayConfig::new(bind));
    let server = runtime.block_on(Server::spawn(config))?;
    let address = server.http_addr().ok_or("no address")?;
    println!("http://{address}");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    runtime.block_on(server.shutdown())?;
    Ok(())
}
