/** From everything that was fetched to one verdict. SPEC §6. */
import { formatIdentity, parseIdentity } from "../identity.ts"
import { type Judgement, judgeCandidate, judgeListing, type Question } from "./candidate.ts"
import { createFinder } from "./chain.ts"
import type { Publication, VerifyInput } from "./input.ts"
import { candidateOrder, type Evidence, type Flag, type Problem, type Verdict, worstOf } from "./verdict.ts"

/**
 * The verdict on an account, or on the claim of a file. Never throws on what others wrote; throws `identity.*` when the
 * question itself (`input.subject`) is not an identity.
 */
export function verifyClaim(input: VerifyInput): Verdict {
  const subject = input.subject === undefined ? undefined : formatIdentity(parseIdentity(input.subject))
  const judgements = judgementsOf({ ...input, findChain: createFinder(input) }, subject)
  const verdicts = judgements.map((judgement) => verdictOf(input, judgement, subject))
  const [best] = verdicts.toSorted((a, b) => candidateOrder[a.status] - candidateOrder[b.status])
  if (best === undefined) throw new Error("unreachable: there is always one judgement")
  const others = judgements
    .flatMap((judgement) => judgement.evidence)
    .filter((evidence) => !best.evidence.includes(evidence))
  return { ...best, evidence: [...evidenceOf(input.publication), ...best.evidence, ...others] }
}

function judgementsOf(input: Question, subject: string | undefined): readonly Judgement[] {
  const { publication } = input
  switch (publication.status) {
    case "found":
    case "unchecked":
      if (publication.candidates.length === 0)
        return [withoutProof(input, subject, { status: "invalid", reason: "proof.not_found" })]
      return publication.candidates.flatMap((candidate) => judgeCandidate(input, candidate))
    case "absent":
      return [withoutProof(input, subject, { status: "invalid", reason: "proof.not_found" })]
    case "refused":
      return [withoutProof(input, subject, { status: "invalid", reason: publication.code })]
    case "unreachable":
      return [withoutProof(input, subject, { status: "unreachable", reason: publication.code })]
  }
}

/** No proof was seen; a chain of the expected primary can still say that the subject is revoked. */
function withoutProof(input: Question, subject: string | undefined, problem: Problem): Judgement {
  const { primary } = input
  const finding = primary === undefined ? undefined : input.findChain({ primary })
  const revoked =
    finding?.replay === undefined
      ? []
      : revocation(
          judgeListing(finding.replay, { subject, digest: undefined, primary: primary ?? "", accountId: undefined })
            .problems,
        )
  return {
    problems: [problem, ...(finding?.problems ?? []), ...revoked],
    flags: finding?.flags ?? [],
    evidence: [],
    subject,
    primary: finding?.replay?.state.primary ?? primary,
    claim: undefined,
    finding,
  }
}

function revocation(problems: readonly Problem[]): readonly Problem[] {
  return problems.filter(({ status }) => status === "revoked")
}

function verdictOf(input: VerifyInput, judgement: Judgement, subject: string | undefined): Verdict {
  const worst = worstOf(judgement.problems)
  const { finding } = judgement
  const flags = new Set<Flag>(judgement.flags)
  if (input.publication.status === "unchecked") flags.add("unpublished")
  const replay = finding?.replay
  return {
    status: worst?.status ?? "valid",
    reason: worst?.reason,
    subject: judgement.subject ?? subject ?? "",
    primary: judgement.primary,
    claim: judgement.claim,
    chain:
      replay === undefined
        ? undefined
        : { id: replay.chain, head: replay.head, liveUntil: finding?.liveUntil, liveBy: finding?.liveBy ?? [] },
    flags: [...flags],
    evidence: [...judgement.evidence, ...(finding?.evidence ?? [])],
    mark: finding?.mark,
    checkedAt: input.now,
    retryAfterSeconds: input.publication.status === "unreachable" ? input.publication.retryAfterSeconds : undefined,
  }
}

function evidenceOf(publication: Publication): readonly Evidence[] {
  return publication.status === "unchecked" ? [] : (publication.evidence ?? [])
}
