//! BIP-340 over secp256k1, and NIP-19 texts of its keys. SPEC SIG-3, ENV-2, §1.

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Hrp};
use k256::schnorr::{Signature, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::digest::sha256;
use crate::error::{Code, KezError, Result};

const NPUB: Hrp = Hrp::parse_unchecked("npub");
const NSEC: Hrp = Hrp::parse_unchecked("nsec");
/// `npub1` or `nsec1`, 52 characters of 32 bytes, 6 of checksum.
const KEY_CHARS: usize = 63;

/// BIP-340 over SHA-256 of the signed bytes; every failure is `signature.invalid`.
pub fn verify(public_key: &[u8], signed: &[u8], signature: &[u8]) -> Result<()> {
    verify_message(public_key, &sha256(signed), signature)
}

/// BIP-340 `Verify(pk, m, sig)`; every failure is `signature.invalid`.
pub fn verify_message(public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<()> {
    let is_valid = || {
        let key = VerifyingKey::from_slice(public_key).ok()?;
        let signature = Signature::try_from(signature).ok()?;
        key.verify_raw(message, &signature).ok()
    };
    is_valid().ok_or_else(|| {
        KezError::new(Code::SignatureInvalid, "expected a BIP-340 signature by this key over these bytes")
    })
}

/// 0, or not below the group order → `key.encoding`. MNEM-2.
pub fn public_key(secret: &Zeroizing<[u8; 32]>) -> Result<[u8; 32]> {
    Ok(signing_key(secret)?.verifying_key().to_bytes().into())
}

/// BIP-340 `Sign` over SHA-256 of the signed bytes, with 32 zero bytes as auxiliary randomness. ENV-2.
pub fn sign(secret: &Zeroizing<[u8; 32]>, signed: &[u8]) -> Result<[u8; 64]> {
    sign_message(secret, &sha256(signed), &[0; 32])
}

/// BIP-340 `Sign(sk, m)` with the auxiliary randomness `a`.
pub fn sign_message(secret: &Zeroizing<[u8; 32]>, message: &[u8], auxiliary: &[u8; 32]) -> Result<[u8; 64]> {
    match signing_key(secret)?.sign_raw(message, auxiliary) {
        Ok(signature) => Ok(signature.to_bytes()),
        Err(_) => Err(KezError::new(Code::SignatureInvalid, "expected to sign, got a nonce of zero")),
    }
}

fn signing_key(secret: &Zeroizing<[u8; 32]>) -> Result<SigningKey> {
    SigningKey::from_slice(secret.as_slice())
        .map_err(|_| KezError::new(Code::KeyEncoding, "expected a secret key from 1 to the group order - 1"))
}

/// The 32 bytes of `npub1…` in its only spelling: 63 characters, lower case, no other padding.
pub fn parse_npub(text: &str) -> Option<[u8; 32]> {
    parse_key(NPUB, text).map(|key| *key)
}

/// The 32 bytes of `nsec1…`, as strictly; whether they are a key is asked when one is made of them.
pub fn parse_nsec(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    parse_key(NSEC, text)
}

/// NIP-19 `npub1…`.
pub fn format_npub(public_key: &[u8; 32]) -> String {
    format_key(NPUB, public_key).as_str().to_owned()
}

fn parse_key(prefix: Hrp, text: &str) -> Option<Zeroizing<[u8; 32]>> {
    if text.len() != KEY_CHARS {
        return None;
    }
    let decoded = CheckedHrpstring::new::<Bech32>(text).ok()?;
    let mut key = Zeroizing::new([0; 32]);
    let mut bytes = decoded.byte_iter();
    for (place, byte) in key.iter_mut().zip(&mut bytes) {
        *place = byte;
    }
    // Writing it again tells another prefix, upper case, and padding that is not zero.
    (format_key(prefix, &key).as_str() == text).then_some(key)
}

fn format_key(prefix: Hrp, key: &[u8; 32]) -> Zeroizing<String> {
    // Encoding fails only beyond the code length of bech32, which 32 bytes are far from.
    Zeroizing::new(bech32::encode::<Bech32>(prefix, key).unwrap_or_default())
}
