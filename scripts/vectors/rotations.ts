/** Rotations, and who may do what: part of vectors/sigchain-replay.json. SPEC §5.4. */
import { commitmentTo } from "@kez/core"
import { ChainBuilder } from "./chain-builder.ts"
import { alice, mallory, nextKey, phone, thirdKey } from "./keys.ts"
import { caseOf, subject } from "./replay-case.ts"
import type { VectorCase } from "./vector-file.ts"

export async function rotations(): Promise<readonly VectorCase[]> {
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

export async function authority(): Promise<readonly VectorCase[]> {
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
