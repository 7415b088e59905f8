/** Keys as text: words, seeds, nsec, the content of key files. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { formatHex } from "@kez/core"
import { formatWords } from "@kez/core/mnemonic"
import { publicVectors, skipWithoutVectors } from "../../../test/support/vectors.ts"
import { formatKey, identityOf, keyOfNsec, keyOfSeed, keyOfText, keyOfWords, parseKey } from "../src/keys/key-text.ts"

const zeroWords = `${"abandon ".repeat(23)}art`
const twelve = `${"abandon ".repeat(11)}about`
const zeroIdentity = "ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"

const official = "bip-0039/vectors.json"

test("B1 keyOfWords() reads the words of the specification", () => {
  assert.equal(identityOf(keyOfWords("ed25519", zeroWords)), zeroIdentity)
  const about = keyOfWords("ed25519", twelve)
  assert.equal(formatHex(about.secret), "09451c0f06588db78205e32a793536e15ae263c8f9ee6d14f5c6fd82b8bd20da")
  const thank = keyOfWords("ed25519", "legal winner thank year wave sausage worth useful legal winner thank yellow")
  assert.equal(formatHex(thank.secret), "9df434a2bd5dc767ee949d8ab95ca09c4ebbb88cefc3d0b1523f6b2a744ca824")
})

test("B1 keyOfWords() reads all official vectors of 12 and 24 words", { skip: skipWithoutVectors(official) }, () => {
  const { english } = JSON.parse(readFileSync(publicVectors(official) ?? "", "utf8")) as { english: string[][] }
  const fitting = english.filter(([entropy]) => entropy?.length === 32 || entropy?.length === 64)
  assert.equal(fitting.length, 16)
  for (const [entropy = "", words = ""] of fitting) {
    assert.equal(formatHex(keyOfWords("ed25519", words).entropy ?? new Uint8Array()), entropy)
    assert.equal(formatWords(Buffer.from(entropy, "hex")), words)
  }
})

for (const [name, text] of [
  ["double spaces and line breaks", zeroWords.replaceAll(" ", "  \n")],
  ["upper case", zeroWords.toUpperCase()],
  ["another Unicode form", zeroWords.replace("a", "ａ")],
  ["space around them", `\t${zeroWords}\r\n`],
] as const) {
  test(`B2 keyOfWords() reads words with ${name}`, () => {
    assert.equal(identityOf(keyOfWords("ed25519", text)), zeroIdentity)
  })
}

for (const [name, text, code] of [
  ["a wrong word", zeroWords.replace("art", "zoo"), "mnemonic.checksum"],
  ["two words swapped", `art ${"abandon ".repeat(23)}`, "mnemonic.checksum"],
  ["23 words", "abandon ".repeat(23), "mnemonic.length"],
  ["an unknown word", zeroWords.replace("art", "secretzzz"), "mnemonic.word"],
  ["none", "", "mnemonic.length"],
] as const) {
  test(`B2 keyOfWords() refuses ${name}, and repeats no word`, () => {
    assert.throws(
      () => keyOfWords("ed25519", text),
      (error: { code?: string; message?: string; hint?: string }) => {
        assert.equal(error.code, code)
        assert.doesNotMatch(`${error.message}${error.hint}`, /abandon|secretzzz|\bart\b/)
        return true
      },
    )
  })
}

test("keyOfWords() refuses words whose nostr secret is out of range", () => {
  assert.throws(() => keyOfWords("nostr", zeroWords), { code: "key.encoding" })
})

test("keyOfNsec() reads the example of NIP-19", () => {
  const key = keyOfNsec("nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5\n")
  assert.equal(formatHex(key.secret), "67dea2ed018072d675f5415ecfaed7d2597555e202d85b3d65ea4e58d2d92ffa")
  assert.equal(identityOf(key), "nostr:npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg")
})

for (const text of [
  "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe4",
  "npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg",
  "nsec1",
  "",
  "67dea2ed018072d675f5415ecfaed7d2597555e202d85b3d65ea4e58d2d92ffa",
]) {
  test(`keyOfNsec() refuses ${JSON.stringify(text.slice(0, 8))} without repeating it`, () => {
    assert.throws(
      () => keyOfNsec(text),
      (error: { code?: string; message?: string; cause?: unknown }) => {
        assert.equal(error.code, "key.encoding")
        assert.equal(error.cause, undefined)
        if (text.length > 5) assert.ok(!error.message?.includes(text.slice(5)))
        return true
      },
    )
  })
}

test("keyOfSeed() reads 64 hex digits and nothing else", () => {
  assert.equal(identityOf(keyOfSeed("00".repeat(32))), zeroIdentity)
  for (const text of ["00".repeat(31), "zz".repeat(32), ""]) {
    assert.throws(() => keyOfSeed(text), { code: "key.encoding" })
  }
})

test("parseKey() reads what formatKey() wrote, in every form that a key has", () => {
  const keys = [keyOfWords("ed25519", zeroWords), keyOfWords("nostr", twelve), keyOfSeed("42".repeat(32))]
  for (const key of keys) {
    const parsed = parseKey(formatKey(key))
    assert.equal(identityOf(parsed), identityOf(key))
    assert.deepEqual(Buffer.from(parsed.entropy ?? []), Buffer.from(key.entropy ?? []))
    assert.equal(identityOf(keyOfText("ed25519", formatKey(key))), identityOf(key))
  }
})

const whole = JSON.parse(formatKey(keyOfWords("ed25519", twelve))) as Record<string, unknown>
for (const [name, change, code] of [
  ["a newer version", { version: 2 }, "store.newer"],
  ["another type", { type: "other" }, "store.corrupt"],
  ["a member too many", { extra: 1 }, "store.corrupt"],
  ["the secret of another identity", { secret: "11".repeat(32) }, "store.corrupt"],
  ["the entropy of another secret", { entropy: "11".repeat(16) }, "store.corrupt"],
  ["another identity", { identity: zeroIdentity }, "store.corrupt"],
  ["a count that does not fit", { words: 24 }, "store.corrupt"],
  ["no secret", { secret: undefined }, "store.corrupt"],
] as const) {
  test(`parseKey() refuses a file with ${name}`, () => {
    assert.throws(() => parseKey(JSON.stringify({ ...whole, ...change })), { code })
  })
}
