//! Hashing files where they lie. Links and special files are left out and named; nothing is copied but what is too small for a file
//! of its own in the store (16 KiB).

use crate::limits::{MAX_DEPTH, MAX_FILES, PROGRESS_EVERY};
use crate::output::Output;
use crate::refusal::Refusal;
use crate::store::{Library, Stamp};
use iroh_blobs::BlobFormat;
use iroh_blobs::Hash;
use iroh_blobs::api::blobs::{AddPathOptions, AddProgressItem, ImportMode};
use n0_future::{BufferedStreamExt, StreamExt};
use serde::Serialize;
use serde_json::{Value, json};
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Files that are hashed at once: small ones wait for the store's transactions, not for a processor.
const AT_ONCE: usize = 16;

/// A file that was found.
struct Found {
    path: PathBuf,
    relative: String,
    stamp: Stamp,
    size: u64,
}

/// Something that is not sent, and why.
#[derive(Serialize)]
struct Skipped {
    path: String,
    why: &'static str,
}

#[derive(Default)]
struct Walk {
    files: Vec<Found>,
    skipped: Vec<Skipped>,
}

/// A file of the answer.
#[derive(Serialize)]
struct Imported {
    path: String,
    size: u64,
    hash: String,
}

/// How far an import is, and whether it still goes on.
pub struct Import {
    job: Option<String>,
    out: Output,
    /// Set by `cancel`.
    pub cancelled: Arc<AtomicBool>,
    bytes: AtomicU64,
    total: AtomicU64,
    told: Mutex<Instant>,
}

impl Import {
    /// An import that tells its progress as `job`, or not at all.
    pub fn new(job: Option<String>, out: Output) -> Self {
        let (bytes, total) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { job, out, cancelled: Arc::default(), bytes, total, told: Mutex::new(Instant::now()) }
    }

    /// Hashes everything under `paths`; the answer of `import`.
    pub async fn run(&self, library: &Library, paths: Vec<PathBuf>) -> Result<Value, Refusal> {
        let walk = tokio::task::spawn_blocking(move || walk_all(&paths))
            .await
            .map_err(|_| Refusal::new("internal", "Cannot look for files"))??;
        self.total.store(walk.files.iter().map(|found| found.size).sum(), Ordering::Relaxed);
        let mut hashing =
            n0_future::stream::iter(walk.files).map(|found| self.one(library, found)).buffered_unordered(AT_ONCE);
        let mut files = Vec::new();
        let mut hashed = 0;
        while let Some(done) = hashing.next().await {
            let (imported, fresh) = done?;
            hashed += u64::from(fresh);
            files.push(imported);
        }
        drop(hashing);
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(json!({ "files": files, "hashed": hashed, "skipped": walk.skipped }))
    }

    /// The second value says whether the file had to be read.
    async fn one(&self, library: &Library, found: Found) -> Result<(Imported, bool), Refusal> {
        self.go_on()?;
        if let Some(hash) = library.known(&found.path, &found.stamp)
            && library.has(&hash).await
        {
            self.advance(found.size);
            library.keep(hash).await?;
            return Ok((imported(&found, hash), false));
        }
        let hash = self.hash(library, &found).await?;
        let after = std::fs::symlink_metadata(&found.path).map(|metadata| Stamp::of(&metadata));
        if after.is_err() || after.is_ok_and(|stamp| stamp != found.stamp) {
            let what = format!("Cannot offer {}: it changed while it was read", found.path.display());
            return Err(Refusal::new("file.changed", what).hint("Try again when nothing writes to it"));
        }
        let kept = library.remember(found.path.clone(), found.stamp.clone(), hash);
        kept.map_err(|cause| Refusal::io("file.store", "note a file", &cause))?;
        Ok((imported(&found, hash), true))
    }

