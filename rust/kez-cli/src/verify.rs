//! `kez-rs verify id` and `verify file`. `kez.verify/1`, `kez.verdicts/1`.

use clap::ArgMatches;
use futures_util::future::join_all;
use kez_channels::find_channel;
use kez_core::encoding::{Proof, decode_candidate, find_candidates};
use kez_core::verify::{PlacedText, Publication, PublicationStatus, Status, Verdict};
use kez_core::{Code, Identity, Json, KeyIdentity};

use crate::claim::parse_subject;
use crate::context::{Context, read_input};
use crate::json::object;
use crate::judge::{Question, judge, judge_account};
use crate::outcome::{Answer, Failure, Outcome, cannot};
use crate::told::Told;
use crate::verify_watch;
use crate::world::World;

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
        files: matches
            .try_get_many::<String>("chain")
            .ok()
            .flatten()
            .map(|all| all.cloned().collect())
            .unwrap_or_default(),
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
    if bytes.len() > kez_core::limits::MAX_TEXT_BYTES {
        return Err(Failure::new(Code::LimitSize, format!("Cannot read {path}: expected at most 1,048,576 bytes")));
    }
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
    if let Some(key) = subjects.iter().find(|subject| find_channel(subject.system()).is_none()) {
        let message = format!("Cannot look at {key}: it is a key, and keys have no place of their own");
        return Err(Failure::new(Code::ChannelUnsupported, message));
    }
    if let Some(seconds) = verify_watch::seconds(matches)? {
        return verify_watch::run(context, matches, &subjects, seconds);
    }
    let world = World::new(context, matches, false)?;
    let look = |subject: &Identity| {
        let question = question(matches, Some(subject.clone()));
        let world = &world;
        async move { judge_account(context, world, &question?).await }
    };
    let told =
        block_on(async { join_all(subjects.iter().map(look)).await.into_iter().collect::<Outcome<Vec<Told>>>() })?;
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

/// `kez.verify/1`
pub fn answer(told: &Told) -> Answer {
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

/// A verdict for people.
pub fn human(told: &Told) -> String {
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
