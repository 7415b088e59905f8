/** One candidate against the question and the chain. SPEC [VER-3], [VER-4], [VER-8], [VER-9]. */
import type { Code } from "../codes.ts"
import type { Digest } from "../digest.ts"
import { findProofs, type Proof } from "../encoding/proof.ts"
import type { Claim } from "../envelope/envelope.ts"
import { assertSignature } from "../envelope/verify.ts"
import { KezError } from "../error.ts"
import { formatIdentity, parseIdentity } from "../identity.ts"
import { clockSkewSeconds } from "../limits.ts"
import type { ChainReplay } from "../sigchain/result.ts"
import type { SubjectEntry } from "../sigchain/state.ts"
import { parseClaimTime } from "../time.ts"
import type { ChainFinding, FindChain } from "./chain.ts"
import type { Candidate, VerifyInput } from "./input.ts"
import type { Evidence, Flag, Problem, Verdict } from "./verdict.ts"

/** What is asked, and where chains are looked up. */
export interface Question extends VerifyInput {
  readonly findChain: FindChain
}

/** What one candidate came to. */
export interface Judgement {
  readonly problems: readonly Problem[]
  readonly flags: readonly Flag[]
  readonly evidence: readonly Evidence[]
  readonly subject: string | undefined
  readonly primary: string | undefined
  readonly claim: Verdict["claim"]
  readonly finding: ChainFinding | undefined
}

/** Every proof in a text; a text without one gives one judgement that says why. */
export function judgeCandidate(question: Question, candidate: Candidate): readonly Judgement[] {
  try {
    const { candidates } = findProofs(candidate.text)
    if (candidates.length === 0) return [refused(candidate, "proof.not_found")]
    return candidates.map((found) =>
      "proof" in found
        ? judgeProof(question, candidate, found.proof)
        : refused(candidate, found.error.code, found.error.message),
    )
  } catch (error) {
    if (error instanceof KezError) return [refused(candidate, error.code, error.message)]
    throw error
  }
}

function judgeProof(question: Question, candidate: Candidate, proof: Proof): Judgement {
  if (proof.kind === "reference") return judgeReference(question, candidate, proof.reference.chain)
  try {
    return judgeClaim(question, candidate, proof)
  } catch (error) {
    if (error instanceof KezError) return { ...refused(candidate, error.code, error.message), claim: claimOf(proof) }
    throw error
  }
}

function judgeClaim(input: Question, candidate: Candidate, proof: Extract<Proof, { kind: "claim" }>): Judgement {
  const { claim, digest } = proof
  assertSignature(claim)
  const { primary } = claim.payload
  const subject = subjectOf(claim)
  // What is asked for is of a supported system: a subject of any other is another one.
  if (input.subject !== undefined && subject !== asked(input.subject)) {
    const other = subject ?? claim.payload.subject
    throw new KezError("proof.subject_mismatch", `The proof is signed for ${other}, this is ${asked(input.subject)}`)
  }
  const finding = input.findChain({ primary })
  // The chain is the identity: after a rotation the primary that somebody remembers is an earlier one of it. [CHAIN-2]
  const isExpected = primary === input.primary || finding.replay?.state.primaries.includes(input.primary ?? "") === true
  if (input.primary !== undefined && !isExpected) {
    throw new KezError("proof.primary_mismatch", `The proof is by ${primary}, expected ${input.primary}`)
  }
  const listing =
    finding.replay === undefined
      ? none
      : judgeListing(finding.replay, { subject, digest, primary, accountId: accountIdOf(input) })
  return {
    problems: [
      ...unsupported(subject),
      ...finding.problems,
      ...unlessMissing(finding, listing),
      ...judgeSeen(input, finding.replay, subject),
      ...judgeTimes(claim, input.now),
    ],
    flags: [...finding.flags, ...listing.flags],
    evidence: [{ kind: "candidate", source: candidate.foundAt }],
    subject: subject ?? claim.payload.subject,
    primary: finding.replay?.state.primary ?? primary,
    claim: claimOf(proof),
    finding,
  }
}

function judgeReference(input: Question, candidate: Candidate, chain: Digest): Judgement {
  const subject = input.subject === undefined ? undefined : asked(input.subject)
  const finding = input.findChain({ chain })
  const evidence: Evidence = { kind: "candidate", source: candidate.foundAt, note: `reference to chain ${chain}` }
  const { replay } = finding
  const listing =
    replay === undefined
      ? none
      : judgeListing(replay, {
          subject,
          digest: undefined,
          primary: replay.state.primary,
          accountId: accountIdOf(input),
        })
  const primary = replay?.state.primary
  const mismatch: readonly Problem[] =
    input.primary !== undefined && replay !== undefined && !replay.state.primaries.includes(input.primary)
      ? [{ status: "invalid", reason: "proof.primary_mismatch" }]
      : []
  return {
    problems: [
      ...mismatch,
      ...finding.problems,
      ...unlessMissing(finding, listing),
      ...judgeSeen(input, replay, subject),
    ],
    flags: [...finding.flags, ...listing.flags],
    evidence: [evidence],
    subject,
    primary,
    claim: undefined,
    finding,
  }
}

