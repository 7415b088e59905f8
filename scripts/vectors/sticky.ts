/** Revocations of branches that lost: part of vectors/sigchain-forks.json. SPEC §5.7. */
import { a, both, caseOf, twoDevices } from "./fork-case.ts"
import { alice, laptop, phone, tablet, thiefDevice } from "./keys.ts"
import type { VectorCase } from "./vector-file.ts"

export async function sticky(): Promise<readonly VectorCase[]> {
  const c = await twoDevices()
  await c.add("revoke-a", "1", { signer: phone, op: "revoke", payload: a })
  await c.add("revoke-laptop", "1", { signer: phone, op: "revoke_device", payload: { keys: [laptop.key] } })
  await c.addDevice("adds-tablet", "1", tablet, phone)
  await c.add("tablet-revokes", "adds-tablet", { signer: tablet, op: "revoke", payload: a })
  await c.add("wins", "1", { signer: alice, op: "add", payload: a })
  await c.add("lifts-by-key", "1", { signer: alice, op: "revoke_device", payload: { keys: [phone.key] } })
  await c.add("settles", "1", { signer: alice, op: "settle", payload: { reject: [c.digest("revoke-a")] } })
  await c.add("device-lifts", "wins", { signer: laptop, op: "revoke_device", payload: { keys: [phone.key] } })
  await c.addDevice("laptop-adds", "wins", thiefDevice, laptop)
  await c.add("laptop-gone", "laptop-adds", {
    signer: alice,
    op: "revoke_device",
    payload: { keys: [laptop.key], keep: [thiefDevice.key] },
  })
  await c.addDevice("2", "1", tablet, phone)
  await c.add("kept-revokes", "2", { signer: tablet, op: "revoke", payload: a })
  await c.add("keeps-tablet", "2", {
    signer: alice,
    op: "revoke_device",
    payload: { keys: [phone.key], keep: [tablet.key] },
  })
  const ok = { status: "ok", contested: true } as const
  return [
    caseOf("sticky-revoke", "a revocation on a losing branch stays in force", c, ["0", "1", "revoke-a", "wins"], {
      ...ok,
      head: "wins",
      devices: both,
      revoked: ["dns:a.example"],
    }),
    caseOf("sticky-device", "a revoked device is suspended", c, ["0", "1", "revoke-laptop", "wins"], {
      ...ok,
      head: "wins",
      devices: both,
      suspended: [laptop.key],
    }),
    caseOf(
      "sticky-descendant",
      "and so is what it added on the winning path",
      c,
      ["0", "1", "revoke-laptop", "wins", "laptop-adds"],
      { ...ok, head: "laptop-adds", devices: [...both, thiefDevice.key], suspended: [laptop.key, thiefDevice.key] },
    ),
    caseOf(
      "sticky-through-revoked",
      "also when what added it is revoked by now",
      c,
      ["0", "1", "revoke-laptop", "wins", "laptop-adds", "laptop-gone"],
      { ...ok, head: "laptop-gone", devices: [phone.key, thiefDevice.key], suspended: [thiefDevice.key] },
    ),
    caseOf("sticky-lifted-by-key", "until the primary revokes its signer", c, ["0", "1", "revoke-a", "lifts-by-key"], {
      ...ok,
      head: "lifts-by-key",
      devices: [laptop.key],
    }),
    caseOf(
      "sticky-lifted-by-adder",
      "or the device that added its signer",
      c,
      ["0", "1", "adds-tablet", "tablet-revokes", "lifts-by-key"],
      { ...ok, head: "lifts-by-key", devices: [laptop.key] },
    ),
    caseOf("sticky-lifted-by-settle", "or names it in a settlement", c, ["0", "1", "revoke-a", "settles"], {
      ...ok,
      head: "settles",
      devices: both,
    }),
    caseOf(
      "sticky-kept",
      "a device that was kept when its adder was revoked keeps its revocations",
      c,
      ["0", "1", "2", "kept-revokes", "keeps-tablet"],
      { ...ok, head: "keeps-tablet", devices: [laptop.key, tablet.key], revoked: ["dns:a.example"] },
    ),
    caseOf("sticky-not-by-device", "a device cannot lift it", c, ["0", "1", "revoke-a", "wins", "device-lifts"], {
      ...ok,
      head: "device-lifts",
      devices: [laptop.key],
      revoked: ["dns:a.example"],
    }),
  ]
}
