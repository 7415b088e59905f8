/** A signature serves in one context. SPEC §2.1, [ENV-4], [ENV-8], [ENV-9]; adversarial S7, E-8. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { canonicalize } from "../src/canonical.ts"
import { decodeEnvelope, type Envelope } from "../src/envelope/envelope.ts"
import { kinds, payloadTypes } from "../src/envelope/kinds.ts"
import { signEnvelope } from "../src/envelope/sign.ts"
import { assertSignature } from "../src/envelope/verify.ts"
import { parseKeyIdentity, publicKeyBytes } from "../src/identity.ts"
import { popText } from "../src/sigchain/pop.ts"
import { suites } from "../src/suite/suites.ts"
import { keyNamed, sealedText } from "./support/keys.ts"
import { samplePayloads } from "./support/kinds.ts"
import { refuses, refusesLater } from "./support/throws.ts"

const alice = keyNamed("alice")
const samples = samplePayloads(alice)

test("ENV-8 there are fifteen kinds, each with a type of its own", () => {
  assert.equal(kinds.length, 15)
  assert.equal(new Set(Object.values(payloadTypes)).size, 15)
})

for (const kind of kinds) {
  test(`S7 a signature of ${kind} verifies as ${kind} and as none of the other thirteen`, () => {
    const own = JSON.parse(sealedText(kind, samples[kind], alice)) as Envelope
    assertSignature(decodeEnvelope(JSON.stringify(own), kind))
    for (const other of kinds) {
      if (other === kind) continue
      // The same text where another kind is expected.
      refuses(() => decodeEnvelope(JSON.stringify(own), other), "envelope.kind")
      // Under the other kind's name.
      refuses(() => decodeEnvelope(JSON.stringify({ ...own, kez: other }), other), "envelope.kind")
      // The signature moved to the other kind's payload, and to its own payload with the other type.
      const moved = { kez: other, payload: samples[other], signature: own.signature }
      refuses(() => assertSignature(decodeEnvelope(JSON.stringify(moved), other)), "signature.invalid")
      const bytes = Buffer.from(canonicalize({ ...own.payload, type: payloadTypes[other] }))
      assert.equal(verifies(bytes, own.signature.sig), false)
    }
  })
}

test("S7 a proof of possession is no envelope, and no envelope is a proof of possession", () => {
  const text = popText(samples.sigchain_event, alice.key, "device")
  const sig = alice.sign(text)
  assert.equal(verifies(Buffer.from(text), sig), true)
  const payload: unknown = JSON.parse(text)
  for (const kind of kinds) {
    const signature = { alg: suites.ed25519.alg, key: alice.key, sig }
    refuses(() => decodeEnvelope(JSON.stringify({ kez: kind, payload, signature }), kind), "envelope.kind")
    assert.equal(verifies(Buffer.from(canonicalize(samples[kind])), sig), false)
  }
})

test("S7 a signature over a server's nonce, a nostr event id or an HTTP signature base is no claim", () => {
  for (const foreign of ["nonce", "0".repeat(64), '"@method": GET', ""]) {
    const signature = { alg: suites.ed25519.alg, key: alice.key, sig: alice.sign(foreign) }
    const text = JSON.stringify({ kez: "claim", payload: samples.claim, signature })
    refuses(() => assertSignature(decodeEnvelope(text, "claim")), "signature.invalid")
  }
})

test("signEnvelope() refuses a payload of another kind before the key touches it", async () => {
  let asked = 0
  const signer = {
    key: alice.key,
    sign(bytes: Uint8Array) {
      asked++
      return alice.signer.sign(bytes)
    },
  }
  for (const kind of kinds) {
    const wrong = kind === "claim" ? samples.chain_head : samples.claim
    await refusesLater(signEnvelope(kind, wrong as never, signer), "envelope.kind")
  }
  assert.equal(asked, 0)
})

test("SIG-5 signEnvelope() refuses what its signer signed wrongly", async () => {
  const answers: readonly (readonly [Uint8Array, "signature.invalid" | "signature.encoding"])[] = [
    [new Uint8Array(64), "signature.invalid"],
    [Buffer.from(keyNamed("mallory").sign(canonicalize(samples.claim)), "hex"), "signature.invalid"],
    [new Uint8Array(63), "signature.encoding"],
    [new Uint8Array(0), "signature.encoding"],
  ]
  for (const [answer, code] of answers) {
    const signer = { key: alice.key, sign: () => Promise.resolve(answer) }
    await refusesLater(signEnvelope("claim", samples.claim, signer), code)
  }
})

function verifies(bytes: Uint8Array, sig: string): boolean {
  return suites.ed25519.verify(Buffer.from(sig, "hex"), bytes, publicKeyBytes(parseKeyIdentity(alice.key)))
}
