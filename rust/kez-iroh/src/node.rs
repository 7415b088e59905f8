//! The endpoint of a run: made from a random or given seed, reachable as its settings say, and gone with the process.

use crate::fetch::jobs::Jobs;
use crate::grants::Grants;
use crate::limits::{CONNECTION_WINDOW, MAX_STREAMS, PULLS, STOP, STREAM_WINDOW};
use crate::output::Output;
use crate::refusal::Refusal;
use crate::serve::Desk;
use crate::store::Library;
use crate::wire::{self, Discovery, Relay, RelayKind, Start};
use data_encoding::HEXLOWER;
use iroh::endpoint::{Builder, QuicTransportConfig, VarInt, presets};
use iroh::{Endpoint, EndpointAddr, EndpointId, RelayMode, RelayUrl, SecretKey, TransportAddr, Watcher};
use iroh_mdns_address_lookup::MdnsAddressLookup;
use n0_future::StreamExt;
use serde_json::{Value, json};
use std::sync::Arc;
use zeroize::Zeroize;

/// Everything that a started process has.
pub struct Node {
    /// The way to the engine.
    pub out: Output,
    /// Files and their hashes.
    pub library: Library,
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Who may have what.
    pub grants: Grants,
    /// Who is connected to ask for something.
    pub desk: Desk,
    /// Fetches that go on.
    pub jobs: Jobs,
    /// Where only relays are used: one's own.
    relays: Option<Vec<RelayUrl>>,
}

impl Node {
    /// Opens the store and the endpoint and accepts connections, all of which are refused until something is offered.
    pub async fn start(start: Start, out: Output) -> Result<Arc<Self>, Refusal> {
        if !start.data.is_absolute() {
            return Err(wire::member("data is not an absolute path"));
        }
        let data = start.data.clone();
        let relays = (!start.direct).then(|| relay_mode(&start.relay).relay_map().urls());
        let endpoint = bind(start).await?;
        let library = match Library::open(&data).await {
            Ok(library) => library,
            Err(refusal) => {
                endpoint.close().await;
                return Err(refusal);
            }
        };
        let node = Arc::new(Self {
            out,
            library,
            endpoint,
            grants: Grants::default(),
            desk: Desk::default(),
            jobs: Jobs::default(),
            relays,
        });
        tokio::spawn(crate::serve::accept_all(Arc::clone(&node)));
        tokio::spawn(tell_addresses(Arc::clone(&node)));
        Ok(node)
    }

    /// The answer of `start` and `addresses`.
    pub fn addresses(&self) -> Value {
        shown(&self.endpoint.addr())
    }

    /// Providers as they are asked. A relay that somebody else names would learn this computer's address, so that it is left out where
    /// only one's own is to know it (F13).
    pub fn askable(&self, mut providers: Vec<EndpointAddr>) -> Vec<EndpointAddr> {
        if let Some(own) = &self.relays {
            for provider in &mut providers {
                provider.addrs.retain(|way| matches!(way, TransportAddr::Relay(url) if own.contains(url)));
            }
        }
        providers
    }

    /// Ends fetches, keeping what they have, and closes the endpoint so that peers know at once.
    pub async fn stop(&self) {
        let orderly = async {
            self.jobs.stop_all().await;
            self.endpoint.close().await;
            self.library.store().shutdown().await.ok();
        };
        tokio::time::timeout(STOP, orderly).await.ok();
    }
}

/// An endpoint's id as text.
pub fn id_text(id: &EndpointId) -> String {
    HEXLOWER.encode(id.as_bytes())
}

fn shown(address: &EndpointAddr) -> Value {
    let direct: Vec<String> = address.ip_addrs().map(ToString::to_string).collect();
    let relay = address.relay_urls().next().map(ToString::to_string);
    json!({ "endpoint": id_text(&address.id), "addresses": direct, "relay": relay })
}

async fn tell_addresses(node: Arc<Node>) {
    let mut changes = node.endpoint.watch_addr().stream();
    let mut told = node.addresses();
    let closed = node.endpoint.closed();
    let tell = async {
        while let Some(address) = changes.next().await {
            let now = shown(&address);
            if now == told {
                continue;
            }
            told = now;
            let mut event = told.clone();
            if let Some(members) = event.as_object_mut() {
                members.insert("event".to_owned(), json!("addresses"));
            }
            node.out.tell(&event).await;
        }
    };
    closed.run_until(tell).await;
}

async fn bind(mut start: Start) -> Result<Endpoint, Refusal> {
    let mut builder = Endpoint::builder(presets::Minimal)
        .secret_key(secret(&mut start)?)
        .alpns(vec![iroh_blobs::ALPN.to_vec()])
        .transport_config(transport())
        .relay_mode(relay_mode(&start.relay));
    builder = bind_addresses(builder, &start)?;
    let endpoint = builder.bind().await.map_err(|cause| {
        Refusal::new("start.bind", format!("Cannot open the endpoint: {cause:#}"))
            .hint("Another process may use the same port")
    })?;
    if start.discovery == Discovery::Lan {
        let lan = MdnsAddressLookup::builder().service_name("kez-files").build(endpoint.id());
        let lan = lan.map_err(|cause| {
            Refusal::new("start.discovery", format!("Cannot listen for the local network: {cause:#}"))
        })?;
        if let Ok(lookup) = endpoint.address_lookup() {
            lookup.add(lan);
        }
    }
    Ok(endpoint)
}

fn bind_addresses(mut builder: Builder, start: &Start) -> Result<Builder, Refusal> {
    if !start.direct {
        if matches!(&start.relay, Relay::Absent | Relay::Kind(RelayKind::None)) {
            return Err(wire::member("without direct connections a relay is needed"));
        }
        return Ok(builder.clear_ip_transports());
    }
    let Some(addresses) = &start.bind else { return Ok(builder) };
    builder = builder.clear_ip_transports();
    for address in addresses {
        builder = builder
            .bind_addr(*address)
            .map_err(|cause| wire::member(format!("bind has an address that cannot be used: {cause:#}")))?;
    }
    Ok(builder)
}

/// The seed is wiped once the key is made.
fn secret(start: &mut Start) -> Result<SecretKey, Refusal> {
    let Some(text) = start.seed.take() else { return Ok(SecretKey::generate()) };
    let mut bytes = wire::bytes32(&text).ok_or_else(|| wire::member("seed is not 64 hexadecimal digits"))?;
    let key = SecretKey::from_bytes(&bytes);
    bytes.zeroize();
    Ok(key)
}

fn relay_mode(relay: &Relay) -> RelayMode {
    match relay {
        Relay::Absent | Relay::Kind(RelayKind::None) => RelayMode::Disabled,
        Relay::Kind(RelayKind::Public) => RelayMode::Default,
        Relay::Urls(urls) => RelayMode::custom(urls.iter().cloned()),
    }
}

/// Nobody may send datagrams or streams of one direction; windows of all streams together hold 1 Gbit/s over 50 ms.
fn transport() -> QuicTransportConfig {
    let streams = MAX_STREAMS.max(u32::try_from(PULLS).unwrap_or(MAX_STREAMS));
    QuicTransportConfig::builder()
        .max_concurrent_bidi_streams(VarInt::from_u32(streams))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .receive_window(VarInt::from_u32(CONNECTION_WINDOW))
        .send_window(u64::from(CONNECTION_WINDOW))
        .datagram_receive_buffer_size(None)
        .build()
}
