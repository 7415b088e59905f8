/** What a verifier answers: a status, a reason, flags and evidence. SPEC §6. */
import type { Code } from "../codes.ts"
import type { Digest } from "../digest.ts"
import type { ChainPosition } from "../sigchain/link.ts"

export type Status = "valid" | "revoked" | "expired" | "unreachable" | "fork" | "invalid"

export type Flag = "unpublished" | "no_chain" | "stale" | "contested" | "unlisted" | "unpinned" | "rollback"

/** One thing that was looked at, and what came of it. */
export interface Evidence {
  readonly kind: "place" | "candidate" | "chain" | "head"
  /** URL, record name, store or file. */
  readonly source: string
  readonly code?: Code
  readonly note?: string
  /** Unix seconds. */
  readonly fetchedAt?: number
  readonly httpStatus?: number
  /** Hex SHA-256 of the bytes that were fetched. */
  readonly sha256?: string
}

/** The newest position that a reader has accepted of a chain. [VER-10] */
export interface ChainMark extends ChainPosition {
  readonly chain: Digest
  /** Every primary the chain had: by these a mark is found when only a claim is known. */
  readonly primaries: readonly string[]
}

export interface Verdict {
  readonly status: Status
  /** Why it is not `valid`. */
  readonly reason: Code | undefined
  /** What is claimed, canonical, or as received where the system is unsupported. */
  readonly subject: string
  /** The primary in force of the identity, or the claim's own where no chain is known. */
  readonly primary: string | undefined
  readonly claim:
    | {
        readonly digest: Digest
        readonly primary: string
        readonly createdAt: string
        readonly expiresAt: string | undefined
      }
    | undefined
  readonly chain:
    | {
        readonly id: Digest
        readonly head: ChainPosition
        readonly liveUntil: string | undefined
        readonly liveBy: readonly string[]
      }
    | undefined
  readonly flags: readonly Flag[]
  readonly evidence: readonly Evidence[]
  /** To be stored durably before the verdict is shown; undefined when nothing newer was accepted. */
  readonly mark: ChainMark | undefined
  /** Unix seconds. */
  readonly checkedAt: number
  readonly retryAfterSeconds: number | undefined
}

/** One thing that speaks against a claim. */
export interface Problem {
  readonly status: Exclude<Status, "valid">
  readonly reason: Code
}

/** The problem that decides, by the order of [VER-2]; the first of equals. */
export function worstOf(problems: readonly Problem[]): Problem | undefined {
  return problems.reduce<Problem | undefined>(
    (worst, problem) => (worst === undefined || weightOf(problem) > weightOf(worst) ? problem : worst),
    undefined,
  )
}

const weights: Readonly<Record<Problem["status"], number>> = {
  fork: 6,
  invalid: 5,
  revoked: 4,
  expired: 3,
  unreachable: 1,
}

function weightOf({ status, reason }: Problem): number {
  return reason === "proof.not_found" ? 2 : weights[status]
}

/** Which of several candidates speaks for the account: the lower, the better. [VER-3] */
export const candidateOrder: Readonly<Record<Status, number>> = {
  valid: 0,
  unreachable: 1,
  expired: 2,
  revoked: 3,
  invalid: 4,
  fork: 5,
}
