/** Signed notes, checkpoints, tiles and proofs as text: their only spelling, and everything else refused. */
import assert from "node:assert/strict"
import { test } from "node:test"
import {
  bundlesOf,
  createNoteSigner,
  decodeBundle,
  emptyRoot,
  encodeBundle,
  formatNoteKey,
  formatProofText,
  formatTilePath,
  hasTile,
  openCheckpoint,
  openNote,
  parseNoteKey,
  parseProofText,
  signCheckpoint,
  signNote,
  tryParseTilePath,
} from "../src/tlog/index.ts"
import { refuses } from "./support/throws.ts"

const signer = createNoteSigner("chat.example.org/handles", new Uint8Array(32).fill(1))
const other = createNoteSigner("chat.example.org/handles", new Uint8Array(32).fill(2))
const checkpoint = signCheckpoint({ origin: signer.name, size: 3, root: emptyRoot() }, signer)

test("a checkpoint opens with its key, and with no other", () => {
  const key = parseNoteKey(formatNoteKey(signer))
  assert.deepEqual(openCheckpoint(checkpoint, key), { origin: signer.name, size: 3, root: emptyRoot() })
  refuses(() => openCheckpoint(checkpoint, other), "directory.checkpoint")
  refuses(() => openCheckpoint(checkpoint, { ...key, name: "other.example.org/handles" }), "directory.checkpoint")
})

test("a checkpoint may have signatures of others, and lines that we do not know", () => {
  const [text = "", own = ""] = checkpoint.split("\n\n")
  const foreign = `— witness.example.org ${Buffer.alloc(68, 5).toString("base64")}\n`
  assert.equal(openCheckpoint(`${text}\n\n${foreign}${own}`, signer).size, 3)
  const longer = signNote(`${text}\nextension 1\n`, signer)
  assert.equal(openCheckpoint(longer, signer).size, 3)
})

test("notes are refused where anything of them is not as it should be", () => {
  const [text = "", line = ""] = checkpoint.slice(0, -1).split("\n\n")
  const wrong = [
    "",
    text,
    checkpoint.slice(0, -1),
    `${text}\n${line}\n`,
    `${text}\n\n${line.replace("—", "-")}\n`,
    `${text}\n\n${line} \n`,
    `${text}\n\n${line}\n\n`,
    `${text}\n\n${line.replace("=", "")}\n`,
    `${text.replace("3", "4")}\n\n${line}\n`,
    `${text}\n\n${Array.from({ length: 17 }, () => line).join("\n")}\n`,
    `${"x".repeat(20_000)}\n\n${line}\n`,
  ]
  for (const note of wrong) refuses(() => openNote(note, signer), "directory.checkpoint")
})

for (const body of ["03\n", "-1\n", "3.0\n", "9007199254740992\n", " 3\n", "3\nAAAA\n", "\n"]) {
  test(`a checkpoint is refused whose second line is ${JSON.stringify(body)}, though it is signed`, () => {
    const root = body.includes("AAAA") ? "" : `${Buffer.from(emptyRoot()).toString("base64")}\n`
    refuses(() => openCheckpoint(signNote(`${signer.name}\n${body}${root}`, signer), signer), "directory.checkpoint")
  })
}

for (const key of [
  "",
  "a",
  "a+00000000+AAAA",
  formatNoteKey(signer).replace("handles", "handle"),
  `${formatNoteKey(signer)} `,
]) {
  test(`parseNoteKey() refuses ${JSON.stringify(key)}`, () => refuses(() => parseNoteKey(key), "directory.key"))
}

const paths = [
  ["tile/0/000", { level: 0, index: 0, width: 256 }],
  ["tile/1/x001/x234/067.p/5", { level: 1, index: 1_234_067, width: 5 }],
  ["tile/entries/999.p/255", { level: "entries", index: 999, width: 255 }],
  ["tile/63/x001/000", { level: 63, index: 1_000, width: 256 }],
] as const
for (const [path, tile] of paths) {
  test(`the path of a tile is ${path}`, () => {
    assert.equal(formatTilePath(tile), path)
    assert.deepEqual(tryParseTilePath(path), tile)
  })
}

for (const path of [
  "tile/0/0",
  "tile/00/000",
  "tile/64/000",
  "tile/0/x000/001",
  "tile/0/001/002",
  "tile/0/000.p/256",
  "tile/0/000.p/0",
  "tile/0/000.p/01",
  "tile/-1/000",
  "tile/data/000",
  "tile/0/000/",
  "tile/0/x999/x999/x999/x999/x999/999",
  "../tile/0/000",
]) {
  test(`the path ${path} is no tile`, () => assert.equal(tryParseTilePath(path), undefined))
}

test("hasTile() knows which tiles a tree has", () => {
  assert.equal(hasTile(256, { level: 0, index: 0, width: 256 }), true)
  assert.equal(hasTile(255, { level: 0, index: 0, width: 256 }), false)
  assert.equal(hasTile(255, { level: 0, index: 0, width: 255 }), true)
  assert.equal(hasTile(65_535, { level: 1, index: 0, width: 255 }), true)
  assert.equal(hasTile(65_535, { level: 1, index: 0, width: 256 }), false)
  assert.deepEqual(bundlesOf({ start: 250, end: 600 }, 700).map(formatTilePath), [
    "tile/entries/000",
    "tile/entries/001",
    "tile/entries/002.p/188",
  ])
})

test("a bundle of leaves reads back, and refuses more, fewer and broken ones", () => {
  const leaves = ["", "a", "b".repeat(300)].map((text) => new TextEncoder().encode(text))
  const bytes = encodeBundle(leaves)
  assert.deepEqual(decodeBundle(bytes, 3), leaves)
  for (const width of [2, 4]) refuses(() => decodeBundle(bytes, width), "directory.proof")
  refuses(() => decodeBundle(bytes.slice(0, -1), 3), "directory.proof")
  refuses(() => decodeBundle(new Uint8Array([...bytes, 0]), 3), "directory.proof")
  refuses(() => encodeBundle([new Uint8Array(65_536)]), "limit.size")
})

test("a proof reads back as text, and other texts are refused", () => {
  const proof = { index: 5, path: [emptyRoot(), emptyRoot()], checkpoint }
  const text = formatProofText(proof)
  assert.deepEqual(parseProofText(text), proof)
  assert.deepEqual(parseProofText(formatProofText({ ...proof, path: [] })), { ...proof, path: [] })
  for (const wrong of [
    "",
    text.replace("@v1", "@v2"),
    text.replace("index 5", "index 05"),
    text.replace("=\n", "\n"),
    text.replace("\n\n", "\n"),
    formatProofText({ ...proof, path: Array.from({ length: 65 }, () => emptyRoot()) }),
    "x".repeat(30_000),
  ]) {
    refuses(() => parseProofText(wrong), "directory.proof")
  }
})
