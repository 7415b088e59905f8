//! `kez-rs sigchain add` and `revoke`, and what all commands have in common that append events. SPEC §5.

use clap::ArgMatches;
use kez_core::envelope::{Op, Verified};
use kez_core::sigchain::{
    Chain, ChainEvent, Graph, Signing, State, SubjectStatus, append, check_op, create_chain, sign_head,
};
use kez_core::{Code, Digest, Identity, KeyIdentity, Signer as _, Time};

use crate::claim::parse_subject;
use crate::context::{Context, read_input};
use crate::key::{Key, at_hand};
use crate::outcome::{Answer, Failure, Outcome, cannot};
use crate::{chains, committed, devices, keys, lifted, rotate, settle, signing};

/// How long the head lives that is signed with each event.
pub const HEAD_SECONDS: u64 = 7 * 86_400;

/// What is appended.
pub struct Draft {
    /// What it does.
    pub op: Op,
    /// The identity whose key it brings.
    pub new_key: Option<keys::Identity>,
    /// Whether no agent signs it: it gives a key authority.
    pub is_lasting: bool,
}

impl Draft {
    /// What an agent signs too, and brings no key.
    pub fn of(op: Op) -> Draft {
        Draft { op, new_key: None, is_lasting: false }
    }
}

/// Runs one of its commands.
pub fn run(context: &Context, name: &str, matches: &ArgMatches) -> Outcome {
    let _lock = context.store.lock()?;
    let held = context.store.chains()?;
    let key = signing::acting_key(context, matches)?;
    let chain = chains::find_of_key(&held, &key)?;
    let draft = match name {
        "settle" => return settle::settle(context, matches, (chain.ok_or_else(|| unknown(&key))?, &key)),
        "rotate" => return rotate::rotate(context, matches, (chain.ok_or_else(|| unknown(&key))?, &key)),
        "add" => add(context, matches, (chain, &key))?,
        "revoke" => revoke(matches, chain)?,
        "add-device" => Some(devices::add_device(context, matches, chain)?),
        "revoke-device" => {
            let (draft, lift) = devices::revoke_device(context, matches, (chain, &key))?;
            return Ok(lifted::told(context, finish(context, matches, (chain, &key), draft)?, &lift));
        }
        _ => Some(committed::set_next(context, matches, (chain, &key))?),
    };
    match (draft, chain) {
        (Some(draft), chain) => finish(context, matches, (chain, &key), draft),
        (None, Some(chain)) => answer(context, chain, &[]),
        (None, None) => Err(unknown(&key)),
    }
}

/// There is no chain of this key.
pub fn unknown(key: &KeyIdentity) -> Failure {
    Failure::new(Code::ChainUnknown, format!("Cannot find a chain of {key} on this computer"))
        .hint("kez-rs sigchain add SUBJECT begins one; kez-rs sigchain import FILE brings one here.")
}

/// The value of an option.
pub fn text<'a>(matches: &'a ArgMatches, name: &str) -> Option<&'a str> {
    matches.get_one::<String>(name).map(String::as_str)
}

/// Every value of an option.
pub fn texts<'a>(matches: &'a ArgMatches, name: &str) -> Vec<&'a str> {
    matches.get_many::<String>(name).map(|all| all.map(String::as_str).collect()).unwrap_or_default()
}

/// None where the chain says it already.
fn add(
    context: &Context,
    matches: &ArgMatches,
    (chain, key): (Option<&Chain>, &KeyIdentity),
) -> Outcome<Option<Draft>> {
    let subject = parse_subject(text(matches, "subject").unwrap_or_default())?;
    let primary = chain.map_or(key, |chain| chain.state().primary());
    let active = chain.and_then(|chain| match chain.subject(&subject) {
        SubjectStatus::Active(listing) => Some(listing.clone()),
        _ => None,
    });
    let subject_id = text(matches, "subject-id").map(str::to_owned);
    let subject_id = subject_id.or_else(|| active.as_ref()?.subject_id.clone());
    let proof = match text(matches, "proof") {
        Some(typed) => Some(read_proof(typed, &subject)?),
        None => newest_claim(context, &subject, primary)?.or_else(|| active.as_ref()?.proof),
    };
    if active.is_some_and(|it| it.subject_id == subject_id && it.proof == proof) {
        return Ok(None);
    }
    Ok(Some(Draft::of(Op::Add { subject, subject_id, proof })))
}

