//! `kez-rs identity`: make and keep identities.

use clap::ArgMatches;
use kez_core::{Code, Identity as AnyIdentity, KeyIdentity, Signer as _, Suite};
use zeroize::Zeroizing;

use crate::context::{Context, read_descriptor, read_named_secret, read_secret};
use crate::json::{object, with};
use crate::keys::{self, Identity, Secret};
use crate::outcome::{Answer, Failure, Outcome};
use crate::{agent, ask, random, recall, restore, signing};

/// Runs one of its commands.
pub fn run(context: &Context, name: &str, matches: &ArgMatches) -> Outcome {
    match name {
        "new" => new(context, matches),
        "restore" => restore::run(context, matches),
        "from-mnemonic" => from_mnemonic(context, matches),
        "list" => list(context),
        "show" => show(context, matches),
        "use" => choose(context, matches),
        "mnemonic" => mnemonic(context, matches),
        "passphrase" => passphrase(context, matches),
        "remove" => remove(context, matches),
        "unlock" => agent::commands::unlock(context, matches, &named(context, matches)?),
        _ => agent::commands::lock(context, text(matches, "name").or(context.identity.as_deref())),
    }
}

/// The value of an option.
pub fn text<'a>(matches: &'a ArgMatches, name: &str) -> Option<&'a str> {
    matches.get_one::<String>(name).map(String::as_str)
}

/// The identity that is named, else the one that commands act as.
fn named(context: &Context, matches: &ArgMatches) -> Outcome<Identity> {
    match text(matches, "name") {
        Some(name) => keys::find(context, name),
        None => keys::acting(context),
    }
}

/// The name that is given, else the first one that is free.
pub fn free_name(context: &Context, matches: &ArgMatches) -> Outcome<String> {
    let name = text(matches, "name").unwrap_or("default").to_owned();
    keys::check_free(context, &name)?;
    Ok(name)
}

/// The passphrase of a new key file; none with `--no-passphrase`.
pub fn new_passphrase(context: &Context, matches: &ArgMatches) -> Outcome<Option<Zeroizing<String>>> {
    if matches.get_flag("no-passphrase") {
        if !context.quiet {
            context.warn("the key is stored unencrypted: whoever can read the file, or a backup of it, has it");
        }
        return Ok(None);
    }
    match context.passphrase()? {
        Some(passphrase) if !passphrase.is_empty() => Ok(Some(passphrase)),
        None if context.may_ask() => ask::new_passphrase().map(Some),
        _ => Err(Failure::new(Code::InputMissing, "Cannot protect the key: expected a passphrase, got none")
            .hint("Pass --passphrase-file FILE or --passphrase-fd N, or set KEZ_PASSPHRASE, or pass --no-passphrase.")),
    }
}

fn new(context: &Context, matches: &ArgMatches) -> Outcome {
    let name = free_name(context, matches)?;
    let passphrase = new_passphrase(context, matches)?;
    let secret = draw(text(matches, "mnemonic-words") == Some("12"), signing::suite(matches))?;
    let mut identity = keys::keep(context, &name, &secret, passphrase.as_deref().map(String::as_str))?;
    if context.may_ask() && !matches.get_flag("reveal-words") {
        let words = secret.mnemonic()?.unwrap_or_default();
        // Whoever leaves has the identity all the same, and can do it later.
        identity = recall::recall(context, &identity, &words).unwrap_or(identity);
    }
    if !context.quiet && !identity.is_confirmed {
        context.warn(format!(
            "the recovery words of {name} are not on paper yet. Without them a lost disk is a lost identity"
        ));
    }
    let answer = shown(context, &identity)?;
    if !matches.get_flag("reveal-words") {
        return Ok(answer);
    }
    let words = secret.mnemonic()?.unwrap_or_default();
    let data = with(answer.data, "recovery_words", words.split(' ').map(str::to_owned).collect::<Vec<_>>());
    Ok(Answer { data, human: format!("{}  recovery words\n    {}\n", answer.human, *words), ..answer })
}

