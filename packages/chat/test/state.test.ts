/** The state of a conversation: who may change what, and what follows what. SPEC §2.3, `conversation_state`. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { digestOf, envelopeDigest, formatTime, signEnvelope } from "@kez/core"
import { assertMayChange } from "../src/conversation/authority.ts"
import {
  applyChange,
  digestOfBody,
  type Role,
  roleOf,
  type StateBody,
  type StateChange,
} from "../src/conversation/state-body.ts"
import {
  continueState,
  createStateLog,
  decodeStateEntry,
  encodeStateEntry,
  type StateEntry,
  type StateLog,
  signNextState,
  verifyStateLog,
} from "../src/conversation/state-log.ts"
import { deviceSigner } from "../src/credential/device-keys.ts"
import { maxStateEntryBytes } from "../src/limits.ts"
import { chainsOf, createPerson, type Device, now, stateOf } from "./support/world.ts"

const chain = (letter: string): string => `sha256:${letter.repeat(64)}`
const [owner, admin, member, other, stranger] = ["a", "b", "c", "d", "e"].map(chain) as [
  string,
  string,
  string,
  string,
  string,
]

const group = stateOf([
  { chain: owner, role: "owner" },
  { chain: admin, role: "admin" },
  { chain: member, role: "member" },
  { chain: other, role: "member" },
])
const open: StateBody = { ...group, policy: { ...group.policy, add: "members" } }
const adds = (role: Role): StateChange => ({ set: [{ chain: stranger, role }] })
const removes = (who: string): StateChange => ({ remove: [who] })
const gives = (who: string, role: Role): StateChange => ({ set: [{ chain: who, role }] })

const allowed: readonly (readonly [string, StateBody, string, StateChange])[] = [
  ["an owner adds an owner", group, owner, adds("owner")],
  ["an admin adds a member", group, admin, adds("member")],
  ["a member adds a member where the policy says so", open, member, adds("member")],
  ["an owner removes an admin", group, owner, removes(admin)],
  ["an admin removes a member", group, admin, removes(member)],
  ["a member leaves", group, member, removes(member)],
  ["an admin steps down", group, admin, gives(admin, "member")],
  ["an owner gives a role", group, owner, gives(member, "admin")],
  ["an admin changes the name", group, admin, { name: "new" }],
  ["an owner changes the policy", group, owner, { policy: { ...group.policy, history: "all" } }],
]
const refused: readonly (readonly [string, StateBody, string, StateChange])[] = [
  ["an admin adds an admin", group, admin, adds("admin")],
  ["a member adds a member", group, member, adds("member")],
  ["a member adds an admin where members may add", open, member, adds("admin")],
  [
    "an admin removes an owner",
    { ...group, members: [...group.members, { chain: chain("f"), role: "owner" }] },
    admin,
    removes(chain("f")),
  ],
  [
    "an admin removes another admin",
    { ...group, members: [...group.members, { chain: chain("f"), role: "admin" }] },
    admin,
    removes(chain("f")),
  ],
  ["a member removes a member", group, member, removes(other)],
  ["an admin makes himself an owner", group, admin, gives(admin, "owner")],
  ["an admin gives a member a role", group, admin, gives(member, "admin")],
  ["a member changes the name", group, member, { name: "new" }],
  ["an admin changes the policy", group, admin, { policy: { ...group.policy, history: "all" } }],
  ["a stranger changes the name", group, stranger, { name: "new" }],
]

for (const [title, body, author, change] of allowed) {
  test(`assertMayChange() passes when ${title}`, () => assertMayChange(body, applyChange(body, change), author))
}
for (const [title, body, author, change] of refused) {
  test(`assertMayChange() throws chat.policy when ${title}`, () => {
    assert.throws(() => assertMayChange(body, applyChange(body, change), author), { code: "chat.policy" })
  })
}

test("in a dm nothing changes but whether it is archived", () => {
  const dm = stateOf(
    [
      { chain: owner, role: "owner" },
      { chain: admin, role: "owner" },
    ],
    { kind: "dm" },
  )
  assertMayChange(dm, applyChange(dm, { policy: { ...dm.policy, archive: "off" } }), owner)
  for (const policy of [
    { ...dm.policy, history: "all" as const },
    { ...dm.policy, add: "members" as const },
  ]) {
    assert.throws(() => assertMayChange(dm, applyChange(dm, { policy }), owner), { code: "chat.policy" })
  }
  assert.throws(() => applyChange(dm, adds("owner")), { code: "schema.value" })
})

test("applyChange() throws when an owner would be missing, nothing changes, or nobody is removed", () => {
  assert.throws(() => applyChange(group, removes(owner)), { code: "schema.value" })
  assert.throws(() => applyChange(group, gives(owner, "member")), { code: "schema.value" })
  assert.throws(() => applyChange(group, { name: "" }), { code: "chat.state" })
  assert.throws(() => applyChange(group, removes(stranger)), { code: "chat.state" })
})

async function world() {
  const [alice, bob] = [await createPerson(), await createPerson()]
  const devices = [await alice.addDevice(), await bob.addDevice()] as const
  const body = stateOf([
    { chain: alice.chain, role: "owner" },
    { chain: bob.chain, role: "member" },
  ])
  const author = (device: Device) => ({ chain: device.person.chain, signer: deviceSigner(device.keys), now })
  const log = await createStateLog(body, author(devices[0]))
  const chains = chainsOf(alice, bob)
  const judge = { chains, head: (one: string) => chains(one)?.head.digest }
  return { alice, bob, devices, log, author, chains, judge }
}

/** What nobody who follows the rules signs. */
async function sign(
  log: StateLog,
  device: Device,
  links: { readonly state: string; readonly number?: number; readonly prev?: string; readonly chain?: string },
) {
  const payload = {
    type: "kez.chat.conversation_state",
    version: 1,
    chain: device.person.chain,
    group: log.group,
    number: log.entries.length,
    prev: log.digest,
    created_at: formatTime(now),
    ...links,
  } as const
  return signEnvelope("conversation_state", payload, deviceSigner(device.keys))
}

