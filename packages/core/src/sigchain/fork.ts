/** Which branch of a fork counts: by the rank of signatures, never by time, length or order of arrival. SPEC §5.6. */
import type { Digest } from "../digest.ts"
import { commitmentTo } from "./commitment.ts"
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
  const judges = new Map<string, Judge>()
  for (let event: ValidEvent | undefined = root; event !== undefined; ) {
    events.push(event)
    if (event.successors.length < 2) {
      event = event.successors[0]
      continue
    }
    const judge = judgeAt(event, judges)
    const winner = decide(event, judge)
    const successors = event.successors.map((successor) => ({
      digest: successor.digest,
      rank: judge.rankOfSubtree(successor),
    }))
    splits.push({ after: event.digest, seq: event.seq + 1, successors, winner: winner?.digest })
    if (winner === undefined) return { events, splits, status: "fork" }
    event = winner
  }
  return { events, splits, status: "ok" }
}

function decide(split: ValidEvent, judge: Judge): ValidEvent | undefined {
  const ranks = split.successors.map((successor) => weights[judge.rankOfSubtree(successor)])
  const highest = Math.max(...ranks)
  const tied = split.successors.filter((_, i) => ranks[i] === highest)
  if (tied.length === 1) return tied[0]
  const settled = tied.filter((successor) => judge.isSettledFor(successor, tied, highest))
  return settled.length === 1 ? settled[0] : undefined
}

interface Judge {
  rankOfSubtree(event: ValidEvent): Rank
  isSettledFor(event: ValidEvent, tied: readonly ValidEvent[], weight: number): boolean
}

/** Splits under the same primary and commitment share one judge, so that each subtree is ranked once. */
function judgeAt({ primary, next }: ValidEvent, judges: Map<string, Judge>): Judge {
  const name = `${primary} ${next ?? ""}`
  const judge = judges.get(name) ?? createJudge(primary, next)
  judges.set(name, judge)
  return judge
}

function createJudge(primary: string, next: Digest | undefined): Judge {
  const rankOfKey = new Map<string, Rank>()
  const rankOfTree = new Map<ValidEvent, Rank>()

  function rankOf(event: ValidEvent): Rank {
    const { key } = event.event.signature
    const known = rankOfKey.get(key)
    if (known !== undefined) return known
    const rank = next !== undefined && commitmentTo(key) === next ? "recovery" : key === primary ? "primary" : "device"
    rankOfKey.set(key, rank)
    return rank
  }

  function rankOfSubtree(root: ValidEvent): Rank {
    if (!rankOfTree.has(root)) {
      // Successors before their parents, without recursion.
      for (const event of [...subtree(root, (visited) => !rankOfTree.has(visited))].reverse()) {
        const ranks = [rankOf(event), ...event.successors.map((successor) => rankOfTree.get(successor) ?? "device")]
        rankOfTree.set(
          event,
          ranks.reduce((a, b) => (weights[a] >= weights[b] ? a : b)),
        )
      }
    }
    return rankOfTree.get(root) ?? "device"
  }

  function isSettledFor(root: ValidEvent, tied: readonly ValidEvent[], weight: number): boolean {
    for (const event of subtree(root, () => true)) {
      const { payload } = event.event
      if (payload.op !== "settle" || weights[rankOf(event)] !== weight) continue
      if (tied.every((other) => other === root || payload.payload.reject.includes(other.digest))) return true
    }
    return false
  }

  return { rankOfSubtree, isSettledFor }
}

/** An event and all valid events that descend from it, parents first. */
export function* subtree(root: ValidEvent, wanted: (event: ValidEvent) => boolean): Generator<ValidEvent> {
  const stack = [root]
  for (let event = stack.pop(); event !== undefined; event = stack.pop()) {
    if (!wanted(event)) continue
    yield event
    stack.push(...event.successors)
  }
}
