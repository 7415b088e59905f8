//! The network as the settings have it, and the sources of chains that are asked over it. SPEC VER-5, VER-6, §8.2.

use clap::ArgMatches;
use kez_channels::nostr::{RelayChains, chain_documents};
use kez_channels::publication::Relay;
use kez_channels::source::{fetch, fetch_chain};
use kez_channels::{ChainSource, Guarded, NetError, Options, Rights, Token, Url};
use kez_core::envelope::{ChainHead, Kind, decode_value};
use kez_core::sigchain::{Chain, ChainEvent, Graph, read_document, read_line};
use kez_core::verify::{Source, SourceKind, SourceOutcome};
use kez_core::{Code, Digest, Json};
use std::sync::Arc;

use crate::context::{Context, read_input};
use crate::network::{below, github_token, network, parse_url, relays, split, variable};
use crate::outcome::Outcome;
use crate::store::KnownSource;

/// Heads of one answer that are looked at. SPEC §11.
const MAX_HEADS: usize = 16;

/// Keys and chains of one account that a store is asked about. VER-5.
const MAX_ASKED_NAMES: usize = 8;
/// Chains that a store may name for one key. VER-6.
const MAX_CHAINS_OF_KEY: usize = 4;

/// What a store said of one name.
enum Said {
    Found,
    Absent,
    /// A key has these chains.
    Several(Vec<String>),
}

/// How evidence names the relays of a key.
const RELAYS_OF: &str = "relays of ";

/// What is asked, and how.
pub struct World {
    net: Option<Arc<Guarded>>,
    stores: Vec<Url>,
    relays: Vec<Relay>,
    github_token: Option<Token>,
    now: u64,
}

impl World {
    /// By options and the environment; without a network where nobody is to be asked.
    pub fn new(context: &Context, matches: &ArgMatches, is_offline: bool) -> Outcome<World> {
        let typed = matches
            .try_get_many::<String>("store")
            .ok()
            .flatten()
            .map(|all| all.cloned().collect::<Vec<_>>())
            .unwrap_or_default();
        let configured = match variable("KEZ_STORES") {
            Some(text) => split(&text).iter().map(|url| parse_url(url)).collect::<Outcome<Vec<Url>>>()?,
            None => context.settings.stores.clone(),
        };
        let typed = typed.iter().map(|url| parse_url(url)).collect::<Outcome<Vec<Url>>>()?;
        let mut stores: Vec<Url> = Vec::new();
        for url in configured.into_iter().chain(typed) {
            if !stores.contains(&url) {
                stores.push(url);
            }
        }
        let net = if is_offline { None } else { Some(Arc::new(network(context, matches)?)) };
        Ok(World {
            net,
            stores,
            relays: relays(context)?,
            github_token: github_token(),
            now: context.now.unix_seconds(),
        })
    }

    /// The network, if there is one.
    pub fn net(&self) -> Option<&Guarded> {
        self.net.as_deref()
    }

    /// The same network at another time.
    pub fn at(&self, context: &Context) -> World {
        World {
            net: self.net.clone(),
            stores: self.stores.clone(),
            relays: self.relays.clone(),
            github_token: self.github_token.clone(),
            now: context.now.unix_seconds(),
        }
    }

    /// The same through another network, if one is given.
    pub fn through(self, net: Option<Arc<Guarded>>) -> World {
        World { net: net.or(self.net), ..self }
    }

    /// When it began.
    pub const fn now(&self) -> u64 {
        self.now
    }

    /// The configured stores.
    pub fn stores(&self) -> &[Url] {
        &self.stores
    }

    /// What channels are given.
    pub fn options(&self, known_account_id: Option<String>) -> Options {
        Options {
            now: self.now,
            known_account_id,
            relays: self.relays.clone(),
            github_token: self.github_token.clone(),
        }
    }

