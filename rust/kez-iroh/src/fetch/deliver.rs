//! Putting a complete file at its place: folders are made without following links, nothing that is there is replaced unless asked,
//! and no half file is ever seen under the name.

use super::parts::Parts;
use crate::refusal::Refusal;
use iroh_blobs::Hash;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Component, Path};

/// Where a file belongs.
pub struct Target<'a> {
    /// The folder that the engine named.
    pub into: &'a Path,
    /// The whole path, of which every component was checked.
    pub path: &'a Path,
    /// Whether a file that is there is replaced.
    pub overwrite: bool,
}

/// Whether a file may be written there as things are. `target.symlink`, `target.exists`.
pub fn check(target: &Target<'_>) -> Result<(), Refusal> {
    check_folders(target, false)?;
    match target.path.symlink_metadata() {
        Err(_) => Ok(()),
        Ok(metadata) if metadata.is_file() && target.overwrite => Ok(()),
        Ok(_) => Err(exists(target.path)),
    }
}

/// Moves the part of `file` to its place and notes it.
pub fn deliver(parts: &Parts, file: usize, size: u64, target: &Target<'_>) -> Result<(), Refusal> {
    let write =
        |cause: &std::io::Error| Refusal::io("target.write", &format!("write {}", target.path.display()), cause);
    let part = parts.path(file);
    let handle = parts.writer(file).map_err(|cause| write(&cause))?;
    handle.sync_all().map_err(|cause| write(&cause))?;
    drop(handle);
    parts.journal.note_complete(file, size).map_err(|cause| write(&cause))?;
    check_folders(target, true)?;
    place(&part, target)?;
    parts.journal.note_delivered(file).map_err(|cause| write(&cause))
}

/// Makes the names in the folders of `paths` last, where the system can.
pub fn sync_folders<'a>(paths: impl Iterator<Item = &'a Path>) {
    let folders: BTreeSet<&Path> = paths.filter_map(Path::parent).collect();
    for folder in folders {
        File::open(folder).and_then(|folder| folder.sync_all()).ok();
    }
}

/// Whether exactly these bytes are there already.
pub fn is_there(path: &Path, size: u64, hash: &Hash) -> bool {
    if !path.symlink_metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() == size) {
        return false;
    }
    let mut hasher = blake3::Hasher::new();
    let read = File::open(path).and_then(|file| hasher.update_reader(file).map(|hasher| hasher.finalize()));
    read.is_ok_and(|found| found.as_bytes() == hash.as_bytes())
}

/// Whether a crash came between placing a file and noting it.
pub fn was_placed(part: &Path, target: &Path, size: u64) -> bool {
    let Ok(there) = target.symlink_metadata() else { return false };
    if !there.is_file() || there.len() != size {
        return false;
    }
    match part.symlink_metadata() {
        Err(cause) => cause.kind() == ErrorKind::NotFound,
        Ok(part) => is_same(&part, &there),
    }
}

#[cfg(unix)]
fn is_same(a: &std::fs::Metadata, b: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn is_same(_a: &std::fs::Metadata, _b: &std::fs::Metadata) -> bool {
    false
}

/// A hard link fails where something is, which a rename does not: so nothing that appears meanwhile is lost.
fn place(part: &Path, target: &Target<'_>) -> Result<(), Refusal> {
    let refuse =
        |cause: &std::io::Error| Refusal::io("target.write", &format!("write {}", target.path.display()), cause);
    if target.overwrite {
        if target.path.symlink_metadata().is_ok_and(|metadata| !metadata.is_file()) {
            return Err(exists(target.path));
        }
        return std::fs::rename(part, target.path).map_err(|cause| refuse(&cause));
    }
    match std::fs::hard_link(part, target.path) {
        Ok(()) => std::fs::remove_file(part).map_err(|cause| refuse(&cause)),
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => Err(exists(target.path)),
        Err(cause) if cause.kind() == ErrorKind::StorageFull => Err(refuse(&cause)),
        // A file system without links.
        Err(_) if target.path.symlink_metadata().is_ok() => Err(exists(target.path)),
        Err(_) => std::fs::rename(part, target.path).map_err(|cause| refuse(&cause)),
    }
}

/// Every folder between `into` and the file is a folder, not a link to one.
fn check_folders(target: &Target<'_>, make: bool) -> Result<(), Refusal> {
    let outside =
        || Refusal::new("name.unsafe", format!("Cannot write {}: it is outside its folder", target.path.display()));
    let relative = target.path.strip_prefix(target.into).map_err(|_| outside())?;
    let mut folder = target.into.to_path_buf();
    for component in relative.parent().into_iter().flat_map(Path::components) {
        let Component::Normal(name) = component else { return Err(outside()) };
        folder.push(name);
        match folder.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(metadata) if metadata.is_symlink() => {
                let what = format!("Cannot write {}: {} is a link", target.path.display(), folder.display());
                return Err(Refusal::new("target.symlink", what).hint("Choose another folder"));
            }
            Ok(_) => return Err(exists(&folder)),
            Err(_) if !make => return Ok(()),
            Err(_) => make_folder(&folder)?,
        }
    }
    Ok(())
}

fn make_folder(folder: &Path) -> Result<(), Refusal> {
    match std::fs::create_dir(folder) {
        Ok(()) => Ok(()),
        // Another file of the same job made it just now.
        Err(cause)
            if cause.kind() == ErrorKind::AlreadyExists
                && folder.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) =>
        {
            Ok(())
        }
        Err(cause) => Err(Refusal::io("target.write", &format!("make {}", folder.display()), &cause)),
    }
}

fn exists(path: &Path) -> Refusal {
    Refusal::new("target.exists", format!("Cannot write {}: something is there already", path.display()))
        .hint("Choose another name or folder, or allow it to be replaced")
}
