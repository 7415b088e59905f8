/** Verified signatures are remembered: each once, whole envelopes only, right ones only. SPEC [DEC-2]. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { decodeProof, encodeProof, findProofs } from "../src/encoding/proof.ts"
import { decodeEnvelope, formatEnvelope } from "../src/envelope/envelope.ts"
import { assertSignature, forgetVerifiedSignatures, signatureCheckCount } from "../src/envelope/verify.ts"
import { replayChain } from "../src/sigchain/replay.ts"
import { verifyClaim } from "../src/verify/verify.ts"
import { add, addDevice, claimOf } from "./support/chains.ts"
import { keyNamed } from "./support/keys.ts"
import { published, question, store } from "./support/questions.ts"
import { refuses } from "./support/throws.ts"

const alice = keyNamed("cache")
const claim = claimOf("dns:cache.example", alice)

function checksOf(action: () => unknown): number {
  const before = signatureCheckCount()
  action()
  return signatureCheckCount() - before
}

const again = () => decodeEnvelope(formatEnvelope(claim), "claim")

test("assertSignature() checks an envelope once, however often it is decoded", () => {
  forgetVerifiedSignatures()
  assert.equal(
    checksOf(() => assertSignature(again())),
    1,
  )
  assert.equal(
    checksOf(() => assertSignature(again())),
    0,
  )
  forgetVerifiedSignatures()
  assert.equal(
    checksOf(() => assertSignature(again())),
    1,
  )
})

test("assertSignature() checks the same payload with another signature again, and refuses it every time", () => {
  assertSignature(again())
  const sig = `${claim.signature.sig.slice(0, -1)}${claim.signature.sig.endsWith("0") ? "1" : "0"}`
  const forged = () => decodeEnvelope(JSON.stringify({ ...claim, signature: { ...claim.signature, sig } }), "claim")
  for (let i = 0; i < 3; i++) {
    assert.equal(
      checksOf(() => refuses(() => assertSignature(forged()), "signature.invalid")),
      1,
    )
  }
})

test("assertSignature() checks another payload with the same signature again", () => {
  assertSignature(again())
  const payload = { ...claim.payload, subject: "dns:other.example" }
  const moved = decodeEnvelope(JSON.stringify({ ...claim, payload }), "claim")
  assert.equal(
    checksOf(() => refuses(() => assertSignature(moved), "signature.invalid")),
    1,
  )
})

test("a proof of possession is remembered apart from the event that holds it", () => {
  forgetVerifiedSignatures()
  const first = add(undefined, "dns:cache.example", alice)
  const second = addDevice(first, keyNamed("cache phone"), alice)
  assert.equal(
    checksOf(() => assertSignature(second)),
    1,
  )
  assert.equal(
    checksOf(() => replayChain([first, second])),
    2,
  ) // event 0 and the proof of possession
  assert.equal(
    checksOf(() => replayChain([first, second])),
    0,
  )
})

test("verifyClaim() checks nothing twice: one claim in many texts, one chain from many sources", () => {
  forgetVerifiedSignatures()
  const events = [add(undefined, "dns:cache.example", alice)]
  for (let i = 0; i < 20; i++) events.push(add(events.at(-1), `github:c${i}`, alice))
  const input = question(published(claim, claim, claim), {
    chains: [store(events), store(events), store(events.slice(0, 5))],
  })
  assert.equal(
    checksOf(() => verifyClaim(input)),
    22,
  )
  assert.equal(
    checksOf(() => verifyClaim(input)),
    0,
  )
})

test("verifyClaim() verifies no chain that has nothing to do with the claim", () => {
  forgetVerifiedSignatures()
  const others = Array.from({ length: 30 }, (_, i) => add(undefined, "dns:cache.example", keyNamed(`other ${i}`)))
  assert.equal(
    checksOf(() => verifyClaim(question(published(claim), { chains: [store(others)] }))),
    1,
  )
})

test("findProofs() gives each of many texts its own proofs, and what it gave cannot be changed", () => {
  const texts = Array.from({ length: 200 }, (_, at) => encodeProof(claimOf(`dns:many-${at}.example`, alice), "compact"))
  for (const round of [1, 2]) {
    for (const [at, text] of texts.entries()) {
      const proof = decodeProof(text)
      assert.equal(proof.kind === "claim" && proof.claim.payload.subject, `dns:many-${at}.example`, `round ${round}`)
    }
  }
  const [text = ""] = texts
  const { candidates, hints } = findProofs(text)
  const [candidate] = candidates
  assert.ok(candidate !== undefined && "proof" in candidate)
  for (const part of [candidates, hints, candidate, candidate.proof]) assert.ok(Object.isFrozen(part))
  assert.throws(() => Object.assign(candidate, { proof: undefined }), TypeError)
})
