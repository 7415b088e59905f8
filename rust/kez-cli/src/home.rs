//! Where things are on this computer: the folders of `kez help environment`, and files written so that a power cut leaves
//! the old or the new content.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kez_core::Code;
use zeroize::Zeroizing;

use crate::outcome::{Failure, Outcome};
use crate::random;

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
            Some(name) => {
                let folder = data.join("profiles").join(name);
                match is_name(name) || was_name(name) && folder.is_dir() {
                    true => Ok(Home(folder)),
                    false => Err(Failure::usage(format!("Cannot use this profile: expected {NAME_RULE}"))),
                }
            }
        }
    }

    /// A path below it.
    pub fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.0.join(path)
    }
}

/// What `is_name` wants.
pub const NAME_RULE: &str = "1 to 32 of a-z, 0-9, - and _ that begin and end with a letter or digit, and are no device name of Windows such as con";

/// A new name of an identity or a profile, which becomes the name of a file on every system, and is one for `kez` too.
pub fn is_name(name: &str) -> bool {
    was_name(name) && !name.starts_with('_') && !name.ends_with(['-', '_']) && !is_windows_device(name)
}

/// A name that an identity or a profile can have that is there: earlier versions took more, and none of them may be locked
/// out. It is too short for a secret key, and without spaces for words, so that neither is ever kept as a name or repeated
/// as one (ID-8).
pub fn was_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    (1..=32).contains(&name.len()) && name.bytes().all(is_part) && !name.starts_with('-')
}

fn is_windows_device(name: &str) -> bool {
    let number = name.strip_prefix("com").or_else(|| name.strip_prefix("lpt"));
    matches!(name, "con" | "prn" | "aux" | "nul")
        || number.is_some_and(|it| it.len() == 1 && it.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The content of a file; none where there is none.
pub fn read(path: &Path) -> Outcome<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(Failure::new(Code::InputUnreadable, format!("Cannot read {}: {error}", path.display()))),
    }
}

/// The names of the files in a folder, sorted; none where there is no folder. What cannot be read is told: what is missing
/// from a list is not the same as what is not there.
pub fn list(folder: &Path) -> Outcome<Vec<String>> {
    let unreadable = |error: std::io::Error| {
        Failure::new(Code::InputUnreadable, format!("Cannot read {}: {error}", folder.display()))
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names = names.collect::<std::io::Result<Vec<String>>>().map_err(unreadable)?;
    names.sort();
    Ok(names)
}

/// Writes a file for its owner alone: beside it, synced, and moved over it. `is_new` refuses one that is there.
pub fn write(path: &Path, bytes: &[u8], is_new: bool) -> Outcome<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_folder(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // A name that nobody can foresee, and never a file that is there: else somebody could have it point elsewhere.
    let random = kez_core::hex::encode(&random::bytes::<8>()?);
    let beside = folder.join(format!(".{name}.{random}.new"));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        match is_new {
            true => place_new(&beside, path, bytes)?,
            false => fs::rename(&beside, path)?,
        }
        File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?.sync_all()
    })();
    written.map_err(|error| {
        // Nothing of it is needed, and nothing more can be done about it.
        drop(fs::remove_file(&beside));
        match is_new && error.kind() == ErrorKind::AlreadyExists {
            true => Failure::new(Code::StoreExists, format!("Cannot write {}: it exists already", path.display())),
            false => write_failure(path, &error),
        }
    })
}

