//! `kez-rs sigchain rotate`: another key becomes the primary. SPEC CHAIN-8, CHAIN-14.

use clap::ArgMatches;
use kez_core::envelope::Op;
use kez_core::sigchain::{Chain, ChainEvent, Signing, commitment};
use kez_core::{Code, Digest, Json, KeyIdentity};

use crate::again::Again;
use crate::append::{answer, append_all, check_after, check_decided, keep, text};
use crate::chains::event_row;
use crate::committed::check_committable;
use crate::context::Context;
use crate::json::with;
use crate::key::at_hand;
use crate::outcome::{Answer, Failure, Outcome, cannot};
use crate::{again, ask, keys, signing};

/// Runs it. The rotation is signed by the new key itself where a commitment is in force (CHAIN-8). All that can be checked is
/// checked before anybody is asked, for a yes or for a passphrase.
pub fn rotate(context: &Context, matches: &ArgMatches, (chain, acting): (&Chain, &KeyIdentity)) -> Outcome {
    check_decided(chain)?;
    let named = keys::find(context, text(matches, "name").unwrap_or_default())?;
    let next = read_next(context, matches)?;
    if let Some(next) = &next {
        check_committable(Some(chain), next, &named.key)?;
    }
    let last = place_before(chain, &named.key);
    let tip = last.unwrap_or(chain.head()).digest();
    let is_committed = chain.state().next().is_some();
    let op = Op::Rotate { new_primary: named.key.clone(), pop: [0; 64], next };
    check_after(chain, &tip, &op, if is_committed { &named.key } else { acting })?;
    let left: Vec<&ChainEvent> = last.map_or(Vec::new(), |last| behind(chain, last));
    let again = match last.filter(|_| matches.get_flag("keep-revocations")) {
        Some(last) => Repetition::of(chain, last, &left, &named.key),
        None => Repetition::default(),
    };
    if let Some(last) = last.filter(|_| !matches.get_flag("yes")) {
        ask_to_return(context, last, &left, &again)?;
    }
    let new = keys::signer(context, &named)?;
    let signer = if is_committed { new.clone() } else { signing::signer(context, matches)? };
    let signer = at_hand(context, signer)?;
    let signing = Signing { signer: &signer, new_key: Some(&new), created_at: context.now };
    let old = chain.state().primary().clone();
    let is_in_use = is_in_use(context, &old);
    let ops = std::iter::once(op).chain(again.signed.iter().map(|(_, op)| op.clone()));
    let (chain, events) = append_all(chain, &tip, ops, signing)?;
    // After a rotation the new key says where the chain ends.
    keep(context, &chain, &events, Some(&new))?;
    if let Some(last) = last {
        warn_of_return(context, &old, last, &left);
        again.warn(context);
    }
    let acts = if is_in_use { use_from_now_on(context, &named.name) } else { String::new() };
    let suspended = suspended(context, &chain);
    let told = answer(context, &chain, &events)?;
    let left: Vec<Json> = left.into_iter().map(event_row).collect();
    let data = with(with(told.data, "left_behind", left), "suspended", suspended);
    Ok(Answer { data, human: told.human + &acts, ..told })
}

/// `--next`: a commitment, or whose it is.
fn read_next(context: &Context, matches: &ArgMatches) -> Outcome<Option<Digest>> {
    match text(matches, "next") {
        Some(typed) if typed.starts_with("sha256:") => {
            Ok(Some(Digest::parse(typed).map_err(|error| cannot("read --next")(error).typed())?))
        }
        Some(typed) => Ok(Some(commitment(&signing::key_named(context, typed)?))),
        None => Ok(None),
    }
}

/// Whether this is the key of the identity in use.
fn is_in_use(context: &Context, key: &KeyIdentity) -> bool {
    let current = keys::current_name(context).ok().flatten();
    current.and_then(|name| keys::find(context, &name).ok()).is_some_and(|current| current.key == *key)
}

/// The old key can sign nothing more. The rotation was kept: that nothing else could be is no failure.
fn use_from_now_on(context: &Context, name: &str) -> String {
    match keys::choose(context, name) {
        Ok(()) => format!("Commands now act as {name}.\n"),
        Err(failure) => {
            context.warn(format!("commands act as before: {}. kez-rs identity use {name}", failure.message()));
            String::new()
        }
    }
}

/// The last event at which the committed key could follow, where it cannot follow the end: somebody burned it since, or made
/// a device of it. From there it has a branch of the highest rank (FORK-1). None also where it never could follow.
fn place_before<'a>(chain: &'a Chain, key: &KeyIdentity) -> Option<&'a ChainEvent> {
    let is_committed = chain.state().next() == Some(commitment(key));
    chain.last_place_of(key).filter(|last| is_committed && last.digest() != chain.head().digest())
}

