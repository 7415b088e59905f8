/** Two implementations asked the same questions, and the questions on which they differ. */
import { isDeepStrictEqual } from "node:util"
import type { Outcome } from "../../packages/core/test/support/judge.ts"
import type { Peer, Question } from "../peer.ts"

export interface Difference {
  readonly question: Question
  /** By the name of the implementation. */
  readonly outcomes: Readonly<Record<string, Outcome>>
}

export type Peers = readonly [Peer, Peer]

export interface Compared {
  /** What the first implementation said, as JSON text. */
  readonly texts: readonly string[]
  readonly differences: readonly Difference[]
}

export async function compare([one, other]: Peers, questions: readonly Question[]): Promise<Compared> {
  const [texts, others] = await Promise.all([one.askTexts(questions), other.askTexts(questions)])
  const differences = questions.flatMap((question, i): readonly Difference[] => {
    const [mine, theirs] = [texts[i] ?? "", others[i] ?? ""]
    // Equal texts are equal values; others may still be, with members in another order.
    if (mine === theirs && !mine.startsWith('{"crash"')) return []
    const outcomes = [JSON.parse(mine), JSON.parse(theirs)] as const
    if (areEqual(...outcomes)) return []
    return [{ question, outcomes: { [one.name]: outcomes[0], [other.name]: outcomes[1] } }]
  })
  return { texts, differences }
}

/** A crash is never right, even when both do. */
function areEqual(one: Outcome, other: Outcome): boolean {
  return !("crash" in one) && isDeepStrictEqual(one, other)
}
