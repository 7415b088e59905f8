//! The verdict: a pure function of what was found. SPEC §6.

use std::collections::BTreeSet;

use super::candidate::{CheckedCandidate, CheckedProof, check_candidates};
use super::chain::{judge_absence, judge_chain};
use super::evidence;
use super::findings::{Findings, Phase};
use super::input::{Input, Mark, PublicationStatus};
use super::listing::{judge_account, judge_listing};
use super::lookup::{Chains, Lookup, Target};
use super::verdict::{ChainSummary, ClaimSummary, Flag, Status, Verdict};
use crate::Time;
use crate::error::Code;
use crate::identity::{Identity, KeyIdentity};
use crate::limits::CLOCK_SKEW_SECONDS;
use crate::sigchain::Chain;

/// What one candidate comes to.
#[derive(Default)]
struct Judgement {
    findings: Findings,
    claim: Option<ClaimSummary>,
    chain: Option<ChainSummary>,
    mark: Option<Mark>,
}

/// Judges every candidate; the best is the verdict, the others are evidence. VER-3.
pub fn verify(input: &Input) -> Verdict {
    let chains = Chains::unite(input);
    let candidates = check_candidates(input);
    let judgements: Vec<Judgement> =
        candidates.iter().map(|candidate| judge_candidate(input, &chains, candidate)).collect();
    let evidence = evidence::gather(input, &chains, &candidates, judgements.iter().map(|it| it.findings.outcome().1));
    // `min_by_key` gives the first of equals.
    let best = judgements.into_iter().min_by_key(|judgement| judgement.findings.outcome().0);
    let mut judgement = best.unwrap_or_else(|| judge_unproven(input, &chains));
    if input.publication.status == PublicationStatus::Unchecked {
        judgement.findings.flag(Flag::Unpublished);
    }
    let (status, reason) = judgement.findings.outcome();
    let Judgement { findings, claim, chain, mark } = judgement;
    Verdict { status, reason, flags: findings.flags, evidence, claim, chain, mark }
}

fn judge_candidate(input: &Input, chains: &Chains<'_>, candidate: &CheckedCandidate) -> Judgement {
    let mut judgement = Judgement::default();
    let refused = match &candidate.proof {
        Err(error) => Some(error.code()),
        Ok(CheckedProof::Claim(claim)) if !fits_primary(input, chains, &claim.payload().primary) => {
            Some(Code::ProofPrimaryMismatch)
        }
        Ok(proof) => {
            let target = match proof {
                CheckedProof::Claim(claim) => Target::Primary(&claim.payload().primary),
                CheckedProof::Reference(reference) => Target::Chain(&reference.chain),
            };
            judgement.judge(input, chains, target, Some(proof));
            None
        }
    };
    if let Some(code) = refused {
        judgement.findings.add(Status::Invalid, Phase::Binding, code);
    }
    judgement
}

/// VER-3: a claim by the primary that is expected, or by another of a chain that has or had that one on its winning path.
fn fits_primary(input: &Input, chains: &Chains<'_>, primary: &KeyIdentity) -> bool {
    let Some(expected) = &input.primary else {
        return true;
    };
    expected == primary
        || match chains.find(Target::Primary(primary)) {
            Lookup::Chain(chain) => chain.had_primary(expected),
            Lookup::TooLarge | Lookup::Several | Lookup::None { .. } => false,
        }
}

/// No proof was seen: what the place did, and, where a primary is expected, what its chain says.
fn judge_unproven(input: &Input, chains: &Chains<'_>) -> Judgement {
    let mut judgement = Judgement::default();
    let (status, code) = match input.publication.status {
        PublicationStatus::Refused(code) => (Status::Invalid, code),
        PublicationStatus::Unreachable(code) => (Status::Unreachable, code),
        PublicationStatus::Unchecked | PublicationStatus::Found | PublicationStatus::Absent => {
            (Status::Invalid, Code::ProofNotFound)
        }
    };
    judgement.findings.add(status, Phase::Publication, code);
    if let Some(primary) = &input.primary {
        judgement.judge(input, chains, Target::Primary(primary), None);
        return judgement;
    }
    judgement
}

