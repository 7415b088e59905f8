//! `kez-rs verify id` and `verify file`: what is looked at, and the verdict. SPEC §6; `kez.verify/1`.

use std::sync::Arc;

use clap::ArgMatches;
use kez_channels::{Outcome as Seen, find_channel};
use kez_core::encoding::{Proof, decode_candidate, find_candidates};
use kez_core::sigchain::{Chain, Graph};
use kez_core::verify::{
    EvidenceKind, Flag, Input, PlacedText, Publication, PublicationStatus, Source, SourceKind, SourceOutcome, Status,
    Verdict,
};
use kez_core::{Code, Digest, Identity, Json, KeyIdentity, Subject, System};

use crate::claim::parse_subject;
use crate::context::{Context, read_input};
use crate::json::{object, with};
use crate::outcome::{Answer, Outcome, cannot};
use crate::store::LastProven;
use crate::world::{World, ask_file, empty};

/// What a reader asks.
pub struct Question {
    /// The account; none for a file.
    pub subject: Option<Identity>,
    /// The expected key.
    pub primary: Option<KeyIdentity>,
    /// `--require-chain`
    pub require_chain: bool,
    /// `--fresh`
    pub require_fresh: bool,
    /// `--accept-new-account`
    pub accept_new: bool,
    /// `--chain`
    pub files: Vec<String>,
}

/// A verdict with what docs/json.md tells beside it.
pub struct Told {
    /// The verdict.
    pub verdict: Verdict,
    /// The account; `""` for a text without a proof.
    pub subject: String,
    /// The members of `kez.verify/1`.
    pub data: Json,
    /// Rows about the account's place.
    pub places: Vec<Json>,
    /// The last proof before this.
    pub last: Option<LastProven>,
    /// When to ask an unreachable place again.
    pub retry_after_seconds: Option<u64>,
}

/// Runs one of its commands.
pub fn run(context: &Context, name: &str, matches: &ArgMatches) -> Outcome {
    match name {
        "file" => file(context, matches),
        _ => ids(context, matches),
    }
}

/// The options of a reader.
pub fn question(matches: &ArgMatches, subject: Option<Identity>) -> Outcome<Question> {
    let flag = |name: &str| matches.try_get_one::<bool>(name).ok().flatten().copied().unwrap_or_default();
    let primary = matches.try_get_one::<String>("primary").ok().flatten();
    let primary = primary.map(|typed| Identity::parse(typed).and_then(KeyIdentity::from_identity)).transpose();
    Ok(Question {
        subject,
        primary: primary.map_err(|error| cannot("read --primary")(error).typed())?,
        require_chain: flag("require-chain"),
        require_fresh: flag("fresh"),
        accept_new: flag("accept-new-account"),
        files: matches.get_many::<String>("chain").map(|all| all.cloned().collect()).unwrap_or_default(),
    })
}

/// Runs what waits for the network.
pub fn block_on<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| crate::outcome::Failure::new(Code::Internal, format!("Cannot start: {error}")))?;
    runtime.block_on(work)
}

fn file(context: &Context, matches: &ArgMatches) -> Outcome {
    let path = matches.get_one::<String>("path").map(String::as_str).unwrap_or_default();
    let bytes = read_input(path, kez_core::limits::MAX_TEXT_BYTES)?;
    let question = question(matches, None)?;
    let world = World::new(context, matches, matches.get_flag("offline"))?;
    let found_at = if path == "-" { "stdin" } else { path };
    let told = block_on(judge_file(context, &world, &question, &bytes, found_at))?;
    Ok(answer(&told))
}

