/** Rotations that go back to where the committed key could still follow: what they leave behind, and what its owner does then. */
import assert from "node:assert/strict"
import { appendEvent, createSigner, formatChain, type Operation, parseChain, replayChain, type Signer } from "@kez/core"
import { parseWords } from "@kez/core/mnemonic"
import { append, handOver, sameChain } from "./chains.ts"
import { people } from "./people.ts"
import { bothWays, type Direction, type Scenario } from "./scenario.ts"
import type { Data, Tool } from "./tool.ts"

const alice = (...step: string[]): readonly string[] => ["--identity", "alice", "sigchain", ...step]
const safe = (...step: string[]): readonly string[] => ["--identity", "safe", "sigchain", ...step]

function signerOf(name: string): Signer {
  const words = people.find((person) => person.name === name)?.words ?? ""
  return createSigner("ed25519", parseWords(words).secret)
}

/** Events that somebody signs with a key of alice's by a program of their own; the tool learns of them. */
async function forge(tool: Tool, document: string, thief: Signer, operation: Operation): Promise<void> {
  const now = Math.floor(Date.now() / 1_000)
  const { replay } = await appendEvent({ chain: replayChain(parseChain(document)), operation, now }, thief)
  await tool.data(["sigchain", "import", "-"], formatChain(replay.path))
}

async function exported(tool: Tool): Promise<string> {
  return (await tool.run([...alice("export"), "-q"])).stdout
}

/** Rotates, not without --yes; the checker knows all branches afterwards. `document`: the chain that was left behind. */
async function rotated({ maker, checker }: Direction, ...flags: readonly string[]): Promise<Data> {
  const document = await exported(maker)
  for (const quiet of [[], ["-q"]]) {
    const { code, error } = await maker.json([...alice("rotate", "safe"), ...quiet])
    assert.deepEqual([code, error?.code], [2, "input.missing"])
  }
  assert.equal(await exported(maker), document, "nothing was signed")
  const data = await maker.data(alice("rotate", "safe", "--yes", ...flags))
  await checker.data(["sigchain", "import", "-"], document)
  await handOver(maker, checker, "safe")
  const shown = await sameChain(maker, checker, data.chain)
  assert.deepEqual([shown.status, shown.primary], ["ok", signerOf("safe").key])
  return data
}

/** A device adds the committed key, which goes with the device: nobody revoked it by name, and before that it could follow. */
async function asDevice(direction: Direction): Promise<void> {
  const { maker } = direction
  await append(maker, alice("add", "github:alice"), alice("set-next", "safe", "--yes"), alice("add-device", "laptop"))
  const [laptop, device] = [signerOf("laptop"), signerOf("safe")]
  await forge(maker, await exported(maker), laptop, { op: "add_device", device })
  await append(maker, alice("revoke-device", "laptop", "--yes"))
  const data = await rotated(direction)
  assert.deepEqual(data.left_behind, [
    { seq: 3, op: "add_device" },
    { seq: 4, op: "revoke_device" },
  ])
  assert.deepEqual([data.head.seq, data.suspended], [3, [laptop.key]])
}

/** A thief of a device burns the committed key, and alice revokes the device: what that signs counts again, but where it is revoked again. */
async function byDevice(direction: Direction, ...flags: readonly string[]): Promise<Data> {
  const { maker } = direction
  await append(maker, alice("add", "github:alice"), alice("set-next", "safe", "--yes"), alice("add-device", "phone"))
  const keys = [signerOf("safe").key]
  await forge(maker, await exported(maker), signerOf("phone"), { op: "revoke_device", keys })
  await append(maker, alice("revoke-device", "phone"), alice("revoke", "github:alice"))
  return rotated(direction, ...flags)
}

async function named(direction: Direction): Promise<void> {
  const data = await byDevice(direction)
  const phone = signerOf("phone").key
  assert.deepEqual([data.suspended, data.events.map(({ op }) => op)], [[phone], ["rotate"]])
  assert.deepEqual(
    data.left_behind.map(({ op }) => op),
    ["revoke_device", "revoke_device", "revoke"],
  )
  const { maker, checker } = direction
  await append(maker, safe("revoke-device", phone))
  await handOver(maker, checker, "safe")
  assert.deepEqual((await sameChain(maker, checker, data.chain)).devices, [])
}

async function again(direction: Direction): Promise<void> {
  const data = await byDevice(direction, "--keep-revocations")
  assert.deepEqual([data.suspended, data.events.map(({ op }) => op)], [[], ["rotate", "revoke_device", "revoke"]])
  assert.equal(data.left_behind.length, 3)
}

