/** Validity of events and the state they make. SPEC §5.1 to §5.5; adversarial C1 to C27 without forks. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Code } from "../src/codes.ts"
import { envelopeDigest, type SigchainEvent } from "../src/envelope/envelope.ts"
import { listChains, replayChain } from "../src/sigchain/replay.ts"
import {
  add,
  addDevice,
  eventAfter,
  frameAfter,
  popFor,
  revoke,
  revokeDevice,
  rotate,
  setNext,
  settle,
} from "./support/chains.ts"
import { keyNamed, sealed, type TestKey } from "./support/keys.ts"
import { refuses } from "./support/throws.ts"
import { refusalOf } from "./support/view.ts"

const alice = keyNamed("alice")
const phone = keyNamed("phone")
const laptop = keyNamed("laptop", "nostr")
const spare = keyNamed("spare")
const second = keyNamed("second")
const third = keyNamed("third")
const mallory = keyNamed("mallory")
const subject = "dns:alice.example"

/** The code by which the last event is refused, the ones before it being valid; undefined when it is valid as well. */
function verdictOn(...events: readonly SigchainEvent[]): string | undefined {
  const last = events.at(-1)
  if (last === undefined) throw new Error("no event")
  const replay = replayChain(events)
  const code = refusalOf(replay, last)
  assert.equal(replay.path.length, code === undefined ? events.length : events.length - 1, `refused early: ${code}`)
  return code
}

test("C1 replayChain() of keys of both systems gives the state", () => {
  const first = add(undefined, subject, laptop, { subject_id: "42" })
  const device = addDevice(first, phone, laptop)
  const last = add(device, "github:alice", phone)
  const { status, head, state, path } = replayChain([first, device, last])
  assert.equal(status, "ok")
  assert.deepEqual(head, { seq: 2, digest: envelopeDigest(last) })
  assert.equal(path.length, 3)
  assert.equal(state.primary, laptop.key)
  assert.deepEqual(state.devices, [{ key: phone.key, addedBy: laptop.key, seq: 1, suspended: false }])
  assert.deepEqual([...state.subjects.keys()], [subject, "github:alice"])
  assert.equal(state.subjects.get(subject)?.subjectId, "42")
})

const first = add(undefined, subject, alice)
const withPhone = addDevice(first, phone, alice)
const withBoth = addDevice(withPhone, laptop, phone)
const start = [first, withPhone, withBoth]
const committed = setNext(first, second, alice)