/// The events of the winning path after this one.
fn behind<'a>(chain: &'a Chain, last: &ChainEvent) -> Vec<&'a ChainEvent> {
    chain.path().skip_while(|event| event.seq() <= last.seq()).collect()
}

/// What `--keep-revocations` signs again, and what it does not.
#[derive(Default)]
struct Repetition<'a> {
    signed: Vec<Again<'a>>,
    left_out: Vec<&'a ChainEvent>,
}

impl<'a> Repetition<'a> {
    /// Where the rotation follows `last`.
    fn of(chain: &Chain, last: &ChainEvent, left: &[&'a ChainEvent], primary: &KeyIdentity) -> Repetition<'a> {
        let (signed, left_out) = again::trusted(chain.state().lineage(), left, primary);
        let signed = chain.state_after(&last.digest()).map(|state| again::new_to(state, signed));
        Repetition { signed: signed.unwrap_or_default(), left_out }
    }

    fn text(&self) -> String {
        let listed = |events: Vec<&ChainEvent>, what: &str| match events.is_empty() {
            true => String::new(),
            false => format!(". {what}: {}", again::listed(events)),
        };
        let signed = self.signed.iter().map(|(event, _)| *event).collect();
        listed(signed, "Signed again")
            + &listed(self.left_out.clone(), "Not signed again, for who signed it was revoked")
    }

    fn warn(&self, context: &Context) {
        if !self.left_out.is_empty() {
            let left_out = again::listed(self.left_out.iter().copied());
            context.warn(format!("not signed again, for who signed it was revoked: {left_out}"));
        }
    }
}

/// Goes on only after a yes: `input.missing` where nobody can be asked, `input.cancelled` after a no.
fn ask_to_return(context: &Context, last: &ChainEvent, left: &[&ChainEvent], again: &Repetition<'_>) -> Outcome<()> {
    let why = format!("{}{}", why(last, left), again.text());
    if context.may_ask() {
        let question = format!("{why}.\nLeave the {} after it behind?", counted(left));
        return ask::yes(&question, "nothing was signed");
    }
    let message = format!("Cannot leave the {} after event {} behind: nobody can be asked", counted(left), last.seq());
    Err(Failure::new(Code::InputMissing, message).hint(format!("{why}.\nPass --yes.")))
}

/// Such as `3 events (2 add, 1 revoke_device)`.
fn counted(events: &[&ChainEvent]) -> String {
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    for op in events.iter().map(|event| event.payload().op.name()) {
        match kinds.iter_mut().find(|(kind, _)| *kind == op) {
            Some((_, count)) => *count += 1,
            None => kinds.push((op, 1)),
        }
    }
    let kinds: Vec<String> = kinds.into_iter().map(|(op, count)| format!("{count} {op}")).collect();
    let events = if events.len() == 1 { "1 event".to_owned() } else { format!("{} events", events.len()) };
    format!("{events} ({})", kinds.join(", "))
}

fn warn_of_return(context: &Context, old: &KeyIdentity, last: &ChainEvent, left: &[&ChainEvent]) {
    context.warn(format!(
        "{}, and {} after that have lost. Revocations count all the same, until you lift them: kez-rs sigchain settle lists \
         them, --lift lifts them. Who has the old key can sign more of them at any time; all of its revocations, your own among them, are \
         lifted by kez-rs sigchain revoke-device {old}, which asks first",
        why(last, left),
        counted(left)
    ));
}

fn why(last: &ChainEvent, left: &[&ChainEvent]) -> String {
    let is_device = matches!(left.first().map(|event| &event.payload().op), Some(Op::AddDevice { .. }));
    let did = if is_device { "made a device of" } else { "revoked" };
    let after = last.seq();
    format!("event {} {did} the key that you committed to: the rotation follows event {after} instead", after + 1)
}

/// Devices that a revocation of another branch names: what they sign for use now is refused (FORK-7), and yet their events
/// count (CHAIN-8), so that their owner has to revoke them on the path that won.
fn suspended(context: &Context, chain: &Chain) -> Vec<KeyIdentity> {
    let devices = chain.state().devices().iter();
    let suspended: Vec<KeyIdentity> = devices.filter(|key| chain.is_suspended(key)).cloned().collect();
    for key in &suspended {
        context.warn(format!(
            "{key} was revoked on a branch that lost, and may still sign events of your chain: kez-rs sigchain revoke-device {key} \
             unless it is yours; if it is, kez-rs sigchain settle --lift"
        ));
    }
    suspended
}