test("versions follow each other, and the group id is the digest of version 0", async () => {
  const { log, author, devices, chains, judge } = await world()
  const entry = await signNextState(log, { name: "us" }, author(devices[0]))
  const next = continueState(log, decodeStateEntry(encodeStateEntry(entry)), judge)
  assert.equal(next.body.name, "us")
  const read = verifyStateLog(
    next.entries.map((one) => decodeStateEntry(encodeStateEntry(one))),
    log.group,
    chains,
  )
  assert.deepEqual([read.digest, read.group], [next.digest, envelopeDigest(log.entries[0]?.envelope ?? entry.envelope)])
})

test("a version that does not follow, leads elsewhere, or is signed by a stranger is refused", async () => {
  const { log, devices, judge, bob } = await world()
  const change = { name: "us" }
  const state = digestOfBody(applyChange(log.body, change))
  const zero = chain("0")
  const cases: readonly (readonly [string, StateEntry])[] = [
    ["chat.state", { envelope: await sign(log, devices[0], { state, number: 2 }), change }],
    ["chat.state", { envelope: await sign(log, devices[0], { state, prev: zero }), change }],
    ["chat.state", { envelope: await sign(log, devices[0], { state: zero }), change }],
    ["chat.policy", { envelope: await sign(log, devices[1], { state }), change }],
    // Bob's device in Alice's name.
    ["chat.state", { envelope: await sign(log, devices[1], { state, chain: devices[0].person.chain }), change }],
  ]
  for (const [code, entry] of cases) assert.throws(() => continueState(log, entry, judge), { code })
  assert.equal(roleOf(log.body, bob.chain), "member")
})

test("a version by a device that the head does not list any more is refused, one of the past stays", async () => {
  const { alice, log, devices, author, judge, chains } = await world()
  const entry = await signNextState(log, { name: "us" }, author(devices[0]))
  const next = continueState(log, entry, judge)
  await alice.revoke(devices[0])
  assert.throws(() => continueState(log, entry, judge), { code: "chat.state" })
  assert.equal(verifyStateLog(next.entries, log.group, chains).body.name, "us")
})

test("decodeStateEntry() refuses what is too long, of another shape, or not signed", async () => {
  const { log, author, devices } = await world()
  const good = encodeStateEntry(await signNextState(log, { name: "us" }, author(devices[0])))
  const value = JSON.parse(good)
  const cases: readonly (readonly [string, string])[] = [
    ["limit.size", `${good}${" ".repeat(maxStateEntryBytes)}`],
    ["json.syntax", good.slice(0, -1)],
    ["schema.unknown_member", JSON.stringify({ ...value, more: 1 })],
    ["schema.missing_member", JSON.stringify({ envelope: value.envelope })],
    ["schema.unknown_member", JSON.stringify({ ...value, change: { name: "us", more: 1 } })],
    ["schema.value", JSON.stringify({ ...value, change: { name: "x".repeat(129) } })],
    ["signature.invalid", good.replace(value.envelope.payload.created_at, "2026-01-01T00:00:00Z")],
  ]
  for (const [code, text] of cases) assert.throws(() => decodeStateEntry(text), { code })
  assert.ok(digestOf(good))
})