const table: readonly (readonly [title: string, expected: Code | undefined, ...events: SigchainEvent[]])[] = [
  [
    "C2 gap in seq",
    "chain.gap",
    first,
    eventAfter(first, { op: "revoke", payload: { subject }, by: alice, changes: { seq: 2 } }),
  ],
  [
    "C3 seq of the event before",
    "chain.repeat",
    ...start,
    eventAfter(withBoth, { op: "revoke", payload: { subject }, by: alice, changes: { seq: 2 } }),
  ],
  [
    "C6 primary of another chain",
    "chain.primary",
    first,
    eventAfter(first, { op: "revoke", payload: { subject }, by: alice, changes: { primary: second.key } }),
  ],
  ["S10 a stranger signs", "chain.not_authorised", ...start, revoke(withBoth, subject, mallory)],
  [
    "C11 a device signs after its revocation",
    "chain.not_authorised",
    ...start,
    revokeDevice(withBoth, [phone], alice),
    revoke(revokeDevice(withBoth, [phone], alice), subject, phone),
  ],
  [
    "C13 rotate to a key that next does not name",
    "chain.prerotation",
    first,
    committed,
    rotate(committed, third, alice),
  ],
  [
    "C13 rotate by the key it names, which next does not",
    "chain.prerotation",
    first,
    committed,
    rotate(committed, third, third),
  ],
  [
    "C15 rotate to the committed key, signed by the old one",
    "chain.prerotation",
    first,
    committed,
    rotate(committed, second, alice),
  ],
  ["C14 rotate to the committed key, signed by it", undefined, first, committed, rotate(committed, second, second)],
  ["C14 rotate without commitment, signed by the primary", undefined, first, rotate(first, second, alice)],
  [
    "C14 rotate without commitment, signed by the new key",
    "chain.not_authorised",
    first,
    rotate(first, second, second),
  ],
  ["C13 set_next while one is in force", "chain.next_in_force", first, committed, setNext(committed, third, alice)],
  ["C17 a device signs rotate", "chain.authority", ...start, rotate(withBoth, second, phone)],
  ["C17 a device signs set_next", "chain.authority", ...start, setNext(withBoth, second, phone)],
  ["C17 a device signs settle", "chain.authority", ...start, settle(withBoth, [first], phone)],
  ["C17 a device revokes the primary", "chain.authority", ...start, revokeDevice(withBoth, [alice], phone)],
  ["C17 the primary revokes itself as a device", "chain.authority", first, revokeDevice(first, [alice], alice)],
  ["C18 a device revokes itself", undefined, ...start, revokeDevice(withBoth, [phone], phone)],
  ["C18 the last device is revoked", undefined, first, withPhone, revokeDevice(withPhone, [phone], alice)],
  [
    "C20 a revoked device is added again",
    "chain.key_reuse",
    first,
    withPhone,
    revokeDevice(withPhone, [phone], alice),
    addDevice(revokeDevice(withPhone, [phone], alice), phone, alice),
  ],
  [
    "C20 a device that is active is added again",
    "chain.key_in_use",
    first,
    withPhone,
    addDevice(withPhone, phone, alice),
  ],
  ["C20 the primary is added as a device", "chain.key_in_use", first, addDevice(first, alice, alice)],
  ["C20 rotate to the primary itself", "chain.key_in_use", first, rotate(first, alice, alice)],
  ["C20 rotate to an active device", "chain.key_in_use", first, withPhone, rotate(withPhone, phone, alice)],
  ["C20 keep names a revoked key", "schema.value", ...start, revokeDevice(withBoth, [phone], alice, [phone])],
  ["C27 revoke of a subject that was never added", undefined, first, revoke(first, "github:other", alice)],
  ["C27 add twice", undefined, first, add(first, subject, alice)],
]

for (const [title, expected, ...events] of table) {
  test(`${title} -> ${expected ?? "valid"}`, () => assert.equal(verdictOn(...events), expected))
}

test("C4 an event with another prev does not follow: it has no known place", () => {
  const stray = eventAfter(first, {
    op: "revoke",
    payload: { subject },
    by: alice,
    changes: { prev: `sha256:${"0".repeat(64)}` },
  })
  const replay = replayChain([first, stray])
  assert.equal(replay.head.seq, 0)
  assert.equal(replay.state.subjects.get(subject)?.status, "active")
  assert.equal(replay.knows(envelopeDigest(stray)), false)
})

test("C6 an event of another chain, rightly signed by a shared key, has no effect", () => {
  const other = add(undefined, "github:other", alice)
  const foreign = revoke(other, subject, alice)
  const chain = envelopeDigest(first)
  const replay = replayChain([first, foreign, other], { chain })
  assert.equal(replay.head.seq, 0)
  assert.equal(replay.knows(envelopeDigest(foreign)), false)
  refuses(() => replayChain([first, foreign, other]), "chain.fork")
  assert.deepEqual(listChains([first, foreign, other]), [chain, envelopeDigest(other)].sort())
})

test("C14 the old primary is refused from the next seq, its older events stay", () => {
  const turned = rotate(committed, second, second, third)
  const replay = replayChain([
    first,
    committed,
    turned,
    revoke(turned, subject, alice),
    add(turned, "github:alice", second),
  ])
  assert.equal(replay.state.subjects.get(subject)?.status, "active")
  assert.equal(replay.state.subjects.get("github:alice")?.status, "active")
  assert.deepEqual(replay.state.primaries, [alice.key, second.key])
  assert.equal(replay.refused[0]?.code, "chain.not_authorised")
  const back = rotate(turned, third, third)
  const again = eventAfter(back, { op: "rotate", payload: popPayload(back, alice, third), by: third })
  assert.equal(verdictOn(first, committed, turned, back, again), "chain.key_reuse")
})

