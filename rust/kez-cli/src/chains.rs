//! The chains that this computer holds, and how they are shown. docs/json.md: `kez.append/1`, `kez.chain/1`.

use std::collections::BTreeMap;

use kez_core::envelope::Op;
use kez_core::sigchain::{Chain, ChainEvent, HeadMeaning, SubjectStatus, check_head, commitment, read_head};
use kez_core::{Code, Digest, Identity, Json, KeyIdentity, Time};

use crate::context::Context;
use crate::json::{object, with};
use crate::keys;
use crate::outcome::{Failure, Outcome};

/// The chain of a key: of which it is or was a primary, else in which it is an active device, else which it was ever part
/// of. Two of them → `chain.fork` (CHAIN-19); none is none.
pub fn find_of_key<'a>(chains: &'a BTreeMap<Digest, Chain>, key: &KeyIdentity) -> Outcome<Option<&'a Chain>> {
    let is_device = |chain: &&Chain| chain.state().is_device(key);
    let was_here = |chain: &&Chain| {
        chain.tree().events().any(|event| matches!(&event.payload().op, Op::AddDevice { key: it, .. } if it == key))
    };
    let mut of_primary = chains.values().filter(|chain| chain.primaries().contains(key));
    match (of_primary.next(), of_primary.next()) {
        (Some(_), Some(_)) => Err(Failure::new(Code::ChainFork, format!("Cannot choose a chain: {key} has several"))
            .hint("Name one of them by its chain id.")),
        (Some(chain), None) => Ok(Some(chain)),
        _ => Ok(chains.values().find(is_device).or_else(|| chains.values().find(was_here))),
    }
}

/// A chain by what people type: a chain id, a key, or the name of an identity; without it that of whom commands act as.
pub fn find<'a>(context: &Context, chains: &'a BTreeMap<Digest, Chain>, typed: Option<&str>) -> Outcome<&'a Chain> {
    let unknown = |what: &str| {
        Failure::new(Code::ChainUnknown, format!("Cannot find a chain of {what} on this computer"))
            .hint("kez-rs sigchain add SUBJECT begins one; kez-rs sigchain import FILE brings one here.")
    };
    if let Some(typed) = typed.filter(|typed| typed.starts_with("sha256:")) {
        let id = Digest::parse(typed).map_err(|error| crate::outcome::cannot("read the chain id")(error).typed())?;
        return chains.get(&id).ok_or_else(|| unknown(typed));
    }
    let key = match typed {
        Some(typed) => crate::signing::key_named(context, typed)?,
        None => keys::acting(context)?.key,
    };
    find_of_key(chains, &key)?.ok_or_else(|| unknown(key.as_str()))
}

/// Until when a signed head that is held says that the chain ends where it does.
pub fn live_until(context: &Context, chain: &Chain) -> Outcome<Option<Time>> {
    let mut until = None;
    for head in context.store.heads(&chain.id())? {
        if check_head(&head, chain, context.now).is_ok()
            && let HeadMeaning::Live(time) = read_head(head.payload(), chain)
        {
            until = until.max(Some(time));
        }
    }
    Ok(until)
}

/// `seq`, `digest` and `expires_at` of the end.
pub fn head_json(chain: &Chain, until: Option<Time>) -> Json {
    object! { "seq" => chain.head().seq(), "digest" => chain.head().digest(), "expires_at" => until }
}

/// `ok`, or `fork`.
pub fn status(chain: &Chain) -> &'static str {
    if chain.is_fork() { "fork" } else { "ok" }
}

/// An event as commands show it.
pub fn event_json(event: &ChainEvent) -> Json {
    object! {
        "seq" => event.seq(), "digest" => event.digest(), "op" => event.payload().op.name(), "signer" => event.signer(),
        "created_at" => event.payload().created_at, "payload" => event.payload().op.to_json(),
    }
}

/// An event that was left behind.
pub fn event_row(event: &ChainEvent) -> Json {
    object! { "seq" => event.seq(), "op" => event.payload().op.name() }
}

/// The members of `kez.append/1`.
pub fn append_json(context: &Context, chain: &Chain, events: &[Json]) -> Outcome<Json> {
    Ok(object! {
        "chain" => chain.id(), "status" => status(chain), "contested" => chain.is_contested(),
        "primary" => chain.state().primary(), "events" => events.to_vec(),
        "head" => head_json(chain, live_until(context, chain)?),
    })
}

