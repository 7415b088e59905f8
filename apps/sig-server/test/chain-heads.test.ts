/** Signed heads in the store. SPEC §5.8; adversarial C10. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { canonicalize, envelopeDigest, formatEnvelope, type SigchainEvent } from "@kez/core"
import { add, addDevice, headOf, now, revokeDevice } from "../../../packages/core/test/support/chains.ts"
import { keyNamed } from "../../../packages/core/test/support/keys.ts"
import { createChainService } from "../src/chains/service.ts"
import { maxHeadsPerSigner, maxJudgedHeads } from "../src/limits.ts"
import { createMemoryStorage } from "./support/memory-storage.ts"

const alice = keyNamed("alice")
const phone = keyNamed("phone")
const thief = keyNamed("thief")
const e0 = add(undefined, "dns:alice.example", alice)
const e1 = addDevice(e0, phone, alice)
const chain = envelopeDigest(e0)

async function start(...events: readonly SigchainEvent[]) {
  const clock = { now }
  const storage = createMemoryStorage()
  const service = createChainService({ storage, now: () => clock.now })
  for (const event of events) await service.append(chain, formatEnvelope(event))
  return { clock, storage, service }
}

test("postHead() keeps heads of current keys, and heads() gives their bytes, newest first", async () => {
  const { service, clock } = await start(e0, e1)
  const [old, live, byPhone] = [
    headOf(e0, { chain, by: alice }),
    headOf(e1, { chain, by: alice }),
    headOf(e1, { chain, by: phone, lasts: 600 }),
  ].map(formatEnvelope)
  if (old === undefined || live === undefined || byPhone === undefined) assert.fail()
  for (const text of [old, live, byPhone, live]) await service.postHead(chain, Buffer.from(text))
  assert.deepEqual(await service.heads(chain), [live, byPhone, old])
  clock.now += 600
  assert.deepEqual(await service.heads(chain), [live, old])
})

test("C10 postHead() refuses with the code by which a reader would not use the head", async () => {
  const { service, storage } = await start(e0, e1)
  const other = add(undefined, "dns:other.example", alice)
  const e2 = add(e1, "github:a", alice)
  const rival = add(e0, "github:rival", alice)
  const forged = formatEnvelope(headOf(e1, { chain, by: alice })).replace(/"sig":"../, '"sig":"00')
  const cases = [
    [formatEnvelope(headOf(e1, { chain, by: thief })), "head.not_authorised"],
    [formatEnvelope(headOf(e1, { chain, by: alice, issued: now - 900, lasts: 900 })), "head.expired"],
    [formatEnvelope(headOf(e1, { chain, by: alice, issued: now + 301 })), "time.future"],
    [formatEnvelope(headOf(e2, { chain, by: alice })), "chain.withheld"],
    [formatEnvelope(headOf(rival, { chain, by: alice })), "chain.fork"],
    [formatEnvelope(headOf(other, { chain: envelopeDigest(other), by: alice })), "chain.unknown"],
    [forged, "signature.invalid"],
    [formatEnvelope(e1), "envelope.kind"],
    [`{"kez":"${"x".repeat(4_000)}"}`, "limit.size"],
    ["{", "json.syntax"],
  ] as const
  for (const [text, code] of cases) await assert.rejects(service.postHead(chain, text), { code }, text.slice(0, 60))
  assert.deepEqual(await storage.loadHeads(chain, 0), [])
})

test("C10 a head whose signer is revoked, or whose row is damaged, is served no more", async () => {
  const { service, storage } = await start(e0, e1)
  const byPhone = formatEnvelope(headOf(e1, { chain, by: phone }))
  await service.postHead(chain, byPhone)
  assert.deepEqual(await service.heads(chain), [byPhone])
  await service.append(chain, formatEnvelope(revokeDevice(e1, [phone], alice)))
  assert.deepEqual(await service.heads(chain), [])
  const [head] = await storage.loadHeads(chain, now)
  if (head === undefined) assert.fail()
  await storage.saveHead({ ...head, signer: alice.key, text: "{}" }, now)
  assert.deepEqual(await service.heads(chain), [])
})

test("postHead() keeps a few of one signer, and canonical bytes of a head that was written otherwise", async () => {
  const { service } = await start(e0, e1)
  for (let i = 0; i < 9; i++)
    await service.postHead(chain, formatEnvelope(headOf(e1, { chain, by: phone, lasts: 600 + i })))
  const head = headOf(e1, { chain, by: alice })
  await service.postHead(chain, JSON.stringify(JSON.parse(formatEnvelope(head)), null, 1))
  const kept = await service.heads(chain)
  assert.ok(kept.includes(canonicalize(head)))
  assert.ok(kept.length <= maxHeadsPerSigner + 1)
})

test("heads() judges no more than a few of each key that can be current", async () => {
  const { service, storage } = await start(e0, e1)
  const live = formatEnvelope(headOf(e1, { chain, by: alice }))
  await service.postHead(chain, live)
  const [own] = await storage.loadHeads(chain, now)
  if (own === undefined) assert.fail()
  const others = Array.from({ length: 2 * maxJudgedHeads }, (_, i) => ({ ...own, seq: 0, signer: `gone ${i}` }))
  for (const head of others) await storage.saveHead(head, now)
  const found = await service.heads(chain)
  assert.deepEqual([found[0], found.length], [live, maxJudgedHeads])
})
