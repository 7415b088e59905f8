//! Recovery words and the 32 bytes that they stand for. SPEC §9.

use bip39::{Language, Mnemonic};
use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::{Zeroize as _, Zeroizing};

use crate::error::{Code, KezError, Result, refuse};
use crate::limits::MAX_MNEMONIC_BYTES;

const LABEL_OF_12_WORDS: &[u8] = b"kez-bip39-12-v1";

/// Words as people type them to the secret of 32 bytes: `mnemonic.length`, `mnemonic.word`, `mnemonic.checksum`, in this
/// order. Messages name positions, never words. MNEM-1, MNEM-3.
pub fn parse_mnemonic(typed: &str) -> Result<Zeroizing<[u8; 32]>> {
    if typed.len() > MAX_MNEMONIC_BYTES {
        return refuse(Code::MnemonicLength, "expected at most 2048 bytes of recovery words");
    }
    let normalized = normalize(typed);
    let count = words(&normalized).count();
    if count != 12 && count != 24 {
        return refuse(Code::MnemonicLength, format!("expected 12 or 24 words, got {count}"));
    }
    let list = Language::English.word_list();
    if let Some(index) = words(&normalized).position(|word| !list.contains(&word)) {
        return refuse(Code::MnemonicWord, format!("expected a word of the list at position {}", index + 1));
    }
    secret_of(&normalized)
}

/// The entropy of words as people type them, 16 or 32 bytes: what a key file keeps to show the words again. The codes of
/// [`parse_mnemonic`].
pub fn mnemonic_entropy(typed: &str) -> Result<Zeroizing<Vec<u8>>> {
    parse_mnemonic(typed)?;
    let mnemonic = Mnemonic::parse_in_normalized(Language::English, &join(words(&normalize(typed))))
        .map_err(|_| KezError::new(Code::MnemonicChecksum, "expected words that fit together"))?;
    Ok(Zeroizing::new(mnemonic.to_entropy()))
}

/// The words of 16 or 32 bytes of entropy, else `mnemonic.length`.
pub fn format_entropy(entropy: &[u8]) -> Result<Zeroizing<String>> {
    if entropy.len() != 16 && entropy.len() != 32 {
        return refuse(Code::MnemonicLength, format!("expected 16 or 32 bytes of entropy, got {}", entropy.len()));
    }
    let mnemonic = Mnemonic::from_entropy_in(Language::English, entropy)
        .map_err(|_| KezError::new(Code::Internal, "entropy gave no words"))?;
    Ok(join(mnemonic.words()))
}

/// The 24 words of 32 bytes.
pub fn format_mnemonic(secret: &Zeroizing<[u8; 32]>) -> Result<Zeroizing<String>> {
    let mnemonic = Mnemonic::from_entropy_in(Language::English, secret.as_slice())
        .map_err(|_| KezError::new(Code::Internal, "32 bytes gave no words"))?;
    Ok(join(mnemonic.words()))
}

/// NFKD, then lower case.
fn normalize(typed: &str) -> Zeroizing<String> {
    let mut decomposed: Zeroizing<String> = Zeroizing::new(String::with_capacity(typed.len() * 4));
    decomposed.extend(typed.nfkd());
    Zeroizing::new(decomposed.to_lowercase())
}

/// Separated by runs of U+0009–U+000D and U+0020.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character| matches!(character, '\t'..='\r' | ' ')).filter(|word| !word.is_empty())
}

fn join<'a>(words: impl Iterator<Item = &'a str>) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(MAX_MNEMONIC_BYTES));
    for word in words {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

/// 24 words are the secret; 12 are hashed with a label.
fn secret_of(normalized: &str) -> Result<Zeroizing<[u8; 32]>> {
    let mnemonic = Mnemonic::parse_in_normalized(Language::English, &join(words(normalized)))
        .map_err(|_| KezError::new(Code::MnemonicChecksum, "expected words that fit together"))?;
    let (mut entropy, length) = mnemonic.to_entropy_array();
    let mut secret = Zeroizing::new([0; 32]);
    match entropy.get(..length) {
        Some(whole) if whole.len() == secret.len() => secret.copy_from_slice(whole),
        Some(half) => {
            let mut hash = Sha256::new().chain_update(LABEL_OF_12_WORDS).chain_update(half).finalize();
            secret.copy_from_slice(&hash);
            hash.as_mut_slice().zeroize();
        }
        None => {}
    }
    entropy.zeroize();
    Ok(secret)
}
