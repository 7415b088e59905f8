/** vectors/sigchain-replay.json: one branch, valid or with one event that is refused. SPEC §5.4. */
import { formatEnvelope } from "@kez/core"
import { ChainBuilder } from "./chain-builder.ts"
import { alice, aliceNostr, laptop, mallory, phone, tablet } from "./keys.ts"
import { caseOf, subject } from "./replay-case.ts"
import { authority, rotations } from "./rotations.ts"
import type { VectorCase, VectorFile } from "./vector-file.ts"

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
  await c.add("3-keep-laptop", "2", {
    signer: alice,
    op: "revoke_device",
    payload: { keys: [phone.key], keep: [laptop.key] },
  })
  await c.add("3-gone", "2", {
    signer: alice,
    op: "revoke_device",
    payload: { keys: [laptop.key], keep: [tablet.key] },
  })
  await c.add("4-through", "3-gone", { signer: alice, op: "revoke_device", payload: { keys: [phone.key] } })
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
    caseOf(
      "revoke-device-keep-one",
      "what a kept device added is not kept with it",
      c.pick("0", "1", "2", "3-keep-laptop"),
      { ...base, head: 3, devices: [laptop.key] },
    ),
    caseOf(
      "revoke-device-through-revoked",
      "through a device that is revoked by now",
      c.pick("0", "1", "2", "3-gone", "4-through"),
      { ...base, head: 4, devices: [] },
    ),
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
