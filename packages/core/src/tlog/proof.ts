/** Checking proofs of a Merkle tree: that a leaf is in it, and that it begins with an older one. RFC 9162 §2.1.3.2, §2.1.4.2. */
import { hashBytes, nodeHash } from "./tree.ts"

export interface InclusionProof {
  readonly index: number
  /** Leaves of the tree. */
  readonly size: number
  readonly root: Uint8Array
  /** Hash of the leaf. */
  readonly leaf: Uint8Array
  /** From the leaf to the root. */
  readonly path: readonly Uint8Array[]
}

/** Whether the leaf stands at `index` of the tree. Never throws. */
export function isIncluded({ index, size, root, leaf, path }: InclusionProof): boolean {
  if (!isCount(index) || !isCount(size) || index >= size || !areHashes([root, leaf, ...path])) return false
  const place = new Place(index, size - 1)
  let hash = leaf
  for (const other of path) {
    if (place.isRoot) return false
    hash = place.isRightOfSibling() ? nodeHash(other, hash) : nodeHash(hash, other)
    place.climb()
  }
  return place.isRoot && isSame(hash, root)
}

export interface ConsistencyProof {
  readonly first: { readonly size: number; readonly root: Uint8Array }
  readonly second: { readonly size: number; readonly root: Uint8Array }
  readonly path: readonly Uint8Array[]
}

/** Whether the second tree begins with all leaves of the first, in their order. Never throws. An empty tree begins every other. */
export function isConsistent({ first, second, path }: ConsistencyProof): boolean {
  if (!isCount(first.size) || !isCount(second.size) || !areHashes([first.root, second.root, ...path])) return false
  if (first.size === second.size) return path.length === 0 && isSame(first.root, second.root)
  if (first.size > second.size) return false
  if (first.size === 0) return path.length === 0
  const isWhole = isPowerOfTwo(first.size)
  const [start, ...rest] = isWhole ? [first.root, ...path] : path
  if (start === undefined || (isWhole && path.length === 0)) return false
  const place = new Place(first.size - 1, second.size - 1)
  place.climbFromRight()
  let [older, newer] = [start, start]
  for (const other of rest) {
    if (place.isRoot) return false
    if (place.isRightOfSibling()) {
      older = nodeHash(other, older)
      newer = nodeHash(other, newer)
    } else {
      newer = nodeHash(newer, other)
    }
    place.climb()
  }
  return place.isRoot && isSame(older, first.root) && isSame(newer, second.root)
}

/** Where a proof is on its way up: `fn` and `sn` of RFC 9162. Numbers above 2^32 have no shift operators. */
class Place {
  #node: number
  #last: number

  constructor(node: number, last: number) {
    this.#node = node
    this.#last = last
  }

  get isRoot(): boolean {
    return this.#last === 0
  }

  isRightOfSibling(): boolean {
    return this.#node % 2 === 1 || this.#node === this.#last
  }

  climb(): void {
    // The last node of a level without a sibling is that of the level above.
    if (this.isRightOfSibling()) while (this.#node % 2 === 0 && this.#node !== 0) this.#halve()
    this.#halve()
  }

  climbFromRight(): void {
    while (this.#node % 2 === 1) this.#halve()
  }

  #halve(): void {
    this.#node = Math.floor(this.#node / 2)
    this.#last = Math.floor(this.#last / 2)
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value))
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every((hash) => hash.length === hashBytes)
}

export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}
