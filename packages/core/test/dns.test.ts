/** Proofs as zone-file lines. SPEC §4.5, §4.4; adversarial Z12. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { decodeProof, encodeProof, findProofs } from "../src/encoding/proof.ts"
import { envelopeDigest } from "../src/envelope/envelope.ts"
import { claimOf } from "./support/chains.ts"
import { keyNamed } from "./support/keys.ts"
import { codeOf, refuses } from "./support/throws.ts"

const claim = claimOf("dns:Example.org.", keyNamed("alice"))
const compact = encodeProof(claim, "compact")
const line = encodeProof(claim, "dns")
const strings = [...line.matchAll(/"([^"]*)"/g)].map(([, text = ""]) => text)
const record = (...texts: readonly string[]) => `_kez.example.org. IN TXT ${texts.map((text) => `"${text}"`).join(" ")}`

function found(text: string): string {
  return findProofs(text)
    .candidates.map((candidate) => {
      if ("error" in candidate) return candidate.error.code
      return candidate.proof.kind === "claim" && candidate.proof.digest === envelopeDigest(claim) ? "1" : "other"
    })
    .join(" ")
}

test("Z12 encodeProof() writes strings of at most 255 bytes under the canonical domain, joined with nothing between", () => {
  assert.match(line, /^_kez\.example\.org\. 3600 IN TXT "/)
  assert.ok(strings.length >= 2)
  assert.deepEqual(
    strings.map((text) => text.length).slice(0, -1),
    Array.from({ length: strings.length - 1 }, () => 255),
  )
  assert.equal(strings.join(""), compact)
  assert.equal(found(line), "1")
})

test("Z12 bytes lost at an edge between strings, or a lost string: a damaged proof, not an absent one", () => {
  assert.equal(found(record((strings[0] ?? "").slice(0, -1), ...strings.slice(1))), "encoding.base64url")
  assert.equal(found(record(...strings.slice(0, -1))), "zstd.frame")
})

// DNS-1 decides otherwise than the catalogue: only a record that begins like one of ours is one.
test("Z12 strings in another order are no record of ours", () => {
  assert.equal(found(record(...strings.toReversed())), "")
})

const accepted: readonly (readonly [string, string])[] = [
  ["without TTL", `_kez.example.org. IN TXT "${compact}"`],
  ["without class", `_kez.example.org. 60 TXT "${compact}"`],
  ["with tabs", `_kez.example.org.\t60\tIN\tTXT\t"${compact}"`],
  ["without space between strings", `_kez.example.org. TXT "${compact.slice(0, 200)}""${compact.slice(200)}"`],
  ["with an empty string", record(compact.slice(0, 100), "", compact.slice(100))],
  ["with another owner", `_kez.other.example. TXT "${compact}"`],
  ["with white space around and CRLF", `  _kez.example.org. TXT "${compact}"  \r\n\r\n`],
  ["with unrelated records beside it", `${record("v=spf1 -all")}\n${record("")}\n${record(compact)}`],
  ["with a reference of another kind of prefix ignored", `${record("Chain: http://a.example")}\n${record(compact)}`],
]

for (const [title, text] of accepted) test(`DNS-3 a line ${title} -> accepted`, () => assert.equal(found(text), "1"))

const refused: readonly (readonly [string, string])[] = [
  ["type TEXT", `_kez.example.org. TEXT "${compact}"`],
  ["type in small letters", `_kez.example.org. txt "${compact}"`],
  ["class CH", `_kez.example.org. CH TXT "${compact}"`],
  ["a TTL of 11 digits", `_kez.example.org. 12345678901 IN TXT "${compact}"`],
  ["no strings", "_kez.example.org. IN TXT"],
  ["a string without quotes", `_kez.example.org. IN TXT ${compact}`],
  ["an open quote", `_kez.example.org. IN TXT "${compact}`],
  ["a backslash", `_kez.example.org. IN TXT "${compact}\\065"`],
  ["a comment", `_kez.example.org. IN TXT "${compact}" ; mine`],
  ["no space before the strings", `_kez.example.org. IN TXT"${compact}"`],
  ["a line of another owner form after it", `_kez.example.org. CNAME x`],
]

for (const [title, text] of refused) {
  test(`DNS-3 a line with ${title} -> encoding.unsupported`, () =>
    refuses(() => decodeProof(text), "encoding.unsupported"))
}

test("DNS-3 each line of a zone text is one: a bare text beside a record -> encoding.unsupported", () => {
  assert.equal(found(`${record(compact)}\n${compact}\n{}`), "1 encoding.unsupported encoding.unsupported")
})

test("DNS-1 records that are not ours are no candidate; ours in another case are refused", () => {
  assert.equal(found(record("v=spf1 -all")), "")
  assert.equal(
    codeOf(() => decodeProof(record("{}"))),
    "proof.not_found",
  )
  assert.equal(found(record("KEZ:Z1:AAAA")), "encoding.unsupported")
  assert.equal(found(record("kez:z1:AAAA")), "zstd.frame")
})

test("FIND-4 a record with a hint, of any length, comes back", () => {
  for (const chainHint of ["https://a.example/", `https://a.example/${"x".repeat(700)}`]) {
    const text = encodeProof(claim, "dns", { chainHint })
    const { hints } = findProofs(text)
    assert.equal(found(text), "1")
    assert.deepEqual(hints, [chainHint])
  }
  assert.deepEqual(findProofs(`${line}\nwhatever "Chain: https://a.example/"`).hints, [])
})

test("Z12 nine records of ours -> limit.candidates, sixteen others do not count", () => {
  refuses(() => findProofs(`${record(compact)}\n`.repeat(9)), "limit.candidates")
  assert.equal(found(`${record("x")}\n`.repeat(16) + record(compact)), "1")
})
