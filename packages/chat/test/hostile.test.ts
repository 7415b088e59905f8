/** Bytes that nobody should send: cut, flipped, with lengths that lie. Each gets a typed refusal, fast, and changes nothing. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { decodeAuthenticatedData, encodeAuthenticatedData } from "../src/cipher/authenticated-data.ts"
import { joinByItself, joinConversation } from "../src/cipher/mls-join.ts"
import { decodeDeviceKeys, encodeDeviceKeys } from "../src/credential/device-keys.ts"
import { decodeOwnKeyPackage, encodeOwnKeyPackage, verifyKeyPackage } from "../src/credential/key-package.ts"
import { pair, trio } from "./support/conversations.ts"
import { bytes, keyPackageOf, now, offer, read } from "./support/world.ts"

/** Places all over the bytes, the first and last ones included. */
function places(length: number, count = 40): readonly number[] {
  return [
    ...new Set([
      0,
      1,
      2,
      3,
      4,
      5,
      length - 1,
      ...Array.from({ length: count }, (_, i) => Math.floor((i * length) / count)),
    ]),
  ]
}

function* altered(good: Uint8Array): Generator<Uint8Array> {
  for (const at of places(good.length)) {
    yield good.slice(0, at)
    for (const change of [0x01, 0x80]) yield good.map((byte, i) => (i === at ? byte ^ change : byte))
    if (at + 4 < good.length) {
      const lying = good.slice()
      lying.set([0xbf, 0xff, 0xff, 0xff], at) // the largest length of RFC 9420 §2.1.2
      yield lying
    }
  }
  yield new Uint8Array([...good, 0])
}

const isTyped = (error: unknown): boolean => error instanceof Error && error.name === "KezError"

test("messages: each is refused with a code, the conversation goes on", async () => {
  const { a, b } = await pair()
  const good = await a.encrypt(bytes("hello"))
  for (const message of altered(good)) {
    const began = performance.now()
    const code = await read(b, message)
    assert.match(code, /^(?:chat|limit)\.|^ahead$/)
    assert.ok(performance.now() - began < 500)
  }
  assert.equal(await read(b, good), "hello")
})

test("commits: each is refused with a code, the epoch stays, and the good one is applied", async () => {
  const { a, b } = await pair()
  const { message } = await a.update()
  for (const commit of altered(message)) assert.match(await offer(b, commit), /^(?:chat|limit)\.|^ahead$/)
  assert.equal(b.epoch, 1)
  assert.equal(await offer(b, message), "applied")
})

test("external commits: the same, though they are in the clear", async () => {
  const { alice, a, b, desks } = await pair()
  const phone = await alice.addDevice()
  const { message } = await joinByItself(await a.groupInfo(), phone.credential, { ...desks[0], keys: phone.keys })
  for (const commit of altered(message)) {
    assert.match(
      await offer(b, commit),
      /^(?:chat|limit|chain|schema|signature|json|text|envelope|key|identity|time)\.|^ahead$/,
    )
  }
  assert.equal(b.epoch, 1)
  assert.equal(await offer(b, message), "applied")
})

test("Welcomes and group infos: none lets a device in anywhere", async () => {
  const { a, newcomer } = await trio()
  const own = await keyPackageOf(newcomer.desk.device)
  const change = { set: [{ chain: newcomer.dave.chain, role: "member" as const }] }
  const { welcome = new Uint8Array() } = await a.add([own.bytes], change)
  for (const one of altered(welcome)) await assert.rejects(joinConversation(one, [own], newcomer.desk), isTyped)
  await a.accept()
  const info = await a.groupInfo()
  for (const one of altered(info)) {
    await assert.rejects(joinByItself(one, newcomer.desk.device.credential, newcomer.desk), isTyped)
  }
  assert.equal((await joinConversation(welcome, [own], newcomer.desk)).cipher.members().length, 4)
})

test("key packages: none is accepted", async () => {
  const { desks, chains } = await pair()
  const own = await keyPackageOf(desks[0].device)
  for (const one of altered(own.bytes)) await assert.rejects(verifyKeyPackage(one, { chains, now }), isTyped)
  assert.deepEqual((await decodeOwnKeyPackage(encodeOwnKeyPackage(own))).secrets, own.secrets)
  for (const one of altered(encodeOwnKeyPackage(own)))
    await decodeOwnKeyPackage(one).catch((error) => assert.ok(isTyped(error)))
})

test("the data of a message has one spelling", () => {
  const digest = fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((value) => `sha256:${Buffer.from(value).toString("hex")}`)
  const head = fc.record({ chain: digest, seq: fc.nat(10_000), digest })
  const heads = fc.uniqueArray(head, { maxLength: 5, selector: ({ chain }) => chain })
  fc.assert(
    fc.property(digest, digest, fc.nat(4_000_000_000), heads, (state, transcript, at, named) => {
      const encoded = encodeAuthenticatedData({ state, transcript, at, heads: named })
      assert.deepEqual(encodeAuthenticatedData(decodeAuthenticatedData(encoded)), encoded)
    }),
  )
  const value = { state: `sha256:${"0".repeat(64)}`, transcript: `sha256:${"1".repeat(64)}`, at: 1, heads: [] }
  const good = encodeAuthenticatedData(value)
  for (const bad of [good.slice(0, -1), new Uint8Array([...good, 0]), good.with(0, 2), good.with(good.length - 1, 1)]) {
    assert.throws(() => decodeAuthenticatedData(bad), { code: "chat.encoding" })
  }
  assert.throws(() => decodeAuthenticatedData(good.with(good.length - 2, 0xff)), { code: "limit.size" })
})

test("the keys of a device: four different ones, or none are used", async () => {
  const { desks } = await pair()
  const { keys } = desks[0]
  assert.deepEqual(decodeDeviceKeys(encodeDeviceKeys(keys)), keys)
  assert.throws(() => decodeDeviceKeys(encodeDeviceKeys({ ...keys, nats: keys.sign })), { code: "key.weak" })
  assert.throws(() => decodeDeviceKeys(encodeDeviceKeys({ ...keys, mls: new Uint8Array(32) })), { code: "key.weak" })
  assert.throws(() => decodeDeviceKeys(encodeDeviceKeys(keys).slice(0, 50)), { code: "chat.encoding" })
})