interface Listing {
  readonly problems: readonly Problem[]
  readonly flags: readonly Flag[]
}

const none: Listing = { problems: [], flags: [] }

/** Of a chain that is shorter than it was, what is missing may list the claim: unknown is not wrong. [VER-8] */
function unlessMissing(finding: ChainFinding, { problems }: Listing): readonly Problem[] {
  const isMissing = finding.problems.some(({ reason }) => reason === "chain.rollback")
  return isMissing ? problems.filter(({ reason }) => reason !== "claim.not_in_chain") : problems
}

interface Listed {
  readonly subject: string | undefined
  /** Digest of the claim; undefined for a reference, which proves nothing without an active entry. */
  readonly digest: Digest | undefined
  readonly primary: string
  readonly accountId: string | undefined
}

/** What the chain says about the subject. [VER-8] [VER-9] */
export function judgeListing({ state }: ChainReplay, { subject, digest, primary, accountId }: Listed): Listing {
  const entry = subject === undefined ? undefined : state.subjects.get(subject)
  const named = entry?.proof !== undefined && entry.proof === digest
  const account = entry?.status === "active" ? judgeAccount(entry, accountId) : none
  if (entry?.status === "revoked" || (entry?.everRevoked === true && digest !== undefined && !named)) {
    return joined({ problems: [{ status: "revoked", reason: "claim.revoked" }], flags: [] }, account)
  }
  // A stolen old key cannot mint old claims: only what the chain names by digest survives a rotation.
  if (digest === undefined ? entry === undefined : primary !== state.primary && !named) {
    return joined({ problems: [{ status: "invalid", reason: "claim.not_in_chain" }], flags: [] }, account)
  }
  const listed = digest === undefined || named || (entry !== undefined && entry.proof === undefined)
  return joined(listed ? none : { problems: [], flags: ["unlisted"] }, account)
}

/**
 * Whoever registers the freed name of an account can publish its old claims: the number tells them apart, whichever claim the
 * entry names. [VER-9]
 */
function judgeAccount(entry: SubjectEntry, accountId: string | undefined): Listing {
  if (accountId === undefined || entry.subjectId === accountId) return none
  if (entry.subjectId === undefined) return { problems: [], flags: ["unpinned"] }
  return { problems: [{ status: "invalid", reason: "account.changed" }], flags: [] }
}

function joined(one: Listing, other: Listing): Listing {
  return { problems: [...one.problems, ...other.problems], flags: [...one.flags, ...other.flags] }
}

/**
 * Where no chain names a number, the reader's own memory does: whoever takes over a name could publish a proof of his own, too.
 * Only the identity that the reader saw before can say that it has moved to the new account. [VER-9]
 */
function judgeSeen(
  input: VerifyInput,
  replay: ChainReplay | undefined,
  subject: string | undefined,
): readonly Problem[] {
  const { seen } = input
  const accountId = accountIdOf(input)
  if (seen === undefined || accountId === undefined || seen.accountId === accountId) return []
  const isSame = replay?.state.primaries.includes(seen.primary) === true
  const entry = subject === undefined ? undefined : replay?.state.subjects.get(subject)
  if (isSame && entry?.status === "active" && entry.subjectId === accountId) return []
  return [{ status: "invalid", reason: "account.changed" }]
}

/** [VER-4] */
function judgeTimes({ payload }: Claim, now: number): readonly Problem[] {
  if (parseClaimTime(payload.created_at) > now + clockSkewSeconds) return [{ status: "invalid", reason: "time.future" }]
  if (payload.expires_at === undefined || now < parseClaimTime(payload.expires_at)) return []
  return [{ status: "expired", reason: "claim.expired" }]
}

/** The canonical subject of a claim; undefined when its system is unsupported. [ID-5] */
function subjectOf({ payload }: Claim): string | undefined {
  try {
    return formatIdentity(parseIdentity(payload.subject))
  } catch (error) {
    if (error instanceof KezError && error.code === "identity.unsupported") return undefined
    throw error
  }
}

function unsupported(subject: string | undefined): readonly Problem[] {
  return subject === undefined ? [{ status: "unreachable", reason: "identity.unsupported" }] : []
}

function asked(subject: string): string {
  return formatIdentity(parseIdentity(subject))
}

function accountIdOf({ publication }: VerifyInput): string | undefined {
  return publication.status === "found" ? publication.accountId : undefined
}

function claimOf({ claim, digest }: Extract<Proof, { kind: "claim" }>): Verdict["claim"] {
  const { primary, created_at: createdAt, expires_at: expiresAt } = claim.payload
  return { digest, primary, createdAt, expiresAt }
}

function refused(candidate: Candidate, code: Code, note?: string): Judgement {
  return {
    problems: [{ status: "invalid", reason: code }],
    flags: [],
    evidence: [{ kind: "candidate", source: candidate.foundAt, code, ...(note === undefined ? {} : { note }) }],
    subject: undefined,
    primary: undefined,
    claim: undefined,
    finding: undefined,
  }
}
