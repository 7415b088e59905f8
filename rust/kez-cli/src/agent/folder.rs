//! Where the sockets of agents are: one `NAME.sock` for each identity, in a folder that nobody else can enter.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use kez_core::Code;
use kez_core::digest::sha256;
use kez_core::hex;

use crate::context::Context;
use crate::home;
use crate::outcome::{Failure, Outcome};

/// The longest path of a socket, which systems bound: 104 bytes with its end on the least generous.
const MAX_PATH_BYTES: usize = 100;
/// The longest name of an identity and `.sock`.
const MAX_NAME_BYTES: usize = 37;

/// Where everybody may make folders, and nobody may take away those of others.
const SHARED: &str = "/tmp";

/// The file that who starts or ends an agent locks.
pub(super) const LOCK: &str = ".lock";

/// The folder of a home's sockets.
pub struct Folder(PathBuf);

impl Folder {
    /// `rust/run` in the home; where that path is too long for a socket, `kez-rs-UID-HASH` in `/tmp`. It depends on the home
    /// alone: an agent that is somewhere else by another environment would not be found, and so not be ended.
    pub fn of(context: &Context) -> Folder {
        let home = context.home.join("");
        Folder::of_home(&fs::canonicalize(&home).or_else(|_| std::path::absolute(&home)).unwrap_or(home))
    }

    fn of_home(home: &Path) -> Folder {
        let preferred = home.join("rust/run");
        if preferred.as_os_str().len() + 1 + MAX_NAME_BYTES <= MAX_PATH_BYTES {
            return Folder(preferred);
        }
        // One folder for each home: who was there first with one of them stands in the way of no other.
        let hash = hex::encode(&sha256(home.as_os_str().as_encoded_bytes()));
        let name = format!("kez-rs-{}-{}", home::our_user(), hash.get(..16).unwrap_or_default());
        Folder(Path::new(SHARED).join(name))
    }

    /// The socket of an identity.
    pub fn socket(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.sock"))
    }

    /// Makes it; `store.permissions` where somebody else can get in.
    pub fn make(&self) -> Outcome<()> {
        home::make_folder(&self.0)?;
        self.check().map(drop)
    }

    /// Whether it is there; `store.permissions` where it is not its user's alone, `input.unreadable` where that cannot be told.
    pub fn check(&self) -> Outcome<bool> {
        // Where others may write into the folder above it, they could put another one in its place.
        let above = self.0.parent().unwrap_or(Path::new("/"));
        let above = (above != Path::new(SHARED)).then_some((above, 0o022, "go-w"));
        for (path, others, mode) in above.into_iter().chain([(&*self.0, 0o077, "700")]) {
            let shown = path.display();
            let metadata = match fs::symlink_metadata(path) {
                Ok(metadata) => metadata,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
                Err(error) => {
                    let message = format!("Cannot tell what is unlocked: {shown} cannot be looked at: {error}");
                    return Err(Failure::new(Code::InputUnreadable, message));
                }
            };
            let fault = match (metadata.is_dir(), metadata.uid() == home::our_user()) {
                (false, _) => "it is no folder",
                (true, false) => "it belongs to somebody else",
                (true, true) if metadata.mode() & others == 0 => continue,
                (true, true) => {
                    let message = format!("Cannot trust the folder of unlocked keys: others may enter {shown}");
                    return Err(Failure::new(Code::StorePermissions, message).hint(format!("chmod {mode} {shown}")));
                }
            };
            let message = format!("Cannot trust the folder of unlocked keys, {shown}: {fault}");
            return Err(Failure::new(Code::StorePermissions, message).hint("Take it away, or use another KEZ_HOME."));
        }
        Ok(true)
    }

    /// The names of the sockets in it, sorted; `store.permissions`, `input.unreadable`.
    pub fn names(&self) -> Outcome<Vec<String>> {
        let files = if self.check()? { home::list(&self.0)? } else { Vec::new() };
        let names = files.iter().filter_map(|file| file.strip_suffix(".sock"));
        Ok(names.filter(|name| home::was_name(name)).map(str::to_owned).collect())
    }

    /// One command at a time starts or ends agents.
    pub fn lock(&self) -> Outcome<fs::File> {
        home::lock(&self.0.join(LOCK))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn homes_with_long_paths_share_no_folder() {
        let folder = |name: &str| Folder::of_home(&Path::new("/").join(name.repeat(30))).0;
        let (one, other) = (folder("home"), folder("kezs"));
        assert_eq!([one.parent(), other.parent()], [Some(Path::new(SHARED)); 2]);
        assert_ne!(one, other);
        assert_eq!(Folder::of_home(Path::new("/home/a/kez")).0, Path::new("/home/a/kez/rust/run"));
    }

    #[test]
    fn only_what_is_not_there_is_none() {
        let place = std::env::temp_dir().join(format!("kez-folder-{}", std::process::id()));
        drop(fs::remove_dir_all(&place));
        fs::create_dir(&place).unwrap();
        assert!(!Folder(place.join("none/run")).check().unwrap());
        std::os::unix::fs::symlink("loop", place.join("loop")).unwrap();
        let refusal = Folder(place.join("loop/rust/run")).check().unwrap_err();
        fs::remove_dir_all(&place).unwrap();
        assert_eq!(refusal.code(), Code::InputUnreadable);
    }
}
