//! What every command is given: where things are, now, and what was asked of all commands.

use std::cell::{Cell, RefCell};
use std::fs;
use std::io::{IsTerminal, Read as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::ArgMatches;
use kez_core::{Code, Time};
use zeroize::Zeroizing;

use crate::home::{self, Home};
use crate::key::Key;
use crate::outcome::{Failure, Outcome};
use crate::settings::Settings;
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
    /// `config.toml`
    pub settings: Settings,
    /// `--json`
    pub json: bool,
    no_input: bool,
    asks_nobody: Cell<bool>,
    plain: bool,
    /// `--debug`
    pub debug: bool,
    colour: Option<String>,
    /// The key that the options name, once it was read.
    pub named_key: RefCell<Option<Key>>,
    passphrase_file: Option<String>,
    passphrase_fd: Option<String>,
    warnings: RefCell<Vec<String>>,
}

impl Context {
    /// From the options that all commands have.
    pub fn new(matches: &ArgMatches) -> Outcome<Context> {
        let text = |name: &str| matches.get_one::<String>(name).cloned();
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let profile = text("profile").or_else(|| variable("KEZ_PROFILE"));
        let settings = Settings::load(profile.as_deref())?;
        let home = Home::find(profile.as_deref().or(settings.profile.as_deref()))?;
        let plain = settings.plain == Some(true);
        let is_ci = variable("CI").is_some_and(|value| value != "false" && value != "0");
        let no_input = matches.get_flag("no-input")
            || variable("KEZ_NO_INPUT").is_some_and(|value| value != "0")
            || is_ci
            || settings.no_input == Some(true);
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Context {
            store: Store::new(&home),
            home,
            now: Time::from_unix_seconds(elapsed.as_secs())?,
            identity: text("identity"),
            quiet: matches.get_flag("quiet"),
            settings,
            json: matches.get_flag("json"),
            no_input,
            asks_nobody: Cell::new(false),
            plain: matches.get_flag("plain") || plain,
            debug: matches.get_flag("debug"),
            colour: text("color"),
            named_key: RefCell::default(),
            passphrase_file: text("passphrase-file"),
            passphrase_fd: text("passphrase-fd"),
            warnings: RefCell::default(),
        })
    }

    /// Whether somebody can be asked: a terminal on both sides, and nothing that forbids it.
    pub fn may_ask(&self) -> bool {
        !self.no_input && !self.asks_nobody.get() && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Does this without asking anybody.
    pub fn without_asking<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = self.asks_nobody.replace(true);
        let done = work();
        self.asks_nobody.set(before);
        done
    }

    /// The same a while later.
    pub fn refreshed(&self) -> Outcome<Context> {
        Ok(Context {
            home: self.home.clone(),
            store: self.store.clone(),
            now: self.later()?,
            identity: self.identity.clone(),
            settings: self.settings.clone(),
            asks_nobody: self.asks_nobody.clone(),
            colour: self.colour.clone(),
            named_key: self.named_key.clone(),
            passphrase_file: self.passphrase_file.clone(),
            passphrase_fd: self.passphrase_fd.clone(),
            warnings: RefCell::default(),
            ..*self
        })
    }

    /// Whether marks are to be coloured there: `--color`, the environment, the settings, in this order.
    pub fn has_colours(&self, stream: &impl IsTerminal) -> bool {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let is_plain = self.plain || variable("ACCESSIBLE").is_some_and(|value| value != "0");
        match self.colour.as_deref() {
            Some("always") => return !is_plain,
            Some("never") => return false,
            _ => {}
        }
        if is_plain || variable("NO_COLOR").is_some() {
            return false;
        }
        match variable("FORCE_COLOR").or_else(|| variable("CLICOLOR_FORCE").filter(|value| value == "1")) {
            Some(value) => value != "0",
            None => match self.settings.color.as_deref() {
                Some("always") => true,
                Some("never") => false,
                _ => stream.is_terminal() && variable("TERM").as_deref() != Some("dumb"),
            },
        }
    }

    /// The time now, for what goes on for long.
    pub fn later(&self) -> Outcome<Time> {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Time::from_unix_seconds(elapsed.as_secs())?)
    }

    /// A sentence for people, once.
    pub fn warn(&self, text: impl Into<String>) {
        let text = text.into();
        let mut warnings = self.warnings.borrow_mut();
        if !warnings.contains(&text) {
            warnings.push(text);
        }
    }

    /// Nothing was warned of: a failure says it.
    pub fn forget_warnings(&self) {
        self.warnings.borrow_mut().clear();
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
        "/dev/stdin" | "/dev/fd/0" => home::stdin().and_then(|file| home::read_bounded(file, MAX_SECRET_BYTES)),
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
