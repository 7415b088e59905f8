//! `kez-rs sigchain add-device` and `revoke-device`. SPEC CHAIN-11, CHAIN-12.

use clap::ArgMatches;
use kez_core::envelope::Op;
use kez_core::sigchain::{Chain, commitment};
use kez_core::{Code, KeyIdentity, Signer as _};

use crate::append::{Draft, text, texts};
use crate::context::Context;
use crate::key::at_hand;
use crate::outcome::{Failure, Outcome};
use crate::signing;

/// Runs `add-device`.
pub fn add_device(context: &Context, matches: &ArgMatches, chain: Option<&Chain>) -> Outcome<Draft> {
    let name = text(matches, "name").unwrap_or_default();
    let device = signing::key_of(context, name)?;
    // As a device it could never become the primary, and no other key may: the identity could not rotate any more.
    if chain.is_some_and(|chain| chain.state().next() == Some(commitment(device.key()))) {
        let message = format!("Cannot add {name} as a device: you committed to its key as your next primary");
        let hint = "Add another key; to make one: kez-rs identity new NAME";
        return Err(Failure::new(Code::ChainKeyInUse, message).plain().hint(hint));
    }
    let op = Op::AddDevice { key: device.key().clone(), pop: [0; 64] };
    let signer = at_hand(context, signing::signer(context, matches)?)?;
    Ok(Draft { new_key: Some(device), ..Draft::of(op, signer) })
}

/// Runs `revoke-device`.
pub fn revoke_device(context: &Context, matches: &ArgMatches, chain: Option<&Chain>) -> Outcome<Draft> {
    let named = |name: &str| -> Outcome<Vec<KeyIdentity>> {
        texts(matches, name).into_iter().map(|typed| signing::key_named(context, typed)).collect()
    };
    let (keys, keep) = (named("keys")?, named("keep")?);
    check_known(chain, keys.iter().chain(&keep))?;
    if let Some(chain) = chain.filter(|_| !matches.get_flag("yes")) {
        check_can_rotate(chain, &keys, &keep)?;
    }
    Ok(Draft::of(Op::RevokeDevice { keys, keep }, signing::signer(context, matches)?))
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
