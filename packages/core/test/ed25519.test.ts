/** Strict Ed25519 and BIP-340: public vectors and the cases on which implementations differ. SPEC §3.5. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { formatHex } from "../src/hex.ts"
import { formatKeyIdentity } from "../src/identity.ts"
import { faultOfEd25519Key, verifyEd25519 } from "../src/suite/ed25519.ts"
import { verifySchnorr } from "../src/suite/schnorr.ts"
import { suites } from "../src/suite/suites.ts"
import { keyNamed } from "./support/keys.ts"
import { bip340, bip340Path, skipWithoutVectors, wycheproof, wycheproofPath } from "./support/public-vectors.ts"
import { smallOrderKeys, strictCases } from "./support/strict-ed25519.ts"

test("S1 verifyEd25519() agrees with Wycheproof, 151 of 151", { skip: skipWithoutVectors(wycheproofPath) }, () => {
  const vectors = wycheproof()
  const wrong = vectors.filter(
    ({ signature, message, publicKey, valid }) => verifyEd25519(signature, message, publicKey) !== valid,
  )
  assert.deepEqual(
    wrong.map(({ id }) => id),
    [],
  )
  assert.equal(vectors.length, 151)
  assert.equal(vectors.filter(({ valid }) => valid).length, 88)
})

test("S6 verifySchnorr() agrees with BIP-340, 19 of 19, messages of other lengths included", {
  skip: skipWithoutVectors(bip340Path),
}, () => {
  const vectors = bip340()
  const wrong = vectors.filter(
    ({ signature, message, publicKey, valid }) => verifySchnorr(signature, message, publicKey) !== valid,
  )
  assert.deepEqual(
    wrong.map(({ id }) => id),
    [],
  )
  assert.equal(vectors.length, 19)
  assert.equal(vectors.filter(({ valid }) => valid).length, 9)
  assert.ok(vectors.some(({ message, valid }) => valid && message.length !== 32))
})

test("S2 S3 S5 verifyEd25519() follows SIG-1 when the equation alone would not decide", () => {
  const cases = strictCases()
  for (const { why, signature, message, publicKey, valid } of cases) {
    assert.equal(verifyEd25519(signature, message, publicKey), valid, `${why}: ${formatHex(signature)}`)
  }
  assert.equal(cases.length, 32 * 11 + 14)
  // The rule of SPEC, not of the catalogue: a key of mixed order is accepted where the cofactorless equation holds.
  assert.ok(cases.some(({ why, valid }) => why.startsWith("A of mixed order") && valid))
  assert.ok(cases.some(({ why, valid }) => why.startsWith("A of mixed order") && !valid))
})

test("S3 verifyEd25519() refuses signatures of 63 and 65 bytes and keys of other lengths", () => {
  const { publicKey, message, signature } = honest()
  assert.equal(verifyEd25519(signature, message, publicKey), true)
  assert.equal(verifyEd25519(signature.subarray(0, 63), message, publicKey), false)
  assert.equal(verifyEd25519(Uint8Array.from([...signature, 0]), message, publicKey), false)
  assert.equal(verifyEd25519(signature, message, publicKey.subarray(0, 31)), false)
  assert.equal(verifyEd25519(signature, message, Uint8Array.from([...publicKey, 0])), false)
  assert.equal(verifyEd25519(new Uint8Array(64), message, publicKey), false)
})

for (const key of smallOrderKeys) {
  test(`S4 key of small order ${formatHex(key).slice(0, 8)}…${formatHex(key).slice(-4)} -> key.weak`, () => {
    assert.equal(faultOfEd25519Key(key), "key.weak")
  })
}

test("S4 the fourteen encodings are all that are close to the small-order points: any other low byte is no weak key", () => {
  for (const key of smallOrderKeys) {
    const other = Uint8Array.from(key)
    other[15] = (other[15] ?? 0) ^ 1
    assert.notEqual(faultOfEd25519Key(other), "key.weak")
  }
  assert.equal(smallOrderKeys.length, 14)
})

test("S5 key with y of p to 2^255 - 1 -> key.weak for 0 and 1, else key.encoding, with either sign bit", () => {
  for (let low = 0xed; low <= 0xff; low++) {
    for (const top of [0x7f, 0xff]) {
      const key = new Uint8Array(32).fill(0xff)
      key[0] = low
      key[31] = top
      assert.equal(faultOfEd25519Key(key), low < 0xef ? "key.weak" : "key.encoding")
    }
  }
})

test("S5 key with y of p - 2 is canonical", () => {
  const key = new Uint8Array(32).fill(0xff)
  key[0] = 0xeb
  key[31] = 0x7f
  assert.equal(faultOfEd25519Key(key), undefined)
})

test("suites sign deterministically, and nostr over SHA-256 with zero auxiliary randomness", () => {
  for (const system of ["ed25519", "nostr"] as const) {
    const { secret, key } = keyNamed("deterministic", system)
    const suite = suites[system]
    const message = Buffer.from("signed bytes")
    const first = suite.sign(message, secret)
    assert.deepEqual(Buffer.from(first), Buffer.from(suite.sign(message, secret)))
    assert.equal(formatKeyIdentity(system, suite.publicKey(secret)), key)
    assert.equal(suite.verify(first, message, suite.publicKey(secret)), true)
    assert.equal(suite.verify(first, Buffer.from("signed byteS"), suite.publicKey(secret)), false)
  }
})

function honest() {
  const [first] = strictCases()
  if (first === undefined) throw new Error("no case")
  return first
}
