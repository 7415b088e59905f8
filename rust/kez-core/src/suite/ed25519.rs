//! Ed25519 by the strict rule that every implementation of KEZ shares. SPEC SIG-1, SIG-2; RFC 8032 §5.1.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::error::{Code, KezError, Result, refuse};

/// y of the points of small order, little-endian, without the sign bit. SIG-1 lists them.
const SMALL_ORDER_Y: [[u8; 32]; 7] = [
    [0; 32],
    [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    p_plus(-1),
    p_plus(0),
    p_plus(1),
];

/// The lowest byte of p = 2^255 − 19, little-endian; the others are ff, and the highest 7f.
const P_LOWEST: u8 = 0xed;

/// p and its neighbours, little-endian.
const fn p_plus(offset: i8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    let [lowest, .., highest] = &mut bytes;
    *lowest = P_LOWEST.wrapping_add_signed(offset);
    *highest = 0x7f;
    bytes
}

/// `key.weak`, `key.encoding`, `signature.invalid`, in this order. SIG-2.
pub fn verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<()> {
    let Ok(public_key) = <&[u8; 32]>::try_from(public_key) else {
        return refuse(Code::KeyEncoding, "expected an Ed25519 key of 32 bytes");
    };
    if is_small_order(public_key) {
        return refuse(Code::KeyWeak, "expected a key, got one under which anybody can sign");
    }
    if !is_canonical(public_key) {
        return refuse(Code::KeyEncoding, "expected an Ed25519 key in its only encoding");
    }
    match <&[u8; 64]>::try_from(signature) {
        Ok(signature) if is_valid(public_key, message, signature) => Ok(()),
        _ => Err(KezError::new(Code::SignatureInvalid, "expected an Ed25519 signature by this key over these bytes")),
    }
}

/// SIG-1 for a key that has passed. dalek's strict check is S < L, R on the curve and, as A, not of small order, and the
/// cofactorless equation compared byte for byte. Of the bytes of R we look ourselves: dalek's decoder takes y ≥ p.
fn is_valid(public_key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let Some(r) = signature.first_chunk::<32>() else {
        return false;
    };
    if is_small_order(r) || !is_canonical(r) {
        return false;
    }
    let signature = Signature::from_bytes(signature);
    VerifyingKey::from_bytes(public_key).is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
}

/// RFC 8032 §5.1.5.
pub fn public_key(secret: &Zeroizing<[u8; 32]>) -> [u8; 32] {
    SigningKey::from_bytes(secret).verifying_key().to_bytes()
}

/// RFC 8032 §5.1.6.
pub fn sign(secret: &Zeroizing<[u8; 32]>, message: &[u8]) -> [u8; 64] {
    SigningKey::from_bytes(secret).sign(message).to_bytes()
}

fn without_sign(point: &[u8; 32]) -> [u8; 32] {
    let mut y = *point;
    let [.., highest] = &mut y;
    *highest &= 0x7f;
    y
}

fn is_small_order(point: &[u8; 32]) -> bool {
    SMALL_ORDER_Y.contains(&without_sign(point))
}

/// The 255-bit y is below p.
fn is_canonical(point: &[u8; 32]) -> bool {
    let [lowest, middle @ .., highest] = without_sign(point);
    lowest < P_LOWEST || highest != 0x7f || middle.iter().any(|&byte| byte != 0xff)
}