/// Every key that ever was the primary, first to last: along the winning path, then those of other branches.
pub fn primaries(chain: &Chain) -> Vec<KeyIdentity> {
    let mut primaries: Vec<KeyIdentity> = Vec::new();
    let on_path = chain.path().flat_map(|event| match &event.payload().op {
        Op::Rotate { new_primary, .. } => vec![event.payload().primary.clone(), new_primary.clone()],
        _ => vec![event.payload().primary.clone()],
    });
    for key in on_path {
        if !primaries.contains(&key) {
            primaries.push(key);
        }
    }
    primaries
}

/// Active devices, each with the event that added it.
pub fn devices_json(chain: &Chain) -> Vec<Json> {
    let device = |key: &KeyIdentity| {
        let added =
            chain.path().find(|event| matches!(&event.payload().op, Op::AddDevice { key: it, .. } if it == key));
        object! {
            "key" => key, "added_by" => added.map(|event| event.signer().clone()), "seq" => added.map(ChainEvent::seq),
            "suspended" => chain.is_suspended(key),
        }
    };
    chain.state().devices().iter().map(device).collect()
}

fn names_subject(event: &ChainEvent, subject: &Identity) -> bool {
    matches!(&event.payload().op, Op::Add { subject: it, .. } | Op::Revoke { subject: it } if it == subject)
}

fn subject_json(chain: &Chain, subject: &Identity) -> Json {
    let (status, listing) = match chain.subject(subject) {
        SubjectStatus::Active(listing) => ("active", Some(listing)),
        _ => ("revoked", None),
    };
    let last = chain.path().rfind(|event| names_subject(event, subject));
    let revocation = || chain.tree().events().find(|event| names_subject(event, subject));
    object! {
        "subject" => subject, "status" => status, "subject_id" => listing.and_then(|it| it.subject_id.clone()),
        "proof" => listing.and_then(|it| it.proof), "ever_revoked" => chain.was_revoked(subject),
        "seq" => last.or_else(revocation).map(ChainEvent::seq),
    }
}

/// The subjects that the chain names, by its last event about each; those of sticky revocations alone come last.
pub fn subjects(chain: &Chain) -> Vec<&Identity> {
    let mut subjects: Vec<&Identity> = Vec::new();
    for event in chain.path() {
        if let Op::Add { subject, .. } | Op::Revoke { subject } = &event.payload().op {
            subjects.retain(|it| *it != subject);
            subjects.push(subject);
        }
    }
    let others: Vec<&Identity> = chain.subjects().into_iter().filter(|subject| !subjects.contains(subject)).collect();
    subjects.extend(others);
    subjects
}

/// Events of branches that lost, or that nothing decides about.
pub fn losing(chain: &Chain) -> Vec<&ChainEvent> {
    let mut events: Vec<&ChainEvent> =
        chain.tree().events().filter(|event| !chain.is_on_path(&event.digest())).collect();
    events.sort_by_key(|event| (event.seq(), event.digest()));
    events
}

/// The events of the branch that begins with this one. Events of a tree stand in pre-order and `seq` is their depth: what
/// descends from an event follows it at once.
pub fn branch<'a>(chain: &'a Chain, first: &Digest) -> Vec<&'a ChainEvent> {
    let Some(seq) = chain.tree().get(first).map(ChainEvent::seq) else { return Vec::new() };
    let mut events = chain.tree().events().skip_while(|event| event.digest() != *first);
    let first = events.next();
    first.into_iter().chain(events.take_while(|event| event.seq() > seq)).collect()
}

/// The splits of the walk with their branches.
pub fn splits_json(context: &Context, chain: &Chain) -> Outcome<Vec<Json>> {
    let made = context.store.made_here()?;
    let split = |split: &kez_core::sigchain::Split| {
        let successor = |(digest, rank): &(Digest, kez_core::sigchain::Rank)| {
            let events = branch(chain, digest);
            let events: Vec<Json> = events
                .into_iter()
                .map(|event| with(event_json(event), "made_here", made.contains(&event.digest().to_string())))
                .collect();
            object! { "digest" => digest, "rank" => rank.as_str(), "events" => events }
        };
        object! {
            "after" => split.after, "seq" => chain.tree().get(&split.after).map(|event| event.seq() + 1),
            "successors" => split.ranks.iter().map(successor).collect::<Vec<_>>(), "winner" => split.winner,
        }
    };
    Ok(chain.splits().iter().map(split).collect())
}

