//! A provider for tests that lies: it answers every request with the size that it was given, and behind it with noise. It prints its endpoint id and its
//! address, and ends when its stdin closes.
#![forbid(unsafe_code)]

use iroh::Endpoint;
use iroh::endpoint::{Connection, presets};
use std::io::Read;

/// Of iroh-blobs.
const ALPN: &[u8] = b"/iroh-bytes/4";
const MAX_REQUEST: usize = 100_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let size: u64 = std::env::args().nth(1).ok_or("usage: kez-test-liar SIZE")?.parse()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let endpoint = runtime.block_on(open())?;
    let id: String = endpoint.id().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let address = endpoint.addr().ip_addrs().next().map(ToString::to_string).ok_or("no address")?;
    println!("{id} {address}");
    let lie: Vec<u8> = size.to_le_bytes().into_iter().chain((0..65_536_u32).map(|at| (at * 31 % 251) as u8)).collect();
    runtime.spawn(async move {
        while let Some(incoming) = endpoint.accept().await {
            let lie = lie.clone();
            tokio::spawn(async move {
                if let Ok(connection) = incoming.await {
                    answer(connection, lie).await;
                }
            });
        }
    });
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

async fn open() -> Result<Endpoint, String> {
    let builder = Endpoint::builder(presets::Minimal).alpns(vec![ALPN.to_vec()]);
    let builder = builder.clear_ip_transports().bind_addr("127.0.0.1:0").map_err(|cause| cause.to_string())?;
    builder.bind().await.map_err(|cause| cause.to_string())
}

async fn answer(connection: Connection, lie: Vec<u8>) {
    while let Ok((mut send, mut recv)) = connection.accept_bi().await {
        let lie = lie.clone();
        tokio::spawn(async move {
            recv.read_to_end(MAX_REQUEST).await.ok();
            send.write_all(&lie).await.ok();
            send.finish().ok();
            send.stopped().await.ok();
        });
    }
}
