/** vectors/sigchain-replay.json: one branch, valid or with one event that is refused. SPEC §5.4. */
import { commitmentTo, formatEnvelope, type SigchainEvent } from "@kez/core"
import { ChainBuilder } from "./chain-builder.ts"
import { alice, aliceNostr, laptop, mallory, nextKey, phone, tablet, thirdKey } from "./keys.ts"
import type { VectorCase, VectorFile } from "./vector-file.ts"

interface Expected {
  readonly head: number
  readonly primary: string
  readonly devices?: readonly string[]
  readonly subjects?: Readonly<Record<string, "active" | "revoked">>
  readonly next?: string
}

const subject = { subject: "dns:example.org" } as const

/** Events in order; with a `code`, the last one is refused and the state is that before it. */
function caseOf(
  id: string,
  why: string,
  events: readonly SigchainEvent[],
  expect: Expected,
  code?: string,
): VectorCase {
  const state = { devices: [], subjects: {}, next: null, ...expect }
  return { id, why, events: events.map(formatEnvelope), expect: state, ...(code === undefined ? {} : { code }) }
}

export async function replays(): Promise<VectorFile> {
  const cases = [...(await devices()), ...(await claims()), ...(await rotations()), ...(await authority())]
  return {
    spec: "§5.4",
    about:
      "The state after a list of linked events. With a code, the last event is refused with it, and the state is that before.",
    cases,
  }
}

async function devices(): Promise<readonly VectorCase[]> {
  const c = new ChainBuilder(alice.key)
  await c.addDevice("0", undefined, phone, alice)
  await c.addDevice("1", "0", laptop, phone)
  await c.addDevice("2", "1", tablet, laptop)
  await c.add("3-direct", "2", { signer: alice, op: "revoke_device", payload: { keys: [phone.key] } })
  await c.add("3-keep", "2", { signer: alice, op: "revoke_device", payload: { keys: [phone.key], keep: [tablet.key] } })
  await c.add("3-self", "2", { signer: tablet, op: "revoke_device", payload: { keys: [tablet.key] } })
  await c.add("4-self", "3-self", { signer: tablet, op: "add", payload: subject })
  await c.addDevice("4-reuse", "3-direct", phone, alice)
  await c.add("3-unknown", "2", { signer: alice, op: "revoke_device", payload: { keys: [mallory.key] } })
  await c.addDevice("4-burned", "3-unknown", mallory, alice)
  await c.add("3-primary", "2", { signer: phone, op: "revoke_device", payload: { keys: [alice.key] } })
  await c.add("3-both", "2", { signer: alice, op: "revoke_device", payload: { keys: [phone.key], keep: [phone.key] } })
  await c.addDevice("3-again", "2", phone, alice)
  await c.addDevice("3-primary-as-device", "2", alice, alice)
  await c.add<"add_device">("3-no-pop", "2", {
    signer: alice,
    op: "add_device",
    payload: { key: mallory.key, pop: "00".repeat(64) },
  })
  const copied = (c.get("0").payload.payload as { readonly pop: string }).pop
  const other = new ChainBuilder(mallory.key)
  await other.add<"add_device">("0", undefined, {
    signer: mallory,
    op: "add_device",
    payload: { key: phone.key, pop: copied },
  })
  await other.addDevice("foreign", undefined, phone, mallory)
  const nostr = new ChainBuilder(aliceNostr.key)
  await nostr.addDevice("0", undefined, phone, aliceNostr)
  await nostr.add("1", "0", { signer: phone, op: "add", payload: { subject: "github:alice", subject_id: "583231" } })
  const all = [phone.key, laptop.key, tablet.key]
  const base = { head: 2, primary: alice.key, devices: all }
  return [
    caseOf("devices", "a device adds a device", c.pick("0", "1", "2"), base),
    caseOf("devices-nostr", "a chain of a nostr key, with an Ed25519 device", nostr.pick("0", "1"), {
      head: 1,
      primary: aliceNostr.key,
      devices: [phone.key],
      subjects: { "github:alice": "active" },
    }),
    caseOf(
      "revoke-device-descendants",
      "what a revoked device added, directly and through others, goes with it",
      c.pick("0", "1", "2", "3-direct"),
      { head: 3, primary: alice.key },
    ),
    caseOf("revoke-device-keep", "unless it is kept", c.pick("0", "1", "2", "3-keep"), {
      head: 3,
      primary: alice.key,
      devices: [tablet.key],
    }),
    caseOf("revoke-device-self", "a device may revoke itself", c.pick("0", "1", "2", "3-self"), {
      head: 3,
      primary: alice.key,
      devices: [phone.key, laptop.key],
    }),
    caseOf(
      "revoked-device-signs",
      "and signs nothing after that",
      c.pick("0", "1", "2", "3-self", "4-self"),
      { head: 3, primary: alice.key, devices: [phone.key, laptop.key] },
      "chain.not_authorised",
    ),
    caseOf(
      "device-returns",
      "a revoked key never returns",
      c.pick("0", "1", "2", "3-direct", "4-reuse"),
      { head: 3, primary: alice.key },
      "chain.key_reuse",
    ),
    caseOf(
      "device-burned-unseen",
      "nor one that was revoked before it was ever added",
      c.pick("0", "1", "2", "3-unknown", "4-burned"),
      { head: 3, primary: alice.key, devices: all },
      "chain.key_reuse",
    ),
    caseOf(
      "revoke-primary-as-device",
      "a primary is replaced by rotate",
      c.pick("0", "1", "2", "3-primary"),
      base,
      "chain.authority",
    ),
    caseOf("revoke-and-keep", "one key both revoked and kept", c.pick("0", "1", "2", "3-both"), base, "schema.value"),
    caseOf(
      "device-twice",
      "a device that is active already",
      c.pick("0", "1", "2", "3-again"),
      base,
      "chain.key_in_use",
    ),
    caseOf(
      "primary-as-device",
      "the primary is no device",
      c.pick("0", "1", "2", "3-primary-as-device"),
      base,
      "chain.key_in_use",
    ),
    caseOf("pop-wrong", "without proof of possession", c.pick("0", "1", "2", "3-no-pop"), base, "chain.pop"),
    {
      id: "pop-copied",
      why: "a proof of possession copied from another chain; event 0 is not valid, so there is no chain",
      events: other.pick("0").map(formatEnvelope),
      expect: null,
      code: "chain.pop",
    },
  ]
}

