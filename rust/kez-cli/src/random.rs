//! Randomness of the system.

use kez_core::Code;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::outcome::{Failure, Outcome};

/// So many random bytes.
pub fn bytes<const N: usize>() -> Outcome<[u8; N]> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| Failure::new(Code::Internal, "Cannot make a key: the system gives no randomness"))?;
    Ok(bytes)
}