    async fn hash(&self, library: &Library, found: &Found) -> Result<Hash, Refusal> {
        let options =
            AddPathOptions { path: found.path.clone(), format: BlobFormat::Raw, mode: ImportMode::TryReference };
        let mut steps = library.store().blobs().add_path_with_opts(options).stream().await;
        let mut before = 0;
        while let Some(step) = steps.next().await {
            self.go_on()?;
            match step {
                AddProgressItem::OutboardProgress(offset) => {
                    self.advance(offset.saturating_sub(before));
                    before = before.max(offset);
                }
                AddProgressItem::Done(kept) => {
                    self.advance(found.size.saturating_sub(before));
                    let hash = kept.hash();
                    library.keep(hash).await?;
                    return Ok(hash);
                }
                AddProgressItem::Error(cause) => {
                    return Err(Refusal::io("file.read", &format!("read {}", found.path.display()), &cause));
                }
                AddProgressItem::CopyProgress(_) | AddProgressItem::CopyDone | AddProgressItem::Size(_) => {}
            }
        }
        Err(Refusal::new("file.store", format!("Cannot read {}: the store ended", found.path.display())))
    }

    fn go_on(&self) -> Result<(), Refusal> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Refusal::new("job.cancelled", "The import was cancelled"));
        }
        Ok(())
    }

    fn advance(&self, bytes: u64) {
        let bytes = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let Some(job) = &self.job else { return };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.elapsed() < PROGRESS_EVERY {
            return;
        }
        *told = Instant::now();
        self.out.mention(
            &json!({ "event": "importing", "job": job, "bytes": bytes, "total": self.total.load(Ordering::Relaxed) }),
        );
    }
}

fn imported(found: &Found, hash: Hash) -> Imported {
    Imported { path: found.relative.clone(), size: found.size, hash: hash.to_hex().to_string() }
}

fn walk_all(paths: &[PathBuf]) -> Result<Walk, Refusal> {
    let mut walk = Walk::default();
    for path in paths {
        if !path.is_absolute() {
            return Err(crate::wire::member("a path is not absolute"));
        }
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or_else(|| crate::wire::member("a path has no name in UTF-8"))?;
        // What somebody names may be a link; what lies in a folder may not, it could lead anywhere.
        let real = std::fs::canonicalize(path).map_err(|cause| missing(path, &cause))?;
        let metadata = std::fs::metadata(&real).map_err(|cause| missing(path, &cause))?;
        visit(&mut walk, &real, name.to_owned(), &metadata, 0)?;
    }
    Ok(walk)
}

fn missing(path: &Path, cause: &std::io::Error) -> Refusal {
    Refusal::new("file.missing", format!("Cannot read {}: {cause}", path.display()))
}

fn visit(walk: &mut Walk, path: &Path, relative: String, metadata: &Metadata, depth: usize) -> Result<(), Refusal> {
    if metadata.is_dir() {
        return visit_folder(walk, path, &relative, depth);
    }
    if metadata.is_symlink() {
        walk.skipped.push(Skipped { path: relative, why: "link" });
    } else if !metadata.is_file() {
        walk.skipped.push(Skipped { path: relative, why: "special" });
    } else if std::fs::File::open(path).is_err() {
        walk.skipped.push(Skipped { path: relative, why: "unreadable" });
    } else {
        crate::wire::bounded(walk.files.len() + 1, MAX_FILES, "files")?;
        let found = Found { path: path.to_owned(), relative, stamp: Stamp::of(metadata), size: metadata.len() };
        walk.files.push(found);
    }
    Ok(())
}

fn visit_folder(walk: &mut Walk, path: &Path, relative: &str, depth: usize) -> Result<(), Refusal> {
    if depth >= MAX_DEPTH {
        walk.skipped.push(Skipped { path: relative.to_owned(), why: "deep" });
        return Ok(());
    }
    let Ok(entries) = std::fs::read_dir(path) else {
        walk.skipped.push(Skipped { path: relative.to_owned(), why: "unreadable" });
        return Ok(());
    };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            walk.skipped
                .push(Skipped { path: format!("{relative}/{}", entry.file_name().to_string_lossy()), why: "name" });
            continue;
        };
        let inner = format!("{relative}/{name}");
        match entry.metadata() {
            Ok(metadata) => visit(walk, &entry.path(), inner, &metadata, depth + 1)?,
            Err(_) => walk.skipped.push(Skipped { path: inner, why: "unreadable" }),
        }
    }
    Ok(())
}
