//! What every command is given: where things are, now, and what was asked of all commands.

use std::cell::RefCell;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::ArgMatches;
use kez_core::{Code, Time};
use zeroize::Zeroizing;

use crate::home::{self, Home};
use crate::outcome::{Failure, Outcome};
use crate::store::Store;

/// The world of a command.
pub struct Context {
    /// Keys and identities.
    pub home: Home,
    /// Claims and chains.
    pub store: Store,
    /// When it began.
    pub now: Time,
    /// `--identity`
    pub identity: Option<String>,
    /// `--quiet`
    pub quiet: bool,
    passphrase_file: Option<String>,
    passphrase_fd: Option<String>,
    warnings: RefCell<Vec<String>>,
}

impl Context {
    /// From the options that all commands have.
    pub fn new(matches: &ArgMatches) -> Outcome<Context> {
        let text = |name: &str| matches.get_one::<String>(name).cloned();
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let home = Home::find(text("profile").or_else(|| variable("KEZ_PROFILE")).as_deref())?;
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Context {
            store: Store::new(&home),
            home,
            now: Time::from_unix_seconds(elapsed.as_secs())?,
            identity: text("identity"),
            quiet: matches.get_flag("quiet"),
            passphrase_file: text("passphrase-file"),
            passphrase_fd: text("passphrase-fd"),
            warnings: RefCell::default(),
        })
    }

    /// A sentence for people, once.
    pub fn warn(&self, text: impl Into<String>) {
        let text = text.into();
        let mut warnings = self.warnings.borrow_mut();
        if !warnings.contains(&text) {
            warnings.push(text);
        }
    }

    /// What was warned of.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.borrow().clone()
    }

    /// The passphrase of the file, the descriptor or the environment, in this order; none where none was given.
    pub fn passphrase(&self) -> Outcome<Option<Zeroizing<String>>> {
        if let Some(path) = &self.passphrase_file {
            return read_secret(path).map(Some);
        }
        if let Some(number) = &self.passphrase_fd {
            return read_descriptor(number).map(Some);
        }
        let variable = std::env::var("KEZ_PASSPHRASE").ok().filter(|value| !value.is_empty());
        Ok(variable.map(Zeroizing::new))
    }
}

/// Bytes of a secret, whatever holds it: an armored key file is the longest.
const MAX_SECRET_BYTES: usize = 65_536;

/// The text of a private file (`store.permissions`) without the line end after it.
pub fn read_secret(path: &str) -> Outcome<Zeroizing<String>> {
    // What is open already is nobody's to exchange, and may be a pipe.
    if path.starts_with("/dev/fd/") || path.starts_with("/proc/self/fd/") || path == "/dev/stdin" {
        return read_open(path);
    }
    let missing = || unreadable(path, &std::io::Error::from(std::io::ErrorKind::NotFound));
    text_of(path, home::read_private(Path::new(path), MAX_SECRET_BYTES)?.ok_or_else(missing)?)
}

/// The same of an open file descriptor.
pub fn read_descriptor(number: &str) -> Outcome<Zeroizing<String>> {
    match number.parse::<u16>() {
        Ok(number) => read_open(&format!("/dev/fd/{number}")),
        Err(_) => Err(Failure::usage("Cannot read a file descriptor: expected its number")),
    }
}

fn read_open(path: &str) -> Outcome<Zeroizing<String>> {
    let read = match path {
        // It may be a socket, which has no path to open.
        "/dev/stdin" | "/dev/fd/0" => home::read_bounded(std::io::stdin().lock(), MAX_SECRET_BYTES),
        _ => fs::File::open(path).and_then(|file| home::read_bounded(file, MAX_SECRET_BYTES)),
    };
    let bytes = read.map_err(|error| unreadable(path, &error))?;
    text_of(path, bytes.ok_or_else(|| home::too_long(Path::new(path), MAX_SECRET_BYTES))?)
}

fn text_of(path: &str, bytes: Zeroizing<Vec<u8>>) -> Outcome<Zeroizing<String>> {
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        let path = home::shown_path(Path::new(path));
        Failure::new(Code::TextUtf8, format!("Cannot read {path}: expected UTF-8")).typed()
    })?;
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// The bytes of a file, or of stdin for `-`.
pub fn read_input(path: &str, max_bytes: usize) -> Outcome<Vec<u8>> {
    let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let read = match path {
        "-" => std::io::stdin().lock().take(limit).read_to_end(&mut bytes),
        _ => fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)),
    };
    read.map_err(|error| unreadable(path, &error))?;
    Ok(bytes)
}

/// A secret that an option names: `@FILE` or `-`. The secret itself in the arguments is refused: others see them.
pub fn read_named_secret(option: &str, value: &str) -> Outcome<Zeroizing<String>> {
    match value {
        "-" => read_open("/dev/stdin"),
        _ => read_secret(value.strip_prefix('@').ok_or_else(|| {
            Failure::usage(format!("Cannot take --{option}: expected @FILE or -, got a secret in the arguments"))
                .hint("Arguments are seen by other programs and kept by the shell.")
        })?),
    }
}

fn unreadable(path: &str, error: &std::io::Error) -> Failure {
    Failure::new(Code::InputUnreadable, format!("Cannot read {}: {error}", home::shown_path(Path::new(path))))
}
