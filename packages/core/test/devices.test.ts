/** Devices and what goes with them; work that a stranger cannot cause. SPEC §5.4. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { SigchainEvent } from "../src/envelope/envelope.ts"
import { signatureCheckCount } from "../src/envelope/verify.ts"
import { replayChain } from "../src/sigchain/replay.ts"
import { add, addDevice, revokeDevice, rotate } from "./support/chains.ts"
import { keyNamed } from "./support/keys.ts"
import { devicesOf, refusalOf } from "./support/view.ts"

const alice = keyNamed("alice")
const phone = keyNamed("phone")
const laptop = keyNamed("laptop", "nostr")
const spare = keyNamed("spare")
const third = keyNamed("third")
const mallory = keyNamed("mallory")
const first = add(undefined, "dns:alice.example", alice)
const withPhone = addDevice(first, phone, alice)

function verdictOn(...events: readonly SigchainEvent[]): string | undefined {
  return refusalOf(replayChain(events), events.at(-1) ?? first)
}

test("CHAIN-12 revoke_device also revokes what the key added, through others that are gone, but for keep", () => {
  const one = addDevice(withPhone, spare, phone) // alice -> phone -> spare -> laptop, third
  const two = addDevice(one, laptop, spare)
  const three = addDevice(two, third, spare)
  const gone = revokeDevice(three, [spare], alice, [laptop, third])
  assert.deepEqual(devicesOf(replayChain([first, withPhone, one, two, three, gone])), [
    phone.key,
    laptop.key,
    third.key,
  ])
  const all = revokeDevice(gone, [phone], alice, [third])
  const replay = replayChain([first, withPhone, one, two, three, gone, all])
  assert.deepEqual(devicesOf(replay), [third.key])
  assert.equal(
    verdictOn(first, withPhone, one, two, three, gone, all, addDevice(all, laptop, alice)),
    "chain.key_reuse",
  )
})

test("CHAIN-15 a key that is revoked before it was ever added never comes -> chain.key_reuse", () => {
  const ban = revokeDevice(first, [spare], alice)
  assert.equal(verdictOn(first, ban, addDevice(ban, spare, alice)), "chain.key_reuse")
  assert.equal(verdictOn(first, ban, rotate(ban, spare, alice)), "chain.key_reuse")
})

test("CHAIN-16 nothing unauthorised gets as far as a signature check", () => {
  const strangers = Array.from({ length: 50 }, (_, i) => add(first, `github:g${i}`, mallory))
  replayChain([first])
  const before = signatureCheckCount()
  assert.equal(replayChain([first, ...strangers]).refused.length, 50)
  assert.equal(signatureCheckCount(), before)
})
