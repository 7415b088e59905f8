/** Our log code against that of Go's checksum database, in both directions: roots, proofs, tiles, signed notes. */
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { test } from "node:test"
import {
  consistencyRanges,
  createNoteSigner,
  formatNoteKey,
  formatTilePath,
  inclusionRanges,
  isConsistent,
  isIncluded,
  joinSubtrees,
  leafHash,
  nodeHash,
  openNote,
  type Range,
  signNote,
  subtreesOf,
} from "../../packages/core/src/tlog/index.ts"
import { askTlogPeer, type TlogQuestion, tlogPeerMissing } from "../support/tlog-peer.ts"

const skip = tlogPeerMissing
const leaves = Array.from({ length: 600 }, (_, at) => new TextEncoder().encode(`entry ${at} ${"x".repeat(at % 50)}`))
const levels: Uint8Array[][] = [leaves.map((leaf) => leafHash(leaf))]
for (let level = levels[0] ?? []; level.length > 1; ) {
  level = Array.from({ length: Math.floor(level.length / 2) }, (_, at) =>
    nodeHash(level[2 * at] as Uint8Array, level[2 * at + 1] as Uint8Array),
  )
  levels.push(level)
}

function hashOf(range: Range): Uint8Array {
  return joinSubtrees(subtreesOf(range).map(({ level, index }) => levels[level]?.[index] as Uint8Array))
}
const rootOf = (size: number): Uint8Array => hashOf({ start: 0, end: size })

const sizes = [1, 2, 3, 7, 8, 9, 64, 100, 255, 256, 257, 511, 600]
const places = sizes.flatMap((size) =>
  [...new Set([0, 1, 2, Math.floor(size / 2), size - 2, size - 1])]
    .filter((at) => at >= 0 && at < size)
    .map((index) => ({ size, index })),
)
const pairs = sizes.flatMap((second) => sizes.filter((first) => first <= second).map((first) => ({ first, second })))

test("roots and proofs are the same bytes, and each side accepts the other's", { skip }, async () => {
  const questions: readonly TlogQuestion[] = [
    ...sizes.map((size) => ({ op: "root", leaves: leaves.slice(0, size) }) as const),
    ...places.map(
      ({ size, index }) => ({ op: "include", leaves: leaves.slice(0, size), first: index, second: size }) as const,
    ),
    ...pairs.map(({ first, second }) => ({ op: "extend", leaves: leaves.slice(0, second), first, second }) as const),
  ]
  const answers = await askTlogPeer(questions)
  for (const [at, size] of sizes.entries()) assert.deepEqual(answers[at]?.hashes, [rootOf(size)])
  for (const [at, { size, index }] of places.entries()) {
    const path = answers[sizes.length + at]?.hashes ?? []
    assert.deepEqual(path, inclusionRanges(index, size).map(hashOf), `${index} of ${size}`)
    assert.ok(isIncluded({ index, size, root: rootOf(size), leaf: hashOf({ start: index, end: index + 1 }), path }))
  }
  for (const [at, { first, second }] of pairs.entries()) {
    const path = answers[sizes.length + places.length + at]?.hashes ?? []
    assert.deepEqual(path, consistencyRanges(first, second).map(hashOf), `${first} to ${second}`)
    assert.ok(
      isConsistent({
        first: { size: first, root: rootOf(first) },
        second: { size: second, root: rootOf(second) },
        path,
      }),
    )
  }
})

test("H13 both sides give one verdict on thousands of spoilt proofs", { skip }, async () => {
  const questions: TlogQuestion[] = []
  const own: boolean[] = []
  const spoil = (list: readonly Uint8Array[]): (readonly Uint8Array[])[] => [
    list,
    list.slice(1),
    list.slice(0, -1),
    [...list, randomBytes(32)],
    [randomBytes(32), ...list],
    list.toReversed(),
    list.map((hash, at) => (at === list.length - 1 ? hash.map((byte) => byte ^ 1) : hash)),
  ]
  for (const { size, index } of places) {
    for (const proof of spoil(inclusionRanges(index, size).map(hashOf))) {
      for (const first of [index, index + 1, size - 1 - index]) {
        for (const second of [size, size + 1]) {
          const [root, leaf] = [rootOf(size), hashOf({ start: index, end: index + 1 })]
          questions.push({ op: "check-include", proof, first, second, roots: [root, leaf] })
          own.push(isIncluded({ index: first, size: second, root, leaf, path: proof }))
        }
      }
    }
  }
  for (const { first, second } of pairs) {
    for (const proof of spoil(consistencyRanges(first, second).map(hashOf))) {
      for (const older of [first, first + 1]) {
        if (older > second) continue
        const roots = [rootOf(first), rootOf(second)]
        questions.push({ op: "check-extend", proof, first: older, second, roots })
        own.push(
          isConsistent({
            first: { size: older, root: rootOf(first) },
            second: { size: second, root: rootOf(second) },
            path: proof,
          }),
        )
      }
    }
  }
  const answers = await askTlogPeer(questions)
  const different = questions.filter((_, at) => answers[at]?.ok !== own[at])
  assert.deepEqual(different, [])
  assert.ok(questions.length > 2_000 && own.filter(Boolean).length > 100)
})

test("tiles are the same bytes at the same paths", { skip }, async () => {
  const tiles = [
    { level: 0, index: 0, width: 256 },
    { level: 0, index: 1, width: 256 },
    { level: 0, index: 2, width: 88 },
    { level: 0, index: 0, width: 3 },
    { level: 1, index: 0, width: 2 },
  ]
  const answers = await askTlogPeer(
    tiles.map(({ level, index, width }) => ({ op: "tile", leaves, level, first: index, width })),
  )
  for (const [at, tile] of tiles.entries()) {
    const hashes = (levels[8 * tile.level] ?? []).slice(tile.index * 256, tile.index * 256 + tile.width)
    assert.deepEqual(answers[at]?.hashes, [new Uint8Array(Buffer.concat(hashes))])
    // Theirs names the height of tiles, which c2sp.org/tlog-tiles fixes at 8.
    assert.equal(answers[at]?.text.replace("tile/8/", "tile/"), formatTilePath(tile))
  }
})

test("notes of one side open on the other, and are the same bytes", { skip }, async () => {
  const secret = randomBytes(32)
  const signer = createNoteSigner("chat.example.org/handles", secret)
  const key = formatNoteKey(signer)
  const [name = "", id = ""] = key.split("+")
  const privateKey = `PRIVATE+KEY+${name}+${id}+${Buffer.concat([Buffer.from([1]), secret]).toString("base64")}`
  const text = `${name}\n600\n${Buffer.from(rootOf(600)).toString("base64")}\n`
  const note = signNote(text, signer)
  const [signed, opened, broken] = await askTlogPeer([
    { op: "sign", key: privateKey, text },
    { op: "open", key, text: note },
    { op: "open", key, text: note.replace("600", "601") },
  ])
  assert.equal(signed?.text, note)
  assert.equal(openNote(signed?.text ?? "", signer), text)
  assert.deepEqual([opened?.ok, opened?.text], [true, text])
  assert.equal(broken?.ok, false)
})
