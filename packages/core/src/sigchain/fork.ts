/** Which branch of a fork counts: by the rank of signatures, never by time, length or order of arrival. SPEC §5.6. */
import type { Digest } from "../digest.ts"
import { maxListEntries } from "../limits.ts"
import { indexTree, type Tree } from "./tree.ts"
import type { ValidEvent } from "./walk.ts"

export type Rank = "recovery" | "primary" | "device"

const weights: Readonly<Record<Rank, number>> = { recovery: 3, primary: 2, device: 1 }

export interface Split {
  /** The last event that the branches share. */
  readonly after: Digest
  readonly seq: number
  readonly successors: readonly { readonly digest: Digest; readonly rank: Rank }[]
  /** Undefined when nothing decides. */
  readonly winner: Digest | undefined
}

export interface Path {
  readonly events: readonly ValidEvent[]
  readonly splits: readonly Split[]
  readonly status: "ok" | "fork"
}

/** The winning path from `root`, up to its end or to the first split that nothing decides. [FORK-1] to [FORK-4] */
export function choosePath(root: ValidEvent): Path {
  const events: ValidEvent[] = []
  const splits: Split[] = []
  const tree = indexTree(root)
  for (let event: ValidEvent | undefined = root; event !== undefined; ) {
    events.push(event)
    if (event.successors.length < 2) {
      event = event.successors[0]
      continue
    }
    const judge = judgeAt(event, tree)
    const ranked = event.successors.map((successor) => ({ successor, rank: judge.rankOfSubtree(successor) }))
    const winner = decide(ranked, judge)
    const successors = ranked.map(({ successor: { digest }, rank }) => ({ digest, rank }))
    splits.push({ after: event.digest, seq: event.seq + 1, successors, winner: winner?.digest })
    if (winner === undefined) return { events, splits, status: "fork" }
    event = winner
  }
  return { events, splits, status: "ok" }
}

interface Ranked {
  readonly successor: ValidEvent
  readonly rank: Rank
}

function decide(ranked: readonly Ranked[], judge: Judge): ValidEvent | undefined {
  const highest = ranked.reduce<Rank>((best, { rank }) => (weights[rank] > weights[best] ? rank : best), "device")
  const tied = ranked.filter(({ rank }) => rank === highest).map(({ successor }) => successor)
  if (tied.length === 1) return tied[0]
  if (tied.length > maxListEntries + 1) return undefined // no settlement can name them all
  const settled = tied.filter(
    (successor) =>
      // A key that was rotated away cannot take the chain back by a settlement. [FORK-3]
      tied.every((other) => other === successor || !judge.isLeftIn(other, highest)) &&
      judge.isSettledFor(successor, tied, highest),
  )
  return settled.length === 1 ? settled[0] : undefined
}

interface Judge {
  rankOfSubtree(event: ValidEvent): Rank
  /** Whether a key of this rank is rotated away below the event. */
  isLeftIn(event: ValidEvent, rank: Rank): boolean
  isSettledFor(event: ValidEvent, tied: readonly ValidEvent[], rank: Rank): boolean
}

/** Ranks by the state after the event that splits. */
function judgeAt({ primary, next }: ValidEvent, tree: Tree): Judge {
  const committed = next === undefined ? [] : tree.keysOfCommitment(next)

  function isLeftIn(event: ValidEvent, rank: Rank): boolean {
    return (rank === "recovery" ? committed : [primary]).some((key) => tree.isRotatedAway(key, event))
  }

  function rankOfSubtree(event: ValidEvent): Rank {
    if (committed.some((key) => tree.hasSigned(key, event))) return "recovery"
    return tree.hasSigned(primary, event) ? "primary" : "device"
  }

  function isSettledFor(event: ValidEvent, tied: readonly ValidEvent[], rank: Rank): boolean {
    const [first, ...others] = tied.filter((other) => other !== event)
    if (first === undefined) return false
    return tree
      .settlementsNaming(first.digest)
      .some(
        ({ settlement, rejected }) =>
          (rank === "primary" || settlement.event.signature.key !== primary) &&
          tree.descends(settlement, event) &&
          others.every((other) => rejected.has(other.digest)),
      )
  }

  return { rankOfSubtree, isLeftIn, isSettledFor }
}
