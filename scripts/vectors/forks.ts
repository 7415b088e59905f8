/** vectors/sigchain-forks.json: sets of events with several branches. SPEC §5.5 to §5.7. */
import { commitmentTo } from "@kez/core"
import { ChainBuilder } from "./chain-builder.ts"
import { a, b, both, caseOf, twoDevices } from "./fork-case.ts"
import { alice, laptop, nextKey, phone, tablet, thiefDevice } from "./keys.ts"
import { sticky } from "./sticky.ts"
import type { VectorCase, VectorFile } from "./vector-file.ts"

export async function forks(): Promise<VectorFile> {
  return {
    spec: "§5.5 to §5.7",
    about: "The state that a set of events defines; every order of the events gives the same.",
    cases: [...(await ranks()), ...(await settlements()), ...(await sticky()), await theft()],
  }
}

async function ranks(): Promise<readonly VectorCase[]> {
  const c = await twoDevices()
  await c.add("device-a", "1", { signer: phone, op: "add", payload: a })
  await c.add("device-b", "1", { signer: laptop, op: "add", payload: b })
  await c.add("device-b2", "device-b", { signer: laptop, op: "add", payload: a })
  await c.add("primary", "1", { signer: alice, op: "add", payload: b })
  await c.add("primary-2", "1", { signer: alice, op: "add", payload: a })
  await c.add("primary-late", "device-a", { signer: alice, op: "add", payload: b })
  const r = new ChainBuilder(alice.key)
  await r.add("0", undefined, { signer: alice, op: "set_next", payload: { next: commitmentTo(nextKey.key) } })
  await r.add("primary", "0", { signer: alice, op: "add", payload: a })
  await r.add("primary-2", "primary", { signer: alice, op: "add", payload: b })
  await r.rotate("recovery", "0", nextKey, nextKey)
  const device = { devices: both }
  return [
    caseOf(
      "fork-devices",
      "two devices, nothing decides: the common prefix counts",
      c,
      ["0", "1", "device-a", "device-b"],
      { ...device, status: "fork", contested: false, head: "1", ranks: { "device-a": "device", "device-b": "device" } },
    ),
    caseOf("fork-length", "length decides nothing", c, ["0", "1", "device-a", "device-b", "device-b2"], {
      ...device,
      status: "fork",
      contested: false,
      head: "1",
    }),
    caseOf("fork-primary-wins", "the primary outranks a device", c, ["0", "1", "device-b", "device-b2", "primary"], {
      ...device,
      status: "ok",
      contested: true,
      head: "primary",
      ranks: { "device-b": "device", primary: "primary" },
    }),
    caseOf(
      "fork-subtree",
      "a signature later in a branch lifts the whole branch",
      c,
      ["0", "1", "device-a", "primary-late", "device-b"],
      {
        ...device,
        status: "ok",
        contested: true,
        head: "primary-late",
        ranks: { "device-a": "primary", "device-b": "device" },
      },
    ),
    caseOf("fork-three", "three branches", c, ["0", "1", "device-a", "device-b", "primary"], {
      ...device,
      status: "ok",
      contested: true,
      head: "primary",
    }),
    caseOf("fork-primaries", "the primary against itself", c, ["0", "1", "primary", "primary-2"], {
      ...device,
      status: "fork",
      contested: false,
      head: "1",
    }),
    caseOf(
      "fork-recovery",
      "the committed key outranks the primary, whose thief it answers",
      r,
      ["0", "primary", "primary-2", "recovery"],
      {
        status: "ok",
        contested: true,
        head: "recovery",
        devices: [],
        ranks: { primary: "primary", recovery: "recovery" },
      },
    ),
  ]
}

async function settlements(): Promise<readonly VectorCase[]> {
  const c = await twoDevices()
  await c.add("x", "1", { signer: alice, op: "add", payload: a })
  await c.add("y", "1", { signer: alice, op: "add", payload: b })
  await c.add("z", "1", { signer: alice, op: "revoke", payload: { subject: "dns:c.example" } })
  await c.add("x-settles-y", "x", { signer: alice, op: "settle", payload: { reject: [c.digest("y")] } })
  await c.add("y-settles-x", "y", { signer: alice, op: "settle", payload: { reject: [c.digest("x")] } })
  await c.add("x-settles-both", "x", {
    signer: alice,
    op: "settle",
    payload: { reject: [c.digest("y"), c.digest("z")] },
  })
  await c.add("new-settles", "1", { signer: alice, op: "settle", payload: { reject: [c.digest("x"), c.digest("y")] } })
  await c.rotate("rotates", "1", nextKey, alice)
  await c.add("old-key-settles", "x", { signer: alice, op: "settle", payload: { reject: [c.digest("rotates")] } })
  await c.add("new-key-settles", "rotates", {
    signer: nextKey,
    primary: nextKey.key,
    op: "settle",
    payload: { reject: [c.digest("x")] },
  })
  const decided = { devices: both, contested: true, status: "ok" } as const
  const undecided = { devices: both, contested: false, status: "fork" } as const
  return [
    caseOf("settle", "the owner settles by signing once", c, ["0", "1", "x", "y", "x-settles-y"], {
      ...decided,
      head: "x-settles-y",
    }),
    caseOf(
      "settle-two",
      "two settlements that contradict each other settle nothing",
      c,
      ["0", "1", "x", "y", "x-settles-y", "y-settles-x"],
      { ...undecided, head: "1" },
    ),
    caseOf("settle-not-all", "every tied sibling must be named", c, ["0", "1", "x", "y", "z", "x-settles-y"], {
      ...undecided,
      head: "1",
      revoked: ["dns:c.example"],
    }),
    caseOf(
      "settle-all",
      "and then it counts; it names the revocation of a lost branch as well, and so lifts it",
      c,
      ["0", "1", "x", "y", "z", "x-settles-both"],
      { ...decided, head: "x-settles-both" },
    ),
    caseOf(
      "settle-by-rotated-key",
      "a stolen key that was rotated away does not take the chain back",
      c,
      ["0", "1", "x", "rotates", "old-key-settles"],
      { ...undecided, head: "1" },
    ),
    caseOf(
      "settle-after-rotation",
      "its owner settles with the key it was rotated to",
      c,
      ["0", "1", "x", "rotates", "old-key-settles", "new-key-settles"],
      { ...decided, head: "new-key-settles" },
    ),
    caseOf(
      "settle-as-sibling",
      "a settlement may itself be the branch that wins",
      c,
      ["0", "1", "x", "y", "new-settles"],
      { ...decided, head: "new-settles" },
    ),
  ]
}

/** A stolen phone adds its own device and revokes the others; the owner answers with the paper key on the good branch. */
async function theft(): Promise<VectorCase> {
  const c = await twoDevices()
  await c.addDevice("2", "1", tablet, laptop)
  await c.addDevice("theft-1", "2", thiefDevice, phone)
  await c.add("theft-2", "theft-1", {
    signer: thiefDevice,
    op: "revoke_device",
    payload: { keys: [laptop.key, tablet.key] },
  })
  await c.add("answer", "2", { signer: alice, op: "revoke_device", payload: { keys: [phone.key, thiefDevice.key] } })
  return caseOf(
    "theft",
    "the state is the one before the theft, without the thief's devices",
    c,
    ["0", "1", "2", "theft-1", "theft-2", "answer"],
    {
      status: "ok",
      contested: true,
      head: "answer",
      devices: [laptop.key, tablet.key],
    },
  )
}
