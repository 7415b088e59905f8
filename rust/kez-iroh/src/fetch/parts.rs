//! The folder `.kez-incoming-JOB` beside the targets: a part of each file that is not complete, and the journal. It is on the same
//! file system as the targets, so that a complete file only changes its name.

use super::journal::{Journal, Kept};
use crate::refusal::Refusal;
use iroh_blobs::Hash;
use std::collections::{BTreeSet, HashMap};
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A file of a job.
pub struct JobFile {
    /// What it must hash to.
    pub hash: Hash,
    /// How long it must be.
    pub size: u64,
    /// As the engine named it.
    pub relative: String,
    /// Where it belongs.
    pub path: PathBuf,
    /// Whether a file that is there is replaced.
    pub overwrite: bool,
}

/// The open folder.
pub struct Parts {
    folder: PathBuf,
    /// What is there.
    pub journal: Journal,
}

impl Parts {
    /// Opens or makes the folder of `job` in `into` for a list of files with the digest `list`.
    pub fn open(into: &Path, job: &str, list: &str) -> Result<(Self, HashMap<usize, Kept>), Refusal> {
        let folder = into.join(format!(".kez-incoming-{job}"));
        make_own_folder(&folder).map_err(|cause| Refusal::io("target.write", "make a folder for the parts", &cause))?;
        let opened = Journal::open(&folder.join("journal"), list);
        let (journal, kept) = opened.map_err(|cause| match cause.kind() {
            ErrorKind::InvalidData => {
                Refusal::new("job.differs", "Cannot continue the job: it was started with other files")
                    .hint("Cancel it, or use another name")
            }
            _ => Refusal::io("target.write", "open the journal", &cause),
        })?;
        Ok((Self { folder, journal }, kept))
    }

    /// The folder itself.
    pub fn folder(&self) -> PathBuf {
        self.folder.clone()
    }

    /// Where the part of a file is.
    pub fn path(&self, file: usize) -> PathBuf {
        self.folder.join(format!("{file}.part"))
    }

    /// Opens the part of a file for writing; it is never followed elsewhere.
    pub fn writer(&self, file: usize) -> std::io::Result<File> {
        let path = self.path(file);
        if path.symlink_metadata().is_ok_and(|metadata| !metadata.is_file()) {
            return Err(std::io::Error::other("a part is not a file"));
        }
        OpenOptions::new().write(true).create(true).truncate(false).open(path)
    }

    /// Makes what was written last, and notes it. After a crash of the computer nothing is believed that was not noted.
    pub fn note(&self, written: &[(usize, u64, u64)]) -> std::io::Result<()> {
        let files: BTreeSet<usize> = written.iter().map(|(file, _, _)| *file).collect();
        let mut there = BTreeSet::new();
        for file in files {
            match File::open(self.path(file)) {
                Ok(part) => {
                    part.sync_data()?;
                    there.insert(file);
                }
                // It was delivered meanwhile, which is noted by itself.
                Err(cause) if cause.kind() == ErrorKind::NotFound => {}
                Err(cause) => return Err(cause),
            }
        }
        let notes: Vec<_> = written.iter().filter(|(file, _, _)| there.contains(file)).copied().collect();
        if notes.is_empty() { Ok(()) } else { self.journal.note_parts(&notes) }
    }

    /// Deletes the folder with all that is in it.
    pub fn remove(&self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

/// Writes all of `bytes` at `offset`.
pub fn write_at(file: &File, bytes: &[u8], offset: u64) -> std::io::Result<()> {
    #[cfg(unix)]
    return std::os::unix::fs::FileExt::write_all_at(file, bytes, offset);
    #[cfg(not(unix))]
    {
        use std::io::{Seek, SeekFrom, Write};
        let mut file = file;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }
}

/// A digest of what a job is about.
pub fn list_digest<'a>(files: impl Iterator<Item = (&'a Hash, u64, &'a str)>) -> String {
    let mut text = String::new();
    for (hash, size, path) in files {
        text.push_str(&format!("{} {size} {path}\0", hash.to_hex()));
    }
    Hash::new(text).to_hex().to_string()
}

fn make_own_folder(folder: &Path) -> std::io::Result<()> {
    match folder.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(std::io::Error::new(ErrorKind::AlreadyExists, "something else has its name")),
        Err(cause) if cause.kind() == ErrorKind::NotFound => crate::store::create_private(folder),
        Err(cause) => Err(cause),
    }
}
