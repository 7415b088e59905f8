//! `kez-rs sigchain add-device` and `revoke-device`. SPEC CHAIN-11, CHAIN-12.

use clap::ArgMatches;
use kez_core::envelope::Op;
use kez_core::sigchain::{Chain, Lift, commitment};
use kez_core::{Code, KeyIdentity};

use crate::append::{Draft, check, check_decided, text, texts};
use crate::context::Context;
use crate::lifted::ask_to_lift;
use crate::outcome::{Failure, Outcome};
use crate::{keys, signing};

/// Runs `add-device`.
pub fn add_device(context: &Context, matches: &ArgMatches, chain: Option<&Chain>) -> Outcome<Draft> {
    let name = text(matches, "name").unwrap_or_default();
    let device = keys::find(context, name)?;
    // As a device it could never become the primary, and no other key may: the identity could not rotate any more.
    if chain.is_some_and(|chain| chain.state().next() == Some(commitment(&device.key))) {
        let message = format!("Cannot add {name} as a device: you committed to its key as your next primary");
        let hint = "Add another key; to make one: kez-rs identity new NAME";
        return Err(Failure::new(Code::ChainKeyInUse, message).plain().hint(hint));
    }
    let op = Op::AddDevice { key: device.key.clone(), pop: [0; 64] };
    Ok(Draft { op, new_key: Some(device), is_lasting: true })
}

/// Runs `revoke-device`, as the key, and says what it lifts. A former primary can be named too: that lifts what it revoked on
/// branches that lost, and what it will revoke there (FORK-6).
pub fn revoke_device(
    context: &Context,
    matches: &ArgMatches,
    (chain, acting): (Option<&Chain>, &KeyIdentity),
) -> Outcome<(Draft, Lift)> {
    chain.map_or(Ok(()), check_decided)?;
    let named = |name: &str| -> Outcome<Vec<KeyIdentity>> {
        texts(matches, name).into_iter().map(|typed| signing::key_named(context, typed)).collect()
    };
    let (keys, typed) = (named("keys")?, named("keep")?);
    // Only the primary lifts. That it cannot revoke itself is for the chain to say.
    let lifting = chain.filter(|chain| chain.state().primary() == acting && !keys.contains(acting));
    let is_former = |key: &KeyIdentity| lifting.is_some_and(|chain| chain.had_primary(key));
    let (formers, others): (Vec<_>, Vec<_>) = keys.iter().cloned().partition(is_former);
    check_known(chain, others.iter().chain(&typed))?;
    let mut keep = typed.clone();
    if let Some(chain) = lifting.filter(|_| !formers.is_empty()) {
        keep.extend(staying(chain, &keys, &others, &keep)?);
    }
    if let Some(chain) = chain.filter(|_| !matches.get_flag("yes")) {
        check_can_rotate(chain, &keys, &keep)?;
    }
    let op = Op::RevokeDevice { keys: keys.clone(), keep: keep.clone() };
    check(chain, &op, acting)?;
    let lift = lifting.map(|chain| chain.lift_of_revoking(&keys, &keep)).unwrap_or_default();
    if !matches.get_flag("yes") {
        ask_to_lift(context, &lift, &typed)?;
    }
    let is_lasting = !formers.is_empty() || !lift.is_empty();
    Ok((Draft { is_lasting, ..Draft::of(op) }, lift))
}

/// Devices that only a former primary added: it was its owner's then, and they stay. `usage` where one of them is suspended:
/// with what the former primary signed its revocation may be lifted, and it would have its say back unasked.
fn staying(
    chain: &Chain,
    keys: &[KeyIdentity],
    others: &[KeyIdentity],
    keep: &[KeyIdentity],
) -> Outcome<Vec<KeyIdentity>> {
    let gone = chain.state().revoked_by(others, keep);
    let mut staying = chain.state().revoked_by(keys, keep);
    staying.retain(|key| chain.state().is_device(key) && !keys.contains(key) && !gone.contains(key));
    match staying.iter().find(|key| chain.is_suspended(key)) {
        None => Ok(staying),
        Some(key) => {
            Err(Failure::usage(format!("Cannot revoke a former primary: {key}, which it added, is suspended"))
                .hint(format!("To revoke it, name it too. To give it its say back: --keep {key}")))
        }
    }
}

/// The primary is one of those known: that it cannot be revoked is for the chain to say.
fn check_known<'a>(chain: Option<&Chain>, mut keys: impl Iterator<Item = &'a KeyIdentity>) -> Outcome<()> {
    let state = chain.map(Chain::state);
    let is_known = |key: &KeyIdentity| state.is_some_and(|state| state.is_device(key) || state.primary() == key);
    match keys.find(|key| !is_known(key)) {
        None => Ok(()),
        Some(key) => Err(Failure::usage(format!("Cannot revoke by {key}: it is no active device of your chain"))
            .hint("kez-rs sigchain show lists the devices.")),
    }
}

/// The committed key may be one that goes with another. Once it is revoked no key at all can follow the primary.
fn check_can_rotate(chain: &Chain, keys: &[KeyIdentity], keep: &[KeyIdentity]) -> Outcome<()> {
    let state = chain.state();
    let mut gone = state.revoked_by(keys, keep).into_iter().filter(|key| state.is_device(key));
    let Some(key) = gone.find(|key| state.next() == Some(commitment(key))) else { return Ok(()) };
    let message = format!(
        "Cannot revoke {key}: you committed to it as your next primary, and without it this identity can never rotate again"
    );
    Err(Failure::new(Code::ChainPrerotation, message).plain().hint(
        "That keeps nobody out who holds it: from before the revocation it can take the identity over. Where somebody else \
         may, rotate to it yourself, with --next NAME, before they do.\nTo revoke it all the same: --yes",
    ))
}
