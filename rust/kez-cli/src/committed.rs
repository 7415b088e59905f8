//! The key that is committed to as the next primary: `kez-rs sigchain set-next`, and what can be committed to. SPEC CHAIN-13.

use clap::ArgMatches;
use kez_core::envelope::Op;
use kez_core::sigchain::{Chain, commitment};
use kez_core::{Code, Digest, KeyIdentity};

use crate::append::{Draft, check, text};
use crate::context::Context;
use crate::outcome::{Failure, Outcome, cannot};
use crate::{ask, signing};

/// Runs `set-next`.
pub fn set_next(
    context: &Context,
    matches: &ArgMatches,
    (chain, key): (Option<&Chain>, &KeyIdentity),
) -> Outcome<Draft> {
    let next = match (text(matches, "next"), text(matches, "commitment")) {
        (Some(typed), None) => commitment(&signing::key_named(context, typed)?),
        (None, Some(digest)) => Digest::parse(digest).map_err(|error| cannot("read --commitment")(error).typed())?,
        _ => {
            let message = "Cannot commit to the next key: expected a name, a key, or --commitment sha256:…";
            return Err(Failure::usage(message));
        }
    };
    let op = Op::SetNext { next };
    // A commitment in force is the first thing that stands in the way.
    check(chain, &op, key)?;
    check_committable(chain, &next, chain.map_or(key, |chain| chain.state().primary()))?;
    if !matches.get_flag("yes") && context.may_ask() {
        ask::yes(
            "Commit to this key as the only one that may follow? It cannot be undone.",
            "nothing was committed to",
        )?;
    } else if !matches.get_flag("yes") {
        let message = "Cannot commit to the next key: it cannot be undone, and nobody can be asked";
        return Err(Failure::new(Code::InputMissing, message).hint("Pass --yes."));
    }
    Ok(Draft { is_lasting: true, ..Draft::of(op) })
}

/// Fails where the commitment is to a key that could never follow: the chain uses it, or will with `own`
/// (`chain.key_in_use`), or has burned it (`chain.key_reuse`). CHAIN-15
pub fn check_committable(chain: Option<&Chain>, next: &Digest, own: &KeyIdentity) -> Outcome<()> {
    let is_it = |key: &KeyIdentity| commitment(key) == *next;
    let used = chain.map(Chain::state).is_some_and(|state| is_it(state.primary()) || state.devices().iter().any(is_it));
    let refused = |code, why| {
        let hint = "Commit to a key that was never in this chain; to make one: kez-rs identity new safe";
        Err(Failure::new(code, format!("Cannot commit to this key: {why}")).plain().hint(hint))
    };
    if used || is_it(own) {
        return refused(Code::ChainKeyInUse, "the chain uses it, so it could never follow");
    }
    match chain.is_some_and(|chain| chain.path().any(|event| names(event, is_it))) {
        true => refused(Code::ChainKeyReuse, "the chain has revoked it, or rotated it away"),
        false => Ok(()),
    }
}

/// Whether an event of the path brings such a key, or burns it.
fn names(event: &kez_core::sigchain::ChainEvent, is_it: impl Fn(&KeyIdentity) -> bool) -> bool {
    is_it(&event.payload().primary)
        || match &event.payload().op {
            Op::AddDevice { key, .. } => is_it(key),
            Op::RevokeDevice { keys, .. } => keys.iter().any(is_it),
            _ => false,
        }
}
