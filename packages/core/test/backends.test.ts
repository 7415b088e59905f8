/** The backends give one verdict on everything: native and portable, before and after libsodium is loaded. Adversarial S2. */
import assert from "node:assert/strict"
import { before, test } from "node:test"
import { backend as node, verifyByOpenSsl, verifyBySodium } from "../src/backend/node.ts"
import { backend as portable } from "../src/backend/portable.ts"
import { decompressFrame } from "../src/encoding/zstd.ts"
import { formatHex } from "../src/hex.ts"
import { hasStrictForm, verifyEd25519 } from "../src/suite/ed25519.ts"
import { compressed } from "./support/frames.ts"
import { keyNamed } from "./support/keys.ts"
import {
  bip340,
  bip340Path,
  type SignatureVector,
  skipWithoutVectors,
  wycheproof,
  wycheproofPath,
} from "./support/public-vectors.ts"
import { mutated, randomFrom } from "./support/random.ts"
import { strictCases } from "./support/strict-ed25519.ts"
import { codeOf } from "./support/throws.ts"

before(() => portable.prepare())

const sodium = verifyBySodium()

/** All verdicts of SPEC [SIG-1], each by another implementation of the equation. */
function verdictsOn({ signature, message, publicKey }: Omit<SignatureVector, "id" | "valid">): readonly boolean[] {
  const strict = hasStrictForm(signature, publicKey)
  const equations = [verifyByOpenSsl, portable.verifyEd25519, ...(sodium === undefined ? [] : [sodium])]
  return [
    verifyEd25519(signature, message, publicKey),
    ...equations.map((verify) => strict && verify(signature, message, publicKey)),
  ]
}

function assertOneVerdict(cases: readonly (Omit<SignatureVector, "id"> & { readonly why: string })[]): void {
  for (const { why, valid, ...one } of cases) {
    assert.deepEqual([...new Set(verdictsOn(one))], [valid], why)
  }
}

test("S2 OpenSSL, libsodium and noble agree on Wycheproof", { skip: skipWithoutVectors(wycheproofPath) }, () => {
  assertOneVerdict(wycheproof().map((vector) => ({ ...vector, why: vector.id })))
})

test("S2 OpenSSL, libsodium and noble agree where the cofactor, small orders or encodings decide", () => {
  assertOneVerdict(strictCases())
})

test("S2 libsodium is there, or these tests say less than they seem to", {
  skip: sodium === undefined && "no build of libsodium for this platform",
}, () => {
  assert.equal(node.names.ed25519, "sodium-native")
})

test("S2 OpenSSL, libsodium and noble agree on 300 mutated signatures, keys and messages", () => {
  const random = randomFrom(0x5eed)
  const [first] = strictCases()
  if (first === undefined) throw new Error("no case")
  const parts = [first.signature, first.message, first.publicKey] as const
  let refused = 0
  for (let i = 0; i < 300; i++) {
    const [signature, message, publicKey] = parts.map((part, j) => (i % 3 === j ? mutated(part, random) : part))
    if (signature === undefined || message === undefined || publicKey === undefined) continue
    const verdicts = verdictsOn({ signature, message, publicKey })
    assert.equal(new Set(verdicts).size, 1, formatHex(signature))
    if (verdicts[0] === false) refused++
  }
  assert.ok(refused > 200, `${refused}`)
})

test("S6 libsecp256k1 and noble agree on BIP-340 and on mutations of it", {
  skip: skipWithoutVectors(bip340Path),
}, () => {
  const random = randomFrom(340)
  for (const { id, signature, message, publicKey, valid } of bip340()) {
    assert.equal(node.verifySchnorr(signature, message, publicKey), valid, id)
    assert.equal(portable.verifySchnorr(signature, message, publicKey), valid, id)
    for (let i = 0; i < 9; i++) {
      const parts = [signature, message, publicKey].map((part, j) =>
        i % 3 === j ? flipped(part, random(part.length * 8 || 1)) : part,
      )
      const [s, m, p] = parts
      if (s === undefined || m === undefined || p === undefined) continue
      assert.equal(node.verifySchnorr(s, m, p), portable.verifySchnorr(s, m, p), `${id} ${i}`)
    }
  }
})

