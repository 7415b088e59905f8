//! Whether an event is valid in a state. SPEC §5.4, CHAIN-6 to CHAIN-17, in this order.

use super::commitment::commitment;
use super::event::ChainEvent;
use super::link::check_link;
use super::state::State;
use crate::envelope::Op;
use crate::error::{Code, Result, refuse};
use crate::identity::KeyIdentity;
use crate::limits::{MAX_ACTIVE_DEVICES, MAX_ACTIVE_SUBJECTS, MAX_CHAIN_EVENTS, RESERVED_FROM_SEQ};

/// Whether the event is valid after `previous`, in the state that `previous` leaves. §5.3, then §5.4.
pub fn check_follower(state: &State, previous: &ChainEvent, event: &ChainEvent) -> Result<()> {
    check_link(&previous.place(), &event.predecessor())?;
    check_event(state, event)
}

/// §5.4 for an event that links.
pub fn check_event(state: &State, event: &ChainEvent) -> Result<()> {
    if event.payload().primary != *state.primary() {
        return refuse(Code::ChainPrimary, format!("expected primary {}", state.primary()));
    }
    check_op(state, event.seq(), &event.payload().op, event.signer())?;
    event.check_signature()?;
    event.check_pop()
}

/// §5.4 for an event with this `seq`, before anything is signed: all but its signatures.
pub fn check_op(state: &State, seq: u64, op: &Op, signer: &KeyIdentity) -> Result<()> {
    if seq >= MAX_CHAIN_EVENTS as u64 {
        return refuse(Code::LimitChain, "expected a seq below 10000");
    }
    check_authority(state, op, signer)?;
    check_reserved(seq, op, signer == state.primary())?;
    check_operation(state, op)
}

/// CHAIN-8.
fn check_authority(state: &State, op: &Op, signer: &KeyIdentity) -> Result<()> {
    if let (Op::Rotate { new_primary, .. }, Some(next)) = (op, state.next()) {
        return match signer == new_primary && commitment(new_primary) == next {
            true => Ok(()),
            false => refuse(Code::ChainPrerotation, "expected a rotation to the committed key, signed by it"),
        };
    }
    if signer == state.primary() {
        return Ok(());
    }
    if !state.is_device(signer) {
        return refuse(Code::ChainNotAuthorised, format!("expected the primary or an active device, got {signer}"));
    }
    match op {
        Op::SetNext { .. } | Op::Rotate { .. } | Op::Settle { .. } => {
            refuse(Code::ChainAuthority, format!("expected {} to be signed by the primary", op.name()))
        }
        Op::Add { .. }
        | Op::Revoke { .. }
        | Op::AddDevice { .. }
        | Op::RevokeDevice { .. }
        | Op::SetSharedFiles { .. } => Ok(()),
    }
}

/// CHAIN-9: a thief of a device cannot fill the chain against its owner.
fn check_reserved(seq: u64, op: &Op, is_by_primary: bool) -> Result<()> {
    let is_allowed = match op {
        // Where the primary did not sign it, the committed key did.
        Op::Rotate { .. } => true,
        Op::Revoke { .. } | Op::RevokeDevice { .. } | Op::SetNext { .. } | Op::Settle { .. } => is_by_primary,
        Op::Add { .. } | Op::AddDevice { .. } | Op::SetSharedFiles { .. } => false,
    };
    match seq < RESERVED_FROM_SEQ || is_allowed {
        true => Ok(()),
        false => {
            refuse(Code::LimitChain, "expected what takes back or replaces keys, by the primary: the rest is full")
        }
    }
}

fn check_operation(state: &State, op: &Op) -> Result<()> {
    match op {
        // CHAIN-10
        Op::Add { subject, .. } => {
            let is_active = state.subject(subject).is_some_and(|entry| entry.listing.is_some());
            match is_active || state.active_subjects() < MAX_ACTIVE_SUBJECTS {
                true => Ok(()),
                false => refuse(Code::LimitClaims, "expected at most 256 active subjects"),
            }
        }
        // CHAIN-11
        Op::AddDevice { key, .. } => {
            check_new_key(state, key)?;
            match state.devices().len() < MAX_ACTIVE_DEVICES {
                true => Ok(()),
                false => refuse(Code::LimitDevices, "expected at most 32 active devices"),
            }
        }
        Op::RevokeDevice { keys, keep } => check_revoke_device(state, keys, keep),
        // CHAIN-13
        Op::SetNext { .. } if state.next().is_some() => {
            refuse(Code::ChainNextInForce, "expected no commitment, there is one in force")
        }
        // CHAIN-14
        Op::Rotate { new_primary, .. } => check_new_key(state, new_primary),
        Op::Revoke { .. } | Op::SetNext { .. } | Op::Settle { .. } | Op::SetSharedFiles { .. } => Ok(()),
    }
}

/// CHAIN-12.
fn check_revoke_device(state: &State, keys: &[KeyIdentity], keep: &[KeyIdentity]) -> Result<()> {
    if keys.contains(state.primary()) {
        return refuse(Code::ChainAuthority, "expected devices, got the primary, which is replaced by rotate");
    }
    match keep.iter().find(|key| keys.contains(key)) {
        Some(key) => refuse(Code::SchemaValue, format!("expected {key} in keys or in keep, got it in both")),
        None => Ok(()),
    }
}

/// CHAIN-11, CHAIN-14, CHAIN-15.
fn check_new_key(state: &State, key: &KeyIdentity) -> Result<()> {
    if key == state.primary() || state.is_device(key) {
        return refuse(Code::ChainKeyInUse, format!("expected a new key, got {key}"));
    }
    match state.is_burned(key) {
        true => {
            refuse(Code::ChainKeyReuse, format!("expected a new key, got {key}, which was revoked or rotated away"))
        }
        false => Ok(()),
    }
}