async fn judge_file(
    context: &Context,
    world: &World,
    question: &Question,
    bytes: &[u8],
    found_at: &str,
) -> Outcome<Told> {
    let text = std::str::from_utf8(bytes);
    let publication = match text {
        Ok(text) => Publication {
            status: PublicationStatus::Unchecked,
            candidates: vec![PlacedText { text: text.to_owned(), found_at: found_at.to_owned() }],
            account_id: None,
        },
        Err(_) => {
            Publication { status: PublicationStatus::Refused(Code::TextUtf8), candidates: Vec::new(), account_id: None }
        }
    };
    let mut told = judge(context, world, question, publication, Vec::new(), Vec::new()).await?;
    let Json::Object(members) = &mut told.data else { return Ok(told) };
    if let Some(Json::Array(evidence)) = members.get_mut("evidence") {
        evidence.retain(|row| row.as_object().and_then(|row| row.get("kind")?.as_str()) != Some("place"));
        let has_candidate =
            evidence.iter().any(|row| row.as_object().and_then(|row| row.get("kind")?.as_str()) == Some("candidate"));
        if !has_candidate {
            evidence.insert(0, object! { "kind" => "candidate", "source" => found_at, "code" => told.verdict.reason });
        }
    }
    // What cannot be used is still shown: whose it says it is.
    if told.verdict.claim.is_none()
        && let Some(Proof::Claim(claim)) = text.ok().and_then(only_proof)
    {
        let payload = claim.payload();
        let shown = object! {
            "digest" => claim.digest(), "primary" => payload.primary, "created_at" => payload.created_at,
            "expires_at" => payload.expires_at,
        };
        members.insert("claim".to_owned(), shown);
    }
    Ok(told)
}

fn only_proof(text: &str) -> Option<Proof> {
    let found = find_candidates(text.as_bytes()).ok()?;
    match found.candidates.as_slice() {
        [candidate] => decode_candidate(candidate).ok(),
        _ => None,
    }
}

fn ids(context: &Context, matches: &ArgMatches) -> Outcome {
    let typed: Vec<&String> = matches.get_many::<String>("identities").map(Iterator::collect).unwrap_or_default();
    let subjects = typed.into_iter().map(|typed| parse_subject(typed)).collect::<Outcome<Vec<Identity>>>()?;
    let world = World::new(context, matches, false)?;
    let told = block_on(async {
        let mut all = Vec::new();
        for subject in subjects {
            all.push(judge_account(context, &world, &question(matches, Some(subject))?).await?);
        }
        Ok(all)
    })?;
    match told.as_slice() {
        [one] => Ok(answer(one)),
        many => {
            let valid = many.iter().filter(|told| told.verdict.status == Status::Valid).count();
            let data = object! {
                "verdicts" => many.iter().map(|told| told.data.clone()).collect::<Vec<_>>(), "valid" => valid,
                "total" => many.len(),
            };
            let order = [13, 10, 11, 12, 14, 5, 0];
            let exit = order.into_iter().find(|code| many.iter().any(|told| exit_of(&told.verdict) == *code));
            let human = many.iter().map(human).collect::<String>();
            Ok(Answer { exit: exit.unwrap_or_default(), ..Answer::new("kez.verdicts/1", data, human) })
        }
    }
}

fn answer(told: &Told) -> Answer {
    Answer { exit: exit_of(&told.verdict), ..Answer::new("kez.verify/1", told.data.clone(), human(told)) }
}

/// The exit code of a verdict.
pub fn exit_of(verdict: &Verdict) -> u8 {
    match (verdict.status, verdict.reason) {
        (Status::Valid, _) => 0,
        (Status::Revoked, _) => 11,
        (Status::Expired, _) => 12,
        (Status::Unreachable, _) => 5,
        (Status::Fork, _) => 13,
        (Status::Invalid, Some(Code::ProofNotFound)) => 14,
        (Status::Invalid, _) => 10,
    }
}

fn human(told: &Told) -> String {
    let Verdict { status, reason, flags, .. } = &told.verdict;
    let mark = if *status == Status::Valid { "✓" } else { "✗" };
    let subject = if told.subject.is_empty() { "a text" } else { &told.subject };
    let by = told.verdict.primary().map(|key| format!("  by {key}")).unwrap_or_default();
    let reason = reason.map(|code| format!(" [{code}]")).unwrap_or_default();
    let mut text = format!("{mark} {subject}  {}{reason}{by}\n", status.as_str());
    for flag in flags {
        text.push_str(&format!("  note  {}\n", flag.as_str()));
    }
    text
}