/// MNEM-2: words whose key is out of range are drawn again.
fn draw(is_short: bool, suite: Suite) -> Outcome<Secret> {
    for _ in 0..8 {
        let entropy: Zeroizing<[u8; 32]> = Zeroizing::new(random::bytes()?);
        let used = entropy.get(..if is_short { 16 } else { 32 }).unwrap_or_default();
        if let Ok(secret) = Secret::of_words(&kez_core::mnemonic::format_entropy(used)?, suite) {
            return Ok(secret);
        }
    }
    Err(Failure::new(Code::Internal, "Cannot make a key: none of 8 was in range"))
}

/// The words of `--mnemonic` or `--mnemonic-fd`, and the key that they stand for.
pub fn given(context: &Context, matches: &ArgMatches) -> Outcome<Secret> {
    let words = match (text(matches, "mnemonic"), text(matches, "mnemonic-fd")) {
        (Some(value), _) => read_named_secret("mnemonic", value)?,
        (None, Some(number)) => read_descriptor(number)?,
        (None, None) if context.may_ask() => ask::secret("Recovery words: ")?,
        (None, None) => {
            return Err(Failure::new(
                Code::InputMissing,
                "Cannot ask for the recovery words: expected --mnemonic, got none",
            )
            .hint("Pass --mnemonic - and the words on stdin, or --mnemonic @FILE."));
        }
    };
    let secret = Secret::of_words(&words, signing::suite(matches))?;
    let Some(expected) = text(matches, "expect") else { return Ok(secret) };
    let expected = AnyIdentity::parse(expected).and_then(KeyIdentity::from_identity);
    let expected = expected.map_err(|error| crate::outcome::cannot("read --expect")(error).typed())?;
    match *secret.key.key() == expected {
        true => Ok(secret),
        false => {
            let message =
                format!("Cannot take these words: expected those of {expected}, got those of {}", secret.key.key());
            Err(Failure::new(Code::KeyNotHeld, message)
                .hint("Nothing was stored. Compare every word with your paper, and check --key-type."))
        }
    }
}

fn from_mnemonic(context: &Context, matches: &ArgMatches) -> Outcome {
    let secret = given(context, matches)?;
    let data = object! { "identity" => secret.key.key(), "words" => secret.words() };
    Ok(Answer::new("kez.mnemonic_identity/1", data, format!("{}\n", secret.key.key())))
}

fn list(context: &Context) -> Outcome {
    let (mut rows, mut human) = (Vec::new(), String::new());
    let current = keys::current_name(context)?;
    for identity in keys::list(context)? {
        let mark = if current.as_deref() == Some(identity.name.as_str()) { '*' } else { ' ' };
        let unlocked = agent::find(context, &identity.name, &identity.key).map(|key| key.until);
        let until = unlocked.map(|until| format!("  unlocked until {}", agent::commands::shown(until)));
        human.push_str(&format!("{mark} {}  {}{}\n", identity.name, identity.key, until.unwrap_or_default()));
        rows.push(keys::to_json(context, &identity, unlocked)?);
    }
    if rows.is_empty() {
        human.push_str("There is no identity on this computer. To make one: kez-rs identity new\n");
    }
    Ok(Answer::new("kez.identities/1", object! { "identities" => rows }, human))
}

/// `kez.identity/1`
pub fn shown(context: &Context, identity: &Identity) -> Outcome {
    let unlocked = agent::find(context, &identity.name, &identity.key).map(|key| key.until);
    let data = keys::to_json(context, identity, unlocked)?;
    let (protection, path) = keys::protection(context, &identity.name);
    let human = format!(
        "{}\n  identity  {}\n  key file  {} ({protection})\n  words     {}, paper {}\n  created   {}\n",
        identity.name,
        identity.key,
        path.as_deref().unwrap_or("none"),
        identity.words.map_or("none".to_owned(), |words| words.to_string()),
        if identity.is_confirmed { "checked" } else { "NOT CHECKED" },
        identity.created_at,
    );
    Ok(Answer::new("kez.identity/1", data, human))
}

fn show(context: &Context, matches: &ArgMatches) -> Outcome {
    let identity = named(context, matches)?;
    let answer = shown(context, &identity)?;
    Ok(match matches.get_flag("id") {
        true => Answer { human: format!("{}\n", identity.key), ..answer },
        false => answer,
    })
}