test("signatures, public keys and digests are the same bytes", () => {
  for (let i = 0; i < 20; i++) {
    const { secret } = keyNamed(`bytes ${i}`)
    const message = Buffer.from(`message ${i}`)
    const digest = node.sha256(message)
    assert.deepEqual(Buffer.from(portable.sha256(message)), Buffer.from(digest))
    assert.equal(portable.sha256TextHex(`messäge ${i}`), node.sha256TextHex(`messäge ${i}`))
    assert.deepEqual(Buffer.from(portable.encodeUtf8(`ä€😀${i}`)), Buffer.from(node.encodeUtf8(`ä€😀${i}`)))
    assert.deepEqual(Buffer.from(portable.signEd25519(message, secret)), Buffer.from(node.signEd25519(message, secret)))
    assert.deepEqual(Buffer.from(portable.ed25519PublicKey(secret)), Buffer.from(node.ed25519PublicKey(secret)))
    assert.deepEqual(Buffer.from(portable.signSchnorr(digest, secret)), Buffer.from(node.signSchnorr(digest, secret)))
    assert.deepEqual(Buffer.from(portable.schnorrPublicKey(secret)), Buffer.from(node.schnorrPublicKey(secret)))
  }
})

for (const text of ["", "a", "é", "€", "😀", "a😀b", "€".repeat(500)]) {
  test(`utf8Length() of ${JSON.stringify(text.slice(0, 5))} is the number of bytes`, () => {
    assert.equal(portable.utf8Length(text), Buffer.from(text).length)
    assert.equal(node.utf8Length(text), Buffer.from(text).length)
  })
}

test("secret keys out of range are refused by both", () => {
  for (const secret of [new Uint8Array(32), new Uint8Array(32).fill(0xff), new Uint8Array(31)]) {
    for (const each of [node, portable]) assert.throws(() => each.schnorrPublicKey(secret))
  }
})

test("Z4 node:zlib and WebAssembly give one verdict on 3,000 mutated frames", () => {
  const random = randomFrom(3_000)
  const text = JSON.stringify({ list: Array.from({ length: 60 }, (_, i) => `entry ${i * i} of a text that repeats`) })
  const sources = [1, 3, 19].flatMap((level) => [
    compressed(text, level),
    compressed(text, level, { checksum: true }),
    compressed(text, level, { sized: false }),
  ])
  let reached = 0
  let accepted = 0
  const original = node.decompressZstd
  node.decompressZstd = (frame, maxBytes) => {
    reached++
    const native = original(frame, maxBytes)
    const wasm = portable.decompressZstd(frame, maxBytes)
    assert.equal(
      wasm === undefined ? undefined : formatHex(wasm),
      native === undefined ? undefined : formatHex(native),
      formatHex(frame),
    )
    return native
  }
  try {
    for (let i = 0; i < 3_000; i++) {
      const frame = mutated(sources[i % sources.length] ?? new Uint8Array(), random)
      if (codeOf(() => decompressFrame(frame, 65_536)) === undefined) accepted++
    }
  } finally {
    node.decompressZstd = original
  }
  assert.ok(reached > 1_000, `${reached} frames reached the decoders`)
  assert.ok(accepted > 0 && accepted < reached)
})

test("both decompressors cut off at the bound: exactly as much passes, one byte less does not", () => {
  for (const length of [2, 100, 65_535, 65_536, 131_073, 1_000_000]) {
    const content = "ab€".repeat(length).slice(0, length)
    const size = Buffer.byteLength(content)
    for (const frame of [compressed(content), compressed(content, 3, { sized: false })]) {
      for (const each of [node, portable]) {
        assert.equal(each.decompressZstd(frame, size)?.length, size)
        assert.equal(each.decompressZstd(frame, size - 1), undefined)
        assert.equal(each.decompressZstd(frame, size + 1)?.length, size)
      }
    }
  }
})

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const changed = Uint8Array.from(bytes)
  if (changed.length > 0) changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return changed
}