/// Looks at an account's own place, then at its chain. VER-1.
pub async fn judge_account(context: &Context, world: &World, question: &Question) -> Outcome<Told> {
    let Some(subject) = &question.subject else {
        return Err(crate::outcome::Failure::usage("Cannot verify: expected an account"));
    };
    let last = context.store.last_proven(subject)?;
    let pinned = pinned_id(context, last.as_ref(), subject)?;
    let known = pinned.or_else(|| last.as_ref()?.account_id.clone());
    let unreachable =
        |code| Publication { status: PublicationStatus::Unreachable(code), candidates: Vec::new(), account_id: None };
    let (Some(channel), Some(net)) = (find_channel(subject.system()), world.net()) else {
        let publication = unreachable(Code::ChannelUnsupported);
        return judge(context, world, question, publication, Vec::new(), Vec::new()).await;
    };
    let look = channel.look(subject.value(), net, &world.options(known)).await;
    let places: Vec<Json> = look.publication.evidence.iter().map(place_json(context)).collect();
    let (publication, hints, retry) = read_publication(look.publication);
    let mut told = judge(context, world, question, publication, hints, places).await?;
    if let Some(canary) = look.canary {
        let shown = object! { "canary" => canary.source, "ok" => canary.health.is_ok() };
        told.data = with(told.data, "channel", shown);
    }
    told.retry_after_seconds = retry;
    told.data = with(told.data, "retry_after_seconds", retry);
    Ok(told)
}

/// The account's number by the chain of whom it was proven for last.
fn pinned_id(context: &Context, last: Option<&LastProven>, subject: &Identity) -> Outcome<Option<String>> {
    let Some(last) = last else { return Ok(None) };
    let held = context.store.chains()?;
    let chain = crate::chains::find_of_key(&held, &last.primary).ok().flatten();
    Ok(chain.and_then(|chain| match chain.subject(subject) {
        kez_core::sigchain::SubjectStatus::Active(listing) => listing.subject_id.clone(),
        _ => None,
    }))
}

fn place_json(context: &Context) -> impl Fn(&kez_channels::Evidence) -> Json + '_ {
    |evidence| {
        let mut row = object! { "kind" => "place", "source" => evidence.source, "fetched_at" => context.now };
        if let Some(code) = evidence.code {
            row = with(row, "code", code);
        }
        if let Some(note) = &evidence.note {
            row = with(row, "note", note);
        }
        if let Some(status) = evidence.http_status {
            row = with(row, "http_status", usize::from(status));
        }
        match evidence.sha256 {
            Some(digest) => with(row, "sha256", digest),
            None => row,
        }
    }
}

/// The publication as §6 judges it, the hints beside it, and when to ask again.
fn read_publication(seen: kez_channels::Publication) -> (Publication, Vec<String>, Option<u64>) {
    let account_id = seen.account_id;
    let plain = |status| Publication { status, candidates: Vec::new(), account_id: account_id.clone() };
    match seen.outcome {
        Seen::Found { candidates, chain_hints } => {
            let candidates =
                candidates.into_iter().map(|it| PlacedText { text: it.text, found_at: it.found_at }).collect();
            (Publication { status: PublicationStatus::Found, candidates, account_id }, chain_hints, None)
        }
        Seen::Absent => (plain(PublicationStatus::Absent), Vec::new(), None),
        Seen::Invalid(code) => (plain(PublicationStatus::Refused(code)), Vec::new(), None),
        Seen::Unreachable { code, retry_after_seconds } => {
            (plain(PublicationStatus::Unreachable(code)), Vec::new(), retry_after_seconds)
        }
    }
}

/// The keys and chains that the candidates name, their hints, and their claims.
#[derive(Default)]
struct Named {
    keys: Vec<KeyIdentity>,
    ids: Vec<Digest>,
    hints: Vec<String>,
    subjects: Vec<(Digest, String)>,
}

impl Named {
    fn of(publication: &Publication, hints: Vec<String>) -> Named {
        let mut named = Named { hints, ..Named::default() };
        for placed in &publication.candidates {
            let Ok(found) = find_candidates(placed.text.as_bytes()) else { continue };
            named.hints.extend(found.hints);
            for proof in found.candidates.iter().filter_map(|candidate| decode_candidate(candidate).ok()) {
                named.keep(proof);
            }
        }
        named.hints.sort();
        named.hints.dedup();
        named.hints.truncate(kez_core::limits::MAX_HINTS);
        named
    }

