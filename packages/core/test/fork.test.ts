/** Forks: which branch counts, and when none does. SPEC §5.6; adversarial C7, C12, C19, C30. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { envelopeDigest, type SigchainEvent } from "../src/envelope/envelope.ts"
import { replayChain } from "../src/sigchain/replay.ts"
import { add, addDevice, eventAfter, revoke, revokeDevice, rotate, setNext, settle } from "./support/chains.ts"
import { keyNamed } from "./support/keys.ts"
import { devicesOf, refusalOf, view } from "./support/view.ts"

const alice = keyNamed("alice")
const phone = keyNamed("phone")
const laptop = keyNamed("laptop")
const thief = keyNamed("thief")
const second = keyNamed("second")
const third = keyNamed("third")
const subject = "dns:alice.example"

const e0 = add(undefined, subject, alice)
const e1 = addDevice(e0, phone, alice)
const e2 = addDevice(e1, laptop, alice)
const base = [e0, e1, e2]
const step = (previous: SigchainEvent | undefined, name: string, by = alice) => add(previous, `github:${name}`, by)

/** Replays in both orders of arrival; the results must be the same. */
function replayed(...events: readonly SigchainEvent[]) {
  const replay = replayChain([...base, ...events])
  assert.deepEqual(view(replayChain([...events, ...base].reverse())), view(replay))
  return replay
}

function assertWins(winner: SigchainEvent, ...events: readonly SigchainEvent[]) {
  const replay = replayed(...events)
  assert.equal(replay.status, "ok")
  assert.equal(replay.contested, true)
  assert.equal(replay.head.digest, envelopeDigest(winner))
  for (const event of events) assert.ok(replay.knows(envelopeDigest(event)), "kept as evidence")
  return replay
}

function assertFork(at: SigchainEvent, ...events: readonly SigchainEvent[]) {
  const replay = replayed(...events)
  assert.equal(replay.status, "fork")
  assert.equal(replay.head.digest, envelopeDigest(at))
  assert.equal(replay.splits.at(-1)?.winner, undefined)
  return replay
}

test("C7 device against device -> fork, both kept, the state is that of the common prefix", () => {
  const replay = assertFork(e2, step(e2, "left", phone), step(e2, "right", laptop))
  assert.equal(replay.contested, false)
  assert.deepEqual([...replay.state.subjects.keys()], [subject])
  assert.deepEqual(
    replay.splits.map(({ seq, successors }) => [seq, successors.map(({ rank }) => rank)]),
    [[3, ["device", "device"]]],
  )
})

test("C7 the same device twice, and primary against primary -> fork", () => {
  assertFork(e2, step(e2, "left", phone), step(e2, "right", phone))
  assertFork(e2, step(e2, "left"), step(e2, "right"))
})

test("C19 length decides nothing", () => {
  const left = step(e2, "a", phone)
  const long = step(step(left, "b", phone), "c", phone)
  assertFork(e2, left, step(left, "b", phone), long, step(e2, "right", laptop))
})

test("C19 created_at decides nothing", () => {
  const early = eventAfter(e2, {
    op: "revoke",
    payload: { subject },
    by: phone,
    changes: { created_at: "1970-01-01T00:00:00Z" },
  })
  assertFork(e2, early, step(e2, "right", laptop))
})

test("C19 the primary beats a device, however far the device has come", () => {
  const left = step(e2, "a", phone)
  const right = step(e2, "b")
  assertWins(right, left, step(left, "c", phone), right)
})

test("C19 a primary signature anywhere in the branch counts", () => {
  const left = step(e2, "a", phone)
  const deep = step(step(left, "b", phone), "c")
  assertWins(deep, left, step(left, "b", phone), deep, step(e2, "right", laptop))
})

test("C12 an event by a device inserted before its revocation loses to the revocation", () => {
  const gone = revokeDevice(e2, [phone], alice)
  const replay = assertWins(gone, gone, step(e2, "late", phone))
  assert.deepEqual(devicesOf(replay), [laptop.key])
})

