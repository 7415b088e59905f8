//! Where things are on this computer: the folders of `kez help environment`, and files written so that a power cut leaves
//! the old or the new content.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use kez_core::Code;

use crate::outcome::{Failure, Outcome};

/// The folder of keys, identities and chains.
#[derive(Clone, Debug)]
pub struct Home(PathBuf);

impl Home {
    /// `KEZ_HOME`, else `kez` in `XDG_DATA_HOME`, else in `~/.local/share`; a profile has a folder of its own in it.
    pub fn find(profile: Option<&str>) -> Outcome<Home> {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let data = variable("KEZ_HOME")
            .or_else(|| Some(variable("XDG_DATA_HOME")?.join("kez")))
            .or_else(|| Some(variable("HOME")?.join(".local/share/kez")))
            .ok_or_else(|| Failure::usage("Cannot find a home: expected KEZ_HOME or HOME to be set"))?;
        match profile {
            None | Some("default") => Ok(Home(data)),
            Some(name) if is_name(name) => Ok(Home(data.join("profiles").join(name))),
            Some(_) => Err(Failure::usage("Cannot use this profile: expected a name of a-z, 0-9, - and _")),
        }
    }

    /// A path below it.
    pub fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.0.join(path)
    }
}

/// A name of an identity or a profile, which becomes the name of a file.
pub fn is_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=64).contains(&name.len()) && name.bytes().all(is_part) && !name.starts_with(['-', '.'])
}

/// The content of a file; none where there is none.
pub fn read(path: &Path) -> Outcome<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(Failure::new(Code::InputUnreadable, format!("Cannot read {}: {error}", path.display()))),
    }
}

/// Writes a file for its owner alone: beside it, synced, and moved over it. `is_new` refuses one that is there.
pub fn write(path: &Path, bytes: &[u8], is_new: bool) -> Outcome<()> {
    if is_new && path.exists() {
        return Err(Failure::new(Code::StoreExists, format!("Cannot write {}: it exists already", path.display())));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    make_folder(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.{}.new", std::process::id()));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        File::open(folder)?.sync_all()
    })();
    written.map_err(|error| {
        // Nothing of it is needed, and nothing more can be done about it.
        drop(fs::remove_file(&beside));
        write_failure(path, &error)
    })
}

/// Makes a folder for its owner alone.
pub fn make_folder(path: &Path) -> Outcome<()> {
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| write_failure(path, &error))
}

/// Deletes a file; whether there was one.
pub fn remove(path: &Path) -> Outcome<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(write_failure(path, &error)),
    }
}

/// Others may not read what only the owner should: `store.permissions`.
pub fn check_private(path: &Path) -> Outcome<()> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => {
            let text = format!("Cannot use {}: others may read it", path.display());
            Err(Failure::new(Code::StorePermissions, text).hint(format!("chmod 600 {}", path.display())))
        }
        _ => Ok(()),
    }
}

/// One writer at a time, until the file is dropped.
pub fn lock(path: &Path) -> Outcome<File> {
    make_folder(path.parent().unwrap_or(Path::new(".")))?;
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    let file = opened.map_err(|error| write_failure(path, &error))?;
    file.lock().map_err(|error| Failure::new(Code::StoreBusy, format!("Cannot lock {}: {error}", path.display())))?;
    Ok(file)
}

fn write_failure(path: &Path, error: &std::io::Error) -> Failure {
    let code = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Code::StoreFull,
        _ => Code::StoreWrite,
    };
    Failure::new(code, format!("Cannot write {}: {error}", path.display()))
}