    fn keep(&mut self, proof: Proof) {
        match proof {
            Proof::Claim(claim) => {
                // Nothing of a claim is used before its signature was checked (DEC-2).
                let Ok(claim) = claim.verify() else { return };
                self.keys.push(claim.payload().primary.clone());
                let subject = match &claim.payload().subject {
                    Subject::Known(subject) => subject.to_string(),
                    Subject::Unsupported(text) => text.clone(),
                };
                self.subjects.push((claim.digest(), subject));
            }
            Proof::Reference(reference) => {
                if let Some(host) = &reference.host {
                    self.hints.push(format!("https://{host}/v1/chains/{}", reference.chain));
                }
                self.ids.push(reference.chain);
            }
        }
    }
}

/// Gathers the sources of the chain and judges. `places` are rows about the place.
async fn judge(
    context: &Context,
    world: &World,
    question: &Question,
    publication: Publication,
    hints: Vec<String>,
    places: Vec<Json>,
) -> Outcome<Told> {
    let last = question.subject.as_ref().map(|subject| context.store.last_proven(subject)).transpose()?.flatten();
    let mut named = Named::of(&publication, hints);
    named.keys.extend(question.primary.clone());
    if publication.status == PublicationStatus::Absent {
        named.keys.extend(last.as_ref().map(|last| last.primary.clone()));
    }
    named.keys.sort();
    named.keys.dedup();
    let marks = context.store.marks()?;
    let mut sources = vec![local(context, &named)?];
    for path in &question.files {
        sources.push(ask_file(path)?);
    }
    sources.extend(remote(world, question, &named, &marks).await);
    let account_id = publication.account_id.clone();
    let seen = last.as_ref().filter(|_| !question.accept_new);
    let input = Input {
        subject: question.subject.clone(),
        primary: question.primary.clone(),
        publication,
        sources,
        marks,
        seen: seen
            .map(|last| kez_core::verify::Seen { account_id: last.account_id.clone(), primary: last.primary.clone() }),
        now: context.now,
        require_chain: question.require_chain,
        require_fresh: question.require_fresh,
    };
    let mut verdict = kez_core::verify::verify(&input);
    if matches!(verdict.reason, Some(Code::TextUtf8 | Code::TextBom | Code::LimitSize)) && question.subject.is_none() {
        // Of what is no text nothing is said but this.
        verdict.flags.remove(&Flag::Unpublished);
    }
    remember(context, question, &verdict, &input.sources, account_id)?;
    Ok(tell(context, question, verdict, &named, places, last))
}

/// What this computer holds of the chains that are asked about.
fn local(context: &Context, named: &Named) -> Outcome<Source> {
    let mut source = empty("this computer", SourceKind::Local, false);
    for (id, chain) in context.store.chains()? {
        if named.ids.contains(&id) || named.keys.iter().any(|key| chain.primaries().contains(key)) {
            source.events.extend(chain.tree().events().cloned().map(Arc::new));
            source.heads.extend(context.store.heads(&id)?);
            source.outcome = SourceOutcome::Found;
        }
    }
    Ok(source)
}

/// Hints, stores, and what §7 names; where nobody is to be asked, the hints are told as not asked.
async fn remote(world: &World, question: &Question, named: &Named, marks: &[kez_core::verify::Mark]) -> Vec<Source> {
    let mut sources = Vec::new();
    for hint in &named.hints {
        sources.push(world.ask_url(hint, SourceKind::Hint).await);
    }
    if world.net().is_none() {
        return sources;
    }
    let id_of = |key: &KeyIdentity| {
        let mark = marks.iter().find(|mark| mark.primaries.contains(key));
        mark.map_or_else(|| key.to_string(), |mark| mark.chain.to_string())
    };
    let mut names: Vec<String> =
        named.keys.iter().map(id_of).chain(named.ids.iter().map(ToString::to_string)).collect();
    names.dedup();
    for store in world.stores() {
        sources.push(world.ask_store(store, &names).await);
    }
    let keys = named.keys.iter().map(|key| key.identity()).filter(|key| key.system() == System::Nostr);
    let mut asked: Vec<&Identity> = keys.chain(&question.subject).collect();
    asked.sort();
    asked.dedup();
    for identity in asked {
        let source = find_channel(identity.system()).and_then(|channel| channel.chain_source(identity.value()));
        if let Some(source) = source.filter(|_| !(named.keys.is_empty() && named.ids.is_empty())) {
            sources.extend(world.ask_named(&source).await);
        }
    }
    sources
}

