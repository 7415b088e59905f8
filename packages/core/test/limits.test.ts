/** Bounds of a chain: devices and subjects. SPEC §5.4, §11. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { SigchainEvent } from "../src/envelope/envelope.ts"
import { replayChain } from "../src/sigchain/replay.ts"
import { add, addDevice, revoke, revokeDevice } from "./support/chains.ts"
import { keyNamed } from "./support/keys.ts"
import { refusalOf } from "./support/view.ts"

const alice = keyNamed("alice")
const phone = keyNamed("phone")
const subject = "dns:alice.example"

function lastRefusal(events: readonly SigchainEvent[], last: SigchainEvent): string | undefined {
  return refusalOf(replayChain([...events, last]), last)
}

test("CHAIN-11 the 33rd device -> limit.devices, and a place is free after a revocation", () => {
  const events = [add(undefined, subject, alice)]
  for (let i = 0; i < 32; i++) events.push(addDevice(events.at(-1), keyNamed(`device ${i}`), alice))
  const last = events.at(-1)
  assert.equal(replayChain(events).state.devices.length, 32)
  assert.equal(lastRefusal(events, addDevice(last, phone, alice)), "limit.devices")
  const freed = revokeDevice(last, [keyNamed("device 3")], alice)
  assert.equal(lastRefusal([...events, freed], addDevice(freed, phone, alice)), undefined)
})

test("CHAIN-10 the 257th subject -> limit.claims, but an active one may be added again", () => {
  const events = [add(undefined, "github:s0", alice)]
  for (let i = 1; i < 256; i++) events.push(add(events.at(-1), `github:s${i}`, alice))
  const last = events.at(-1)
  assert.equal(lastRefusal(events, add(last, subject, alice)), "limit.claims")
  assert.equal(lastRefusal(events, add(last, "github:s7", alice, { subject_id: "7" })), undefined)
  const freed = revoke(last, "github:s7", alice)
  assert.equal(lastRefusal([...events, freed], add(freed, subject, alice)), undefined)
})
