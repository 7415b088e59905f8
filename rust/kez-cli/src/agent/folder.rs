//! Where the sockets of agents are: one `NAME.sock` for each identity, in a folder that nobody else can enter.

use std::fs;
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

/// The file that who starts or ends an agent locks.
pub(super) const LOCK: &str = ".lock";

/// The folder of a home's sockets.
pub struct Folder(PathBuf);

impl Folder {
    /// `kez-rs/HASH` in `XDG_RUNTIME_DIR` where `KEZ_HOME` is not set, else `rust/run` in the home; where that path is too
    /// long for a socket, `kez-rs-UID/HASH` in the folder for temporary files.
    pub fn of(context: &Context) -> Folder {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = context.home.join("");
        let hash = hex::encode(&sha256(home.as_os_str().as_encoded_bytes()));
        let hash = hash.get(..16).unwrap_or_default();
        let shared = variable("XDG_RUNTIME_DIR").filter(|path| path.is_absolute() && variable("KEZ_HOME").is_none());
        let preferred = match shared {
            Some(path) => path.join("kez-rs").join(hash),
            None => absolute(context.home.join("rust/run")),
        };
        if preferred.as_os_str().len() + 1 + MAX_NAME_BYTES <= MAX_PATH_BYTES {
            return Folder(preferred);
        }
        let user = rustix::process::geteuid().as_raw();
        Folder(std::env::temp_dir().join(format!("kez-rs-{user}")).join(hash))
    }

    /// The socket of an identity.
    pub fn socket(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.sock"))
    }

    /// Makes it; `store.permissions` where somebody else can get in.
    pub fn make(&self) -> Outcome<()> {
        home::make_folder(&self.0)?;
        match self.is_trusted() {
            true => Ok(()),
            false => {
                let path = self.0.display();
                let message = format!("Cannot keep a key unlocked: others may enter {path}");
                Err(Failure::new(Code::StorePermissions, message).hint(format!("chmod 700 {path}")))
            }
        }
    }

    /// Whether it is there, and its user's alone.
    pub fn is_trusted(&self) -> bool {
        let ours = rustix::process::geteuid().as_raw();
        let is_private = |path: &Path| {
            let metadata = fs::symlink_metadata(path);
            metadata.is_ok_and(|it| it.is_dir() && it.uid() == ours && it.mode() & 0o077 == 0)
        };
        // Where others may write into the folder above it, they could put another one in its place.
        let is_beyond_others = |path: &Path| {
            let metadata = fs::symlink_metadata(path);
            metadata.is_ok_and(|it| it.is_dir() && it.uid() == ours && it.mode() & 0o022 == 0)
        };
        is_private(&self.0) && self.0.parent().is_some_and(is_beyond_others)
    }

    /// The names of the sockets in it, sorted.
    pub fn names(&self) -> Vec<String> {
        let files = if self.is_trusted() { home::list(&self.0).unwrap_or_default() } else { Vec::new() };
        let names = files.iter().filter_map(|file| file.strip_suffix(".sock"));
        names.filter(|name| home::is_name(name)).map(str::to_owned).collect()
    }

    /// One command at a time starts or ends agents.
    pub fn lock(&self) -> Outcome<fs::File> {
        home::lock(&self.0.join(LOCK))
    }
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}