/// A digest, or a file with the claim.
fn read_proof(typed: &str, subject: &Identity) -> Outcome<Digest> {
    if let Ok(digest) = Digest::parse(typed) {
        return Ok(digest);
    }
    let bytes = read_input(typed, kez_core::limits::MAX_TEXT_BYTES)?;
    let decoded = kez_core::encoding::decode_proof(&bytes).map_err(cannot("read the proof"))?;
    match decoded.proof {
        kez_core::encoding::Proof::Claim(claim) => {
            let claim = claim.verify().map_err(cannot("use the proof"))?;
            match claim.payload().subject.known().is_ok_and(|it| it == subject) {
                true => Ok(claim.digest()),
                false => Err(Failure::new(
                    Code::ProofSubjectMismatch,
                    format!("Cannot use the proof: expected a claim of {subject}"),
                )),
            }
        }
        kez_core::encoding::Proof::Reference(_) => {
            Err(Failure::usage("Cannot use the proof: expected a claim, got a reference"))
        }
    }
}

fn newest_claim(context: &Context, subject: &Identity, primary: &KeyIdentity) -> Outcome<Option<Digest>> {
    let mut claims = context.store.claims()?;
    claims.retain(|claim: &Verified<_>| {
        let payload: &kez_core::Claim = claim.payload();
        let serves = payload.expires_at.is_none_or(|expires_at| context.now < expires_at);
        serves && payload.primary == *primary && payload.subject.known().is_ok_and(|it| it == subject)
    });
    // Of two of one second the one that was made later.
    Ok(claims.iter().max_by_key(|claim| claim.payload().created_at).map(|claim| claim.digest()))
}

fn revoke(matches: &ArgMatches, chain: Option<&Chain>) -> Outcome<Option<Draft>> {
    let subject = parse_subject(text(matches, "subject").unwrap_or_default())?;
    if chain.is_some_and(|chain| matches!(chain.subject(&subject), SubjectStatus::Revoked)) {
        return Ok(None);
    }
    Ok(Some(Draft::of(Op::Revoke { subject })))
}

/// Appends, keeps, signs where the chain ends, and tells. No passphrase is asked for before all else was checked.
fn finish(
    context: &Context,
    matches: &ArgMatches,
    (chain, key): (Option<&Chain>, &KeyIdentity),
    draft: Draft,
) -> Outcome {
    check(chain, &draft.op, key)?;
    let Draft { op, new_key, is_lasting } = draft;
    let new_key = new_key.map(|identity| keys::signer(context, &identity)).transpose()?;
    let new_key = new_key.as_ref().map(|key| -> &dyn kez_core::Signer { key });
    let signer = signing::signer(context, matches)?;
    let signer = if is_lasting { at_hand(context, signer)? } else { signer };
    let signing = Signing { signer: &signer, new_key, created_at: context.now };
    let event = match chain {
        Some(chain) => append(chain, op, signing),
        None => create_chain(op, signing),
    };
    let events = [event.map_err(refused)?];
    if chain.is_none() && !context.quiet {
        context.warn("this began a new chain; if this identity has one on another computer, publish nothing of this one and import that");
    }
    let chain = grown(chain, &events)?;
    keep(context, &chain, &events, Some(&signer))?;
    answer(context, &chain, &events)
}

