/** One case of vectors/sigchain-replay.json. */
import { formatEnvelope, type SigchainEvent } from "@kez/core"
import type { VectorCase } from "./vector-file.ts"

export interface Expected {
  readonly head: number
  readonly primary: string
  readonly devices?: readonly string[]
  readonly subjects?: Readonly<Record<string, "active" | "revoked">>
  readonly next?: string
}

export const subject = { subject: "dns:example.org" } as const

/** Events in order; with a `code`, the last one is refused and the state is that before it. */
export function caseOf(
  id: string,
  why: string,
  events: readonly SigchainEvent[],
  expect: Expected,
  code?: string,
): VectorCase {
  const state = { devices: [], subjects: {}, next: null, ...expect }
  return { id, why, events: events.map(formatEnvelope), expect: state, ...(code === undefined ? {} : { code }) }
}
