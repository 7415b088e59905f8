//! What this computer holds beside keys: claims, chains, heads, high-water marks, and what was proven last. Plain files in
//! `rust/` of the home, one JSON value a line, written whole under a lock. SPEC VER-10: marks are durable before a verdict
//! is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use kez_core::canonical::canonicalize;
use kez_core::envelope::{ChainHead, Claim, Envelope, Verified, decode};
use kez_core::sigchain::{Chain, ChainEvent, Graph, read_line};
use kez_core::text::decode_utf8;
use kez_core::verify::Mark;
use kez_core::{Code, Digest, Identity, Json, KeyIdentity};

use crate::home::{self, Home};
use crate::json::object;
use crate::outcome::{Failure, Outcome};

/// Heads kept of one chain, the newest.
const MAX_HEADS: usize = 16;

/// The folder of the store.
#[derive(Clone, Debug)]
pub struct Store(PathBuf);

/// VER-9: the last `valid` verification of an account here.
#[derive(Clone, Debug)]
pub struct LastProven {
    /// When.
    pub at: String,
    /// Whose it was.
    pub primary: KeyIdentity,
    /// The chain that listed it.
    pub chain: Option<Digest>,
    /// Its permanent number.
    pub account_id: Option<String>,
}

impl Store {
    /// The store of a home.
    pub fn new(home: &Home) -> Store {
        Store(home.join("rust"))
    }

    /// One writer at a time, until the file is dropped.
    pub fn lock(&self) -> Outcome<fs::File> {
        home::lock(&self.0.join("lock"))
    }

