/** Random, hostile and large chains in the store: it says what a replay of everything says. Adversarial E-3, G4, C19, C22. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { type Code, envelopeDigest, formatEnvelope, limits, replayChain, type SigchainEvent } from "@kez/core"
import fc from "fast-check"
import { add, eventAfter, now } from "../../../packages/core/test/support/chains.ts"
import {
  deviceLine,
  nestedForks,
  rotatedForks,
  settledForks,
} from "../../../packages/core/test/support/hostile-chains.ts"
import { keyNamed } from "../../../packages/core/test/support/keys.ts"
import { holds } from "../../../packages/core/test/support/property.ts"
import { forkedChain } from "../../../packages/core/test/support/random-chains.ts"
import { view as plain } from "../../../packages/core/test/support/view.ts"
import { createChainService } from "../src/chains/service.ts"
import { codeOf, replayOf, start } from "./support/asking.ts"
import { createMemoryStorage, createPlace } from "./support/memory-storage.ts"

const alice = keyNamed("alice")

test("E-3 G4 random forked chains: the store says of each event what a replay of all says, also after a restart", async () => {
  const seen = { stored: 0, lost: 0, refused: 0, known: 0, behind: 0 }
  const chains: (readonly SigchainEvent[])[] = []
  holds(
    fc.property(forkedChain, (events) => {
      chains.push(events)
    }),
    150,
  )
  for (const [i, events] of chains.entries()) {
    const id = envelopeDigest(events[0] ?? assert.fail())
    const place = createPlace()
    let service = createChainService({ storage: createMemoryStorage(place), now: () => now })
    const kept: SigchainEvent[] = []
    for (const [j, event] of events.entries()) {
      if ((i + j) % 5 === 0) service = createChainService({ storage: createMemoryStorage(place), now: () => now })
      const appended = await service.append(id, formatEnvelope(event))
      seen[appended.status]++
      const code = codeOf(appended)
      const oracle = replayChain([...kept, event], { chain: id })
      const digest = envelopeDigest(event)
      const expected = oracle.refused.find((refused) => refused.digest === digest)?.code
      if (code === "limit.chain" && expected === undefined) continue
      if (appended.status === "behind") assert.equal(oracle.knows(digest), false)
      else assert.equal(code, expected)
      if (code === undefined) kept.push(event)
      assert.deepEqual(plain(await replayOf(service, id)), plain(replayChain(kept, { chain: id })))
      if (appended.status === "stored") assert.ok(oracle.digests.includes(digest))
      if (appended.status === "lost") assert.ok(!oracle.digests.includes(digest) && oracle.knows(digest))
    }
  }
  for (const [status, times] of Object.entries(seen)) assert.ok(times > 0, `${status}: ${times}`)
})

test("hostile chains: every event is answered, and the state is that of a replay of what was kept", async () => {
  const shapes = {
    nestedForks: nestedForks(60),
    rotatedForks: rotatedForks(40),
    settledForks: settledForks(40),
    deviceLine: deviceLine(30, 30),
  }
  for (const [name, events] of Object.entries(shapes)) {
    const service = start()
    const id = envelopeDigest(events[0] ?? assert.fail())
    for (const event of events)
      assert.match((await service.append(id, formatEnvelope(event))).status, /^(stored|lost)$/, name)
    assert.deepEqual(plain(await replayOf(service, id)), plain(replayChain(events)), name)
  }
})

test("C22 a thief of a device cannot fill the bytes of a chain against its owner", async () => {
  const service = start()
  const phone = keyNamed("phone")
  const first = add(undefined, "dns:alice.example", alice)
  const id = envelopeDigest(first)
  let last = first
  const keys = Array.from({ length: 32 }, (_, i) => keyNamed(`filler ${i}`).key)
  await service.append(id, formatEnvelope(first))
  let code: Code | undefined
  // The owner's own large events stand for the thief's: both may use only what is not kept for revocations.
  const large = (previous: SigchainEvent) =>
    eventAfter(previous, {
      op: "add",
      payload: { subject: "dns:alice.example", subject_id: "x".repeat(512) },
      by: alice,
    })
  let bytes = 0
  for (let i = 0; code === undefined && i < 9_000; i++) {
    const event = large(last)
    const appended = await service.append(id, formatEnvelope(event))
    code = codeOf(appended)
    if (code !== undefined) break
    last = event
    bytes += formatEnvelope(event).length + 1
  }
  assert.equal(code, "limit.chain")
  assert.ok(bytes < limits.maxChainBytes - 1_000_000, `${bytes}`)
  const answer = eventAfter(last, { op: "revoke_device", payload: { keys: [phone.key, ...keys.slice(1)] }, by: alice })
  assert.equal((await service.append(id, formatEnvelope(answer))).status, "stored")
})
