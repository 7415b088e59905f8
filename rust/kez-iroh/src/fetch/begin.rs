//! What is looked at before a byte is asked for: names, what is there already, free space.

use super::deliver::{self, Target};
use super::job::Job;
use super::journal::{Kept, missing};
use super::parts::{JobFile, Parts, list_digest};
use super::work::{Range, Work};
use crate::limits::{GROUP, MAX_FILES, SPACE_MARGIN};
use crate::refusal::Refusal;
use crate::wire::{self, Fetch};
use crate::{names, space};
use iroh_blobs::Hash;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// A job that can run.
pub fn begin(fetch: Fetch) -> Result<Job, Refusal> {
    let into = folder(&fetch.into)?;
    let files = files(&fetch, &into)?;
    let list = list_digest(files.iter().map(|file| (&file.hash, file.size, file.relative.as_str())));
    // Before the folder of parts is made, so that a refusal leaves nothing.
    let staged = into.join(format!(".kez-incoming-{}", fetch.job)).exists();
    if !staged {
        check_targets(&fetch, &into, &files, |_| false)?;
    }
    let (parts, kept) = Parts::open(&into, &fetch.job, &list)?;
    let folder = parts.folder();
    let job = resume(fetch, into, files, parts, kept);
    if job.is_err() && !staged {
        std::fs::remove_dir_all(folder).ok();
    }
    job
}

/// The job with what is there already.
fn resume(
    fetch: Fetch,
    into: PathBuf,
    files: Vec<JobFile>,
    parts: Parts,
    mut kept: HashMap<usize, Kept>,
) -> Result<Job, Refusal> {
    let mut ranges = Vec::new();
    let mut left = Vec::new();
    let mut delivered = vec![false; files.len()];
    for (index, (file, delivered)) in files.iter().zip(&mut delivered).enumerate() {
        let kept = kept.remove(&index).unwrap_or_default();
        let gone = missing(&kept.ranges, file.size);
        let placed =
            kept.delivered || (gone.is_empty() && deliver::was_placed(&parts.path(index), &file.path, file.size));
        *delivered = placed || deliver::is_there(&file.path, file.size, &file.hash);
        // A part that somebody deleted or cut is missing, whatever the journal says.
        let length = parts.path(index).metadata().map_or(0, |metadata| metadata.len());
        let trusted: Vec<_> = kept.ranges.into_iter().filter(|(_, end)| *end <= length).collect();
        let gone = if *delivered { Vec::new() } else { missing(&trusted, file.size) };
        left.push(gone.iter().map(|(start, end)| end - start).sum());
        ranges.extend(gone.into_iter().map(|(start, end)| Range { file: index, start: start / GROUP * GROUP, end }));
    }
    check_targets(&fetch, &into, &files, |index| delivered.get(index).copied().unwrap_or(false))?;
    check_space(&into, left.iter().sum())?;
    let undelivered = delivered.iter().filter(|delivered| !**delivered).count();
    let complete = (0..files.len())
        .filter(|index| left.get(*index) == Some(&0) && delivered.get(*index) == Some(&false))
        .collect();
    Ok(Job::new(
        fetch.job,
        into,
        files,
        parts,
        Work::new(ranges, left.clone(), undelivered),
        left.iter().sum(),
        complete,
        fetch.max_rate,
    ))
}

fn folder(into: &Path) -> Result<PathBuf, Refusal> {
    if !into.is_absolute() {
        return Err(wire::member("into is not an absolute path"));
    }
    match into.canonicalize() {
        Ok(real) if real.is_dir() => Ok(real),
        _ => Err(Refusal::new("target.missing", format!("Cannot write to {}: it is no folder", into.display()))
            .hint("Make it, or choose another")),
    }
}

fn files(fetch: &Fetch, into: &Path) -> Result<Vec<JobFile>, Refusal> {
    wire::bounded(fetch.files.len(), MAX_FILES, "files")?;
    let mut seen = HashSet::new();
    let mut files = Vec::with_capacity(fetch.files.len());
    for wanted in &fetch.files {
        let path = names::join_safe(into, &wanted.path)?;
        if !seen.insert(names::folded(&wanted.path)) {
            return Err(Refusal::new("name.twin", format!("Cannot write {}: another file has that name", wanted.path))
                .hint("Ask for one of them under another name"));
        }
        if wanted.size > i64::MAX.unsigned_abs() {
            return Err(wire::member("a size is larger than a file can be"));
        }
        if wanted.size == 0 && wire::hash(&wanted.hash)? != Hash::EMPTY {
            return Err(wire::member("a file without bytes has another hash"));
        }
        let (hash, size, overwrite) = (wire::hash(&wanted.hash)?, wanted.size, fetch.overwrite);
        files.push(JobFile { hash, size, relative: wanted.path.clone(), path, overwrite });
    }
    Ok(files)
}

fn check_targets(
    fetch: &Fetch,
    into: &Path,
    files: &[JobFile],
    delivered: impl Fn(usize) -> bool,
) -> Result<(), Refusal> {
    for (index, file) in files.iter().enumerate() {
        if delivered(index) || (file.path.exists() && deliver::is_there(&file.path, file.size, &file.hash)) {
            continue;
        }
        deliver::check(&Target { into, path: &file.path, overwrite: fetch.overwrite })?;
    }
    Ok(())
}

fn check_space(into: &Path, needed: u64) -> Result<(), Refusal> {
    let Some(free) = space::free(into) else { return Ok(()) };
    if needed.saturating_add(SPACE_MARGIN) <= free {
        return Ok(());
    }
    let what = format!("Cannot start: {needed} bytes are missing and {free} are free in {}", into.display());
    Err(Refusal::new("disk.full", what).hint("Make room and start the same job again"))
}
