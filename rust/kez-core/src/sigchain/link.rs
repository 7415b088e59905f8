//! Whether an event may follow another. SPEC §5.3, CHAIN-5.

use crate::error::{Code, Result, refuse};

/// The place of an event: its `seq` and the digest that names it, or that it names as `prev`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<D> {
    /// `seq`
    pub seq: u64,
    /// The digest of the event, or none for the `prev` of an event 0.
    pub digest: D,
}

/// `next` names a `seq` too high → `chain.gap`, one that is taken → `chain.repeat`, another `prev` → `chain.prev`. The
/// digests are whatever names events: only whether they are equal matters.
pub fn check_link<D: PartialEq>(head: &Place<D>, next: &Place<Option<D>>) -> Result<()> {
    if next.seq > head.seq.saturating_add(1) {
        return refuse(
            Code::ChainGap,
            format!("expected event {}, got event {}", head.seq.saturating_add(1), next.seq),
        );
    }
    if next.seq <= head.seq {
        return refuse(Code::ChainRepeat, format!("expected an event after {}, got event {}", head.seq, next.seq));
    }
    match next.digest.as_ref() == Some(&head.digest) {
        true => Ok(()),
        false => refuse(Code::ChainPrev, "expected prev to be the digest of the event before"),
    }
}