/** The thief of phone has revoked laptop and a subject: nothing of that is signed again, for phone is revoked; the owner's own is, once. */
async function againOfOwner(direction: Direction): Promise<void> {
  const { maker } = direction
  await append(maker, alice("add", "github:alice"), alice("set-next", "safe", "--yes"))
  await append(maker, alice("add-device", "phone"), alice("add-device", "laptop"))
  const [phone, laptop] = [signerOf("phone"), signerOf("laptop").key]
  for (const keys of [[signerOf("safe").key], [laptop]]) {
    await forge(maker, await exported(maker), phone, { op: "revoke_device", keys })
  }
  await forge(maker, await exported(maker), phone, { op: "revoke", subject: "github:alice" })
  await append(maker, alice("revoke-device", "phone"), alice("revoke", "dns:old.example"))
  await forge(maker, await exported(maker), signerOf("alice"), { op: "revoke", subject: "dns:old.example" })
  const { events, suspended, chain } = await rotated(direction, "--keep-revocations")
  assert.deepEqual(
    events.slice(1).map(({ payload }) => payload),
    [{ keys: [phone.key] }, { subject: "dns:old.example" }],
  )
  const { devices, subjects } = await maker.data(["sigchain", "show", chain])
  assert.deepEqual([suspended, devices.map(({ key }) => key), subjects[0]?.status], [[], [laptop], "active"])
}

/** Revocations by the old key, made before and after the new one revoked it, have no force. */
async function former(direction: Direction): Promise<void> {
  const { maker, checker } = direction
  await append(maker, alice("add", "github:alice"), alice("add-device", "phone"), alice("set-next", "safe", "--yes"))
  const before = await exported(maker)
  const [old, phone] = [signerOf("alice"), signerOf("phone").key]
  await forge(maker, before, old, { op: "revoke_device", keys: [signerOf("safe").key, phone] })
  assert.deepEqual((await rotated(direction)).suspended, [phone])
  const unasked = await maker.json(safe("revoke-device", old.key))
  assert.deepEqual([unasked.code, unasked.error?.code], [2, "usage"])
  await append(maker, safe("revoke-device", old.key, "--keep", phone))
  await forge(maker, before, old, { op: "revoke", subject: "github:alice" })
  await forge(checker, before, old, { op: "revoke", subject: "github:alice" })
  const { chain } = await handOver(maker, checker, "safe")
  for (const tool of [maker, checker]) {
    const shown = await tool.data(["sigchain", "show", chain])
    assert.deepEqual([shown.devices[0]?.suspended, shown.subjects[0]?.status], [false, "active"], tool.name)
    const { revocations } = await tool.data(safe("settle"))
    assert.deepEqual([shown.losing.length, revocations], [2, []], tool.name)
  }
}

/** alice's own revocation is in force only by the branch that lost: what revokes her old key would lift it. */
async function ownRevocation(direction: Direction): Promise<void> {
  const { maker, checker } = direction
  await byDevice(direction)
  const [old, phone] = [signerOf("alice").key, signerOf("phone").key]
  await unlessSure(maker, safe("revoke-device", old, "--keep", phone), { devices: [phone], subjects: ["github:alice"] })
  await handOver(maker, checker, "safe")
  const { chain } = await maker.data(safe("show"))
  const { subjects, devices } = await sameChain(maker, checker, chain)
  assert.deepEqual([subjects[0]?.status, devices[0]?.suspended], ["active", false])
}

/** laptop is the primary that revokes phone, which alice had added: no device of laptop's, and suspended by its revocation alone. */
async function addedBefore(direction: Direction): Promise<void> {
  const { maker, checker } = direction
  const laptop = (...step: string[]): readonly string[] => ["--identity", "laptop", "sigchain", ...step]
  await append(maker, alice("add", "github:alice"), alice("add-device", "phone"))
  await append(maker, alice("rotate", "laptop", "--next", "safe"))
  const [phone, keys] = [signerOf("phone").key, [signerOf("safe").key]]
  const { stdout } = await maker.run([...laptop("export"), "-q"])
  await forge(maker, stdout, signerOf("phone"), { op: "revoke_device", keys })
  await append(maker, laptop("revoke-device", phone))
  const document = (await maker.run([...laptop("export"), "-q"])).stdout
  const { suspended } = await maker.data(laptop("rotate", "safe", "--yes"))
  assert.deepEqual(suspended, [phone])
  await unlessSure(maker, safe("revoke-device", signerOf("laptop").key), { devices: [phone], subjects: [] })
  await checker.data(["sigchain", "import", "-"], document)
  const { chain } = await handOver(maker, checker, "safe")
  assert.equal((await sameChain(maker, checker, chain)).devices[0]?.suspended, false)
}

/** It is not done unasked; with --yes it lifts these. */
async function unlessSure(tool: Tool, step: readonly string[], lifted: Data["lifted"]): Promise<void> {
  const unasked = await tool.json(step)
  assert.deepEqual([unasked.code, unasked.error?.code], [2, "input.missing"])
  assert.deepEqual((await tool.data([...step, "--yes"])).lifted, lifted)
}

export const goingBack: readonly Scenario[] = [
  ...bothWays("going back: the committed key was a device, and went with who added it", asDevice),
  ...bothWays("going back: a device that was revoked after that is named", named),
  ...bothWays("going back: revocations that are left behind are signed again", again),
  ...bothWays("going back: of what is left behind nothing of a revoked device is signed again", againOfOwner),
  ...bothWays("going back: a former primary that is revoked revokes nothing more", former),
  ...bothWays("going back: what a revocation lifts of the owner's own is asked about", ownRevocation),
  ...bothWays(
    "going back: a device of an earlier primary that a revocation gives its say back is asked about",
    addedBefore,
  ),
]