test("C12 against a revocation by another device -> fork", () => {
  assertFork(e2, revokeDevice(e2, [phone], laptop), step(e2, "late", phone))
})

test("C19 the committed key beats the primary; before the commitment it has no rank of its own", () => {
  const e3 = setNext(e2, second, alice)
  const turned = rotate(e3, second, second)
  const stolen = step(e3, "stolen")
  assertWins(turned, e3, turned, stolen, step(stolen, "more"))
  // The fork is made before the commitment: there the committed key's signature is worth a device's, the primary's set_next two.
  assertFork(e2, e3, turned, step(e2, "stolen"))
})

test("C19 a rotation of the losing branch gives no rank: the new key's signature counts by the state at the split", () => {
  const left = rotate(e2, second, alice)
  const right = rotate(e2, third, alice)
  assertFork(e2, left, step(left, "a", second), step(step(left, "a", second), "b", second), right)
})

test("C19 three branches: the unique highest wins, two tied highest do not", () => {
  const [a, b, c] = [step(e2, "a", phone), step(e2, "b", laptop), step(e2, "c")]
  assertWins(c, a, b, c)
  assertFork(e2, a, step(e2, "b"), c)
})

test("C19 a branch built on an invalid event is refused whole", () => {
  const bad = step(e2, "bad", thief)
  const onBad = step(bad, "child")
  const good = step(e2, "good", phone)
  const replay = replayed(bad, onBad, good)
  assert.equal(replay.status, "ok")
  assert.equal(replay.contested, false)
  assert.equal(replay.head.digest, envelopeDigest(good))
  assert.equal(refusalOf(replay, bad), "chain.not_authorised")
  assert.equal(replay.knows(envelopeDigest(onBad)), false)
})

test("C19 nested forks are decided one after the other, each by the state at its split", () => {
  const left = step(e2, "left", phone)
  const right = step(e2, "right")
  const [rightA, rightB] = [step(right, "a", phone), step(right, "b")]
  const leftTie = [step(left, "x", phone), step(left, "y", phone)]
  const replay = assertWins(rightB, left, ...leftTie, right, rightA, rightB)
  assert.equal(replay.splits.length, 2)
  const [tieA, tieB] = [step(rightB, "c", phone), step(rightB, "d", laptop)]
  const undecided = assertFork(rightB, left, ...leftTie, right, rightA, rightB, tieA, tieB)
  assert.equal(undecided.contested, true)
})

test("FORK-3 settle by the primary names the other branch and wins, on either side or as a branch of its own", () => {
  const [left, right] = [step(e2, "left"), step(e2, "right")]
  assertWins(settle(left, [right], alice), left, right, settle(left, [right], alice))
  assertWins(settle(right, [left], alice), left, right, settle(right, [left], alice))
  const own = settle(e2, [left, right], alice)
  assertWins(own, left, right, own)
  assertWins(own, step(e2, "l", phone), step(e2, "r", laptop), own)
})

test("FORK-3 settle deep in a branch counts, and names what it likes besides", () => {
  const [left, right] = [step(e2, "left"), step(e2, "right")]
  const deep = settle(step(left, "more", phone), [e0, right], alice)
  assertWins(deep, left, step(left, "more", phone), deep, right)
})

test("FORK-3 settle that does not name every tied sibling -> fork", () => {
  const [a, b, c] = [step(e2, "a"), step(e2, "b"), step(e2, "c")]
  assertFork(e2, a, b, c, settle(a, [b], alice))
  assertFork(e2, a, b, c, settle(a, [b], alice), settle(settle(a, [b], alice), [c], alice))
  assertWins(settle(a, [b, c], alice), a, b, c, settle(a, [b, c], alice))
})

test("FORK-3 settle names a child of the sibling -> fork", () => {
  const [a, b] = [step(e2, "a"), step(e2, "b")]
  const child = step(b, "child", phone)
  assertFork(e2, a, b, child, settle(a, [child], alice))
})

