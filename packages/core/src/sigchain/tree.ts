/**
 * An index over all valid events of a chain: who signed below an event, and who settles what. An attacker chooses the number of
 * splits, so that no question about a subtree may cost a walk through it. SPEC §5.6.
 */
import type { Digest } from "../digest.ts"
import { commitmentTo } from "./commitment.ts"
import type { ValidEvent } from "./walk.ts"

export interface Settlement {
  readonly settlement: ValidEvent
  readonly rejected: ReadonlySet<Digest>
}

export interface Tree {
  /** Whether `event` is `root` or descends from it. */
  descends(event: ValidEvent, root: ValidEvent): boolean
  /** Whether the key signed `root` or an event that descends from it. */
  hasSigned(key: string, root: ValidEvent): boolean
  /** Whether `root` or an event that descends from it is a rotation away from the key. */
  isRotatedAway(key: string, root: ValidEvent): boolean
  /** The signers of this chain to whom a commitment commits: one, but for keys of two systems with the same bytes. */
  keysOfCommitment(next: Digest): readonly string[]
  settlementsNaming(digest: Digest): readonly Settlement[]
}

/** The positions of a subtree in an order with parents first: from `start` to before `end`. */
interface Span {
  readonly start: number
  end: number
}

export function indexTree(root: ValidEvent): Tree {
  const spans = new Map<ValidEvent, Span>()
  const signedAt = new Map<string, number[]>()
  const leftAt = new Map<string, number[]>()
  const settlements = new Map<Digest, Settlement[]>()
  for (const event of subtree(root)) {
    const start = spans.size
    spans.set(event, { start, end: start + 1 })
    listIn(signedAt, event.event.signature.key).push(start)
    const { payload } = event.event
    if (payload.op === "rotate") listIn(leftAt, payload.primary).push(start)
    if (payload.op !== "settle") continue
    const settlement = { settlement: event, rejected: new Set(payload.payload.reject) }
    for (const digest of settlement.rejected) listIn(settlements, digest).push(settlement)
  }
  for (const [event, { end }] of [...spans].reverse()) {
    const parent = event.parent === undefined ? undefined : spans.get(event.parent)
    if (parent !== undefined) parent.end = Math.max(parent.end, end)
  }
  let commitments: Map<Digest, string[]> | undefined

  return {
    descends(event, ancestor) {
      const { start } = spanOf(event)
      const span = spanOf(ancestor)
      return start >= span.start && start < span.end
    },
    hasSigned: (key, ancestor) => isBelow(signedAt.get(key), ancestor),
    isRotatedAway: (key, ancestor) => isBelow(leftAt.get(key), ancestor),
    keysOfCommitment(next) {
      commitments ??= commitmentsTo(signedAt.keys())
      return commitments.get(next) ?? []
    },
    settlementsNaming: (digest) => settlements.get(digest) ?? [],
  }

  function isBelow(positions: readonly number[] | undefined, ancestor: ValidEvent): boolean {
    const { start, end } = spanOf(ancestor)
    const first = firstFrom(positions ?? [], start)
    return first !== undefined && first < end
  }

  function spanOf(event: ValidEvent): Span {
    return spans.get(event) ?? { start: -1, end: -1 }
  }
}

/** An event and all valid events that descend from it, parents first, without recursion. */
export function* subtree(root: ValidEvent): Generator<ValidEvent> {
  const stack = [root]
  for (let event = stack.pop(); event !== undefined; event = stack.pop()) {
    yield event
    for (const successor of event.successors) stack.push(successor)
  }
}

function commitmentsTo(keys: Iterable<string>): Map<Digest, string[]> {
  const found = new Map<Digest, string[]>()
  for (const key of keys) listIn(found, commitmentTo(key)).push(key)
  return found
}

/** The first of ascending numbers that is `from` or more. */
function firstFrom(numbers: readonly number[], from: number): number | undefined {
  let low = 0
  let high = numbers.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((numbers[middle] ?? 0) < from) low = middle + 1
    else high = middle
  }
  return numbers[low]
}

function listIn<K, V>(lists: Map<K, V[]>, key: K): V[] {
  const list = lists.get(key) ?? []
  if (list.length === 0) lists.set(key, list)
  return list
}
