//! The owner's chain of a publication: what it lists, and the event that it gets. SPEC NET-6.

use kez_core::envelope::Op;
use kez_core::sigchain::{Chain, ChainEvent, Signing, SubjectStatus, append, create_chain};
use kez_core::{Code, Digest, Identity, KeyIdentity, Signer as _, Time};

use crate::append::{grown, keep, refused};
use crate::chains;
use crate::context::Context;
use crate::key::{Key, renewed};
use crate::outcome::{Failure, Outcome};

/// Nothing is begun that could not be listed afterwards.
pub fn check_chain(context: &Context, key: &KeyIdentity) -> Outcome<()> {
    let held = context.store.chains()?;
    match chains::find_of_key(&held, key)? {
        Some(chain) if chain.is_fork() => Err(Failure::new(
            Code::ChainFork,
            "Cannot list the account: the chain has two histories, and nothing decides between them",
        )
        .hint("kez-rs sigchain settle shows the branches; --keep decides.")),
        _ => Ok(()),
    }
}

/// The account's permanent number by the owner's chain. NET-6.
pub fn pinned(context: &Context, key: &KeyIdentity, subject: &Identity) -> Outcome<Option<String>> {
    let held = context.store.chains()?;
    Ok(chains::find_of_key(&held, key)?.and_then(|chain| match chain.subject(subject) {
        SubjectStatus::Active(listing) => listing.subject_id.clone(),
        _ => None,
    }))
}

/// Lists the account with this claim, if there is one, unless the chain says so already, and signs where the chain ends.
pub fn list(
    context: &Context,
    subject: &Identity,
    proof: Option<Digest>,
    signer: &Key,
    account_id: Option<String>,
) -> Outcome<(Chain, Vec<ChainEvent>)> {
    // The proof may have been waited for.
    let signer = &renewed(context, signer)?;
    let _lock = context.store.lock()?;
    let held = context.store.chains()?;
    let chain = chains::find_of_key(&held, signer.key())?;
    let listing = chain.and_then(|chain| match chain.subject(subject) {
        SubjectStatus::Active(listing) => Some(listing.clone()),
        _ => None,
    });
    let is_so = listing.is_some_and(|it| {
        (proof.is_none() || it.proof == proof) && (account_id.is_none() || it.subject_id == account_id)
    });
    if let Some(chain) = chain.filter(|_| is_so) {
        keep(context, chain, &[], Some(signer))?;
        return Ok((chain.clone(), Vec::new()));
    }
    let op = Op::Add { subject: subject.clone(), subject_id: account_id, proof };
    let created_at: Time = context.now;
    let signing = Signing { signer, new_key: None, created_at };
    let event = match chain {
        Some(chain) => append(chain, op, signing),
        None => create_chain(op, signing),
    };
    let event = event.map_err(refused)?;
    if chain.is_none() && !context.quiet {
        context.warn("this began a new chain; if this identity has one on another computer, publish nothing of this one and import that");
    }
    let chain = grown(chain, std::slice::from_ref(&event))?;
    keep(context, &chain, std::slice::from_ref(&event), Some(signer))?;
    Ok((chain, vec![event]))
}