fn choose(context: &Context, matches: &ArgMatches) -> Outcome {
    let identity = named(context, matches)?;
    keys::choose(context, &identity.name)?;
    let answer = shown(context, &identity)?;
    Ok(Answer { human: format!("Commands now act as {}, {}.\n", identity.name, identity.key), ..answer })
}

fn mnemonic(context: &Context, matches: &ArgMatches) -> Outcome {
    let identity = named(context, matches)?;
    if !matches.get_flag("reveal-words") && context.may_ask() {
        return mnemonic_on_terminal(context, &identity);
    }
    if !matches.get_flag("reveal-words") {
        return Err(Failure::new(
            Code::InputMissing,
            "Cannot show the recovery words: expected --reveal-words, got none",
        )
        .hint("Pass --reveal-words to put them into the output."));
    }
    let words = keys::unlock(context, &identity)?.mnemonic()?.ok_or_else(|| {
        Failure::new(Code::KeyNotHeld, format!("Cannot show words of {}: its key came without words", identity.name))
    })?;
    context.warn("the recovery words are in the output: whoever reads it has this identity");
    let data = object! {
        "name" => identity.name,
        "identity" => identity.key,
        "backup" => if identity.is_confirmed { "confirmed" } else { "pending" },
        "recovery_words" => words.split(' ').map(str::to_owned).collect::<Vec<_>>(),
    };
    Ok(Answer::new("kez.mnemonic/1", data, format!("{}\n", *words)))
}

fn mnemonic_on_terminal(context: &Context, identity: &Identity) -> Outcome {
    let words = keys::unlock(context, identity)?.mnemonic()?.ok_or_else(|| {
        Failure::new(Code::KeyNotHeld, format!("Cannot show words of {}: its key came without words", identity.name))
    })?;
    let identity = recall::recall(context, identity, &words)?;
    context.forget_warnings();
    let data = object! { "name" => identity.name, "identity" => identity.key, "backup" => "confirmed" };
    Ok(Answer::new("kez.mnemonic/1", data, format!("The paper of {} is right.\n", identity.name)))
}

fn passphrase(context: &Context, matches: &ArgMatches) -> Outcome {
    let identity = named(context, matches)?;
    let secret = keys::unlock(context, &identity)?;
    let new = match (text(matches, "new-passphrase-file"), text(matches, "new-passphrase-fd")) {
        (Some(path), _) => Some(read_secret(path)?),
        (None, Some(number)) => Some(read_descriptor(number)?),
        (None, None) if matches.get_flag("no-passphrase") => None,
        (None, None) if context.may_ask() => Some(ask::new_passphrase()?),
        (None, None) => {
            return Err(Failure::new(Code::InputMissing, "Cannot change the passphrase: expected a new one, got none")
                .hint("Pass --new-passphrase-file FILE or --new-passphrase-fd N, or --no-passphrase."));
        }
    };
    keys::write_key(context, &identity.name, &secret, new.as_deref().map(String::as_str))?;
    shown(context, &identity)
}

fn remove(context: &Context, matches: &ArgMatches) -> Outcome {
    let identity = named(context, matches)?;
    if !identity.is_confirmed {
        context.warn(format!(
            "nobody has checked that the recovery words of {} are on paper: without them it cannot come back",
            identity.name
        ));
    }
    if !matches.get_flag("yes") && context.may_ask() {
        let question = format!("Delete the key of {} from this computer?", identity.name);
        ask::yes(&question, &format!("{} is still here", identity.name))?;
    } else if !matches.get_flag("yes") {
        let message = format!("Cannot delete the key of {}: expected --yes, and nobody can be asked", identity.name);
        return Err(Failure::new(Code::InputMissing, message).hint("Pass --yes."));
    }
    keys::remove(context, &identity.name)?;
    let data = object! { "name" => identity.name, "identity" => identity.key };
    Ok(Answer::new("kez.identity_removed/1", data, format!("{} is gone from this computer.\n", identity.name)))
}
