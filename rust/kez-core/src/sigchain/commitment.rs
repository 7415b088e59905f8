//! The commitment to the next primary. SPEC CHAIN-13.

use crate::Digest;
use crate::identity::KeyIdentity;

const CONTEXT: &[u8] = b"kez/next/v1\0";

/// The value of `next` that commits to this key. It covers the 32 bytes alone: a key of either system with these bytes
/// meets it.
pub fn commitment(key: &KeyIdentity) -> Digest {
    Digest::of([CONTEXT, key.public_key()].concat())
}