/// Fails where readers would refuse this by this key at the end of the chain, but for its signatures; and as
/// [`check_decided`].
pub fn check(chain: Option<&Chain>, op: &Op, key: &KeyIdentity) -> Outcome<()> {
    let Some(chain) = chain else {
        return check_op(&State::before_genesis(key), 0, op, key).map_err(refused);
    };
    check_decided(chain)?;
    check_after(chain, &chain.head().digest(), op, key)
}

/// The same after any event of the chain, decided or not.
pub fn check_after(chain: &Chain, tip: &Digest, op: &Op, key: &KeyIdentity) -> Outcome<()> {
    let missing = || Failure::new(Code::ChainUnknown, "Cannot append the event: expected an event of the chain");
    let (event, state) = chain.tree().get(tip).zip(chain.state_after(tip)).ok_or_else(missing)?;
    check_op(&state, event.seq().saturating_add(1), op, key).map_err(refused)
}

/// Nothing is appended to a chain of which nobody can tell where it ends: `chain.fork`.
pub fn check_decided(chain: &Chain) -> Outcome<()> {
    match chain.is_fork() {
        false => Ok(()),
        true => Err(Failure::new(
            Code::ChainFork,
            "Cannot append the event: the chain has two histories, and nothing decides between them",
        )
        .hint("kez-rs sigchain settle shows the branches; --keep decides.")),
    }
}

/// The chain with several events, one after the other, the first after `tip`; and these events. Nothing is kept yet.
pub fn append_all(
    chain: &Chain,
    tip: &Digest,
    ops: impl IntoIterator<Item = Op>,
    signing: Signing<'_>,
) -> Outcome<(Chain, Vec<ChainEvent>)> {
    let events = kez_core::sigchain::append_all(chain, tip, ops, signing).map_err(refused)?;
    Ok((grown(Some(chain), &events)?, events))
}

/// An append that readers would refuse: its code, and the exit code 1, but 13 for a fork.
pub fn refused(error: kez_core::KezError) -> Failure {
    let exit_is_plain = error.code() != Code::ChainFork;
    let failure = cannot("append the event")(error);
    if exit_is_plain { failure.plain() } else { failure }
}

/// The chain with more events.
pub fn grown(chain: Option<&Chain>, events: &[ChainEvent]) -> Outcome<Chain> {
    let known = chain.into_iter().flat_map(|chain| chain.tree().events()).cloned();
    let graph = Graph::of(known.chain(events.iter().cloned()));
    let id = chain.map(Chain::id).or_else(|| events.first().map(ChainEvent::digest));
    let genesis =
        id.and_then(|id| graph.get(&id)).ok_or_else(|| Failure::new(Code::ChainGenesis, "Cannot find event 0"))?;
    Ok(Chain::of(&graph, genesis)?)
}

/// Keeps the chain and what was made, and signs where it ends.
pub fn keep(context: &Context, chain: &Chain, events: &[ChainEvent], signer: Option<&Key>) -> Outcome<()> {
    context.store.keep_chain(chain)?;
    for event in events {
        context.store.keep_made(event)?;
    }
    let Some(signer) = signer.filter(|signer| chain.is_current_key(signer.key()) && !chain.is_fork()) else {
        return Ok(());
    };
    let expires_at = Time::from_unix_seconds(context.now.unix_seconds() + HEAD_SECONDS)?;
    context.store.keep_head(&sign_head(chain, context.now, expires_at, signer)?.into_inner())
}

/// `kez.append/1`
pub fn answer(context: &Context, chain: &Chain, events: &[ChainEvent]) -> Outcome {
    let rows: Vec<_> = events.iter().map(chains::event_json).collect();
    let mut human: String =
        events.iter().map(|event| format!("event {}: {}\n", event.seq(), event.payload().op.name())).collect();
    if events.is_empty() {
        human.push_str("The chain says so already.\n");
    }
    Ok(Answer::new("kez.append/1", chains::append_json(context, chain, &rows)?, human))
}
