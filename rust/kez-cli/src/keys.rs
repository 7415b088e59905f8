//! Identities on this computer: `identities/NAME.json` and `keys/NAME.key` or `.age`, in the form that `kez` has too.

use kez_core::text::decode_utf8;
use kez_core::{Code, Json, KeyIdentity, Signer as _};

use crate::context::Context;
use crate::json::object;
use crate::key::Key;
use crate::outcome::{Failure, Outcome};
pub use crate::secret::Secret;
use crate::{age, agent, home};

/// Bytes of a key file: one chunk of age in base64, and its head.
const MAX_KEY_FILE_BYTES: usize = 131_072;

/// What is known of an identity without its key.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its name on this computer.
    pub name: String,
    /// Its public key.
    pub key: KeyIdentity,
    /// 12 or 24; none for a key that came without words.
    pub words: Option<u64>,
    /// Whether somebody typed the words as from paper.
    pub is_confirmed: bool,
    /// When it came here.
    pub created_at: String,
}

/// How a key file is protected.
pub fn protection(context: &Context, name: &str) -> (&'static str, Option<String>) {
    for (ending, protection) in [("age", "passphrase"), ("key", "none")] {
        let path = context.home.join(format!("keys/{name}.{ending}"));
        if path.exists() {
            return (protection, Some(path.display().to_string()));
        }
    }
    ("not_held", None)
}

/// Every identity, by name.
pub fn list(context: &Context) -> Outcome<Vec<Identity>> {
    let files = home::list(&context.home.join("identities"))?;
    let mut names: Vec<String> = files.iter().filter_map(|file| Some(file.strip_suffix(".json")?.to_owned())).collect();
    names.retain(|name| home::was_name(name));
    names.iter().map(|name| find(context, name)).collect()
}

/// The identity of this name, else `store.unknown`. What cannot be a name is not repeated: it may be a secret (ID-8).
pub fn find(context: &Context, name: &str) -> Outcome<Identity> {
    check_known_name(name)?;
    let path = context.home.join(format!("identities/{name}.json"));
    let Some(bytes) = home::read(&path)? else {
        check_name(name)?;
        let message = format!("Cannot find an identity called {name} on this computer");
        return Err(Failure::new(Code::StoreUnknown, message).hint(format!("To make one: kez-rs identity new {name}")));
    };
    let corrupt = |why: &str, hint: String| {
        Err(Failure::new(Code::StoreCorrupt, format!("Cannot read identities/{name}.json: {why}")).hint(hint))
    };
    let path = path.display();
    match read_identity(&bytes) {
        Some(identity) if identity.name == name => Ok(identity),
        // A copy under another name would stand for the key file of the first.
        Some(Identity { name: other, .. }) => {
            corrupt(&format!("it is the record of {other}"), format!("Move {path} away."))
        }
        None => corrupt(
            "it is damaged",
            format!("Move {path} away, and bring the identity back with kez-rs identity restore {name}."),
        ),
    }
}

fn no_name() -> Failure {
    Failure::usage(format!("Cannot use this name: expected {}", home::NAME_RULE))
        .hint("A name is only for this computer; nobody else sees it.")
}

fn read_identity(bytes: &[u8]) -> Option<Identity> {
    let value = kez_core::json::parse_text(decode_utf8(bytes).ok()?).ok()?;
    let members = value.as_object()?;
    let text = |name: &str| members.get(name)?.as_str();
    Some(Identity {
        name: text("name").filter(|name| home::was_name(name))?.to_owned(),
        key: KeyIdentity::parse_canonical(text("identity")?).ok()?,
        words: match members.get("words") {
            None => None,
            Some(Json::Number(12.0)) => Some(12),
            Some(Json::Number(24.0)) => Some(24),
            Some(_) => return None,
        },
        is_confirmed: text("backup") == Some("confirmed"),
        created_at: text("created_at")?.to_owned(),
    })
}

