//! BIP-340 over secp256k1, and NIP-19 texts of its keys. SPEC SIG-3, ENV-2, §1.

use bech32::Bech32;
use bech32::primitives::decode::CheckedHrpstring;
use k256::schnorr::{Signature, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::digest::sha256;
use crate::error::{Code, KezError, Result};

const NPUB: bech32::Hrp = bech32::Hrp::parse_unchecked("npub");
const NPUB_CHARS: usize = 63;

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
    if text.len() != NPUB_CHARS {
        return None;
    }
    let decoded = CheckedHrpstring::new::<Bech32>(text).ok()?;
    let key: [u8; 32] = decoded.byte_iter().collect::<Vec<u8>>().try_into().ok()?;
    (format_npub(&key) == text).then_some(key)
}

/// NIP-19 `npub1…`.
pub fn format_npub(public_key: &[u8; 32]) -> String {
    // Encoding fails only beyond the code length of bech32, which 32 bytes are far from.
    bech32::encode::<Bech32>(NPUB, public_key).unwrap_or_default()
}
