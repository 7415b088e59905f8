//! A verdict as docs/json.md has it. `kez.verify/1`.

use kez_core::verify::{Evidence, EvidenceKind, Verdict};
use kez_core::{Code, Json};

use crate::context::Context;
use crate::json::{object, with};
use crate::judge::Question;
use crate::named::Named;
use crate::store::LastProven;

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

/// A row about the place of an account.
pub fn place_json(context: &Context) -> impl Fn(&kez_channels::Evidence) -> Json + '_ {
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
            Some(digest) => with(row, "sha256", digest.to_hex()),
            None => row,
        }
    }
}

/// The verdict with what stands beside it.
pub fn tell(
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
    let row = |evidence: &Evidence| {
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
