/** Revocations on losing branches. SPEC §5.7 and §5.8; adversarial C10, C19, C30. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { envelopeDigest, type SigchainEvent } from "../src/envelope/envelope.ts"
import { isCurrentKey, judgeHead, signHead } from "../src/sigchain/head.ts"
import { replayChain } from "../src/sigchain/replay.ts"
import type { ChainReplay } from "../src/sigchain/result.ts"
import { add, addDevice, headOf, now, revoke, revokeDevice, settle } from "./support/chains.ts"
import { keyNamed } from "./support/keys.ts"
import { refuses } from "./support/throws.ts"
import { devicesOf, view } from "./support/view.ts"

const alice = keyNamed("alice")
const phone = keyNamed("phone")
const laptop = keyNamed("laptop")
const spare = keyNamed("spare")
const fresh = keyNamed("fresh")
const subject = "dns:alice.example"

const e0 = add(undefined, subject, alice)
const e1 = addDevice(e0, phone, alice)
const e2 = addDevice(e1, laptop, phone) // alice -> phone -> laptop
const e3 = addDevice(e2, spare, alice)
const base = [e0, e1, e2, e3]
const won = add(e3, "github:alice", alice)

function replayed(...events: readonly SigchainEvent[]): ChainReplay {
  const replay = replayChain([...base, ...events])
  assert.deepEqual(view(replayChain([...events, ...base].reverse())), view(replay))
  return replay
}

const status = (replay: ChainReplay) => replay.state.subjects.get(subject)?.status

test("FORK-6 the revocations in force are those off the winning path that nothing lifts", () => {
  const lost = [revoke(e3, subject, laptop), revokeDevice(e3, [spare], laptop), add(e3, "github:mallory", laptop)]
  const [first, second] = lost.map(envelopeDigest)
  const inForce = (...events: readonly SigchainEvent[]) => [...replayed(...events).state.stickyRevocations].sort()
  assert.deepEqual(inForce(won), [])
  assert.deepEqual(inForce(won, ...lost), [first, second].sort())
  assert.deepEqual(inForce(won, ...lost, settle(won, lost.slice(0, 1), alice)), [second])
  assert.deepEqual(inForce(won, ...lost, revokeDevice(won, [laptop], alice)), [])
})

test("FORK-6 revoke on a losing branch stays in force, though the winning path adds the subject again", () => {
  const lost = revoke(e3, subject, laptop)
  assert.equal(status(replayed(won)), "active")
  assert.equal(status(replayed(won, lost)), "revoked")
  assert.equal(status(replayed(won, lost, add(won, subject, alice))), "revoked")
  assert.equal(replayed(won, lost).state.subjects.get(subject)?.everRevoked, true)
})

test("FORK-6 what a revoke_device of the primary would lift is known before it is signed", () => {
  const before = replayed(won, revoke(e3, subject, laptop), revokeDevice(e3, [spare], laptop))
  const lifted = { devices: [spare.key], subjects: [subject] }
  assert.deepEqual(before.liftedBy({ keys: [laptop.key] }), lifted)
  assert.deepEqual(before.liftedBy({ keys: [phone.key], keep: [laptop.key] }), { devices: [], subjects: [] })
  assert.deepEqual(before.liftedBy({ keys: [laptop.key, spare.key] }), { devices: [], subjects: [subject] })
  assert.deepEqual(replayed(won).liftedBy({ keys: [laptop.key] }), { devices: [], subjects: [] })
})

test("FORK-6 revoke of a subject that the winning path never named", () => {
  const replay = replayed(won, revoke(e3, "github:other", laptop))
  assert.deepEqual(replay.state.subjects.get("github:other"), {
    subject: "github:other",
    status: "revoked",
    everRevoked: true,
    seq: -1,
  })
})

test("FORK-7 revoke_device on a losing branch suspends the device and what it added, but not what is kept", () => {
  const lost = revokeDevice(e3, [phone], spare)
  assert.deepEqual(devicesOf(replayed(won, lost)), [`suspended ${phone.key}`, `suspended ${laptop.key}`, spare.key])
  const keeping = revokeDevice(e3, [phone], spare, [laptop])
  assert.deepEqual(devicesOf(replayed(won, keeping)), [`suspended ${phone.key}`, laptop.key, spare.key])
})

test("FORK-7 what a suspended device adds on the winning path is suspended too", () => {
  const lost = revokeDevice(e3, [phone], spare)
  const later = addDevice(won, fresh, laptop)
  assert.ok(devicesOf(replayed(won, later, lost)).includes(`suspended ${fresh.key}`))
})

test("FORK-7 a revocation deep in a losing branch counts, one on an invalid event does not", () => {
  const left = add(e3, "github:x", laptop)
  const deep = revokeDevice(left, [spare], laptop)
  assert.ok(devicesOf(replayed(won, left, deep)).includes(`suspended ${spare.key}`))
  const bad = add(e3, "github:x", keyNamed("mallory"))
  assert.ok(devicesOf(replayed(won, bad, revokeDevice(bad, [spare], laptop))).includes(spare.key))
})

test("FORK-6 of an undecided fork, the revocations of all branches are in force", () => {
  const replay = replayed(revoke(e3, subject, phone), revokeDevice(e3, [spare], laptop))
  assert.equal(replay.status, "fork")
  assert.equal(status(replay), "revoked")
  assert.ok(devicesOf(replay).includes(`suspended ${spare.key}`))
})

const lostRevoke = revoke(e3, subject, laptop)

test("FORK-6 lifted by revoke_device of the signer, by the primary", () => {
  const lifted = replayed(won, revokeDevice(won, [laptop], alice), lostRevoke)
  assert.equal(status(lifted), "active")
  assert.deepEqual(devicesOf(lifted), [phone.key, spare.key])
})

test("FORK-6 lifted by revoke_device of the device that added the signer, but not where the signer is kept", () => {
  assert.equal(status(replayed(won, revokeDevice(won, [phone], alice), lostRevoke)), "active")
  assert.equal(status(replayed(won, revokeDevice(won, [phone], alice, [laptop]), lostRevoke)), "revoked")
})

test("FORK-6 lifted by revoke_device of one that added the signer on its branch alone, through others", () => {
  const a = addDevice(e3, fresh, laptop)
  const b = revoke(a, subject, fresh)
  assert.equal(status(replayed(won, a, b)), "revoked")
  assert.equal(status(replayed(won, a, b, revokeDevice(won, [phone], alice))), "active")
  assert.equal(status(replayed(won, a, b, revokeDevice(won, [spare], alice))), "revoked")
})

test("FORK-6 lifted by settle that names the digest of the revocation, not that of its branch", () => {
  const start = add(e3, "github:x", laptop)
  const deep = revoke(start, subject, laptop)
  assert.equal(status(replayed(won, start, deep, settle(won, [start], alice))), "revoked")
  assert.equal(status(replayed(won, start, deep, settle(won, [deep], alice))), "active")
  assert.equal(status(replayed(won, lostRevoke, settle(won, [lostRevoke], alice))), "active")
})

test("FORK-6 not lifted by a device, whatever it revokes", () => {
  assert.equal(status(replayed(won, lostRevoke, revokeDevice(won, [laptop], spare))), "revoked")
  assert.equal(status(replayed(won, lostRevoke, revokeDevice(won, [phone], spare))), "revoked")
})

test("FORK-6 not lifted by an event off the winning path", () => {
  const left = revokeDevice(e2, [laptop], alice) // the primary's, but on a branch that loses by a settlement
  const settled = settle(won, [left], alice)
  const replay = replayed(won, lostRevoke, left, settled)
  assert.equal(replay.head.digest, envelopeDigest(settled))
  assert.equal(status(replay), "revoked")
})

test("FORK-6 a revocation that was lifted as a device's stays lifted when its device is not revoked elsewhere", () => {
  const early = revokeDevice(e2, [laptop], alice) // on the path, before the split
  const path = [e0, e1, e2, early, add(early, "github:alice", alice)]
  const replay = replayChain([
    ...path,
    add(e2, "github:late", laptop),
    revoke(add(e2, "github:late", laptop), subject, laptop),
  ])
  assert.equal(replay.head.seq, 4)
  assert.equal(status(replay), "active")
})

test("HEAD-1 heads of the primary and active devices count; of suspended, revoked and unknown keys -> head.not_authorised", async () => {
  const lost = revokeDevice(e3, [phone], spare)
  const replay = replayed(won, lost)
  const by = (key: typeof alice) => () => judgeHead(headOf(won, { chain: replay.chain, by: key }), replay, now)
  assert.equal(by(alice)().says, "live")
  assert.equal(by(spare)().says, "live")
  refuses(by(phone), "head.not_authorised")
  refuses(by(laptop), "head.not_authorised")
  refuses(by(fresh), "head.not_authorised")
  assert.equal(isCurrentKey(replay, phone.key), false)
  assert.equal(isCurrentKey(replay, spare.key), true)
  const made = await signHead(replay, { now, lifetimeSeconds: 60 }, spare.signer)
  assert.equal(judgeHead(made, replay, now).expiresAt, "2026-01-01T00:01:00Z")
})

test("HEAD-1 the order of checks: chain, signature, future, expiry, authority", () => {
  const replay = replayed(won)
  const { chain } = replay
  const elsewhere = headOf(won, { chain: envelopeDigest(e1), by: alice })
  refuses(() => judgeHead(elsewhere, replay, now), "chain.unknown")
  const head = headOf(won, { chain, by: fresh, issued: now + 301 })
  const forged = { ...head, signature: { ...head.signature, sig: "0".repeat(128) } }
  refuses(() => judgeHead(forged, replay, now), "signature.invalid")
  refuses(() => judgeHead(head, replay, now), "time.future")
  refuses(() => judgeHead(head, replay, now + 1 + 86_400 + 300), "head.expired")
  refuses(() => judgeHead(head, replay, now + 1), "head.not_authorised")
})

test("HEAD-2 what a head says: live, old, beyond or conflict", () => {
  const lost = add(e3, "github:lost", laptop)
  const replay = replayed(won, lost)
  const { chain } = replay
  const says = (event: SigchainEvent) => judgeHead(headOf(event, { chain, by: alice }), replay, now).says
  assert.equal(says(won), "live")
  assert.equal(says(e2), "old")
  assert.equal(says(lost), "old")
  assert.equal(says(add(won, "github:next", alice)), "beyond")
  assert.equal(says(add(e3, "github:unseen", alice)), "conflict")
  assert.equal(says(revoke(e1, subject, alice)), "conflict")
})

test("HEAD-2 an event that is not valid is not known: a head that names it is a conflict", () => {
  const invalid = add(e3, "github:x", keyNamed("mallory"))
  const orphan = add(add(won, "github:gap", alice), "github:orphan", alice)
  const replay = replayed(won, invalid, orphan)
  const { chain } = replay
  assert.equal(judgeHead(headOf(invalid, { chain, by: alice }), replay, now).says, "conflict")
  assert.equal(judgeHead(headOf(orphan, { chain, by: alice }), replay, now).says, "beyond")
  assert.equal(replay.knows(envelopeDigest(orphan)), false)
})
