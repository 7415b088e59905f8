/** A replay is a value: a later one that builds on it never changes it. SPEC §5.5. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { envelopeDigest, type SigchainEvent } from "../src/envelope/envelope.ts"
import { signatureCheckCount } from "../src/envelope/verify.ts"
import { type AppendOptions, appendEvent } from "../src/sigchain/append.ts"
import { commitmentTo as commitment } from "../src/sigchain/commitment.ts"
import { branchOf, replayChain } from "../src/sigchain/replay.ts"
import type { ChainReplay } from "../src/sigchain/result.ts"
import { add, addDevice, now, revoke, revokeDevice, rotate, settle } from "./support/chains.ts"
import { keyNamed } from "./support/keys.ts"
import { refuses, refusesLater } from "./support/throws.ts"
import { devicesOf, view } from "./support/view.ts"

const alice = keyNamed("alice")
const phone = keyNamed("phone")
const laptop = keyNamed("laptop")
const subject = "dns:alice.example"
const first = add(undefined, subject, alice)
const second = addDevice(first, phone, alice)

test("replayChain() with previous equals one from scratch when two replays build on the same result", () => {
  const base = replayChain([first, second])
  const before = view(base)
  const left = add(second, "github:left", phone)
  const right = add(second, "github:right", phone)
  const withLeft = replayChain([left], { previous: base })
  const withRight = replayChain([right], { previous: base })
  assert.deepEqual(view(withLeft), view(replayChain([first, second, left])))
  assert.deepEqual(view(withRight), view(replayChain([first, second, right])))
  assert.deepEqual(view(base), before)
  assert.equal(base.knows(envelopeDigest(left)), false)
  assert.equal(withRight.knows(envelopeDigest(left)), false)
  assert.equal(withLeft.knows(envelopeDigest(left)), true)
})

test("replayChain() with previous forgets refused events of a result that nobody kept", () => {
  const base = replayChain([first, second])
  for (let i = 0; i < 50; i++) {
    const forged = add(second, `github:g${i}`, keyNamed("mallory"))
    assert.equal(replayChain([forged], { previous: base }).refused.length, 1)
  }
  assert.deepEqual(replayChain([revoke(second, subject, alice)], { previous: base }).refused, [])
})

test("replayChain() with previous goes on after a replay that threw", () => {
  const base = replayChain([first, second])
  const other = add(undefined, "github:other", alice)
  refuses(() => replayChain([other], { previous: base, chain: `sha256:${"0".repeat(64)}` }), "chain.genesis")
  refuses(() => replayChain([], { previous: base, chain: envelopeDigest(other) }), "chain.genesis")
  assert.deepEqual(view(replayChain([], { previous: base })), view(base))
  assert.equal(replayChain([other], { previous: base, chain: envelopeDigest(other) }).chain, envelopeDigest(other))
})

test("replayChain() with previous checks only new signatures", () => {
  const base = replayChain([first, second])
  const more = [revoke(second, subject, alice)]
  replayChain(more, { previous: base })
  const before = signatureCheckCount()
  replayChain(more, { previous: base })
  assert.equal(signatureCheckCount(), before)
})

test("replayChain() takes a previous result that was copied, from its path", () => {
  const base = replayChain([first, second])
  // By name: members that are worked out when asked for are not copied with the others.
  const copy: ChainReplay = { ...base, path: base.path, digests: base.digests, state: base.state, knows: () => false }
  assert.equal(replayChain([revoke(second, subject, alice)], { previous: copy }).head.seq, 2)
})

test("a result that later ones carried on says the same when it is looked at only then", () => {
  const third = add(second, "github:other", phone)
  const results = [replayChain([first])]
  const later = [second, third, rotate(third, laptop, alice), revoke(second, subject, alice)]
  for (const event of later) results.push(replayChain([event], { previous: results.at(-1) ?? assert.fail() }))
  const known = [first, ...later]
  for (const [i, result] of results.entries()) {
    assert.deepEqual(view(result), view(replayChain(known.slice(0, i + 1), { chain: result.chain })))
    assert.deepEqual(result.path.length, result.head.seq + 1)
  }
})

test("branchOf() shows each side of a fork, and no event that the result does not know -> chain.unknown", () => {
  const left = add(second, "github:left", phone)
  const right = add(second, "github:right", phone)
  const later = add(right, "github:later", phone)
  const forked = replayChain([first, second, left, right])
  const more = replayChain([later], { previous: forked })
  assert.equal(branchOf(forked, envelopeDigest(right)).head.digest, envelopeDigest(right))
  assert.equal(branchOf(more, envelopeDigest(right)).head.digest, envelopeDigest(later))
  assert.equal(branchOf(forked, envelopeDigest(left)).status, "ok")
  refuses(() => branchOf(forked, envelopeDigest(later)), "chain.unknown")
})

const append = (chain: AppendOptions["chain"], operation: AppendOptions["operation"], by = alice) =>
  appendEvent({ chain, operation, now }, by.signer)

test("appendEvent() keeps what is known of other branches: contested, and what they suspend", async () => {
  const lost = revokeDevice(second, [phone], phone)
  const won = add(second, "github:won", alice)
  const known = replayChain([first, second, lost, won])
  assert.deepEqual(devicesOf(known), [`suspended ${phone.key}`])
  const { replay } = await append(known, { op: "add", subject: "GITHUB:Next" })
  assert.equal(replay.contested, true)
  assert.deepEqual(devicesOf(replay), [`suspended ${phone.key}`])
  assert.equal(replay.head.seq, 3)
  assert.ok(replay.state.subjects.has("github:next"))
  assert.equal(known.head.seq, 2)
})

test("appendEvent() refuses with the code of every reader, and changes nothing", async () => {
  const chain = replayChain([first, second])
  await refusesLater(append(chain, { op: "set_next", next: envelopeDigest(first) }, phone), "chain.authority")
  await refusesLater(append(chain, { op: "revoke", subject }, keyNamed("mallory")), "chain.not_authorised")
  await refusesLater(append(chain, { op: "add_device", device: phone.signer }), "chain.key_in_use")
  await refusesLater(append(chain, { op: "add", subject: "did:plc:x" }), "identity.unsupported")
  await refusesLater(append(chain, { op: "settle", reject: [] }), "schema.value")
  const { event, replay } = await append(chain, { op: "add_device", device: laptop.signer }, phone)
  assert.deepEqual(devicesOf(replay), [phone.key, laptop.key])
  assert.equal(event.payload.seq, 2)
  assert.deepEqual(view(chain), view(replayChain([first, second])))
})

test("appendEvent() on an undecided fork -> chain.fork, unless it settles", async () => {
  const left = add(second, "github:left", alice)
  const right = add(second, "github:right", alice)
  const forked = replayChain([first, second, left, right])
  assert.equal(forked.status, "fork")
  await refusesLater(append(forked, { op: "revoke", subject }), "chain.fork")
  const { replay } = await append(forked, { op: "settle", reject: [left, right].map(envelopeDigest) })
  assert.equal(replay.status, "ok")
  assert.deepEqual(view(replay), view(replayChain([...replay.path, left, right])))
  const branch = branchOf(forked, envelopeDigest(left))
  const { event } = await append(branch, { op: "settle", reject: [envelopeDigest(right)] })
  assert.equal(replayChain([event], { previous: forked }).head.digest, envelopeDigest(event))
})

test("appendEvent() signs a rotation under a commitment with the committed key", async () => {
  const next = keyNamed("second")
  const { replay } = await append(undefined, { op: "set_next", next: commitment(next.key) })
  const turned = await append(replay, { op: "rotate", newPrimary: next.signer })
  assert.equal(turned.event.signature.key, next.key)
  assert.equal(turned.replay.state.primary, next.key)
  assert.equal(turned.replay.state.next, undefined)
  const settled = settle(turned.event as SigchainEvent, [first], next)
  assert.equal(replayChain([settled], { previous: turned.replay }).head.seq, 2)
  assert.deepEqual(replayChain([rotate(settled, laptop, next)], { previous: turned.replay }).refused, [])
})