async function claims(): Promise<readonly VectorCase[]> {
  const c = new ChainBuilder(alice.key)
  await c.add("0", undefined, { signer: alice, op: "revoke", payload: subject })
  await c.add("1", "0", { signer: alice, op: "add", payload: subject })
  await c.add("2", "1", { signer: alice, op: "add", payload: { ...subject, subject_id: "7" } })
  await c.add("3", "2", { signer: alice, op: "revoke", payload: subject })
  await c.add("time", "0", { signer: alice, op: "add", payload: subject, createdAt: 0 })
  await c.add("foreign-primary", "0", { signer: alice, op: "add", payload: subject, primary: mallory.key })
  await c.add("stranger", "0", { signer: mallory, op: "add", payload: subject })
  const revoked = { head: 0, primary: alice.key, subjects: { "dns:example.org": "revoked" } } as const
  return [
    caseOf("revoke-never-added", "a subject that was never added can be revoked", c.pick("0"), revoked),
    caseOf("add-after-revoke", "and added after that", c.pick("0", "1"), {
      ...revoked,
      head: 1,
      subjects: { "dns:example.org": "active" },
    }),
    caseOf("add-twice", "the last add counts", c.pick("0", "1", "2"), {
      ...revoked,
      head: 2,
      subjects: { "dns:example.org": "active" },
    }),
    caseOf("revoke-again", "and revoked again", c.pick("0", "1", "2", "3"), { ...revoked, head: 3 }),
    caseOf("time-falls", "the time of an event decides nothing", c.pick("0", "time"), {
      ...revoked,
      head: 1,
      subjects: { "dns:example.org": "active" },
    }),
    caseOf(
      "other-primary",
      "an event that names another primary",
      c.pick("0", "foreign-primary"),
      revoked,
      "chain.primary",
    ),
    caseOf(
      "stranger",
      "an event by a key that the chain does not know",
      c.pick("0", "stranger"),
      revoked,
      "chain.not_authorised",
    ),
  ]
}

