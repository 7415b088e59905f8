/** Our cryptography under MLS: against RFC vectors, another implementation, and itself on both backends. */
import assert from "node:assert/strict"
import { createHmac } from "node:crypto"
import { test } from "node:test"
import { Aes128Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core"
import { suites } from "@kez/core"
import fc from "fast-check"
import { backend as node } from "../src/backend/node.ts"
import { backend as web } from "../src/backend/web.ts"
import { hkdfExpand, hkdfExtract, hmacSha256 } from "../src/cipher/hkdf.ts"
import {
  deriveHpkeKeyPair,
  exportFromHpke,
  exportToHpke,
  generateHpkeKeyPair,
  openHpke,
  sealHpke,
} from "../src/cipher/hpke.ts"
import { suite } from "../src/cipher/suite.ts"
import { bytes } from "./support/world.ts"

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"))
const buffer = (data: Uint8Array): ArrayBuffer => new Uint8Array(data).buffer
const info = bytes("info")
const additionalData = bytes("aad")

test("RFC 5869 A.1 HKDF-SHA256", () => {
  const key = hkdfExtract(hex("000102030405060708090a0b0c"), new Uint8Array(22).fill(0x0b))
  assert.deepEqual(key, hex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"))
  const output = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
  assert.deepEqual(hkdfExpand(key, hex("f0f1f2f3f4f5f6f7f8f9"), 42), hex(output))
})

test("hmacSha256() is Node's for keys and data of any length", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 300 }), (key, data) => {
      assert.deepEqual(hmacSha256(key, data), new Uint8Array(createHmac("sha256", key).update(data).digest()))
    }),
  )
})

const other = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes128Gcm() })

test("RFC 9180: another implementation opens what ours sealed, and the reverse; keys derive alike", async () => {
  for (const length of [32, 48]) {
    const secret = crypto.getRandomValues(new Uint8Array(length))
    const ours = await deriveHpkeKeyPair(secret)
    const theirs = await other.kem.deriveKeyPair(buffer(secret))
    assert.deepEqual(new Uint8Array(await other.kem.serializePublicKey(theirs.publicKey)), ours.publicKey)
    const sealed = await sealHpke(ours.publicKey, bytes("hello"), { info, additionalData })
    const opened = await other.open(
      { recipientKey: theirs.privateKey, enc: buffer(sealed.enc), info: buffer(info) },
      buffer(sealed.ciphertext),
      buffer(additionalData),
    )
    assert.equal(Buffer.from(opened).toString(), "hello")
    const back = await other.seal(
      { recipientPublicKey: theirs.publicKey, info: buffer(info) },
      buffer(bytes("hi")),
      buffer(additionalData),
    )
    const read = await openHpke(
      ours.secretKey,
      { enc: new Uint8Array(back.enc), ciphertext: new Uint8Array(back.ct) },
      { info, additionalData },
    )
    assert.equal(Buffer.from(read ?? []).toString(), "hi")
    const context = await other.createSenderContext({ recipientPublicKey: theirs.publicKey, info: buffer(info) })
    const exported = new Uint8Array(await context.export(buffer(bytes("ctx")), 40))
    const request = { info, context: bytes("ctx"), length: 40 }
    assert.deepEqual(await exportFromHpke(ours.secretKey, new Uint8Array(context.enc), request), exported)
  }
})

test("HPKE opens nothing that was altered, sealed to another key, or sent with a key of small order", async () => {
  const [mine, yours] = [await generateHpkeKeyPair(), await generateHpkeKeyPair()]
  const sealed = await sealHpke(mine.publicKey, bytes("x"), { info, additionalData })
  assert.equal(await openHpke(yours.secretKey, sealed, { info, additionalData }), undefined)
  assert.equal(await openHpke(mine.secretKey, sealed, { info: bytes("other"), additionalData }), undefined)
  assert.equal(await openHpke(mine.secretKey, sealed, { info, additionalData: bytes("other") }), undefined)
  for (const enc of [new Uint8Array(32), new Uint8Array(31), hex(`01${"00".repeat(31)}`)]) {
    assert.equal(await openHpke(mine.secretKey, { ...sealed, enc }, { info, additionalData }), undefined)
    await assert.rejects(exportToHpke(enc, { info, context: info, length: 32 }), { code: "key.weak" })
  }
})

test("both backends give the same answers", async () => {
  for (const keyLength of [16, 32]) {
    const box = { key: node.randomBytes(keyLength), nonce: node.randomBytes(12), additionalData }
    const sealed = await node.sealAesGcm(box, bytes("hello"))
    assert.deepEqual(await web.sealAesGcm(box, bytes("hello")), sealed)
    assert.deepEqual(await web.openAesGcm(box, sealed), await node.openAesGcm(box, sealed))
    for (const backend of [node, web]) {
      assert.equal(
        await backend.openAesGcm(
          box,
          sealed.map((byte, i) => (i === 3 ? byte ^ 1 : byte)),
        ),
        undefined,
      )
      assert.equal(await backend.openAesGcm(box, sealed.subarray(0, 10)), undefined)
      assert.equal(await backend.openAesGcm({ ...box, additionalData: info }, sealed), undefined)
    }
  }
  const [a, b] = [node.randomBytes(32), web.randomBytes(32)]
  const [pa, pb] = [await node.x25519PublicKey(a), await web.x25519PublicKey(b)]
  assert.deepEqual(await web.x25519PublicKey(a), pa)
  assert.deepEqual(await node.x25519(a, pb), await web.x25519(b, pa))
  for (const backend of [node, web]) assert.equal(await backend.x25519(a, new Uint8Array(32)), undefined)
  assert.deepEqual(await node.signEd25519(a, info), await web.signEd25519(a, info))
  assert.deepEqual(await node.signEd25519(a, info), new Uint8Array(suites.ed25519.sign(info, a)))
})

test("SIG-1 signatures in MLS are verified as everywhere: no key of small order, no S beyond the order", async () => {
  const { signKey, publicKey } = await suite.signature.keygen()
  const signature = await suite.signature.sign(signKey, info)
  assert.ok(await suite.signature.verify(publicKey, info, signature))
  const weak = hex(`01${"00".repeat(31)}`)
  const forged = new Uint8Array(64)
  forged[0] = 1 // R = identity, S = 0: right for every message under a key of small order in lax implementations
  assert.equal(await suite.signature.verify(weak, info, forged), false)
  const order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
  const raised = signature.slice()
  let carry = 0
  for (let i = 0; i < 32; i++) {
    const sum = (raised[32 + i] ?? 0) + (order[i] ?? 0) + carry
    raised[32 + i] = sum & 0xff
    carry = sum >> 8
  }
  assert.equal(await suite.signature.verify(publicKey, info, raised), false)
})