function popPayload(previous: SigchainEvent, newKey: TestKey, by: TestKey) {
  const payload = { new_primary: newKey.key }
  return { ...payload, pop: popFor(previous, { op: "rotate", payload, by }, { newKey, role: "primary" }) }
}

test("C16 add_device without, with a foreign, with a copied or with another role's proof of possession -> chain.pop", () => {
  const payload = { key: spare.key }
  const parts = { op: "add_device", payload, by: alice } as const
  const wrong = {
    foreign: popFor(first, parts, { newKey: mallory, role: "device" }),
    "for another place": popFor(withPhone, parts, { newKey: spare, role: "device" }),
    "for another role": popFor(first, parts, { newKey: spare, role: "primary" }),
    none: "0".repeat(128),
  }
  for (const [why, pop] of Object.entries(wrong)) {
    const event = eventAfter(first, { op: "add_device", payload: { ...payload, pop }, by: alice })
    assert.equal(verdictOn(first, event), "chain.pop", why)
  }
  assert.equal(verdictOn(first, addDevice(first, spare, alice)), undefined)
})

test("C16 rotate without proof of possession -> chain.pop, and C21 a key of another chain's device", () => {
  const event = eventAfter(first, {
    op: "rotate",
    payload: { new_primary: second.key, pop: "0".repeat(128) },
    by: alice,
  })
  assert.equal(verdictOn(first, event), "chain.pop")
  const theirs = add(undefined, "github:mallory", mallory)
  const { payload } = withPhone.payload
  const stolen = eventAfter(theirs, { op: "add_device", payload: payload as { key: string; pop: string }, by: mallory })
  assert.equal(verdictOn(theirs, stolen), "chain.pop")
  assert.equal(verdictOn(theirs, addDevice(theirs, phone, mallory)), undefined)
})

test("C16 a key of small order proves no possession -> chain.pop", () => {
  const key = `ed25519:01${"00".repeat(31)}`
  const pop = `01${"00".repeat(63)}`
  assert.equal(verdictOn(first, eventAfter(first, { op: "add_device", payload: { key, pop }, by: alice })), "chain.pop")
})

test("C24 an event 0 with a wrong signature begins no chain -> chain.genesis", () => {
  const { kez, payload, signature } = sealed(
    "sigchain_event",
    { ...frameAfter(undefined, alice), op: "revoke", payload: { subject } },
    alice,
  )
  const forged = { kez, payload, signature: { ...signature, sig: mallory.sign("other") } }
  refuses(() => replayChain([forged]), "chain.genesis")
  refuses(() => replayChain([]), "chain.genesis")
  refuses(() => replayChain([first], { chain: envelopeDigest(first).slice(0, 30) }), "chain.genesis")
  refuses(() => replayChain([withPhone]), "chain.genesis")
})

test("C26 created_at of events decides nothing", () => {
  const earlier = eventAfter(first, {
    op: "revoke",
    payload: { subject },
    by: alice,
    changes: { created_at: "1970-01-01T00:00:00Z" },
  })
  const later = eventAfter(earlier, {
    op: "add",
    payload: { subject },
    by: alice,
    changes: { created_at: "9999-12-31T23:59:59Z" },
  })
  assert.equal(verdictOn(first, earlier, later), undefined)
})

test("C27 add after revoke is active, and remembers that it was revoked", () => {
  const revoked = revoke(first, subject, alice)
  const again = add(revoked, subject, alice, { subject_id: "7" })
  const entry = replayChain([first, revoked, again]).state.subjects.get(subject)
  assert.deepEqual(entry, { subject, status: "active", everRevoked: true, seq: 2, subjectId: "7" })
  const replaced = add(again, subject, alice)
  assert.equal(replayChain([first, revoked, again, replaced]).state.subjects.get(subject)?.subjectId, undefined)
})
