//! The requests of the engine, one JSON object a line. Unknown members are refused, so that a typing error is not an option unset.

use crate::limits::{MAX_ADDRESSES, MAX_FILES, MAX_LABEL, MAX_PEERS, MAX_PROVIDERS};
use crate::refusal::Refusal;
use data_encoding::HEXLOWER;
use iroh::{EndpointAddr, EndpointId, RelayUrl};
use iroh_blobs::Hash;
use serde::{Deserialize, Deserializer};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// The operations.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "camelCase")]
pub enum Operation {
    /// Opens the store and the endpoint.
    Start(Start),
    /// Where this endpoint can be reached now.
    Addresses(Nothing),
    /// Hashes files where they lie.
    Import(Import),
    /// Makes or replaces a set.
    Offer(Offer),
    /// Replaces the endpoints of a set.
    Allow(Allow),
    /// Takes a set back.
    Forget(SetName),
    /// Starts or continues a fetch.
    Fetch(Fetch),
    /// Gives a running fetch more or other providers.
    Providers(MoreProviders),
    /// Ends a fetch and keeps what it has.
    Pause(JobName),
    /// Ends a fetch or an import; of a fetch nothing is kept.
    Cancel(JobName),
    /// Ends the process.
    Stop(Nothing),
}

/// No members.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// See PROTOCOL.md, `start`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Start {
    /// The folder of the store.
    pub data: PathBuf,
    /// 64 hexadecimal digits; random where absent.
    #[serde(default, deserialize_with = "secret")]
    pub seed: Option<Zeroizing<String>>,
    /// `"none"`, `"public"` or URLs.
    #[serde(default)]
    pub relay: Relay,
    /// `"none"` or `"lan"`.
    #[serde(default)]
    pub discovery: Discovery,
    /// Addresses of this computer to use; all of them where absent.
    pub bind: Option<Vec<SocketAddr>>,
    /// False: only through the relay, no address is told to anybody.
    #[serde(default = "yes")]
    pub direct: bool,
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Zeroizing<String>>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(Zeroizing::new))
}

fn yes() -> bool {
    true
}

/// Which relays are used.
#[derive(Deserialize, Default)]
#[serde(untagged)]
pub enum Relay {
    /// `"none"` or `"public"`.
    Kind(RelayKind),
    /// One's own.
    Urls(Vec<RelayUrl>),
    /// As `"none"`.
    #[default]
    Absent,
}

/// Relays by a word.
#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum RelayKind {
    /// Only direct connections.
    None,
    /// Those that the authors of iroh run.
    Public,
}

/// How endpoints without addresses are found.
#[derive(Deserialize, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Discovery {
    /// Not at all.
    #[default]
    None,
    /// By multicast DNS in the local network.
    Lan,
}

/// See PROTOCOL.md, `import`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// Absolute paths of files and folders.
    pub paths: Vec<PathBuf>,
    /// Names the import for `cancel` and `importing`.
    pub job: Option<String>,
}

/// See PROTOCOL.md, `offer`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// The set's name.
    pub set: String,
    /// What it holds.
    pub hashes: Vec<String>,
    /// Who may have it.
    pub peers: Vec<String>,
}

/// See PROTOCOL.md, `allow`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// The set's name.
    pub set: String,
    /// Who may have it from now on, all of them.
    pub peers: Vec<String>,
}

/// Names a set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetName {
    /// The set's name.
    pub set: String,
}

/// Names a job.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobName {
    /// The job's name.
    pub job: String,
}

/// See PROTOCOL.md, `fetch`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Fetch {
    /// Names the fetch; the same name and files continue it.
    pub job: String,
    /// What is wanted.
    pub files: Vec<Wanted>,
    /// An existing folder, absolute.
    pub into: PathBuf,
    /// Who may have it.
    pub providers: Vec<Provider>,
    /// Whether files that are there already are replaced.
    #[serde(default)]
    pub overwrite: bool,
    /// Bytes a second; no limit where absent.
    pub max_rate: Option<u64>,
}

/// A file of a fetch.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// BLAKE3, 64 hexadecimal digits.
    pub hash: String,
    /// Bytes, as the signed manifest says.
    pub size: u64,
    /// Relative to `into`, components divided by `/`.
    pub path: String,
}

/// An endpoint that may have the files.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its id, 64 hexadecimal digits.
    pub endpoint: String,
    /// Its direct addresses; none: by discovery or relay.
    #[serde(default)]
    pub addresses: Vec<SocketAddr>,
    /// Its relay.
    pub relay: Option<RelayUrl>,
}

/// See PROTOCOL.md, `providers`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoreProviders {
    /// The job's name.
    pub job: String,
    /// Providers to add, or to give other addresses.
    pub providers: Vec<Provider>,
}

/// The 32 bytes of a text of 64 digits.
pub fn bytes32(text: &str) -> Option<[u8; 32]> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

/// A hash or `request.member`.
pub fn hash(text: &str) -> Result<Hash, Refusal> {
    let bytes = bytes32(text).ok_or_else(|| member("a hash is not 64 hexadecimal digits"))?;
    Ok(Hash::from_bytes(bytes))
}

/// An endpoint's id or `request.member`.
pub fn endpoint(text: &str) -> Result<EndpointId, Refusal> {
    bytes32(text)
        .and_then(|bytes| EndpointId::from_bytes(&bytes).ok())
        .ok_or_else(|| member("an endpoint is not a key of 64 hexadecimal digits"))
}

/// All hashes of a set.
pub fn hashes(texts: &[String]) -> Result<HashSet<Hash>, Refusal> {
    bounded(texts.len(), MAX_FILES, "hashes")?;
    texts.iter().map(|text| hash(text)).collect()
}

/// All endpoints of a set.
pub fn endpoints(texts: &[String]) -> Result<HashSet<EndpointId>, Refusal> {
    bounded(texts.len(), MAX_PEERS, "peers")?;
    texts.iter().map(|text| endpoint(text)).collect()
}

/// Where the providers are.
pub fn providers(list: &[Provider]) -> Result<Vec<EndpointAddr>, Refusal> {
    bounded(list.len(), MAX_PROVIDERS, "providers")?;
    list.iter().map(provider).collect()
}

fn provider(given: &Provider) -> Result<EndpointAddr, Refusal> {
    bounded(given.addresses.len(), MAX_ADDRESSES, "addresses")?;
    let mut address = EndpointAddr::new(endpoint(&given.endpoint)?);
    for ip in &given.addresses {
        address = address.with_ip_addr(*ip);
    }
    if let Some(relay) = &given.relay {
        address = address.with_relay_url(relay.clone());
    }
    Ok(address)
}

/// A name of a set or job: it becomes part of a folder's name.
pub fn label(text: &str) -> Result<(), Refusal> {
    let known = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if known && !text.is_empty() && text.len() <= MAX_LABEL {
        return Ok(());
    }
    Err(member("a name is 1 to 64 letters, digits, - or _"))
}

/// `limit.count` where there is too much of something.
pub fn bounded(count: usize, most: usize, what: &str) -> Result<(), Refusal> {
    if count <= most {
        return Ok(());
    }
    Err(Refusal::new("limit.count", format!("Cannot take {count} {what}: the most is {most}")))
}

/// A member that is not as it must be.
pub fn member(why: impl std::fmt::Display) -> Refusal {
    Refusal::new("request.member", format!("Cannot read the request: {why}"))
}
