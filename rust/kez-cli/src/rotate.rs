//! `kez-rs sigchain rotate`: another key becomes the primary. SPEC CHAIN-8, CHAIN-14.

use clap::ArgMatches;
use kez_core::envelope::Op;
use kez_core::sigchain::{Chain, ChainEvent, commitment};
use kez_core::{Digest, KeyIdentity, Signer as _};

use crate::append::{Draft, text};
use crate::context::Context;
use crate::key::at_hand;
use crate::outcome::{Outcome, cannot};
use crate::signing;

/// The rotation. It is signed by the new key itself where a commitment is in force (CHAIN-8).
pub fn draft(context: &Context, matches: &ArgMatches, chain: &Chain) -> Outcome<Draft> {
    let new = signing::key_of(context, text(matches, "name").unwrap_or_default())?;
    let next = match text(matches, "next") {
        Some(typed) if typed.starts_with("sha256:") => {
            Some(Digest::parse(typed).map_err(|error| cannot("read --next")(error).typed())?)
        }
        Some(typed) => Some(commitment(&signing::key_named(context, typed)?)),
        None => None,
    };
    let op = Op::Rotate { new_primary: new.key().clone(), pop: [0; 64], next };
    let signer = match chain.state().next() {
        Some(_) => new.clone(),
        None => signing::signer(context, matches)?,
    };
    let last = last_unburned(chain, new.key());
    if let Some(last) = last.filter(|_| !context.quiet) {
        context.warn(format!(
            "event {} revoked the key that you committed to: the rotation follows event {}, and what came after that has lost, \
             but its revocations count until you lift them. kez-rs sigchain settle lists them",
            last.seq() + 1,
            last.seq()
        ));
    }
    let after = last.map(ChainEvent::digest);
    Ok(Draft { new_key: Some(new), after, ..Draft::of(op, at_hand(context, signer)?) })
}

/// Where somebody burned the committed key, the last event before that: from there it has a branch of the highest rank
/// (FORK-1), and at the end nothing any more (CHAIN-14). None where it can follow the end, or never could follow.
fn last_unburned<'a>(chain: &'a Chain, key: &KeyIdentity) -> Option<&'a ChainEvent> {
    if !chain.state().is_burned(key) || chain.state().next() != Some(commitment(key)) {
        return None;
    }
    let path: Vec<&ChainEvent> = chain.path().collect();
    let state_after = |event: &ChainEvent| chain.state_after(&event.digest());
    // A burned key never returns (CHAIN-15).
    let count = path.partition_point(|event| state_after(event).is_some_and(|state| !state.is_burned(key)));
    let last = *path.get(count.checked_sub(1)?)?;
    (state_after(last)?.next() == chain.state().next()).then_some(last)
}
