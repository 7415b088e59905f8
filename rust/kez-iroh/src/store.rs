//! What is known of files: iroh-blobs keeps their hash trees and reads them where they lie; a list of ours says which file had which
//! size and time when it was hashed, so that nothing is hashed twice and a changed file is noticed before it is read.

use crate::limits::SWEEP_EVERY;
use crate::refusal::Refusal;
use iroh_blobs::api::Store;
use iroh_blobs::store::GcConfig;
use iroh_blobs::store::fs::FsStore;
use iroh_blobs::store::fs::options::Options;
use iroh_blobs::{Hash, HashAndFormat};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

/// How a file was when it was hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    size: u64,
    modified_ns: u64,
    file: u64,
}

impl Stamp {
    /// The stamp of a file as it is now.
    pub fn of(metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified_ns = modified.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(0));
        Self { size: metadata.len(), modified_ns, file: file_number(metadata) }
    }
}

#[cfg(unix)]
fn file_number(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn file_number(_metadata: &Metadata) -> u64 {
    0
}

/// A line of the list.
#[derive(Serialize, Deserialize)]
struct Line {
    path: PathBuf,
    stamp: Stamp,
    hash: [u8; 32],
}

#[derive(Default)]
struct Seen {
    by_path: HashMap<PathBuf, (Stamp, Hash)>,
    by_hash: HashMap<Hash, PathBuf>,
}

/// The store of one data folder. Two processes cannot have the same.
pub struct Library {
    store: FsStore,
    seen: Mutex<Seen>,
    list: Mutex<File>,
}

impl Library {
    /// Opens or makes the store in `data`.
    pub async fn open(data: &Path) -> Result<Self, Refusal> {
        create_private(data).map_err(|cause| Refusal::io("start.store", "make the data folder", &cause))?;
        let mut options = Options::new(&data.join("blobs"));
        options.gc = Some(GcConfig { interval: SWEEP_EVERY, add_protected: None });
        let store = FsStore::load_with_opts(data.join("blobs").join("blobs.db"), options).await.map_err(|cause| {
            Refusal::new("start.store", format!("Cannot open the store: {cause:#}"))
                .hint("Another kez-iroh may use the same data folder")
        })?;
        let path = data.join("files.jsonl");
        let seen = read_list(&path);
        let list = rewrite_list(&path, &seen)
            .map_err(|cause| Refusal::io("start.store", "write the list of files", &cause))?;
        Ok(Self { store, seen: Mutex::new(seen), list: Mutex::new(list) })
    }

    /// The store of iroh-blobs.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The hash of a file that has not changed since it was hashed.
    pub fn known(&self, path: &Path, stamp: &Stamp) -> Option<Hash> {
        let seen = self.seen();
        let (then, hash) = seen.by_path.get(path)?;
        (then == stamp).then_some(*hash)
    }

    /// Keeps what hashing a file gave.
    pub fn remember(&self, path: PathBuf, stamp: Stamp, hash: Hash) -> std::io::Result<()> {
        let line = Line { path: path.clone(), stamp: stamp.clone(), hash: *hash.as_bytes() };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        self.list.lock().unwrap_or_else(PoisonError::into_inner).write_all(&text)?;
        self.seen().insert(path, stamp, hash);
        Ok(())
    }

    /// The file that `hash` was made of, if that file is not the same any more.
    pub fn changed(&self, hash: &Hash) -> Option<PathBuf> {
        let (path, stamp) = {
            let seen = self.seen();
            let path = seen.by_hash.get(hash)?.clone();
            let stamp = seen.by_path.get(&path).map(|(stamp, _)| stamp.clone());
            (path, stamp)
        };
        let now = std::fs::metadata(&path).ok().map(|metadata| Stamp::of(&metadata));
        (now.is_none() || now != stamp).then_some(path)
    }

    /// Whether the store can serve all of `hash`.
    pub async fn has(&self, hash: &Hash) -> bool {
        self.store.blobs().has(*hash).await.unwrap_or(false)
    }

    /// Keeps `hash` from being swept.
    pub async fn keep(&self, hash: Hash) -> Result<(), Refusal> {
        let kept = self.store.tags().set(tag(&hash), HashAndFormat::raw(hash)).await;
        kept.map_err(|cause| Refusal::new("file.store", format!("Cannot keep a file in the store: {cause}")))
    }

    /// Lets `hash` be swept.
    pub async fn release(&self, hash: &Hash) {
        self.store.tags().delete(tag(hash)).await.ok();
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn insert(&mut self, path: PathBuf, stamp: Stamp, hash: Hash) {
        self.by_hash.insert(hash, path.clone());
        self.by_path.insert(path, (stamp, hash));
    }
}

fn tag(hash: &Hash) -> String {
    format!("kez-{}", hash.to_hex())
}

/// A folder that nobody else may read.
pub fn create_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// What the list says; lines that a crash cut are left out, and hashed again when they are needed.
fn read_list(path: &Path) -> Seen {
    let mut seen = Seen::default();
    let Ok(file) = File::open(path) else { return seen };
    for line in BufReader::new(file).lines().map_while(Result::ok) {
        if let Ok(Line { path, stamp, hash }) = serde_json::from_str(&line) {
            seen.insert(path, stamp, Hash::from_bytes(hash));
        }
    }
    seen
}

/// Writes the list anew, each file once and only those that are there, and opens it for more.
fn rewrite_list(path: &Path, seen: &Seen) -> std::io::Result<File> {
    let fresh = path.with_extension("new");
    let mut out = BufWriter::new(File::create(&fresh)?);
    for (file, (stamp, hash)) in &seen.by_path {
        if !file.exists() {
            continue;
        }
        serde_json::to_writer(&mut out, &Line { path: file.clone(), stamp: stamp.clone(), hash: *hash.as_bytes() })?;
        out.write_all(b"\n")?;
    }
    out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    std::fs::rename(&fresh, path)?;
    OpenOptions::new().append(true).open(path)
}
