/** Which texts are the owner's own, what a place asks for, and how a publication is told. SPEC §7 */
import assert from "node:assert/strict"
import { test } from "node:test"
import { findPublisher, publishers } from "@kez/channels"
import { encodeProof, envelopeDigest, signClaim } from "@kez/core"
import { publishTable } from "../src/program/claim.ts"
import { holdsProof, isOwnProof, proofFor, readOwner, referenceTo } from "../src/publish/own-proof.ts"
import { assertCanList } from "../src/publish/own-right.ts"
import { lastNotes, outcomeLines, readWait } from "../src/publish/words.ts"
import { contextAt, grow, now, signerOf, temporaryDir } from "./support/people.ts"

const subject = "github:jason"
const owner = signerOf(1)
const stranger = signerOf(2)
const claim = await signClaim({ subject, createdAt: now }, owner)
const theirs = await signClaim({ subject, createdAt: now }, stranger)
const chain = await grow(undefined, owner, { op: "add", subject })
const otherChain = await grow(undefined, stranger, { op: "add", subject })

test("isOwnProof() knows claims by the owner's keys and references to the owner's chain, in any text around them", () => {
  const me = { key: owner.key, chain }
  const reference = encodeProof({ chain: chain.chain }, "reference")
  for (const form of ["json", "compact", "markdown"] as const) {
    assert.equal(isOwnProof(me, encodeProof(claim, form)), true, form)
    assert.equal(isOwnProof(me, encodeProof(theirs, form)), false, form)
  }
  assert.equal(isOwnProof(me, `hello ${reference} world`), true)
  assert.equal(isOwnProof({ ...me, chain: undefined }, reference), false)
  assert.equal(isOwnProof(me, encodeProof({ chain: otherChain.chain }, "reference")), false)
  assert.equal(isOwnProof(me, "no proof"), false)
  assert.equal(isOwnProof(me, "kez:z1:AAAA ".repeat(20)), false, "too many to look at is nobody's")
})

test("holdsProof() wants this very claim, or a reference where a reference was published", async () => {
  const older = await signClaim({ subject, createdAt: now - 60 }, owner)
  const proof = { digest: envelopeDigest(claim) }
  assert.equal(holdsProof(encodeProof(claim, "compact"), proof, chain), true)
  assert.equal(holdsProof(encodeProof(older, "compact"), proof, chain), false)
  const { texts } = referenceTo(chain)
  assert.equal(holdsProof(texts.reference, proof, chain), false)
  assert.equal(holdsProof(texts.reference, referenceTo(chain), chain), true)
  assert.equal(holdsProof(encodeProof(claim, "compact"), referenceTo(chain), chain), false)
})

test("proofFor() makes a claim once, and uses it again while it serves", async (t) => {
  const context = contextAt(temporaryDir(t))
  let signed = 0
  const signer = async () => {
    signed += 1
    return owner
  }
  const me = await readOwner(context, owner.key)
  const first = await proofFor(context, me, { subject, signer })
  const second = await proofFor(context, me, { subject, signer })
  assert.equal(first.digest, second.digest)
  assert.equal(signed, 1)
  const other = await proofFor(context, me, { subject, signer, expires: "90d" })
  assert.notEqual(other.digest, first.digest)
  assert.match(other.texts.markdown, /```kez/)
  assert.match(other.texts.compact, /^kez:z1:/)
})

test("readWait() takes seconds and nothing else", () => {
  assert.equal(readWait(undefined, 60), 60)
  assert.equal(readWait("0", 60), 0)
  for (const typed of ["-1", "1.5", "86401", "a", ""]) assert.throws(() => readWait(typed, 60), { code: "usage" })
})

test("outcomeLines() shows nothing that a terminal obeys", () => {
  const [line = ""] = outcomeLines([{ url: "wss://a.example", accepted: false, note: "blocked\u001b[2J" }])
  assert.equal(line, "✕ wss://a.example  blocked\\u{1b}[2J")
})

test("outcomeLines() says of one place where it is, and of each of several what it did", () => {
  const [a, b] = [
    { url: "wss://a.example", accepted: true },
    { url: "wss://b.example", accepted: false },
  ]
  assert.deepEqual(outcomeLines([a]), ["✓ wss://a.example"])
  assert.deepEqual(outcomeLines([a, b]), ["✓ wss://a.example  accepted", "✕ wss://b.example  refused"])
})

test("lastNotes() is what the place said, each once, the last three", () => {
  const evidence = ["a", "b", "b", "c", "d"].map((note) => ({ url: "https://a.example", fetchedAt: now, note }))
  assert.equal(lastNotes({ status: "absent", code: "proof.not_found", evidence }), "b; c; d")
  assert.equal(lastNotes({ status: "absent", code: "proof.not_found", evidence: [] }), "")
})

test("the help of claim publish names every place of every publisher, the usual one first", () => {
  for (const system of publishers.keys()) {
    const places = findPublisher(system)?.places.map(({ name }) => name) ?? []
    const row = publishTable.rows.find(([term]) => term === system)
    assert.equal(row?.[1].split(". ", 1)[0], places.join(", "), system)
  }
})

test("assertCanList() refuses what could not be listed after it was published", async (t) => {
  const context = contextAt(temporaryDir(t))
  const device = signerOf(3)
  const withDevice = { ...chain, state: { ...chain.state, devices: [{ key: device.key }] } } as unknown as typeof chain
  await assertCanList(context, { key: owner.key, chain }, "markdown")
  await assertCanList(context, { key: owner.key, chain: undefined }, "markdown")
  await assertCanList(context, { key: device.key, chain: withDevice }, "reference")
  await assert.rejects(assertCanList(context, { key: device.key, chain: withDevice }, "markdown"), {
    code: "chain.not_authorised",
  })
  const forked = { ...chain, status: "fork" } as const
  await assert.rejects(assertCanList(context, { key: owner.key, chain: forked }, "reference"), { code: "chain.fork" })
})
