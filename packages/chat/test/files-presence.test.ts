/** Where a device says it is: by itself, fresh, once. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { createDeviceKeys, deviceSigner } from "../src/credential/device-keys.ts"
import { type Presence, type PresenceContext, readPresence, signPresence } from "../src/files/presence.ts"
import { addressesOf } from "../src/files/presence-book.ts"

const chain = `sha256:${"a".repeat(64)}`
const other = `sha256:${"b".repeat(64)}`
const address = { endpoint: "c".repeat(64), addresses: ["192.0.2.7:4000"] }
const keys = createDeviceKeys()
const device = deviceSigner(keys).key
const now = 1_800_000_000

const context: PresenceContext = { chain, device, now, lastCounter: undefined }
const signed = await signPresence({ chain, keys, address, counter: 7, now })

test("a presence comes back as it was signed", () => {
  const read = readPresence(signed, { ...context, lastCounter: 6 })
  assert.deepEqual(read, { chain, device, counter: 7, address, expiresAt: now + 600 })
})

for (const [what, changed] of [
  ["of another device than the one that sent it", { device: deviceSigner(createDeviceKeys()).key }],
  ["of another chain", { chain: other }],
  ["that comes again", { lastCounter: 7 }],
  ["that is older than one that was heard", { lastCounter: 8 }],
  ["that has expired", { now: now + 600 }],
  ["from the future", { now: now - 301 }],
] as const) {
  test(`a presence ${what} is refused`, () => {
    assert.throws(() => readPresence(signed, { ...context, ...changed }), { code: "file.presence" })
  })
}

test("a presence whose endpoint was changed is refused: the signature does not hold", () => {
  const text = new TextDecoder().decode(signed).replace("c".repeat(64), "d".repeat(64))
  assert.throws(() => readPresence(new TextEncoder().encode(text), context), { code: "signature.invalid" })
})

test("a presence that is too long is refused before it is read", () => {
  assert.throws(() => readPresence(new Uint8Array(4_001), context), { code: "limit.size" })
})

const said = (who: string, endpoint: string, addresses: readonly string[], relay?: string): Presence => ({
  ...{ chain: who, device: `ed25519:${who}`, counter: 1, expiresAt: now },
  address: { endpoint, addresses, ...(relay === undefined ? {} : { relay }) },
})
const ports = (from: number, count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => `192.0.2.66:${from + at}`)

test("A9 addressesOf() names each endpoint once, and what its owner says of it first", () => {
  const [real, liar] = [said(chain, "c", ["192.0.2.7:1"]), said(other, "c", ports(1, 32), "https://liar.example")]
  const expected = [{ endpoint: "c", addresses: ["192.0.2.7:1", ...ports(1, 31)] }]
  assert.deepEqual(addressesOf([real, liar], chain), expected)
  assert.deepEqual(addressesOf([liar, real], chain), expected)
})

test("A9 addressesOf() leaves room for everybody where the owner does not say where it is", () => {
  const [found] = addressesOf([said(other, "c", ports(1, 32)), said(chain, "c", ["192.0.2.7:1"], "https://r.example")])
  assert.ok(found?.addresses.includes("192.0.2.7:1"))
  assert.deepEqual([found?.addresses.length, found?.relay], [32, "https://r.example"])
})

test("addressesOf() names no more than kez-iroh takes, the owner among them", () => {
  const many = Array.from({ length: 100 }, (_, at) => said(other, String(at), []))
  const found = addressesOf([...many, said(chain, "c", [])], chain)
  assert.deepEqual([found.length, found[0]?.endpoint], [64, "c"])
})
