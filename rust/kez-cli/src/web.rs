//! Files that a web server gives to everybody.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use kez_core::Code;

use crate::outcome::{Failure, Outcome};
use crate::random;

/// Writes a file that others may read: beside it under a name that nobody can guess, synced, and moved over it.
pub fn write(path: &Path, bytes: &[u8]) -> Outcome<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.{}.new", kez_core::hex::encode(&random::bytes::<8>()?)));
    let written = put(folder, &beside, path, bytes);
    written.map_err(|error| {
        // Nothing of it is needed, and nothing more can be done about it.
        drop(fs::remove_file(&beside));
        Failure::new(Code::StoreWrite, format!("Cannot write {}: {error}", path.display()))
    })
}

fn put(folder: &Path, beside: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(beside, path)?;
    File::open(folder)?.sync_all()
}