    /// A store is asked for the chain under these names. VER-5, VER-6.
    pub async fn ask_store(&self, store: &Url, names: &[String]) -> Source {
        let mut source = empty(store.as_str(), SourceKind::Store, true);
        let mut silence = (names.len() > MAX_ASKED_NAMES).then_some(None);
        for name in names.iter().take(MAX_ASKED_NAMES) {
            match self.ask_store_for(store, name, &mut source).await {
                Ok(Said::Several(ids)) => {
                    for id in ids.iter().filter(|id| !names.contains(id)) {
                        // What it names it has: without one of them it did not answer.
                        match self.ask_store_for(store, id, &mut source).await {
                            Ok(Said::Found) => {}
                            Ok(Said::Absent | Said::Several(_)) => silence = Some(Some(Code::NetStatus)),
                            Err(error) => silence = Some(Some(error.code)),
                        }
                    }
                }
                Ok(Said::Found | Said::Absent) => {}
                Err(error) => silence = Some(Some(error.code)),
            }
        }
        // Without an answer for one name it did not answer, whatever it said of others: VER-6.
        if let Some(code) = silence {
            source.outcome = SourceOutcome::Failed;
            source.code = code;
        }
        source
    }

    /// Document, forks and heads of one name; other ids, where a key has several chains.
    async fn ask_store_for(&self, store: &Url, name: &str, source: &mut Source) -> Result<Said, NetError> {
        let Some(net) = self.net() else { return Err(NetError::new(Code::NetUrl, "not asked")) };
        let (document, forks, head) = tokio::join!(
            fetch(below(store, &["v1", "chains", name])?, Rights::Reader, net),
            fetch(below(store, &["v1", "chains", name, "forks"])?, Rights::Reader, net),
            fetch(below(store, &["v1", "chains", name, "head"])?, Rights::Reader, net),
        );
        let document = document?;
        // An id means one chain: a store that goes on to name others would have us ask for ever.
        if document.status == 409 && !name.starts_with("sha256:") {
            let ids = several(&document.body).ok_or_else(|| kez_channels::net::read::no_answer(&document))?;
            return Ok(Said::Several(ids));
        }
        if !kez_channels::net::read::is_present(&document, self.now)? {
            return Ok(Said::Absent);
        }
        keep_document(source, &document.body);
        // Silence about forks is silence; faults in them are none.
        let forks = forks?;
        if kez_channels::net::read::is_present(&forks, self.now)? {
            let lines = forks.body.split(|byte| *byte == b'\n').filter_map(|line| str::from_utf8(line).ok());
            keep_valid(source, lines.filter_map(|line| read_line(line).ok()).map(Arc::new).collect());
        }
        // A page about an error is no head, whatever is in it.
        if let Ok(head) = head
            && head.status == 200
        {
            source.heads.extend(heads_of(&head.body));
        }
        Ok(Said::Found)
    }

    /// A chain document at a URL that some text or §7 named.
    pub async fn ask_url(&self, url: &str, kind: SourceKind) -> Source {
        let mut source = empty(url, kind, kind == SourceKind::Hint);
        let (Some(net), Ok(url)) = (self.net(), Url::parse(url)) else {
            source.outcome = SourceOutcome::Failed;
            return source;
        };
        match fetch_chain(url, Rights::Stranger, net, self.now).await {
            Ok(Some(bytes)) => keep_document(&mut source, &bytes),
            Ok(None) => source.outcome = SourceOutcome::Absent,
            Err(error) => {
                source.outcome = SourceOutcome::Failed;
                source.code = Some(error.code);
            }
        }
        source
    }

    /// What served a chain before, and is expected to: VER-6. It is asked for that chain with the rights that it had.
    pub async fn ask_again(&self, known: &KnownSource) -> Vec<Source> {
        let url = Url::parse(&known.name).ok();
        let mut sources = match (known.kind, url, known.name.strip_prefix(RELAYS_OF)) {
            (SourceKind::Store, Some(url), _) => vec![self.ask_store(&url, &[known.chain.to_string()]).await],
            (kind, Some(_), _) => vec![self.ask_url(&known.name, kind).await],
            (_, None, Some(npub)) => self.ask_named(&ChainSource::Relays(npub.to_owned())).await,
            (_, None, None) => Vec::new(),
        };
        sources.iter_mut().for_each(|source| source.expected = true);
        sources
    }

