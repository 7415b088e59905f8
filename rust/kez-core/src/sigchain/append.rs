//! Making the next event of a chain. What is made was judged by the rules that its readers have. SPEC §5.1, SIG-5.

use super::apply::{check_event, check_follower};
use super::chain::Chain;
use super::event::ChainEvent;
use super::pop;
use super::state::State;
use crate::envelope::{Event, Kind, Op, Role, sign};
use crate::error::{Code, KezError, Result, refuse};
use crate::identity::KeyIdentity;
use crate::signer::Signer;
use crate::{Digest, Time};

/// Who signs an event, and when.
#[derive(Clone, Copy)]
pub struct Signing<'a> {
    /// The primary, a device or the committed key.
    pub signer: &'a dyn Signer,
    /// The key that `add_device` or `rotate` brings, for its proof of possession.
    pub new_key: Option<&'a dyn Signer>,
    /// `created_at`; information (TIME-3).
    pub created_at: Time,
}

/// Event 0 of a new chain, whose primary is the signer. A `pop` that the operation has is replaced.
pub fn create_chain(op: Op, signing: Signing<'_>) -> Result<ChainEvent> {
    let primary = signing.signer.key().clone();
    let state = State::before_genesis(&primary);
    let event = make(Event { primary, seq: 0, prev: None, created_at: signing.created_at, op }, signing)?;
    check_event(&state, &event)?;
    Ok(event)
}

/// The next event after the end of the winning path; the code by which readers would refuse it. Of a chain with an
/// undecided fork that is a further branch, or, by a `settle`, its decision.
pub fn append(chain: &Chain, op: Op, signing: Signing<'_>) -> Result<ChainEvent> {
    append_after(chain.state(), chain.head(), op, signing)
}

/// As [`append`], after any valid event of the chain, known by its digest (`chain.unknown`).
pub fn append_to(chain: &Chain, digest: &Digest, op: Op, signing: Signing<'_>) -> Result<ChainEvent> {
    let unknown = || KezError::new(Code::ChainUnknown, "expected an event of the chain");
    let previous = chain.tree().get(digest).ok_or_else(unknown)?;
    let state = chain.state_after(digest).ok_or_else(unknown)?;
    append_after(&state, previous, op, signing)
}

/// Several, one after the other, the first as by [`append_to`].
pub fn append_all(
    chain: &Chain,
    after: &Digest,
    ops: impl IntoIterator<Item = Op>,
    signing: Signing<'_>,
) -> Result<Vec<ChainEvent>> {
    let unknown = || KezError::new(Code::ChainUnknown, "expected an event of the chain");
    let first = chain.tree().get(after).ok_or_else(unknown)?;
    let mut state = chain.state_after(after).ok_or_else(unknown)?;
    let mut events: Vec<ChainEvent> = Vec::new();
    for op in ops {
        let event = append_after(&state, events.last().unwrap_or(first), op, signing)?;
        state.apply(&event);
        events.push(event);
    }
    Ok(events)
}

fn append_after(state: &State, previous: &ChainEvent, op: Op, signing: Signing<'_>) -> Result<ChainEvent> {
    let event = Event {
        primary: state.primary().clone(),
        seq: previous.seq().saturating_add(1),
        prev: Some(previous.digest()),
        created_at: signing.created_at,
        op,
    };
    let event = make(event, signing)?;
    check_follower(state, previous, &event)?;
    Ok(event)
}

fn make(mut event: Event, signing: Signing<'_>) -> Result<ChainEvent> {
    prove_possession(&mut event, signing.new_key)?;
    Ok(sign::<Event>(event.to_members(), signing.signer)?.into_inner().into())
}

/// CHAIN-17, where the operation brings a key.
fn prove_possession(event: &mut Event, new_key: Option<&dyn Signer>) -> Result<()> {
    let mut members = event.to_members();
    members.insert("type".to_owned(), Kind::SigchainEvent.payload_type().into());
    members.insert("version".to_owned(), 1_u32.into());
    match &mut event.op {
        Op::AddDevice { key, pop } => *pop = prove(&members, Role::Device, key, new_key)?,
        Op::Rotate { new_primary, pop, .. } => *pop = prove(&members, Role::Primary, new_primary, new_key)?,
        _ => (),
    }
    Ok(())
}

fn prove(
    members: &crate::json::Object,
    role: Role,
    key: &KeyIdentity,
    new_key: Option<&dyn Signer>,
) -> Result<[u8; 64]> {
    match new_key {
        Some(signer) if signer.key() == key => pop::sign(members, role, signer),
        _ => refuse(Code::KeyNotHeld, format!("expected the secret of {key}")),
    }
}