/// The name of the identity that commands act as.
pub fn current_name(context: &Context) -> Outcome<Option<String>> {
    let path = context.home.join("current");
    let Some(bytes) = home::read(&path)? else { return Ok(None) };
    let name = str::from_utf8(&bytes).map(|text| text.trim().to_owned()).ok().filter(|name| home::was_name(name));
    name.map(Some).ok_or_else(|| {
        Failure::new(Code::StoreCorrupt, format!("Cannot read {}: expected a name", path.display()))
            .hint("kez-rs identity list lists the identities; kez-rs identity use NAME writes it anew.")
    })
}

/// The identity of `--identity`, else the current one.
pub fn acting(context: &Context) -> Outcome<Identity> {
    match &context.identity {
        Some(name) => find(context, name),
        None => match current_name(context)? {
            Some(name) => find(context, &name),
            None => Err(Failure::new(Code::StoreUnknown, "Cannot find an identity on this computer: there is none")
                .hint("To make one: kez-rs identity new")),
        },
    }
}

/// Makes an identity the current one.
pub fn choose(context: &Context, name: &str) -> Outcome<()> {
    home::write(&context.home.join("current"), format!("{name}\n").as_bytes(), false)
}

/// Keeps an identity; a name that is taken → `store.exists`. The first becomes the current one.
pub fn keep(context: &Context, name: &str, secret: &Secret, passphrase: Option<&str>) -> Outcome<Identity> {
    let _lock = home::lock(&context.home.join("keys/.lock"))?;
    check_free(context, name)?;
    write_key_locked(context, name, secret, passphrase)?;
    let identity = Identity {
        name: name.to_owned(),
        key: secret.key.key().clone(),
        words: secret.words(),
        is_confirmed: false,
        created_at: context.now.to_string(),
    };
    let mut members = format!("{{\n  \"name\": \"{name}\",\n  \"identity\": \"{}\",\n", identity.key);
    if let Some(words) = identity.words {
        members.push_str(&format!("  \"words\": {words},\n"));
    }
    members.push_str(&format!("  \"backup\": \"pending\",\n  \"created_at\": \"{}\"\n}}\n", identity.created_at));
    home::write(&context.home.join(format!("identities/{name}.json")), members.as_bytes(), true)?;
    if current_name(context)?.is_none() {
        choose(context, name)?;
    }
    Ok(identity)
}

/// Writes the key file of an identity that is there, encrypted where there is a passphrase, and takes the other form away.
pub fn write_key(context: &Context, name: &str, secret: &Secret, passphrase: Option<&str>) -> Outcome<()> {
    let _lock = home::lock(&context.home.join("keys/.lock"))?;
    // Somebody may have removed it while the passphrase was being read.
    find(context, name)?;
    write_key_locked(context, name, secret, passphrase)
}

/// The caller holds the lock.
fn write_key_locked(context: &Context, name: &str, secret: &Secret, passphrase: Option<&str>) -> Outcome<()> {
    let path = |ending: &str| context.home.join(format!("keys/{name}.{ending}"));
    let text = secret.to_text();
    match passphrase {
        Some(passphrase) => {
            home::write(&path("age"), age::encrypt(text.as_bytes(), passphrase)?.as_bytes(), false)?;
            home::remove(&path("key")).map(drop)
        }
        None => {
            home::write(&path("key"), text.as_bytes(), false)?;
            home::remove(&path("age")).map(drop)
        }
    }
}

/// A name of what may be there already, by an earlier version too: `usage`.
pub fn check_known_name(name: &str) -> Outcome<()> {
    if home::was_name(name) { Ok(()) } else { Err(no_name()) }
}

/// A name that a new identity can have: `usage`.
pub fn check_name(name: &str) -> Outcome<()> {
    if home::is_name(name) { Ok(()) } else { Err(no_name()) }
}

/// A name that can be given: `usage`, `store.exists`.
pub fn check_free(context: &Context, name: &str) -> Outcome<()> {
    check_name(name)?;
    let is_taken =
        context.home.join(format!("identities/{name}.json")).exists() || protection(context, name).1.is_some();
    match is_taken {
        true => Err(Failure::new(Code::StoreExists, format!("Cannot make {name}: there is one of this name already"))),
        false => Ok(()),
    }
}

