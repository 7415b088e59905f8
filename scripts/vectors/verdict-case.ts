/** One case of vectors/verdicts.json: a question, and the verdict. */
import { type ChainHead, formatEnvelope, type SigchainEvent } from "@kez/core"
import { start } from "./keys.ts"
import type { VectorCase } from "./vector-file.ts"

export const now = start + 86_400
export const subject = "dns:example.org"

export interface Source {
  readonly kind?: "local" | "store" | "hint" | "other"
  readonly expected?: boolean
  readonly outcome?: "found" | "absent" | "failed"
  readonly events?: readonly SigchainEvent[]
  readonly heads?: readonly ChainHead[]
  readonly code?: string
}

export interface Question {
  readonly found?: readonly string[]
  readonly status?: "unchecked" | "absent" | "refused" | "unreachable"
  readonly code?: string
  readonly accountId?: string
  readonly primary?: string
  readonly chains?: readonly Source[]
  readonly marks?: readonly unknown[]
  readonly seen?: { readonly accountId: string; readonly primary: string }
  readonly now?: number
  readonly requireChain?: boolean
  readonly requireFresh?: boolean
}

export type Answer = readonly [status: string, reason: string | null, ...flags: readonly string[]]

export function caseOf(id: string, why: string, question: Question, answer: Answer): VectorCase {
  const { found = [], status = "found", code, accountId, chains = [], now: at = now, ...rest } = question
  const candidates = found.map((text, i) => ({ text, foundAt: `place ${i}` }))
  const publication = {
    status,
    ...(status === "found" || status === "unchecked" ? { candidates } : {}),
    ...(code === undefined ? {} : { code }),
    ...(accountId === undefined ? {} : { accountId }),
  }
  const sources = chains.map(
    ({ kind = "store", expected = true, outcome = "found", events, heads, code: fault }, i) => ({
      name: `source ${i}`,
      kind,
      expected,
      outcome,
      ...(events === undefined ? {} : { events: events.map(formatEnvelope) }),
      ...(heads === undefined ? {} : { heads: heads.map(formatEnvelope) }),
      ...(fault === undefined ? {} : { code: fault }),
    }),
  )
  const [verdict, reason, ...flags] = answer
  return {
    id,
    why,
    input: { subject, publication, chains: sources, now: at, ...rest },
    expect: { status: verdict, reason, flags: [...flags].sort() },
  }
}
