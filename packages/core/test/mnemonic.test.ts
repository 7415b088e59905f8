/** Recovery words. SPEC §9; adversarial B1, B2. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { wordlist } from "@scure/bip39/wordlists/english.js"
import type { Code } from "../src/codes.ts"
import { KezError } from "../src/error.ts"
import { formatHex } from "../src/hex.ts"
import { formatWords, parseWords, secretOfEntropy } from "../src/mnemonic.ts"
import { createSigner, keyOfSecret } from "../src/signer.ts"
import { readVectorText, skipWithoutVectors } from "./support/public-vectors.ts"
import { codeOf, refuses } from "./support/throws.ts"

const path = "bip-0039/vectors.json"
const abandon24 = `${"abandon ".repeat(23)}art`
const legal12 = "legal winner thank year wave sausage worth useful legal winner thank yellow"

test("B1 parseWords() and formatWords() agree with BIP-39, 24 of 24: 18 words are no form of ours", {
  skip: skipWithoutVectors(path),
}, () => {
  const { english } = JSON.parse(readVectorText(path)) as { english: (readonly [string, string])[] }
  const counts: Record<number, number> = {}
  for (const [hex, words] of english) {
    const entropy = Uint8Array.from(Buffer.from(hex, "hex"))
    counts[entropy.length] = (counts[entropy.length] ?? 0) + 1
    if (entropy.length === 24) {
      refuses(() => parseWords(words), "mnemonic.length")
      refuses(() => formatWords(entropy), "mnemonic.length")
      continue
    }
    assert.equal(formatWords(entropy), words)
    assert.equal(formatHex(parseWords(words).entropy), hex)
  }
  assert.deepEqual(counts, { 16: 8, 24: 8, 32: 8 })
})

test("B1 24 words are the seed itself, 12 words its tagged hash: the three vectors of v0.2", () => {
  const { secret } = parseWords(abandon24)
  assert.deepEqual(Buffer.from(secret), Buffer.alloc(32))
  const publicKey = "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"
  assert.equal(keyOfSecret("ed25519", secret), `ed25519:${publicKey}`)
  const about = parseWords(`${"abandon ".repeat(11)}about`)
  assert.equal(formatHex(about.secret), "09451c0f06588db78205e32a793536e15ae263c8f9ee6d14f5c6fd82b8bd20da")
  assert.equal(
    formatHex(parseWords(legal12).secret),
    "9df434a2bd5dc767ee949d8ab95ca09c4ebbb88cefc3d0b1523f6b2a744ca824",
  )
  assert.deepEqual(secretOfEntropy(about.entropy), about.secret)
})

const normalised: readonly (readonly [string, string])[] = [
  ["upper case", legal12.toUpperCase()],
  ["double spaces and tabs", `  ${legal12.replaceAll(" ", " \t ")}\r\n`],
  ["full width", legal12.replaceAll("e", "\uff45")],
  ["a Kelvin sign, which is K in NFKD", legal12.replace("thank", "than\u212a")],
  ["no-break spaces, which are spaces in NFKD", legal12.replaceAll(" ", "\u00a0")],
  ["1,000 spaces", legal12.replace(" ", " ".repeat(1_000))],
]

for (const [name, text] of normalised) {
  test(`B2 parseWords() normalises ${name}`, () => {
    assert.equal(formatHex(parseWords(text).secret), formatHex(parseWords(legal12).secret))
  })
}

const refused: readonly (readonly [string, string, Code])[] = [
  ["no words", "", "mnemonic.length"],
  ["23 words", "abandon ".repeat(23), "mnemonic.length"],
  ["25 words", `${abandon24} art`, "mnemonic.length"],
  ["18 words", "abandon ".repeat(18), "mnemonic.length"],
  ["an unknown word", legal12.replace("year", "yaer"), "mnemonic.word"],
  ["a word of another list", legal12.replace("year", "année"), "mnemonic.word"],
  ["a zero-width space", legal12.replace(" ", "\u200b "), "mnemonic.word"],
  ["a name of Object.prototype", legal12.replace("year", "constructor"), "mnemonic.word"],
  ["swapped words", legal12.replace("legal winner", "winner legal"), "mnemonic.checksum"],
  ["a wrong word", legal12.replace("year", "zoo"), "mnemonic.checksum"],
  ["length before words", "xyzzy ".repeat(13), "mnemonic.length"],
  ["a text above 2,048 bytes", `${legal12}${" ".repeat(2_048)}`, "mnemonic.length"],
]

for (const [name, text, code] of refused) {
  test(`B2 parseWords() of ${name} -> ${code}`, () => refuses(() => parseWords(text), code))
}

test("B2 of 2,048 last words, exactly those with the right checksum are accepted", () => {
  const start = legal12.split(" ").slice(0, 11).join(" ")
  const fits = wordlist.filter((word) => codeOf(() => parseWords(`${start} ${word}`)) === undefined)
  assert.equal(fits.length, 128)
  assert.ok(fits.includes("yellow"))
})

test("B5 messages name positions, never words", () => {
  for (const [, text] of refused) {
    try {
      parseWords(text)
    } catch (error) {
      assert.ok(error instanceof KezError)
      const said = `${error.message} ${error.hint}`
      for (const word of ["yaer", "legal", "winner", "abandon", "xyzzy", "zoo"]) assert.ok(!said.includes(word), said)
    }
  }
})

test("MNEM-2 words that are no secret key of secp256k1 -> key.encoding", () => {
  refuses(() => createSigner("nostr", parseWords(abandon24).secret), "key.encoding")
  refuses(() => createSigner("nostr", new Uint8Array(32).fill(0xff)), "key.encoding")
  refuses(() => createSigner("ed25519", new Uint8Array(31)), "key.encoding")
})