async function rotations(): Promise<readonly VectorCase[]> {
  const c = new ChainBuilder(alice.key)
  const next = commitmentTo(nextKey.key)
  await c.add("0", undefined, { signer: alice, op: "set_next", payload: { next } })
  await c.addDevice("1", "0", phone, alice)
  await c.add("2-set-again", "1", { signer: alice, op: "set_next", payload: { next: commitmentTo(mallory.key) } })
  await c.rotate("2-old-key", "1", mallory, alice)
  await c.rotate("2-old-key-right-target", "1", nextKey, alice)
  await c.rotate("2-device", "1", nextKey, phone)
  await c.rotate("2", "1", nextKey, nextKey, commitmentTo(thirdKey.key))
  c.primary = nextKey.key
  await c.add("3-old", "2", { signer: alice, op: "add", payload: subject })
  await c.add("3-device", "2", { signer: phone, op: "add", payload: subject })
  await c.rotate("4", "3-device", thirdKey, thirdKey)
  c.primary = thirdKey.key
  await c.rotate("5-back", "4", alice, thirdKey)
  await c.add("5", "4", { signer: thirdKey, op: "set_next", payload: { next } })
  c.primary = alice.key
  await c.addDevice("p0", undefined, phone, alice)
  await c.rotate("p1", "p0", nextKey, alice)
  await c.rotate("p1-device", "p0", nextKey, phone)
  await c.rotate("p1-to-device", "p0", phone, alice)
  await c.rotate("p1-to-self", "p0", alice, alice)
  await c.add<"rotate">("p1-no-pop", "p0", {
    signer: alice,
    op: "rotate",
    payload: { new_primary: nextKey.key, pop: "11".repeat(64) },
  })
  const before = { head: 1, primary: alice.key, devices: [phone.key], next }
  const plain = { head: 0, primary: alice.key, devices: [phone.key] }
  return [
    caseOf("set-next-first", "set_next may be event 0", c.pick("0"), { head: 0, primary: alice.key, next }),
    caseOf(
      "set-next-twice",
      "else a thief of the primary would replace it",
      c.pick("0", "1", "2-set-again"),
      before,
      "chain.next_in_force",
    ),
    caseOf(
      "rotate-committed",
      "to the committed key, signed by it, with a commitment to the one after",
      c.pick("0", "1", "2"),
      { head: 2, primary: nextKey.key, devices: [phone.key], next: commitmentTo(thirdKey.key) },
    ),
    caseOf(
      "rotate-other-key",
      "to another key than the committed one",
      c.pick("0", "1", "2-old-key"),
      before,
      "chain.prerotation",
    ),
    caseOf(
      "rotate-old-signature",
      "to the committed key, but signed by the old one",
      c.pick("0", "1", "2-old-key-right-target"),
      before,
      "chain.prerotation",
    ),
    caseOf("rotate-by-device-committed", "or by a device", c.pick("0", "1", "2-device"), before, "chain.prerotation"),
    caseOf(
      "old-primary-signs",
      "the old key is refused from then on",
      c.pick("0", "1", "2", "3-old"),
      { head: 2, primary: nextKey.key, devices: [phone.key], next: commitmentTo(thirdKey.key) },
      "chain.not_authorised",
    ),
    caseOf("devices-stay", "devices stay through rotations", c.pick("0", "1", "2", "3-device", "4"), {
      head: 4,
      primary: thirdKey.key,
      devices: [phone.key],
      subjects: { "dns:example.org": "active" },
    }),
    caseOf(
      "rotate-back",
      "a key that was rotated away never returns",
      c.pick("0", "1", "2", "3-device", "4", "5-back"),
      { head: 4, primary: thirdKey.key, devices: [phone.key], subjects: { "dns:example.org": "active" } },
      "chain.key_reuse",
    ),
    caseOf(
      "set-next-after-rotate",
      "a new commitment after the last one is used up",
      c.pick("0", "1", "2", "3-device", "4", "5"),
      { head: 5, primary: thirdKey.key, devices: [phone.key], subjects: { "dns:example.org": "active" }, next },
    ),
    caseOf("rotate-plain", "without a commitment the primary rotates", c.pick("p0", "p1"), {
      head: 1,
      primary: nextKey.key,
      devices: [phone.key],
    }),
    caseOf("rotate-by-device", "a device cannot", c.pick("p0", "p1-device"), plain, "chain.authority"),
    caseOf(
      "rotate-to-device",
      "an active device cannot become the primary",
      c.pick("p0", "p1-to-device"),
      plain,
      "chain.key_in_use",
    ),
    caseOf("rotate-to-self", "nor the primary itself", c.pick("p0", "p1-to-self"), plain, "chain.key_in_use"),
    caseOf("rotate-pop", "without proof of possession", c.pick("p0", "p1-no-pop"), plain, "chain.pop"),
  ]
}

async function authority(): Promise<readonly VectorCase[]> {
  const c = new ChainBuilder(alice.key)
  await c.addDevice("0", undefined, phone, alice)
  await c.add("set-next", "0", { signer: phone, op: "set_next", payload: { next: commitmentTo(mallory.key) } })
  await c.add("settle", "0", { signer: phone, op: "settle", payload: { reject: [`sha256:${"00".repeat(32)}`] } })
  await c.add("settle-primary", "0", {
    signer: alice,
    op: "settle",
    payload: { reject: [`sha256:${"00".repeat(32)}`] },
  })
  await c.add("files", "0", {
    signer: phone,
    op: "set_shared_files",
    payload: { manifest: `sha256:${"01".repeat(32)}`, size: 10 },
  })
  const base = { head: 0, primary: alice.key, devices: [phone.key] }
  return [
    caseOf(
      "device-sets-next",
      "a device cannot commit to a next primary",
      c.pick("0", "set-next"),
      base,
      "chain.authority",
    ),
    caseOf("device-settles", "nor settle", c.pick("0", "settle"), base, "chain.authority"),
    caseOf("settle-nothing", "a settlement may name events that nobody knows yet", c.pick("0", "settle-primary"), {
      ...base,
      head: 1,
    }),
    caseOf("device-shares-files", "a device names the manifest of shared files", c.pick("0", "files"), {
      ...base,
      head: 1,
    }),
  ]
}
