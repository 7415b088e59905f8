//! A secret key with the words that bring it back, and the text of its key file. It is shown to nobody, and wiped.

use kez_core::mnemonic::{format_entropy, mnemonic_entropy, parse_mnemonic};
use kez_core::{Json, KeyIdentity, SecretKey, Signer as _, Suite, hex};
use zeroize::{Zeroize as _, Zeroizing};

use crate::outcome::{Failure, Outcome};

/// A key with what brings it back.
pub struct Secret {
    /// What signs.
    pub key: SecretKey,
    /// The entropy of its words.
    pub entropy: Option<Zeroizing<Vec<u8>>>,
}

impl Secret {
    /// The key that words stand for. SPEC §9.
    pub fn of_words(words: &str, suite: Suite) -> Outcome<Secret> {
        let key = parse_mnemonic(words).and_then(|secret| SecretKey::from_bytes(suite, secret));
        let unreadable = |error: kez_core::KezError| {
            Failure::new(error.code(), format!("Cannot read the recovery words: {}", error.message())).typed()
        };
        Ok(Secret { key: key.map_err(unreadable)?, entropy: Some(mnemonic_entropy(words)?) })
    }

    /// How many words bring it back.
    pub fn words(&self) -> Option<u64> {
        self.entropy.as_ref().map(|entropy| if entropy.len() == 16 { 12 } else { 24 })
    }

    /// The words.
    pub fn mnemonic(&self) -> Outcome<Option<Zeroizing<String>>> {
        Ok(self.entropy.as_ref().map(|entropy| format_entropy(entropy)).transpose()?)
    }

    /// The content of a key file. Its room is enough for all of it: what grows leaves copies behind.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(512));
        text.push_str("{\"type\":\"kez.key\",\"version\":1,\"identity\":\"");
        text.push_str(self.key.key().as_str());
        text.push_str("\",\"secret\":\"");
        text.push_str(&Zeroizing::new(hex::encode(self.key.expose().as_slice())));
        text.push('"');
        if let (Some(entropy), Some(words)) = (&self.entropy, self.words()) {
            text.push_str(",\"entropy\":\"");
            text.push_str(&Zeroizing::new(hex::encode(entropy)));
            text.push_str(&format!("\",\"words\":{words}"));
        }
        text.push_str("}\n");
        text
    }

    /// The content of a key file to a key.
    pub fn of_text(text: &str) -> Option<Secret> {
        let value = Wiped(kez_core::json::parse_text(text).ok()?);
        let member = |name: &str| value.0.as_object()?.get(name)?.as_str();
        let identity = KeyIdentity::parse_canonical(member("identity")?).ok()?;
        let secret = Zeroizing::new(hex::decode::<32>(member("secret")?)?);
        let key = SecretKey::from_bytes(identity.suite(), secret).ok()?;
        let entropy = match member("entropy") {
            None => None,
            Some(text) if text.len() == 32 => Some(Zeroizing::new(Zeroizing::new(hex::decode::<16>(text)?).to_vec())),
            Some(text) => Some(Zeroizing::new(Zeroizing::new(hex::decode::<32>(text)?).to_vec())),
        };
        (*key.key() == identity && member("type") == Some("kez.key")).then_some(Secret { key, entropy })
    }
}

/// A value whose texts are wiped when it is dropped.
struct Wiped(Json);

impl Drop for Wiped {
    fn drop(&mut self) {
        fn wipe(value: &mut Json) {
            match value {
                Json::String(text) => text.zeroize(),
                Json::Array(elements) => elements.iter_mut().for_each(wipe),
                Json::Object(members) => members.values_mut().for_each(wipe),
                Json::Null | Json::Bool(_) | Json::Number(_) => {}
            }
        }
        wipe(&mut self.0);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::marker::PhantomData;

    /// Whether a type can be shown: the constant of the type itself comes before that of the trait.
    struct Probe<T>(PhantomData<T>);

    trait Hidden {
        const SHOWS: bool = false;
    }

    impl<T> Hidden for Probe<T> {}

    impl<T: std::fmt::Debug> Probe<T> {
        const SHOWS: bool = true;
    }

    #[test]
    fn a_secret_is_not_shown() {
        const { assert!(Probe::<KeyIdentity>::SHOWS && !Probe::<Secret>::SHOWS) };
        let secret = Secret::of_words(&format!("{}about", "abandon ".repeat(11)), Suite::Ed25519).unwrap();
        let shown = format!("{:?}", secret.key);
        assert!(
            shown.contains(secret.key.key().as_str()) && !shown.contains(&hex::encode(secret.key.expose().as_slice()))
        );
    }

    #[test]
    fn a_key_file_is_read_as_it_was_written() {
        for words in [&["abandon"; 11][..], &["abandon"; 23]] {
            let last = if words.len() == 11 { "about" } else { "art" };
            let secret = Secret::of_words(&format!("{} {last}", words.join(" ")), Suite::Ed25519).unwrap();
            let text = secret.to_text();
            assert!(text.capacity() == 512 && text.len() < 512, "it grew, and left a copy");
            let read = Secret::of_text(&text).unwrap();
            assert_eq!((read.key.key(), read.words()), (secret.key.key(), secret.words()));
            assert!(Secret::of_text(&text.replace("entropy\":\"0", "entropy\":\"x")).is_none());
        }
    }
}
