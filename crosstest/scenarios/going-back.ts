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

export const goingBack: readonly Scenario[] = [
  ...bothWays("going back: the committed key was a device, and went with who added it", asDevice),
  ...bothWays("going back: a device that was revoked after that is named", named),
  ...bothWays("going back: revocations that are left behind are signed again", again),
  ...bothWays("going back: a former primary that is revoked revokes nothing more", former),
]
