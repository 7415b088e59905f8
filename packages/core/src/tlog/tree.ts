/** Hashes of a Merkle tree, and which of its subtrees a proof is made of. RFC 9162 §2.1, RFC 6962 §2.1. */
import { sha256 } from "../digest.ts"

/** Bytes of a hash. */
export const hashBytes = 32

/** A complete subtree: the hash over the leaves `index * 2^level` to `(index + 1) * 2^level - 1`. */
export interface Subtree {
  readonly level: number
  readonly index: number
}

/** Leaves from `start` up to, not including, `end`. */
export interface Range {
  readonly start: number
  readonly end: number
}

export function leafHash(leaf: Uint8Array): Uint8Array {
  return hashWith(0, [leaf])
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return hashWith(1, [left, right])
}

/** The root of a tree without leaves. */
export function emptyRoot(): Uint8Array {
  return new Uint8Array(sha256(new Uint8Array()))
}

/** Another first byte for leaves and nodes: else a node could be shown as a leaf. */
function hashWith(prefix: number, parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(1 + parts.reduce((sum, part) => sum + part.length, 0))
  bytes[0] = prefix
  let at = 1
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return new Uint8Array(sha256(bytes))
}

/** The complete subtrees that a range of a proof consists of, from left to right. Such a range begins where a subtree of its size may. */
export function subtreesOf({ start, end }: Range): readonly Subtree[] {
  const subtrees: Subtree[] = []
  for (let at = start; at < end; ) {
    let level = 0
    for (let size = 2; at % size === 0 && at + size <= end; size *= 2) level++
    subtrees.push({ level, index: at / 2 ** level })
    at += 2 ** level
  }
  return subtrees
}

/** The hash of a range from those of its subtrees, in the order of `subtreesOf`. */
export function joinSubtrees(hashes: readonly Uint8Array[]): Uint8Array {
  const last = hashes.at(-1)
  return last === undefined
    ? emptyRoot()
    : hashes.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last)
}

/** The ranges whose hashes prove that a leaf is in a tree, in the order of the proof. RFC 9162 §2.1.3.1 */
export function inclusionRanges(index: number, size: number): readonly Range[] {
  const ranges: Range[] = []
  let whole: Range = { start: 0, end: size }
  while (whole.end - whole.start > 1) {
    const middle = whole.start + splitOf(whole.end - whole.start)
    const [left, right] = [
      { start: whole.start, end: middle },
      { start: middle, end: whole.end },
    ]
    ranges.push(index < middle ? right : left)
    whole = index < middle ? left : right
  }
  return ranges.reverse()
}

/** The ranges whose hashes prove that a tree begins with one that had `first` leaves. RFC 9162 §2.1.4.1 */
export function consistencyRanges(first: number, second: number): readonly Range[] {
  if (first === 0 || first === second) return []
  const ranges: Range[] = []
  let whole: Range = { start: 0, end: second }
  // Whether the part that is left is the whole of the first tree, whose root the reader has.
  let isKnown = true
  while (whole.end !== first) {
    const middle = whole.start + splitOf(whole.end - whole.start)
    if (first <= middle) {
      ranges.push({ start: middle, end: whole.end })
      whole = { start: whole.start, end: middle }
    } else {
      ranges.push({ start: whole.start, end: middle })
      whole = { start: middle, end: whole.end }
      isKnown = false
    }
  }
  if (!isKnown) ranges.push(whole)
  return ranges.reverse()
}

/** The largest power of two below `size`, which is above 1. */
function splitOf(size: number): number {
  let split = 1
  while (split * 2 < size) split *= 2
  return split
}

/** The subtrees that are complete once there is a leaf at `index`, from the leaf up: what a log stores for each leaf. */
export function completedBy(index: number): readonly Subtree[] {
  const subtrees: Subtree[] = [{ level: 0, index }]
  for (let level = 1, at = index; at % 2 === 1; level++) {
    at = (at - 1) / 2
    subtrees.push({ level, index: at })
  }
  return subtrees
}
