//! What was looked at, for people who want to see for themselves. SPEC VER-1: it decides nothing.

use super::candidate::CheckedCandidate;
use super::input::{Input, PublicationStatus, Source, SourceOutcome};
use super::lookup::{Chains, Lookup, Target};
use super::verdict::{Evidence, EvidenceKind};
use crate::envelope::{ChainHead, Envelope};
use crate::error::Code;
use crate::sigchain::check_head;

/// The place, the candidates with what speaks against each, the sources with their faults, the heads.
pub(super) fn gather(
    input: &Input,
    chains: &Chains<'_>,
    candidates: &[CheckedCandidate],
    reasons: impl Iterator<Item = Option<Code>>,
) -> Vec<Evidence> {
    let mut evidence = vec![place(input)];
    for (candidate, code) in candidates.iter().zip(reasons) {
        let note = candidate.proof.as_ref().err().map(|error| error.message().to_owned());
        evidence.push(Evidence { kind: EvidenceKind::Candidate, source: candidate.found_at.clone(), code, note });
    }
    for source in &input.sources {
        evidence.push(chain(source, chains));
        evidence.extend(source.heads.iter().map(|it| head(source, it, input, chains)));
    }
    evidence
}

fn place(input: &Input) -> Evidence {
    let code = match input.publication.status {
        PublicationStatus::Refused(code) | PublicationStatus::Unreachable(code) => Some(code),
        PublicationStatus::Unchecked | PublicationStatus::Found | PublicationStatus::Absent => None,
    };
    let source = input.subject.as_ref().map(ToString::to_string).unwrap_or_default();
    Evidence { kind: EvidenceKind::Place, source, code, note: None }
}

fn chain(source: &Source, chains: &Chains<'_>) -> Evidence {
    let code = match source.outcome {
        SourceOutcome::Failed => source.code,
        SourceOutcome::Found | SourceOutcome::Absent => chains.fault_anywhere(source),
    };
    let note = Some(match source.outcome {
        SourceOutcome::Found => format!("{} events", source.events.len()),
        SourceOutcome::Absent => "no chain".to_owned(),
        SourceOutcome::Failed => "no answer".to_owned(),
    });
    Evidence { kind: EvidenceKind::Chain, source: source.name.clone(), code, note }
}

fn head(source: &Source, head: &Envelope<ChainHead>, input: &Input, chains: &Chains<'_>) -> Evidence {
    let code = match chains.find(Target::Chain(&head.payload().chain)) {
        Lookup::Chain(chain) => check_head(head, chain, input.now).err().map(|error| error.code()),
        _ => Some(Code::ChainUnknown),
    };
    let note = Some(format!("event {} until {}", head.payload().seq, head.payload().expires_at));
    Evidence { kind: EvidenceKind::Head, source: source.name.clone(), code, note }
}