/// The members of `kez.chain/1`.
pub fn chain_json(context: &Context, chain: &Chain) -> Outcome<Json> {
    let events: Vec<Json> = chain.path().map(event_json).collect();
    let mut data = append_json(context, chain, &events)?;
    data = with(data, "primaries", primaries(chain));
    data = with(data, "next", chain.state().next());
    data = with(data, "devices", devices_json(chain));
    data =
        with(data, "subjects", subjects(chain).iter().map(|subject| subject_json(chain, subject)).collect::<Vec<_>>());
    data = with(data, "losing", losing(chain).into_iter().map(event_json).collect::<Vec<_>>());
    Ok(with(data, "splits", splits_json(context, chain)?))
}

fn next_text(chain: &Chain) -> String {
    let Some(next) = chain.state().next() else { return "any, signed in by the primary".to_owned() };
    // Which key it is shows only where an event names it.
    let is_revoking = |event: &&ChainEvent| matches!(&event.payload().op, Op::RevokeDevice { keys, .. } if keys.iter().any(|key| commitment(key) == next));
    let only = format!("only the key committed to, {next}");
    match chain.path().find(is_revoking) {
        None => only,
        Some(event) => {
            format!("{only}, which event {} revoked: kez-rs sigchain rotate goes back to before that", event.seq())
        }
    }
}

/// A chain for people.
pub fn chain_text(context: &Context, chain: &Chain) -> Outcome<String> {
    let signed = live_until(context, chain)?.map_or("not signed".to_owned(), |until| format!("signed until {until}"));
    let status = match (chain.is_fork(), chain.is_contested()) {
        (true, _) => "✗ two histories, and nothing decides between them",
        (false, true) => "! a fork, decided by its rules",
        (false, false) => "✓ one history",
    };
    let mut text = format!(
        "chain    {}\nprimary  {}\nstatus   {status}\nhead     event {}, {signed}\nnext     {}\n\n",
        chain.id(),
        chain.state().primary(),
        chain.head().seq(),
        next_text(chain)
    );
    for event in chain.path() {
        let Json::Object(payload) = event.payload().op.to_json() else { continue };
        let about = ["subject", "key", "new_primary"].iter().find_map(|name| payload.get(*name)?.as_str());
        let (seq, op, time) = (event.seq(), event.payload().op.name(), event.payload().created_at);
        text.push_str(&format!("{seq:>4}  {op:<14} {}  by {}  {time}\n", about.unwrap_or(""), event.signer()));
    }
    text.push_str("\nsubjects\n");
    for subject in subjects(chain) {
        let status = if matches!(chain.subject(subject), SubjectStatus::Active(_)) { "active" } else { "revoked" };
        text.push_str(&format!("  {subject}  {status}\n"));
    }
    text.push_str("devices\n");
    for key in chain.state().devices() {
        text.push_str(&format!("  {key}{}\n", if chain.is_suspended(key) { "  suspended" } else { "" }));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;
    use kez_core::sigchain::{Graph, Signing, append_to, create_chain};
    use kez_core::{SecretKey, Suite};

    #[test]
    fn a_branch_is_what_descends_from_its_first_event() {
        let signer = SecretKey::from_bytes(Suite::Ed25519, zeroize::Zeroizing::new([7; 32])).unwrap();
        let now = Time::from_unix_seconds(1_767_225_600).unwrap();
        let signing = || Signing { signer: &signer, new_key: None, created_at: now };
        let op = |at: usize| Op::Revoke { subject: Identity::parse(&format!("dns:a{at}.example")).unwrap() };
        let mut events = vec![create_chain(op(0), signing()).unwrap()];
        let chain_of = |events: &[ChainEvent]| {
            let graph = Graph::of(events.iter().cloned());
            Chain::of(&graph, graph.geneses()[0]).unwrap()
        };
        // Each event follows the one of this index: forks at 0, 1 and 3.
        for (at, before) in [0, 0, 1, 1, 3, 3, 2, 7, 6].into_iter().enumerate() {
            let event = append_to(&chain_of(&events), &events[before].digest(), op(at + 1), signing()).unwrap();
            events.push(event);
        }
        let chain = chain_of(&events);
        let inside = |first: usize| {
            let digests: Vec<Digest> =
                branch(&chain, &events[first].digest()).into_iter().map(|it| it.digest()).collect();
            assert_eq!(digests[0], events[first].digest());
            let mut places: Vec<usize> =
                digests.iter().map(|digest| events.iter().position(|it| it.digest() == *digest).unwrap()).collect();
            places.sort_unstable();
            places
        };
        assert_eq!(inside(0), (0..10).collect::<Vec<_>>());
        assert_eq!((inside(1), inside(2), inside(3)), (vec![1, 3, 4, 5, 6, 9], vec![2, 7, 8], vec![3, 5, 6, 9]));
        assert!(branch(&chain, &Digest::of("none")).is_empty());
    }
}
