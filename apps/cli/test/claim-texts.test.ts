/** Small readers of what people type: expiries, durations, digests, keys, files. */
import assert from "node:assert/strict"
import { readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { encodeProof, signClaim } from "@kez/core"
import { documentName, readDocument, writeDocument } from "../src/documents.ts"
import { readDuration, readExpiry } from "../src/expiry.ts"
import { pickDigest } from "../src/find-chain.ts"
import { findUsableClaim, readForm } from "../src/own-claims.ts"
import { hintsToFollow, keysOfProofs } from "../src/proof-keys.ts"
import { columns, shortKey } from "../src/short-text.ts"
import { add, grow, now, signerOf, temporaryDir } from "./support/people.ts"

test("readExpiry() reads a time from now, a date and a moment", () => {
  assert.equal(readExpiry("90d", now), now + 90 * 86_400)
  assert.equal(readExpiry("2027-01-01", now), 1_798_761_600)
  assert.equal(readExpiry("2027-01-01T00:00:01Z", now), 1_798_761_601)
})

for (const [text, code] of [
  ["", "usage"],
  ["0d", "usage"],
  ["90", "usage"],
  ["90D", "usage"],
  ["2027-02-30", "usage"],
  ["2027-01-01T00:00:00", "usage"],
  ["2025-01-01", "usage"],
  ["2026-01-01", "usage"],
] as const) {
  test(`readExpiry() refuses ${JSON.stringify(text)} with ${code}`, () => {
    assert.throws(() => readExpiry(text, now), { code })
  })
}

test("readDuration() reads minutes to years", () => {
  assert.deepEqual(["1m", "2h", "7d", "1w", "1y"].map(readDuration), [60, 7_200, 604_800, 604_800, 31_536_000])
  assert.throws(() => readDuration("7"), { code: "usage" })
})

test("pickDigest() takes enough digits for one", () => {
  const [a, b] = [`sha256:${"a".repeat(64)}`, `sha256:aaaaaaaa${"b".repeat(56)}`]
  assert.equal(pickDigest(`${b.slice(0, 18)}…`, [a, b, b]), b)
  for (const typed of ["sha256:aaaa", "sha256:aaaaaaaa", "sha256:cccccccc", ""]) {
    assert.throws(() => pickDigest(typed, [a, b]), { code: "usage" })
  }
})

test("readForm() refuses forms without room for what was asked", () => {
  assert.equal(readForm({}, "github:a"), "markdown")
  assert.equal(readForm({ format: "dns", chainHint: "https://a.example/c" }, "dns:a.example"), "dns")
  for (const [options, subject] of [
    [{ format: "pdf" }, "github:a"],
    [{ format: "dns" }, "github:a"],
    [{ format: "compact", chainHint: "https://a.example/" }, "github:a"],
    [{ chainHint: "http://a.example/" }, "github:a"],
    [{ chainHint: "https://a.example/\n```kez" }, "github:a"],
    [{ format: "dns", chainHint: 'https://a.example/"' }, "dns:a.example"],
  ] as const) {
    assert.throws(() => readForm(options, subject), { code: "usage" })
  }
})

test("findUsableClaim() passes over claims that expired or that a revocation outlived", async () => {
  const signer = signerOf(1)
  const claim = await signClaim({ subject: "github:a", createdAt: now - 60 }, signer)
  const own = { digest: "sha256:1", claim, createdAt: now - 60, expiresAt: undefined }
  assert.equal(findUsableClaim([{ ...own, expiresAt: now }, own], now, undefined), own)
  const listed = await grow(undefined, signer, add("github:a"))
  assert.equal(findUsableClaim([own], now, listed), own)
  const revoked = await grow(listed, signer, { op: "revoke", subject: "github:a" })
  assert.equal(findUsableClaim([own], now, revoked), undefined)
  const proof = `sha256:${"1".repeat(64)}`
  const again = await grow(revoked, signer, { op: "add", subject: "github:a", proof })
  assert.equal(findUsableClaim([own], now, again), undefined)
  const named = { ...own, digest: proof }
  assert.equal(findUsableClaim([own, named], now, again), named)
})

test("keysOfProofs() believes nothing that is not signed", async () => {
  const claim = await signClaim({ subject: "dns:a.example", createdAt: now }, signerOf(1))
  const text = encodeProof(claim, "markdown", { chainHint: "https://a.example/c" })
  const keys = keysOfProofs([{ text, foundAt: "here" }])
  assert.deepEqual(keys, {
    primaries: [signerOf(1).key],
    chains: [],
    hosts: [],
    domains: ["a.example"],
    hints: ["https://a.example/c"],
    stray: new Set(),
  })
  const forged = keysOfProofs([{ text: text.replace('a.example",', 'b.example",'), foundAt: "here" }])
  assert.deepEqual([forged.primaries, forged.domains, forged.hints], [[], [], []])
})

test("hintsToFollow() gives those beside a right proof of the account alone", async () => {
  const claim = await signClaim({ subject: "dns:a.example", createdAt: now }, signerOf(1))
  const at = (chainHint: string) => ({ text: encodeProof(claim, "markdown", { chainHint }), foundAt: "here" })
  const right = at("https://a.example/right")
  const forged = {
    ...at("https://a.example/forged"),
    text: at("https://a.example/forged").text.replace('a.example",', 'b.example",'),
  }
  const reference = { text: `kez:r1:${"0".repeat(64)}\nChain: https://a.example/reference`, foundAt: "here" }
  const placed = ["https://a.example/right", "https://a.example/forged", "https://a.example/record"]
  const follow = (texts: readonly (typeof right)[], asked = "dns:a.example") =>
    hintsToFollow(keysOfProofs(texts, asked), placed)
  assert.deepEqual(follow([right, forged]), ["https://a.example/right", "https://a.example/record"])
  assert.deepEqual(follow([forged]), [])
  assert.deepEqual(follow([right], "dns:b.example"), [])
  assert.deepEqual(follow([right, reference], "dns:b.example"), [
    "https://a.example/forged",
    "https://a.example/record",
    "https://a.example/reference",
  ])
  const many = Array.from({ length: 20 }, (_, n) => at(`https://a.example/${n}`))
  assert.equal(hintsToFollow(keysOfProofs(many), []).length, 16)
})

test("writeDocument() writes all or nothing, and over a file only with force", async (t) => {
  const path = join(temporaryDir(t), "claim.md")
  writeDocument(path, "one\n", { force: false })
  assert.throws(() => writeDocument(path, "two\n", { force: false }), { code: "store.exists" })
  assert.equal(readFileSync(path, "utf8"), "one\n")
  writeDocument(path, "two\n", { force: true })
  assert.equal(Buffer.from(await readDocument(path, 4)).toString(), "two\n")
  await assert.rejects(readDocument(path, 3), { code: "limit.size" })
  assert.ok(statSync(path).isFile())
})

test("readDocument() says why a file cannot be read, and bounds what has no size", async (t) => {
  const dir = temporaryDir(t)
  writeFileSync(join(dir, "empty"), "")
  assert.equal((await readDocument(join(dir, "empty"), 10)).length, 0)
  await assert.rejects(readDocument(join(dir, "none"), 10), { code: "input.unreadable" })
  await assert.rejects(readDocument(dir, 10), { code: "input.unreadable" })
  await assert.rejects(readDocument("/dev/zero", 1_000), { code: "limit.size" })
  assert.equal(documentName("-"), "stdin")
})

test("shortKey() and columns() leave short texts as they are", () => {
  assert.equal(shortKey("ed25519:abc"), "ed25519:abc")
  assert.equal(
    columns(
      [
        ["a", "bb"],
        ["ccc", ""],
      ],
      "  ",
    ),
    "  a    bb\n  ccc",
  )
})