/// Deletes an identity and its key file.
pub fn remove(context: &Context, name: &str) -> Outcome<()> {
    agent::lock(context, name)?;
    let _lock = home::lock(&context.home.join("keys/.lock"))?;
    for path in [format!("keys/{name}.age"), format!("keys/{name}.key"), format!("identities/{name}.json")] {
        home::remove(&context.home.join(path))?;
    }
    if current_name(context)?.as_deref() == Some(name) {
        home::remove(&context.home.join("current"))?;
    }
    // An agent that somebody started meanwhile. None starts for a name that is gone.
    agent::lock(context, name).map(drop)
}

/// What signs for an identity: its agent, else its key file.
pub fn signer(context: &Context, identity: &Identity) -> Outcome<Key> {
    match agent::find(context, &identity.name, &identity.key) {
        Some(key) => {
            warn_of_backup(context, identity);
            Ok(Key::Agent(key))
        }
        None => Ok(Key::Here(unlock(context, identity)?.key)),
    }
}

fn warn_of_backup(context: &Context, identity: &Identity) {
    if !context.quiet && !identity.is_confirmed && identity.words.is_some() {
        context.warn(format!("nobody has checked that the recovery words of {} are on paper", identity.name));
    }
}

/// The secret of an identity: `key.not_held`, `key.locked`, `key.unlock`.
pub fn unlock(context: &Context, identity: &Identity) -> Outcome<Secret> {
    warn_of_backup(context, identity);
    open(context, identity)
}

/// The same for what neither signs nor makes anything.
pub fn open(context: &Context, identity: &Identity) -> Outcome<Secret> {
    let name = &identity.name;
    let (kind, Some(path)) = protection(context, name) else {
        return Err(Failure::new(
            Code::KeyNotHeld,
            format!("Cannot use the key of {name}: it is not on this computer"),
        ));
    };
    let bytes = home::read_private(std::path::Path::new(&path), MAX_KEY_FILE_BYTES)?.unwrap_or_default();
    let damaged = || Failure::new(Code::KeyUnlock, format!("Cannot read the key of {name}: the file is damaged"));
    let text = std::str::from_utf8(&bytes).map_err(|_| damaged())?;
    let secret = match kind {
        "passphrase" => open_text(context, text, name)?,
        _ => Secret::of_text(text).ok_or_else(damaged)?,
    };
    if *secret.key.key() != identity.key {
        return Err(damaged());
    }
    Ok(secret)
}

/// An age file to a key.
pub fn open_text(context: &Context, text: &str, name: &str) -> Outcome<Secret> {
    let passphrase = match context.passphrase()? {
        Some(passphrase) => passphrase,
        None if context.may_ask() => crate::ask::secret(&format!("Passphrase of {name}: "))?,
        None => {
            let message = format!("Cannot use the key of {name}: it is locked and nobody can be asked");
            let mut hint = "Pass --passphrase-file FILE or --passphrase-fd N, or set KEZ_PASSPHRASE.".to_owned();
            if home::was_name(name) {
                hint.push_str(&format!("\nTo keep it unlocked for a while: kez-rs identity unlock {name}"));
            }
            return Err(Failure::new(Code::KeyLocked, message).hint(hint));
        }
    };
    let content = age::decrypt(text, &passphrase)?;
    let content = std::str::from_utf8(&content).ok().and_then(Secret::of_text);
    content.ok_or_else(|| Failure::new(Code::KeyUnlock, format!("Cannot read the key of {name}: the file is damaged")))
}

/// The members of `kez.identity/1`; until when its key is unlocked, in Unix seconds.
pub fn to_json(context: &Context, identity: &Identity, unlocked_until: Option<u64>) -> Outcome<Json> {
    let (protection, path) = protection(context, &identity.name);
    let mut data = object! {
        "name" => identity.name,
        "identity" => identity.key,
        "backup" => if identity.is_confirmed { "confirmed" } else { "pending" },
        "created_at" => identity.created_at,
        "is_current" => current_name(context)?.as_deref() == Some(identity.name.as_str()),
        "protection" => protection,
    };
    if let Some(words) = identity.words {
        data = crate::json::with(data, "words", words);
    }
    if let Some(path) = path {
        data = crate::json::with(data, "key_file", path);
    }
    if let Some(until) = unlocked_until {
        data = crate::json::with(data, "unlocked_until", until);
    }
    Ok(data)
}