/// VER-10: the chain and its mark are durable before the verdict is shown; so is the last proof.
fn remember(
    context: &Context,
    question: &Question,
    verdict: &Verdict,
    sources: &[Source],
    account_id: Option<String>,
) -> Outcome<()> {
    if let Some(mark) = &verdict.mark {
        let lock = context.store.lock()?;
        let mut graph = Graph::default();
        sources.iter().flat_map(|source| &source.events).for_each(|event| graph.insert(Arc::clone(event)));
        if let Some(chain) = graph.get(&mark.chain).and_then(|genesis| Chain::of(&graph, genesis).ok()) {
            context.store.keep_chain(&chain)?;
        }
        drop(lock);
        context.store.keep_mark(mark)?;
    }
    let (Some(subject), Some(primary)) = (&question.subject, verdict.primary()) else { return Ok(()) };
    if verdict.status != Status::Valid {
        return Ok(());
    }
    let proven = LastProven {
        at: context.now.to_string(),
        primary: primary.clone(),
        chain: verdict.chain.as_ref().map(|chain| chain.id),
        account_id,
    };
    context.store.keep_proven(subject, &proven)
}

fn tell(
    context: &Context,
    question: &Question,
    verdict: Verdict,
    named: &Named,
    places: Vec<Json>,
    last: Option<LastProven>,
) -> Told {
    let of_claim = || {
        let digest = verdict.claim.as_ref()?.digest;
        named.subjects.iter().find(|(it, _)| *it == digest).map(|(_, subject)| subject.clone())
    };
    let subject = question.subject.as_ref().map(ToString::to_string).or_else(of_claim).unwrap_or_default();
    let mut flags: Vec<String> = verdict.flags.iter().map(|flag| flag.as_str().to_owned()).collect();
    flags.sort();
    let claim = verdict.claim.as_ref().map(|claim| {
        object! {
            "digest" => claim.digest, "primary" => claim.primary, "created_at" => claim.created_at,
            "expires_at" => claim.expires_at,
        }
    });
    let chain = verdict.chain.as_ref().map(|chain| object! {
        "id" => chain.id,
        "head" => object! { "seq" => chain.head.seq, "digest" => chain.head.digest, "expires_at" => chain.live_until },
    });
    let data = object! {
        "status" => verdict.status.as_str(), "reason" => verdict.reason, "subject" => subject,
        "primary" => verdict.primary().cloned(), "claim" => claim, "chain" => chain, "flags" => flags,
        "evidence" => evidence_json(&verdict, places.clone()), "checked_at" => context.now, "retry_after_seconds" => Json::Null,
        "last_proven" => last.as_ref().map(last_json), "channel" => Json::Null,
    };
    Told { verdict, subject, data, places, last, retry_after_seconds: None }
}

/// `last_proven`
pub fn last_json(last: &LastProven) -> Json {
    object! { "at" => last.at, "primary" => last.primary, "chain" => last.chain, "account_id" => last.account_id }
}

/// Places, candidates, chains, heads.
fn evidence_json(verdict: &Verdict, places: Vec<Json>) -> Vec<Json> {
    let row = |evidence: &kez_core::verify::Evidence| {
        let mut row = object! { "kind" => evidence.kind.as_str(), "source" => evidence.source };
        if let Some(code) = evidence.code.filter(|code| evidence.kind != EvidenceKind::Candidate || is_of_proof(*code))
        {
            row = with(row, "code", code);
        }
        match &evidence.note {
            Some(note) => with(row, "note", note),
            None => row,
        }
    };
    let of_kind = |kind: EvidenceKind| verdict.evidence.iter().filter(move |evidence| evidence.kind == kind).map(row);
    let mut rows = places;
    if rows.is_empty() {
        rows.extend(of_kind(EvidenceKind::Place));
    }
    for kind in [EvidenceKind::Candidate, EvidenceKind::Chain, EvidenceKind::Head] {
        for row in of_kind(kind) {
            // The same claim twice in one text is told once.
            if kind != EvidenceKind::Candidate || !rows.contains(&row) {
                rows.push(row);
            }
        }
    }
    rows
}

/// Whether a code speaks against the proof itself, and not against what it claims: its times, its listing, its chain.
fn is_of_proof(code: Code) -> bool {
    let area = code.as_str().split('.').next().unwrap_or_default();
    !matches!(area, "claim" | "chain" | "account") && !matches!(code, Code::TimeFuture | Code::IdentityUnsupported)
}
