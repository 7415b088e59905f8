//! The key that signs: of an identity of this computer, or of what the options name.

use clap::ArgMatches;
use kez_core::{Code, KeyIdentity, SecretKey, Signer, Suite, hex};
use zeroize::Zeroizing;

use crate::context::{Context, read_descriptor, read_named_secret, read_secret};
use crate::key::Key;
use crate::keys::{self, Secret};
use crate::outcome::{Failure, Outcome};

/// `--key-type`, ed25519 unless given.
pub fn suite(matches: &ArgMatches) -> Suite {
    match matches.get_one::<String>("key-type").map(String::as_str) {
        Some("nostr") => Suite::Nostr,
        _ => Suite::Ed25519,
    }
}

/// The key that a command acts as, without its secret where that is not needed.
pub fn acting_key(context: &Context, matches: &ArgMatches) -> Outcome<KeyIdentity> {
    match named_key(context, matches)? {
        Some(key) => Ok(key.key().clone()),
        None => Ok(keys::acting(context)?.key),
    }
}

/// The key that signs.
pub fn signer(context: &Context, matches: &ArgMatches) -> Outcome<Key> {
    match named_key(context, matches)? {
        Some(key) => Ok(key),
        None => keys::signer(context, &keys::acting(context)?),
    }
}

/// The same, of a key that can be had without asking anybody.
pub fn signer_at_hand(context: &Context, matches: &ArgMatches) -> Outcome<Key> {
    context.without_asking(|| signer(context, matches))
}

/// A name of this computer, or a key identity.
pub fn key_named(context: &Context, text: &str) -> Outcome<KeyIdentity> {
    match text.contains(':') {
        true => {
            KeyIdentity::parse_canonical(text).map_err(|error| crate::outcome::cannot("read the key")(error).typed())
        }
        false => Ok(keys::find(context, text)?.key),
    }
}

/// The key that the options name. It is read once: stdin and a pipe give it only once.
fn named_key(context: &Context, matches: &ArgMatches) -> Outcome<Option<Key>> {
    if let Some(key) = context.named_key.borrow().as_ref() {
        return Ok(Some(key.clone()));
    }
    let key = read_key(context, matches)?.map(Key::Here);
    context.named_key.replace(key.clone());
    Ok(key)
}

fn read_key(context: &Context, matches: &ArgMatches) -> Outcome<Option<SecretKey>> {
    let text = |name: &str| matches.get_one::<String>(name);
    if let Some(value) = text("mnemonic") {
        return Ok(Some(Secret::of_words(&read_named_secret("mnemonic", value)?, suite(matches))?.key));
    }
    if let Some(value) = text("ed25519-seed") {
        return of_seed(&read_named_secret("ed25519-seed", value)?).map(Some);
    }
    if let Some(value) = text("nsec") {
        return of_nsec(&read_named_secret("nsec", value)?).map(Some);
    }
    if let Some(path) = text("key-file") {
        return of_file(context, &read_secret(path)?, suite(matches)).map(Some);
    }
    if let Some(number) = text("key-fd") {
        return of_file(context, &read_descriptor(number)?, suite(matches)).map(Some);
    }
    Ok(None)
}

/// A key file of any form: age, the content of a key file, an nsec, a seed, words.
pub fn of_file(context: &Context, text: &str, suite: Suite) -> Outcome<SecretKey> {
    let text = text.trim();
    if text.starts_with("-----BEGIN AGE") {
        return Ok(keys::open_text(context, text, "this file")?.key);
    }
    if text.starts_with('{') {
        return Secret::of_text(text).map(|secret| secret.key).ok_or_else(unreadable);
    }
    if text.starts_with("nsec1") {
        return of_nsec(text);
    }
    match text.len() == 64 && !text.contains(' ') {
        true => of_seed(text),
        false => Ok(Secret::of_words(text, suite)?.key),
    }
}

fn of_seed(text: &str) -> Outcome<SecretKey> {
    let seed = Zeroizing::new(hex::decode::<32>(text.trim()).ok_or_else(unreadable)?);
    SecretKey::from_bytes(Suite::Ed25519, seed).map_err(|_| unreadable())
}

/// NIP-19.
fn of_nsec(text: &str) -> Outcome<SecretKey> {
    SecretKey::from_nsec(text.trim()).map_err(|_| unreadable())
}

/// What was passed is not repeated: it may be a secret.
fn unreadable() -> Failure {
    Failure::new(
        Code::KeyEncoding,
        "Cannot read the key that was passed: expected a key file, words, a seed or an nsec",
    )
    .typed()
}