test("FORK-3 settle on both sides, or of two on one side -> fork, or that side", () => {
  const [a, b] = [step(e2, "a"), step(e2, "b")]
  const [onA, onB] = [settle(a, [b], alice), settle(b, [a], alice)]
  assertFork(e2, a, b, onA, onB)
  const other = settle(a, [b, e0], alice)
  assertFork(a, a, b, onA, other) // decided for a, then a fork of its own
})

test("FORK-3 settle by the primary of a lower rank than the tie does not count", () => {
  const e3 = setNext(e2, second, alice)
  // Two rotations by the committed key are both of recovery rank.
  const [left, right] = [rotate(e3, second, second), rotate(e3, second, second, third)]
  assertFork(e3, e3, left, right)
  assertFork(e3, e3, left, right, settle(e3, [left, right], alice))
  const settled = settle(left, [right], second)
  assertWins(settled, e3, left, right, settled)
})

test("FORK-3 settle by the primary after a rotation counts: the owner answers the thief of the old key", () => {
  const [left, right] = [rotate(e2, second, alice), step(e2, "right")]
  const settled = settle(left, [right], second)
  assertWins(settled, e2, left, right, settled)
})

test("FORK-3 settle by a key that another tied branch rotated away decides nothing, alone or against the owner's", () => {
  const [turned, back] = [rotate(e2, second, alice), step(e2, "back")]
  const stolen = settle(back, [turned], alice)
  assertFork(e2, turned, back, stolen)
  assertFork(e2, turned, back, stolen, rotate(stolen, third, alice))
  assertWins(settle(turned, [back], second), e2, turned, back, stolen, settle(turned, [back], second))
})

test("FORK-3 settle by a device is no event at all", () => {
  const [a, b] = [step(e2, "a"), step(e2, "b")]
  const invalid = settle(a, [b], phone)
  assert.equal(refusalOf(assertFork(e2, a, b, invalid), invalid), "chain.authority")
})

test("C19 a higher rank wins against a settled tie below it", () => {
  const e3 = setNext(e2, second, alice)
  const [a, b] = [step(e3, "a"), step(e3, "b")]
  const turned = rotate(e3, second, second)
  assertWins(turned, e3, a, b, settle(a, [b], alice), turned)
})

test("C30 a stolen phone adds a device and revokes the others; the owner signs once: the state before the theft, without the thief", () => {
  const added = addDevice(e2, thief, phone)
  const revoked = revokeDevice(added, [laptop], thief)
  const revokedToo = revoke(revoked, subject, thief)
  const owners = revokeDevice(e2, [phone], alice)
  const replay = assertWins(owners, added, revoked, revokedToo, owners)
  assert.deepEqual(devicesOf(replay), [laptop.key])
  assert.deepEqual(replay.state.subjects, replayChain(base).state.subjects)
  // Whatever part of it a reader has, the result is this one or the one before.
  const parts = [added, revoked, revokedToo, owners]
  for (let mask = 0; mask < 16; mask++) {
    const known = parts.filter((_, i) => mask & (1 << i))
    const partial = replayChain([...base, ...known])
    if (known.includes(owners)) assert.deepEqual(devicesOf(partial), [laptop.key])
    assert.equal(partial.state.primary, alice.key)
  }
})

test("CHAIN-19 two events 0 of one primary are two chains; by id each is whole", () => {
  const other = add(undefined, "github:other", alice)
  const events = [...base, other]
  assert.equal(replayChain(events, { chain: envelopeDigest(other) }).head.seq, 0)
  assert.equal(replayChain(events, { chain: envelopeDigest(e0) }).head.seq, 2)
})

test("ChainReplay.everyPrimary has those of losing branches as well, state.primaries those of the path", () => {
  const left = rotate(e2, second, alice)
  const right = rotate(e2, third, alice)
  const replay = assertFork(e2, left, right)
  assert.deepEqual([...replay.everyPrimary].sort(), [alice.key, second.key, third.key].sort())
  assert.deepEqual(replay.state.primaries, [alice.key])
})
