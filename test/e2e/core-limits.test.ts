/** Chains as long as they may be, and one event more. SPEC §5.4, §5.5, §11; adversarial C22. */
import assert from "node:assert/strict"
import { before, test } from "node:test"
import { envelopeDigest, type SigchainEvent } from "../../packages/core/src/envelope/envelope.ts"
import { assertSignedText, signatureCheckCount } from "../../packages/core/src/envelope/verify.ts"
import { encodeChain, formatChain, parseChain } from "../../packages/core/src/sigchain/document.ts"
import { replayChain } from "../../packages/core/src/sigchain/replay.ts"
import { verifyClaim } from "../../packages/core/src/verify/verify.ts"
import {
  add,
  addDevice,
  claimOf,
  eventAfter,
  revoke,
  revokeDevice,
  rotate,
  setNext,
  settle,
} from "../../packages/core/test/support/chains.ts"
import { keyNamed } from "../../packages/core/test/support/keys.ts"
import { lineOf, published, question, store } from "../../packages/core/test/support/questions.ts"
import { refuses } from "../../packages/core/test/support/throws.ts"
import { refusalOf } from "../../packages/core/test/support/view.ts"

const alice = keyNamed("alice")
const phone = keyNamed("phone")
const subject = "dns:alice.example"

/** Events 0 to 8,999: event 1 adds the phone. */
const long: SigchainEvent[] = []

before(() => {
  long.push(add(undefined, subject, alice))
  long.push(addDevice(long.at(-1), phone, alice))
  while (long.length < 9_000) long.push(revoke(long.at(-1), subject, alice))
})

test("CHAIN-9 the last 1,000 places are the owner's: revoke, revoke_device, set_next, settle, rotate", () => {
  const last = long.at(-1)
  const base = replayChain(long)
  assert.equal(base.head.seq, 8_999)
  const allowed = [
    revoke(last, subject, alice),
    revokeDevice(last, [phone], alice),
    setNext(last, keyNamed("second"), alice),
    settle(last, long.slice(5, 6), alice),
    rotate(last, keyNamed("second"), alice),
  ]
  const refused = [
    add(last, subject, alice),
    addDevice(last, keyNamed("spare"), alice),
    eventAfter(last, {
      op: "set_shared_files",
      payload: { manifest: envelopeDigest(base.path[0] ?? fail()), size: 0 },
      by: alice,
    }),
    revoke(last, subject, phone),
    revokeDevice(last, [phone], phone),
  ]
  for (const event of allowed) assert.deepEqual(replayChain([event], { previous: base }).refused, [], event.payload.op)
  for (const event of refused) {
    assert.equal(refusalOf(replayChain([event], { previous: base }), event), "limit.chain", event.payload.op)
  }
  // The place before is anybody's.
  const earlier = replayChain(long.slice(0, -1))
  assert.deepEqual(replayChain([revoke(long.at(-2), subject, phone)], { previous: earlier }).refused, [])
})

test("C22 10,000 events are a chain, in all its forms; the 10,001st -> limit.chain", () => {
  const events = [...long]
  while (events.length < 10_001) events.push(revoke(events.at(-1), subject, alice))
  const whole = events.slice(0, 10_000)
  const base = replayChain(long)
  const replay = replayChain(whole, { previous: base })
  assert.equal(replay.head.seq, 9_999)
  assert.equal(base.head.seq, 8_999)
  const beyond = events[10_000] ?? fail()
  assert.equal(refusalOf(replayChain([beyond], { previous: replay }), beyond), "limit.chain")
  assert.equal(parseChain(formatChain(whole)).length, 10_000)
  assert.equal(parseChain(encodeChain(whole)).length, 10_000)
  refuses(() => parseChain(formatChain(events)), "limit.chain")
})

test("CHAIN-18 20,001 valid events -> limit.chain; garbage does not count", () => {
  const root = add(undefined, subject, alice)
  const junk = Array.from({ length: 300 }, (_, i) => add(root, `github:x${i}`, keyNamed("mallory")))
  const siblings = Array.from({ length: 20_000 }, (_, i) => revoke(root, `github:s${i}`, alice))
  const inTime = replayChain([root, ...junk, ...siblings.slice(1)])
  assert.equal(inTime.status, "fork")
  assert.equal(inTime.refused.length, 300)
  assert.equal(inTime.splits[0]?.successors.length, 19_999)
  refuses(() => replayChain([root, ...siblings]), "limit.chain")
})

test("assertSignedText() remembers 65,536 signatures, the latest, and no more", () => {
  const { key, sign } = alice
  const text = "one text, remembered under many names"
  const sig = sign(text)
  const checksOf = (name: number) => {
    const earlier = signatureCheckCount()
    assertSignedText(text, { key, sig, cacheKey: `test ${name}` })
    return signatureCheckCount() - earlier
  }
  assert.equal(checksOf(0), 1)
  assert.equal(checksOf(0), 0)
  for (let name = 1; name < 65_537; name++) assertSignedText(text, { key, sig, cacheKey: `test ${name}` })
  assert.equal(checksOf(65_536), 0)
  assert.equal(checksOf(0), 1)
})

test("CHAIN-18 verifyClaim() of a chain with 20,001 valid events -> unreachable limit.chain; of another's, no effect", () => {
  const root = add(undefined, subject, alice)
  const siblings = Array.from({ length: 20_000 }, (_, i) => revoke(root, `github:s${i}`, alice))
  const chains = [store([root, ...siblings])]
  const claim = claimOf(subject, alice)
  assert.equal(lineOf(verifyClaim(question(published(claim), { chains }))), "unreachable limit.chain")
  const bob = keyNamed("bob")
  const bobs = add(undefined, subject, bob)
  // Not even when it says that it rotates to his key: he did not sign for that.
  const payload = { new_primary: bob.key, pop: "0".repeat(128) }
  const claimed = store([eventAfter(root, { op: "rotate", payload, by: alice })])
  const gone = store([bobs, revoke(bobs, subject, bob)])
  const verdict = verifyClaim(question(published(claimOf(subject, bob)), { chains: [...chains, claimed, gone] }))
  assert.equal(lineOf(verdict), "revoked claim.revoked | stale")
})

function fail(): never {
  throw new Error("no such event")
}