impl Judgement {
    /// Publication and binding are known; the chain, the listing and the times follow.
    fn judge(&mut self, input: &Input, chains: &Chains<'_>, target: Target<'_>, proof: Option<&CheckedProof>) {
        let subject = self.subject(input, proof);
        let mut found = None;
        match chains.find(target) {
            Lookup::Chain(chain) => {
                let live_until = judge_chain(input, chains, chain, &mut self.findings);
                self.mark = self.mark_of(chain, chains.primaries(chain));
                self.chain = Some(summary_of(chain, live_until));
                judge_listing(chain, subject, proof, &mut self.findings);
                self.judge_reference(input, chain, proof);
                found = Some(chain);
            }
            Lookup::TooLarge => self.findings.add(Status::Unreachable, Phase::Chain, Code::LimitChain),
            Lookup::Several => self.findings.add(Status::Fork, Phase::Chain, Code::ChainFork),
            Lookup::None { is_marked } => {
                judge_absence(input, chains, is_marked, target, &mut self.findings);
            }
        }
        if proof.is_some() {
            judge_account(input, found, subject, &mut self.findings);
        }
        self.judge_times(input.now, proof);
    }

    /// VER-3: the chain of a reference never had the expected primary.
    fn judge_reference(&mut self, input: &Input, chain: &Chain, proof: Option<&CheckedProof>) {
        let is_other = input.primary.as_ref().is_some_and(|expected| !chain.had_primary(expected));
        if is_other && matches!(proof, Some(CheckedProof::Reference(_))) {
            self.findings.add(Status::Invalid, Phase::Binding, Code::ProofPrimaryMismatch);
        }
    }

    /// The account asked for, else that of the claim; of a system that is not known → `identity.unsupported`.
    fn subject<'a>(&mut self, input: &'a Input, proof: Option<&'a CheckedProof>) -> Option<&'a Identity> {
        let of_claim = match proof {
            Some(CheckedProof::Claim(claim)) => Some(claim.payload().subject.known()),
            _ => None,
        };
        match (&input.subject, of_claim) {
            (Some(asked), _) => Some(asked),
            (None, Some(Ok(subject))) => Some(subject),
            (None, Some(Err(error))) => {
                self.findings.add(Status::Unreachable, Phase::Subject, error.code());
                None
            }
            (None, None) => None,
        }
    }

    /// VER-4.
    fn judge_times(&mut self, now: Time, proof: Option<&CheckedProof>) {
        let Some(CheckedProof::Claim(envelope)) = proof else {
            return;
        };
        let claim = envelope.payload();
        if claim.created_at.unix_seconds() > now.unix_seconds().saturating_add(CLOCK_SKEW_SECONDS) {
            self.findings.add(Status::Invalid, Phase::Times, Code::TimeFuture);
        }
        if claim.expires_at.is_some_and(|expires_at| now >= expires_at) {
            self.findings.add(Status::Expired, Phase::Times, Code::ClaimExpired);
        }
        self.claim = Some(ClaimSummary {
            digest: envelope.digest(),
            primary: claim.primary.clone(),
            created_at: claim.created_at,
            expires_at: claim.expires_at,
        });
    }

    /// VER-10: nothing is marked that is doubted: it contradicts what is held, is less than is known to be, or has faults.
    fn mark_of(&self, chain: &Chain, primaries: BTreeSet<KeyIdentity>) -> Option<Mark> {
        if self.findings.has_doubts_of_chain() {
            return None;
        }
        let end = chain.head();
        Some(Mark { chain: chain.id(), seq: end.seq(), digest: end.digest(), primaries })
    }
}

fn summary_of(chain: &Chain, live_until: Option<Time>) -> ChainSummary {
    ChainSummary { id: chain.id(), head: chain.head().place(), primary: chain.state().primary().clone(), live_until }
}
