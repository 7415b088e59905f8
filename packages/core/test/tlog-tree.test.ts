/** Merkle trees and their proofs: the example of RFC 9162 by hand, every small tree, and every way to spoil a proof. [H13] */
import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { test } from "node:test"
import fc from "fast-check"
import {
  completedBy,
  consistencyRanges,
  emptyFrontier,
  emptyRoot,
  growFrontier,
  inclusionRanges,
  isConsistent,
  isIncluded,
  joinSubtrees,
  leafHash,
  nodeHash,
  type Range,
  rootOfFrontier,
  subtreesOf,
} from "../src/tlog/index.ts"

const leafOf = (at: number): Uint8Array => new TextEncoder().encode(`leaf ${at}`)
const hashes = Array.from({ length: 71 }, (_, at) => leafHash(leafOf(at)))

/** MTH of RFC 9162 §2.1.1, written as it stands there. */
function mth(list: readonly Uint8Array[]): Uint8Array {
  const [only] = list
  if (only === undefined) return emptyRoot()
  if (list.length === 1) return only
  let split = 1
  while (split * 2 < list.length) split *= 2
  return nodeHash(mth(list.slice(0, split)), mth(list.slice(split)))
}

const rootOf = (size: number): Uint8Array => mth(hashes.slice(0, size))
const hashOf = ({ start, end }: Range): Uint8Array =>
  joinSubtrees(
    subtreesOf({ start, end }).map(({ level, index }) =>
      mth(hashes.slice(index * 2 ** level, (index + 1) * 2 ** level)),
    ),
  )

test("the hashes are those of RFC 9162 §2.1.1, with OpenSSL's SHA-256", () => {
  const sha256 = (...parts: readonly Uint8Array[]) =>
    new Uint8Array(createHash("sha256").update(Buffer.concat(parts)).digest())
  assert.deepEqual(emptyRoot(), sha256())
  assert.deepEqual(leafHash(leafOf(0)), sha256(new Uint8Array([0]), leafOf(0)))
  assert.deepEqual(nodeHash(leafOf(0), leafOf(1)), sha256(new Uint8Array([1]), leafOf(0), leafOf(1)))
})

test("the paths of the seven leaves of RFC 9162 §2.1.5 are those that it lists", () => {
  const [a, b, c, d, e, f, j] = hashes.slice(0, 7).map((hash) => [hash]) as unknown as readonly (readonly [
    Uint8Array,
  ])[]
  const node = (...list: readonly (readonly [Uint8Array] | undefined)[]) => mth(list.flatMap((one) => one ?? []))
  const [g, h, i] = [node(a, b), node(c, d), node(e, f)]
  const [k, l] = [node(a, b, c, d), node(e, f, j)]
  const path = (index: number) => inclusionRanges(index, 7).map(hashOf)
  assert.deepEqual(path(0), [b?.[0], h, l])
  assert.deepEqual(path(3), [c?.[0], g, l])
  assert.deepEqual(path(4), [f?.[0], j?.[0], k])
  assert.deepEqual(path(6), [i, k])
  const extend = (first: number) => consistencyRanges(first, 7).map(hashOf)
  assert.deepEqual(extend(3), [c?.[0], d?.[0], g, l])
  assert.deepEqual(extend(4), [l])
  assert.deepEqual(extend(6), [i, j?.[0], k])
})

test("isIncluded() holds for every leaf of every tree up to 70, and only at its place", () => {
  for (let size = 1; size <= 70; size++) {
    for (let index = 0; index < size; index++) {
      const proof = {
        index,
        size,
        root: rootOf(size),
        leaf: hashes[index] ?? emptyRoot(),
        path: inclusionRanges(index, size).map(hashOf),
      }
      assert.equal(isIncluded(proof), true)
      assert.equal(isIncluded({ ...proof, index: index + 1 }), false)
      assert.equal(isIncluded({ ...proof, root: rootOf(size + 1) }), false)
    }
  }
})

test("isConsistent() holds for every pair of trees up to 40, and no other", () => {
  for (let second = 0; second <= 40; second++) {
    for (let first = 0; first <= second; first++) {
      const path = consistencyRanges(first, second).map(hashOf)
      const proof = {
        first: { size: first, root: rootOf(first) },
        second: { size: second, root: rootOf(second) },
        path,
      }
      assert.equal(isConsistent(proof), true, `${first} ${second}`)
      if (first === 0) continue
      assert.equal(isConsistent({ ...proof, first: { size: first, root: rootOf(first + 1) } }), false)
      assert.equal(isConsistent({ ...proof, second: { size: second, root: rootOf(second + 1) } }), false)
      assert.equal(isConsistent({ ...proof, path: [...path, rootOf(1)] }), false)
    }
  }
})

test("H13 a proof with anything of it changed, left out or added holds for nothing else", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 70 }), fc.nat(), fc.nat(), fc.nat(7), (size, at, where, how) => {
      const index = at % size
      const proof = {
        index,
        size,
        root: rootOf(size),
        leaf: hashes[index] ?? emptyRoot(),
        path: inclusionRanges(index, size).map(hashOf),
      }
      assert.equal(isIncluded(spoil(proof, where, how)), false)
    }),
    { numRuns: 2_000 },
  )
})

interface Spoilt {
  readonly index: number
  readonly size: number
  readonly root: Uint8Array
  readonly leaf: Uint8Array
  readonly path: readonly Uint8Array[]
}

function spoil(proof: Spoilt, where: number, how: number): Spoilt {
  const flip = (hash: Uint8Array): Uint8Array =>
    hash.map((byte, at) => (at === where % 32 ? byte ^ (1 << (where % 8)) : byte))
  const place = where % proof.path.length
  switch (how) {
    case 0:
      return { ...proof, root: flip(proof.root) }
    case 1:
      return { ...proof, leaf: flip(proof.leaf) }
    case 2:
      return { ...proof, path: proof.path.map((hash, at) => (at === place ? flip(hash) : hash)) }
    case 3:
      return { ...proof, path: proof.path.filter((_, at) => at !== place) }
    case 4:
      return { ...proof, path: [...proof.path.slice(0, place), proof.root, ...proof.path.slice(place)] }
    case 5:
      return { ...proof, path: proof.path.map((hash, at) => (at === place ? hash.slice(1) : hash)) }
    case 6:
      return { ...proof, index: [-1, 0.5, proof.size, Number.NaN, 2 ** 60][where % 5] ?? 0 }
    default:
      return { ...proof, size: [0, -1, proof.index, 1.5, Number.POSITIVE_INFINITY][where % 5] ?? 0 }
  }
}

test("a frontier grows to the root of every size", () => {
  let frontier = emptyFrontier
  for (const [at, hash] of hashes.entries()) {
    assert.deepEqual(rootOfFrontier(frontier), rootOf(at))
    frontier = growFrontier(frontier, hash)
  }
})

test("completedBy() names each complete subtree once", () => {
  const seen = new Set<string>()
  for (let index = 0; index < 64; index++) for (const one of completedBy(index)) seen.add(`${one.level}/${one.index}`)
  assert.equal(seen.size, 64 + 32 + 16 + 8 + 4 + 2 + 1)
})
