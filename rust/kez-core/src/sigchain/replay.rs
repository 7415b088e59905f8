//! One branch, event by event, refused at the first that is not valid. SPEC §5.3, §5.4.

use super::apply::{check_event, check_follower};
use super::event::ChainEvent;
use super::state::State;
use crate::error::{Code, KezError, Result};

/// The state after these events. Else the place of the first that is not valid, and its code; no events → `chain.genesis`.
pub fn replay<'a>(events: impl IntoIterator<Item = &'a ChainEvent>) -> std::result::Result<State, (usize, KezError)> {
    let mut replayed: Option<(State, &ChainEvent)> = None;
    for (place, event) in events.into_iter().enumerate() {
        let state = follow(replayed.take(), event).map_err(|error| (place, error))?;
        replayed = Some((state, event));
    }
    let missing = || (0, KezError::new(Code::ChainGenesis, "expected event 0"));
    replayed.map(|(state, _)| state).ok_or_else(missing)
}

fn follow(before: Option<(State, &ChainEvent)>, event: &ChainEvent) -> Result<State> {
    let mut state = match before {
        Some((state, previous)) => {
            check_follower(&state, previous, event)?;
            state
        }
        None if event.seq() == 0 => {
            let state = State::before_genesis(&event.payload().primary);
            check_event(&state, event)?;
            state
        }
        None => return Err(KezError::new(Code::ChainGenesis, "expected event 0 first")),
    };
    state.apply(event);
    Ok(state)
}
