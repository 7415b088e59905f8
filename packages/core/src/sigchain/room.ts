/**
 * How much of a fork is kept. A thief of a device can sign as many branches as he likes; they must neither fill the store nor
 * keep the owner's answer out. A branch of a higher rank always finds room.
 */
import type { Digest } from "../digest.ts"
import { envelopeDigest, type SigchainEvent } from "../envelope/envelope.ts"
import { maxKnownEvents, reservedChainEvents } from "../limits.ts"
import { commitmentTo } from "./commitment.ts"
import { replayChain } from "./replay.ts"

/** Losing branches of equal rank that are kept at one split, and the one that wins. */
const maxBranches = 9

/** Whether the events of `branch` from `from` on may join the known ones. */
export function hasRoomFor(known: readonly SigchainEvent[], branch: readonly SigchainEvent[], from: number): boolean {
  const tail = branch.slice(from)
  const total = known.length + tail.length
  const parent = branch[from - 1]
  if (parent === undefined) return total <= maxKnownEvents
  const rankOf = rankerAt(branch.slice(0, from))
  const rank = highest(tail, rankOf)
  const settles = rank > 1 && tail.some(({ payload }) => payload.op === "settle")
  if (total > maxKnownEvents - (rank === 1 ? reservedChainEvents : 0)) return false
  // The owner's decision between the branches must find room among them.
  if (settles) return true
  const children = childrenByParent(known)
  const siblings = children.get(envelopeDigest(parent)) ?? []
  const equals = siblings.filter((sibling) => highest(subtree(sibling, children), rankOf) === rank)
  return equals.length < maxBranches
}

type Ranker = (event: SigchainEvent) => number

/** 3 for the committed key, 2 for the primary, 1 for a device, judged by the state where the branch leaves. [FORK-1] */
function rankerAt(prefix: readonly SigchainEvent[]): Ranker {
  const { primary, next } = replayChain(prefix).state
  return ({ signature: { key } }) => (next !== undefined && commitmentTo(key) === next ? 3 : key === primary ? 2 : 1)
}

function highest(events: Iterable<SigchainEvent>, rankOf: Ranker): number {
  let rank = 1
  for (const event of events) rank = Math.max(rank, rankOf(event))
  return rank
}

function childrenByParent(events: readonly SigchainEvent[]): ReadonlyMap<Digest, readonly SigchainEvent[]> {
  return Map.groupBy(events, (event) => event.payload.prev ?? "")
}

function* subtree(
  root: SigchainEvent,
  children: ReadonlyMap<Digest, readonly SigchainEvent[]>,
): Generator<SigchainEvent> {
  const stack = [root]
  for (let event = stack.pop(); event !== undefined; event = stack.pop()) {
    yield event
    stack.push(...(children.get(envelopeDigest(event)) ?? []))
  }
}