/// A link is made only where nothing is, however many try at once; `rename` would take the place of what is there.
fn place_new(beside: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    match fs::hard_link(beside, path) {
        Ok(()) => fs::remove_file(beside),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
        // A file system without links.
        Err(_) => {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::remove_file(beside)
        }
    }
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

/// The content of a file with a secret, at most so many bytes; none where there is none. It is a file of its owner's, that
/// nobody else may read: `store.permissions`. What is looked at is the open file, which nobody can exchange in between.
pub fn read_private(path: &Path, max_bytes: usize) -> Outcome<Option<Zeroizing<Vec<u8>>>> {
    let unreadable = |error: std::io::Error| {
        Failure::new(Code::InputUnreadable, format!("Cannot read {}: {error}", shown_path(path)))
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    check_private(path, &file.metadata().map_err(unreadable)?)?;
    read_bounded(file, max_bytes).map_err(unreadable)?.ok_or_else(|| too_long(path, max_bytes)).map(Some)
}

/// At most so many bytes, in memory that is wiped and never moved; none where there are more.
pub fn read_bounded(mut source: impl Read, max_bytes: usize) -> std::io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut bytes = Zeroizing::new(vec![0; max_bytes.saturating_add(1)]);
    let mut length = 0;
    loop {
        let Some(rest) = bytes.get_mut(length..).filter(|rest| !rest.is_empty()) else { return Ok(None) };
        match source.read(rest) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(length);
    Ok(Some(bytes))
}

/// What holds more than a secret can.
pub fn too_long(path: &Path, max_bytes: usize) -> Failure {
    Failure::new(Code::LimitSize, format!("Cannot read {}: expected at most {max_bytes} bytes", shown_path(path)))
        .typed()
}

/// A path for a message. Where the path stands, somebody may have typed the secret itself.
pub fn shown_path(path: &Path) -> String {
    let text = path.display().to_string();
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let is_hex = name.len() >= 32 && name.bytes().all(|it| it.is_ascii_hexdigit());
    match name.contains("nsec1") || is_hex || text.contains(' ') && !path.exists() {
        true => "the file".to_owned(),
        false => text,
    }
}

fn check_private(path: &Path, metadata: &Metadata) -> Outcome<()> {
    let fault = match (metadata.is_file(), our_user() == metadata.uid()) {
        (false, _) => "expected a file",
        (true, false) => "it belongs to somebody else",
        (true, true) if metadata.mode() & 0o077 != 0 => "others may read it",
        (true, true) => return Ok(()),
    };
    let path = shown_path(path);
    let failure = Failure::new(Code::StorePermissions, format!("Cannot use {path}: {fault}"));
    Err(if metadata.is_file() { failure.hint(format!("chmod 600 {path}")) } else { failure })
}

/// Whose rights this process has.
pub fn our_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Stdin without a buffer: that of the standard library keeps what went through it, and a secret may.
pub fn stdin() -> std::io::Result<File> {
    std::io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

/// How long another writer is waited for.
const LOCK_TIME: Duration = Duration::from_secs(10);

/// One writer at a time, until the file is dropped. `store.busy`, with the number of the process that holds it, where it
/// does not come free.
pub fn lock(path: &Path) -> Outcome<File> {
    make_folder(path.parent().unwrap_or(Path::new(".")))?;
    lock_within(path, LOCK_TIME)
}

/// The same, waited for as long as that, in a folder that is there.
pub fn lock_within(path: &Path, time: Duration) -> Outcome<File> {
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    let mut file = opened.map_err(|error| write_failure(path, &error))?;
    let deadline = Instant::now() + time;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(20)),
            Err(TryLockError::WouldBlock) => return Err(busy(path, &file)),
            Err(TryLockError::Error(error)) => return Err(write_failure(path, &error)),
        }
    }
    // Who holds it, for those who wait. Without it they know less, and no more.
    drop(file.set_len(0).and_then(|()| file.write_all(format!("{}\n", std::process::id()).as_bytes())));
    Ok(file)
}

fn busy(path: &Path, file: &File) -> Failure {
    let mut holder = String::new();
    drop(file.take(16).read_to_string(&mut holder));
    let holder = holder.trim().parse::<u32>().map_or("another process".to_owned(), |id| format!("process {id}"));
    Failure::new(Code::StoreBusy, format!("Cannot write: {holder} holds {}", path.display()))
        .hint("Try again when it has ended.")
}

fn write_failure(path: &Path, error: &std::io::Error) -> Failure {
    let code = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Code::StoreFull,
        _ => Code::StoreWrite,
    };
    Failure::new(code, format!("Cannot write {}: {error}", path.display()))
}

#[cfg(test)]
#[path = "home_tests.rs"]
mod tests;