    /// A source that §7 names for an account or a key.
    pub async fn ask_named(&self, named: &ChainSource) -> Vec<Source> {
        match (named, self.net()) {
            (ChainSource::Document(url), _) => vec![self.ask_url(url.as_str(), SourceKind::Other).await],
            (ChainSource::Relays(npub), Some(net)) => {
                let mut source = empty(&format!("{RELAYS_OF}{npub}"), SourceKind::Other, false);
                match chain_documents(npub, net, &self.options(None)).await {
                    RelayChains::Found(documents) => {
                        return documents
                            .iter()
                            .map(|text| {
                                let mut source = empty(&format!("{RELAYS_OF}{npub}"), SourceKind::Other, false);
                                keep_document(&mut source, text.as_bytes());
                                source
                            })
                            .collect();
                    }
                    RelayChains::Absent => source.outcome = SourceOutcome::Absent,
                    RelayChains::Unanswered(error) => {
                        source.outcome = SourceOutcome::Failed;
                        source.code = Some(error.code);
                    }
                }
                vec![source]
            }
            (ChainSource::Relays(_), None) => Vec::new(),
        }
    }
}

/// A source that answered nothing yet.
pub fn empty(name: &str, kind: SourceKind, expected: bool) -> Source {
    Source {
        name: name.to_owned(),
        kind,
        expected,
        outcome: SourceOutcome::Absent,
        events: Vec::new(),
        heads: Vec::new(),
        code: None,
    }
}

/// The events of a document, and why it is refused.
pub fn keep_document(source: &mut Source, bytes: &[u8]) {
    let document = read_document(bytes);
    source.outcome = SourceOutcome::Found;
    source.events.extend(document.events.into_iter().map(Arc::<ChainEvent>::new));
    source.code = source.code.or(document.fault.map(|fault| fault.code()));
}

/// Evidence of forks. What is not valid in it is no fault of the store: VER-6.
fn keep_valid(source: &mut Source, forks: Vec<Arc<ChainEvent>>) {
    let mut graph = Graph::default();
    source.events.iter().chain(&forks).for_each(|event| graph.insert(Arc::clone(event)));
    let chains: Vec<Chain> =
        graph.geneses().into_iter().filter_map(|genesis| Chain::of(&graph, genesis).ok()).collect();
    let is_valid = |event: &Arc<ChainEvent>| chains.iter().any(|chain| chain.tree().get(&event.digest()).is_some());
    source.events.extend(forks.into_iter().filter(is_valid));
}

/// A file that the reader named.
pub fn ask_file(path: &str) -> Outcome<Source> {
    let bytes = read_input(path, kez_core::limits::MAX_CHAIN_BYTES + 4_000_000)?;
    let mut source = empty(path, SourceKind::Store, true);
    keep_document(&mut source, &bytes);
    Ok(source)
}

/// The chains of a key, if they are as many as are asked for and nothing else. VER-6.
fn several(body: &[u8]) -> Option<Vec<String>> {
    let value = kez_core::json::parse(body).ok()?;
    let Json::Array(chains) = value.as_object()?.get("chains")? else { return None };
    if chains.is_empty() || chains.len() > MAX_CHAINS_OF_KEY {
        return None;
    }
    // Each becomes a part of a URL.
    chains.iter().map(|chain| Digest::parse(chain.as_str()?).ok().map(|id| id.to_string())).collect()
}

fn heads_of(body: &[u8]) -> Vec<kez_core::Envelope<ChainHead>> {
    let value = kez_core::json::parse(body).ok();
    let heads = value.and_then(|value| value.as_object()?.get("heads").cloned());
    let Some(Json::Array(heads)) = heads else { return Vec::new() };
    heads.into_iter().take(MAX_HEADS).filter_map(|head| decode_value(head, Kind::ChainHead).ok()).collect()
}
