//! Two requests at once for each host, and none at a host that asked to wait. SPEC NET-2, NET-4.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use kez_core::Code;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::NetError;
use crate::limits::MAX_REQUESTS_PER_HOST;

/// The state of all hosts.
#[derive(Debug, Default)]
pub struct Turns {
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
    /// Host, whether the request has `Authorization`: seconds since 1970 until which nothing is sent.
    closed: Mutex<HashMap<(String, bool), u64>>,
}

impl Turns {
    /// Waits until fewer than two requests are at the host. `net.rate_limit` while the host is closed.
    pub async fn take(&self, host: &str, authorised: bool, now: u64) -> Result<OwnedSemaphorePermit, NetError> {
        self.check_open(host, authorised, now)?;
        let turn = Arc::clone(
            self.hosts
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(host.to_owned())
                .or_insert_with(|| Arc::new(Semaphore::new(MAX_REQUESTS_PER_HOST))),
        );
        let turn = turn.acquire_owned().await;
        let turn = turn.map_err(|_| NetError::new(Code::NetBusy, "too many requests are waiting"))?;
        self.check_open(host, authorised, now)?;
        Ok(turn)
    }

    /// Closes the host for so many seconds.
    pub fn close(&self, host: &str, authorised: bool, now: u64, seconds: u64) {
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed.insert((host.to_owned(), authorised), now.saturating_add(seconds));
    }

    fn check_open(&self, host: &str, authorised: bool, now: u64) -> Result<(), NetError> {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        match closed.get(&(host.to_owned(), authorised)) {
            Some(&until) if until > now => Err(NetError::wait(until - now, host)),
            _ => Ok(()),
        }
    }
}
