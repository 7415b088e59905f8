/** What is nearly right about a text: cut, broken and changed proofs. SPEC §7.2. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { createSigner, encodeProof, signClaim } from "@kez/core"
import { expectedLength, formatCount, notesOnTexts } from "../src/near-miss.ts"

const signer = createSigner("ed25519", new Uint8Array(32).fill(7))
const claim = await signClaim({ subject: "github:jason", createdAt: 1_800_000_000 }, signer)
const compact = encodeProof(claim, "compact")
const markdown = encodeProof(claim, "markdown")
const json = encodeProof(claim, "json")

function noteOn(text: string): string {
  return notesOnTexts([text]).join("; ")
}

test("notesOnTexts() is silent about whole proofs and about ordinary writing", () => {
  for (const text of [compact, markdown, json, "kez is great", "", "```js\nlet kez\n```", "\ud800"]) {
    assert.deepEqual(notesOnTexts([text]), [], text.slice(0, 40))
  }
})

test("notesOnTexts() tells how much of a cut compact text is there, and of how much", () => {
  for (const length of [30, 100, 300, compact.length - 1]) {
    const note = `block found but cut after ${formatCount(length)} of ${formatCount(compact.length)} characters`
    assert.equal(noteOn(`proof: ${compact.slice(0, length)}`), note)
  }
  assert.equal(expectedLength(compact), compact.length)
  assert.equal(expectedLength("kez:z1:AAAA"), undefined)
  assert.equal(expectedLength(compact.slice(0, 12)), undefined)
})

test("expectedLength() ends on frames that say nonsense", () => {
  const header = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50]
  const at = (...bytes: readonly number[]) => `kez:z1:${Buffer.from([...header, ...bytes]).toString("base64url")}`
  assert.equal(expectedLength(at()), undefined)
  assert.equal(expectedLength(at(0x07, 0, 0)), undefined)
  assert.equal(expectedLength(at(0x00, 0, 0, 0x01, 0, 0)), at(0, 0, 0, 0, 0, 0).length)
  assert.equal(expectedLength(at(0x03, 0xff, 0xff, 0x41)), at(0, 0, 0, 0).length)
})

test("notesOnTexts() sees a block whose closing fence is missing", () => {
  const cut = markdown.slice(0, markdown.length - 60)
  assert.match(noteOn(cut), /^block found but cut after \d+ characters: its end is missing$/)
  assert.match(noteOn(`\`\`\`kez\n${compact}\n`), /never closed/)
  assert.match(noteOn(`\`\`\`kez\n${compact.slice(0, 200)}`), /cut after 200 of/)
})

test("notesOnTexts() sees what editors and panels do to a proof", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [`${compact.slice(0, 76)}\n${compact.slice(76)}`, /broken into lines after 76 characters/],
    [`> ${compact.slice(0, 76)}\r\n> ${compact.slice(76)}`, /broken into lines after 76 characters/],
    [`proof ${compact}AAAA`, /with 4 characters too many/],
    [`proof ${compact.slice(0, 90)}+${compact.slice(91)}`, /stops after 90 characters at “\+”/],
    [`Here it is:\n${json}`, /without its fence/],
    [`Here it is:\n${json.replaceAll('"', "&quot;")}`, /HTML/],
    [markdown.replaceAll('"', "”"), /typographic/],
    [`proof:${compact}`, /glued/],
    [`Here: ${compact.toUpperCase()}`, /lower case/],
  ]
  for (const [text, note] of cases) assert.match(noteOn(text), note)
})

test("notesOnTexts() says each thing once, and never much", () => {
  const texts = Array.from({ length: 50 }, (_, i) => `x ${compact.slice(0, 100 + i)}`)
  assert.equal(notesOnTexts([...texts, ...texts]).length, 4)
  assert.equal(notesOnTexts([texts[0] ?? "", texts[0] ?? ""]).length, 1)
})

test("notesOnTexts() reads a megabyte of nonsense quickly", () => {
  const started = performance.now()
  notesOnTexts(["kez:z1:".repeat(100_000), "```kez\n".repeat(100_000), `"kez"${" ".repeat(1_000_000)}`])
  assert.ok(performance.now() - started < 500)
})
