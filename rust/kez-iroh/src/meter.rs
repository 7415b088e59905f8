//! Bytes and their rate, read a few times a second.

use crate::limits::MAX_SHOWN;
use iroh_blobs::Hash;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

struct State {
    bytes: u64,
    told: u64,
    at: Instant,
    rate: f64,
    recent: HashMap<Hash, u64>,
}

/// Counts bytes per file.
pub struct Meter {
    state: Mutex<State>,
}

/// What a meter says.
pub struct Reading {
    /// All bytes so far.
    pub bytes: u64,
    /// Bytes a second, smoothed over about a second.
    pub rate: u64,
    /// Files since the last reading and their bytes in it, a few of them.
    pub files: Vec<(Hash, u64)>,
}

impl Default for Meter {
    fn default() -> Self {
        Self { state: Mutex::new(State { bytes: 0, told: 0, at: Instant::now(), rate: 0.0, recent: HashMap::new() }) }
    }
}

impl Meter {
    /// Counts `bytes` of `hash`.
    pub fn add(&self, hash: &Hash, bytes: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.bytes += bytes;
        if state.recent.len() < MAX_SHOWN || state.recent.contains_key(hash) {
            *state.recent.entry(*hash).or_default() += bytes;
        }
    }

    /// All bytes so far.
    pub fn total(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }

    /// What was counted, if anything was since the last reading.
    pub fn read(&self) -> Option<Reading> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = state.bytes - state.told;
        let seconds = state.at.elapsed().as_secs_f64().max(0.001);
        #[allow(clippy::cast_precision_loss)]
        let now = fresh as f64 / seconds;
        state.rate = if state.told == 0 { now } else { state.rate * 0.7 + now * 0.3 };
        (state.told, state.at) = (state.bytes, Instant::now());
        if fresh == 0 {
            return None;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rate = state.rate as u64;
        Some(Reading { bytes: state.bytes, rate, files: state.recent.drain().collect() })
    }
}
