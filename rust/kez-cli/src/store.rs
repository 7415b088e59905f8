//! What this computer holds beside keys: claims, chains, heads, high-water marks, and what was proven last. Plain files in
//! `rust/` of the home, one JSON value a line, written whole under a lock. SPEC VER-10: marks are durable before a verdict
//! is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use kez_core::envelope::{ChainHead, Claim, Envelope, Verified, decode};
use kez_core::sigchain::{Chain, ChainEvent, Graph, read_line};
use kez_core::text::decode_utf8;
use kez_core::verify::Mark;
use kez_core::{Code, Digest, Identity, KeyIdentity};

use crate::home::{self, Home};
use crate::json::object;
use crate::outcome::{Failure, Outcome};
pub use crate::records::{KnownSource, LastProven};
use crate::records::{kind_name, line_of, read_mark, read_proven, read_source};

/// Heads kept of one chain, the newest.
const MAX_HEADS: usize = 16;

/// Remembered sources of one chain, the newest.
const MAX_SOURCES: usize = 8;

/// The folder of the store.
#[derive(Clone, Debug)]
pub struct Store(PathBuf);

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
        let text = decode_utf8(&bytes).map_err(|_| self.corrupt(path))?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    fn write_lines(&self, path: &str, lines: impl IntoIterator<Item = String>) -> Outcome<()> {
        let text: String = lines.into_iter().map(|line| line + "\n").collect();
        home::write(&self.0.join(path), text.as_bytes(), false)
    }

    /// Every claim made here, oldest first.
    pub fn claims(&self) -> Outcome<Vec<Verified<Claim>>> {
        let path = "claims.jsonl";
        let damaged = |_| self.corrupt(path);
        let read = |line: &String| decode::<Claim>(line.as_bytes()).and_then(Envelope::verify).map_err(damaged);
        self.lines(path)?.iter().map(read).collect()
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
            let path = format!("chains/{name}");
            for line in self.lines(&path)? {
                events.push(Arc::new(read_line(&line).map_err(|_| self.corrupt(&path))?));
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
        let read = |line: &String| decode::<ChainHead>(line.as_bytes()).map_err(|_| self.corrupt(&path));
        self.lines(&path)?.iter().map(read).collect()
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
        let path = "marks.jsonl";
        self.lines(path)?.iter().map(|line| read_mark(line).ok_or_else(|| self.corrupt(path))).collect()
    }

    /// Keeps what was verified: the chain, united with what is held by now, and then its mark. VER-10: nothing that was held is
    /// lost, and no mark goes back while another verification goes on.
    pub fn keep_verified(&self, mark: &Mark, events: impl Iterator<Item = Arc<ChainEvent>>) -> Outcome<Option<Chain>> {
        let _lock = self.lock()?;
        let mut graph = Graph::default();
        self.events_of(&mark.chain)?.into_iter().chain(events).for_each(|event| graph.insert(event));
        // Without its events a mark would only say that something is missing.
        let Some(genesis) = graph.get(&mark.chain) else { return Ok(None) };
        let chain = Chain::of(&graph, genesis)?;
        self.keep_chain(&chain)?;
        self.raise_mark(mark, &chain)?;
        Ok(Some(chain))
    }

    fn events_of(&self, chain: &Digest) -> Outcome<Vec<Arc<ChainEvent>>> {
        let path = format!("chains/{}.jsonl", chain.to_hex());
        let read = |line: &String| read_line(line).map(Arc::new).map_err(|_| self.corrupt(&path));
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
        let found = self.proven()?.into_iter().find(|(name, ..)| name == subject.as_str());
        Ok(found.map(|(_, proven, _)| proven))
    }

    /// Remembers the last proof of an account.
    pub fn keep_proven(&self, subject: &Identity, proven: &LastProven) -> Outcome<()> {
        let _lock = self.lock()?;
        let others = self.proven()?.into_iter().filter(|(name, ..)| name != subject.as_str());
        let mut lines: Vec<String> = others.map(|(.., line)| line).collect();
        lines.push(line_of(&object! {
            "subject" => subject, "at" => proven.at, "primary" => proven.primary, "chain" => proven.chain,
            "account_id" => proven.account_id,
        }));
        self.write_lines("proven.jsonl", lines)
    }

    /// Account, proof and line of each. A line that cannot be read may be the number that an account had: it is told.
    fn proven(&self) -> Outcome<Vec<(String, LastProven, String)>> {
        let path = "proven.jsonl";
        let read = |line: String| {
            let (name, proven) = read_proven(&line).ok_or_else(|| self.corrupt(path))?;
            Ok((name, proven, line))
        };
        self.lines(path)?.into_iter().map(read).collect()
    }

    /// The sources that served a chain before, oldest first. VER-6.
    pub fn sources(&self) -> Outcome<Vec<KnownSource>> {
        let path = "sources.jsonl";
        self.lines(path)?.iter().map(|line| read_source(line).ok_or_else(|| self.corrupt(path))).collect()
    }

    /// Remembers what served a chain.
    pub fn keep_sources(&self, served: &[KnownSource]) -> Outcome<()> {
        let known = self.sources()?;
        if served.iter().all(|source| known.contains(source)) {
            return Ok(());
        }
        let _lock = self.lock()?;
        let mut sources = self.sources()?;
        for source in served {
            if !sources.contains(source) {
                sources.push(source.clone());
            }
            let of_chain = sources.iter().filter(|it| it.chain == source.chain).count();
            if let Some(oldest) =
                sources.iter().position(|it| it.chain == source.chain).filter(|_| of_chain > MAX_SOURCES)
            {
                sources.remove(oldest);
            }
        }
        self.write_lines(
            "sources.jsonl",
            sources.iter().map(|source| {
                let kind = kind_name(source.kind);
                line_of(&object! { "chain" => source.chain, "kind" => kind, "name" => source.name })
            }),
        )
    }

    fn files(&self, folder: &str) -> Outcome<Vec<String>> {
        // What cannot be read is not the same as nothing: a revocation may be in it.
        let mut names = home::list(&self.0.join(folder))?;
        names.retain(|name| name.ends_with(".jsonl") && !name.starts_with('.'));
        Ok(names)
    }

    /// `store.corrupt`, and what to do.
    fn corrupt(&self, file: &str) -> Failure {
        let lost = match file.split(['/', '.']).next().unwrap_or_default() {
            "chains" => "kez-rs sigchain import or fetch brings the chain back.",
            "marks" => "What was seen of chains is forgotten then: an older state of one is not noticed.",
            "proven" => "The numbers of accounts are forgotten then: that a name was taken over is not noticed.",
            "sources" => "Stores that served a chain before are not expected then.",
            _ => "What was in it is lost then.",
        };
        Failure::new(Code::StoreCorrupt, format!("Cannot read {}: it is damaged", self.0.join(file).display()))
            .hint(format!("Restore it from a backup, or move it away.\n{lost}"))
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
