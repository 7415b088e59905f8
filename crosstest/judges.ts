/** The judges of all suites, those of core and those of the channels, and what the cases of vectors/ expect of them. */
import { assertChannelOutcome, channelJudges } from "../packages/channels/test/support/judge.ts"
import { judges } from "../packages/core/test/support/judge.ts"
import { assertOutcome, type VectorCase } from "../packages/core/test/support/vector-outcome.ts"
import type { Judges } from "./answer.ts"

export const allJudges: Judges = { ...judges, ...channelJudges }

/** Throws an assertion error unless the outcome is what a case of a file of vectors/ expects. */
export function assertVector(suite: string, c: VectorCase, outcome: Readonly<Record<string, unknown>>): void {
  if (suite in channelJudges) assertChannelOutcome(suite, c.expect, outcome)
  else assertOutcome(suite, c, outcome)
}