    fn lines(&self, path: &str) -> Outcome<Vec<String>> {
        let bytes = home::read(&self.0.join(path))?.unwrap_or_default();
        let text = decode_utf8(&bytes).map_err(|_| corrupt(path))?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    fn write_lines(&self, path: &str, lines: impl IntoIterator<Item = String>) -> Outcome<()> {
        let text: String = lines.into_iter().map(|line| line + "\n").collect();
        home::write(&self.0.join(path), text.as_bytes(), false)
    }

    /// Every claim made here, oldest first.
    pub fn claims(&self) -> Outcome<Vec<Verified<Claim>>> {
        let read =
            |line: &String| decode::<Claim>(line.as_bytes()).and_then(Envelope::verify).map_err(|_| corrupt("claims"));
        self.lines("claims.jsonl")?.iter().map(read).collect()
    }

    /// Keeps a claim.
    pub fn keep_claim(&self, claim: &Verified<Claim>) -> Outcome<()> {
        let _lock = self.lock()?;
        let mut lines = self.lines("claims.jsonl")?;
        if !lines.iter().any(|line| line == claim.canonical()) {
            lines.push(claim.canonical().to_owned());
        }
        self.write_lines("claims.jsonl", lines)
    }

    /// Every event held, of all chains.
    pub fn events(&self) -> Outcome<Vec<Arc<ChainEvent>>> {
        let mut events = Vec::new();
        for name in self.files("chains")? {
            for line in self.lines(&format!("chains/{name}"))? {
                events.push(Arc::new(read_line(&line).map_err(|_| corrupt(&name))?));
            }
        }
        Ok(events)
    }

    /// Every chain held, by id.
    pub fn chains(&self) -> Outcome<BTreeMap<Digest, Chain>> {
        let mut graph = Graph::default();
        self.events()?.into_iter().for_each(|event| graph.insert(event));
        graph.geneses().into_iter().map(|genesis| Ok((genesis.digest(), Chain::of(&graph, genesis)?))).collect()
    }

    /// Keeps every valid event of a chain. The caller holds the lock, and gives all that is held of it too.
    pub fn keep_chain(&self, chain: &Chain) -> Outcome<()> {
        let lines = chain.tree().events().map(|event| event.canonical().to_owned());
        self.write_lines(&format!("chains/{}.jsonl", chain.id().to_hex()), lines)
    }

    /// The signed heads held of a chain.
    pub fn heads(&self, chain: &Digest) -> Outcome<Vec<Envelope<ChainHead>>> {
        let path = format!("heads/{}.jsonl", chain.to_hex());
        self.lines(&path)?.iter().map(|line| decode::<ChainHead>(line.as_bytes()).map_err(|_| corrupt(&path))).collect()
    }

    /// Keeps a signed head. The caller holds the lock.
    pub fn keep_head(&self, head: &Envelope<ChainHead>) -> Outcome<()> {
        let path = format!("heads/{}.jsonl", head.payload().chain.to_hex());
        let mut lines = self.lines(&path)?;
        if !lines.iter().any(|line| line == head.canonical()) {
            lines.push(head.canonical().to_owned());
        }
        let excess = lines.len().saturating_sub(MAX_HEADS);
        self.write_lines(&path, lines.into_iter().skip(excess))
    }

    /// Digests of the events that were signed here.
    pub fn made_here(&self) -> Outcome<BTreeSet<String>> {
        Ok(self.lines("made")?.into_iter().collect())
    }

    /// Remembers that an event was signed here. The caller holds the lock.
    pub fn keep_made(&self, event: &ChainEvent) -> Outcome<()> {
        let mut lines = self.lines("made")?;
        lines.push(event.digest().to_string());
        self.write_lines("made", lines)
    }

    /// The high-water marks. VER-10.
    pub fn marks(&self) -> Outcome<Vec<Mark>> {
        self.lines("marks.jsonl")?.iter().map(|line| read_mark(line).ok_or_else(|| corrupt("marks.jsonl"))).collect()
    }

    /// Keeps what was verified: the chain, united with what is held by now, and then its mark. VER-10: nothing that was held is
    /// lost, and no mark goes back while another verification goes on.
    pub fn keep_verified(&self, mark: &Mark, events: impl Iterator<Item = Arc<ChainEvent>>) -> Outcome<()> {
        let _lock = self.lock()?;
        let mut graph = Graph::default();
        self.events_of(&mark.chain)?.into_iter().chain(events).for_each(|event| graph.insert(event));
        // Without its events a mark would only say that something is missing.
        let Some(genesis) = graph.get(&mark.chain) else { return Ok(()) };
        let chain = Chain::of(&graph, genesis)?;
        self.keep_chain(&chain)?;
        self.raise_mark(mark, &chain)
    }

    fn events_of(&self, chain: &Digest) -> Outcome<Vec<Arc<ChainEvent>>> {
        let path = format!("chains/{}.jsonl", chain.to_hex());
        let read = |line: &String| read_line(line).map(Arc::new).map_err(|_| corrupt(&path));
        self.lines(&path)?.iter().map(read).collect()
    }

    /// The caller holds the lock. A mark further on the same path stays; the primaries of both are kept.
    fn raise_mark(&self, mark: &Mark, chain: &Chain) -> Outcome<()> {
        let mut marks = self.marks()?;
        let mut raised = mark.clone();
        for held in marks.iter().filter(|held| held.chain == mark.chain) {
            if held.seq > raised.seq && chain.is_on_path(&held.digest) {
                (raised.seq, raised.digest) = (held.seq, held.digest);
            }
            raised.primaries.extend(held.primaries.iter().cloned());
        }
        marks.retain(|held| held.chain != mark.chain);
        marks.push(raised);
        self.write_lines("marks.jsonl", marks.iter().map(|mark| {
            let primaries: Vec<&KeyIdentity> = mark.primaries.iter().collect();
            line_of(&object! { "chain" => mark.chain, "seq" => mark.seq, "digest" => mark.digest, "primaries" => primaries })
        }))
    }

    /// The last proof of an account.
    pub fn last_proven(&self, subject: &Identity) -> Outcome<Option<LastProven>> {
        let lines = self.lines("proven.jsonl")?;
        let found = lines.iter().filter_map(|line| read_proven(line)).find(|(name, _)| name == subject.as_str());
        Ok(found.map(|(_, proven)| proven))
    }

    /// Remembers the last proof of an account.
    pub fn keep_proven(&self, subject: &Identity, proven: &LastProven) -> Outcome<()> {
        let _lock = self.lock()?;
        let mut lines = self.lines("proven.jsonl")?;
        lines.retain(|line| read_proven(line).is_none_or(|(name, _)| name != subject.as_str()));
        lines.push(line_of(&object! {
            "subject" => subject, "at" => proven.at, "primary" => proven.primary, "chain" => proven.chain,
            "account_id" => proven.account_id,
        }));
        self.write_lines("proven.jsonl", lines)
    }

    fn files(&self, folder: &str) -> Outcome<Vec<String>> {
        let entries = match fs::read_dir(self.0.join(folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            // What cannot be read is not the same as nothing: a revocation may be in it.
            Err(error) => {
                return Err(Failure::new(Code::InputUnreadable, format!("Cannot read {folder} of the store: {error}")));
            }
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|name| name.ends_with(".jsonl") && !name.starts_with('.')).collect();
        names.sort();
        Ok(names)
    }
}

fn line_of(value: &Json) -> String {
    canonicalize(value).unwrap_or_default()
}

fn read_mark(line: &str) -> Option<Mark> {
    let value = kez_core::json::parse_text(line).ok()?;
    let members = value.as_object()?;
    let Json::Array(primaries) = members.get("primaries")? else { return None };
    Some(Mark {
        chain: Digest::parse(members.get("chain")?.as_str()?).ok()?,
        seq: match members.get("seq")? {
            Json::Number(seq) => *seq as u64,
            _ => return None,
        },
        digest: Digest::parse(members.get("digest")?.as_str()?).ok()?,
        primaries: primaries
            .iter()
            .map(|key| KeyIdentity::parse_canonical(key.as_str()?).ok())
            .collect::<Option<_>>()?,
    })
}

fn read_proven(line: &str) -> Option<(String, LastProven)> {
    let value = kez_core::json::parse_text(line).ok()?;
    let text = |name: &str| value.as_object()?.get(name)?.as_str();
    let proven = LastProven {
        at: text("at")?.to_owned(),
        primary: KeyIdentity::parse_canonical(text("primary")?).ok()?,
        chain: text("chain").and_then(|chain| Digest::parse(chain).ok()),
        account_id: text("account_id").map(str::to_owned),
    };
    Some((text("subject")?.to_owned(), proven))
}

fn corrupt(what: &str) -> Failure {
    Failure::new(Code::StoreCorrupt, format!("Cannot read {what} of this computer: it is damaged"))
}
