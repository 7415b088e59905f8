/** Forks of every rank: the same person at two computers, one with each tool. SPEC §5.6 and §5.7. */
import assert from "node:assert/strict"
import { appendEvent, createSigner, formatChain, parseChain, replayChain } from "@kez/core"
import { parseWords } from "@kez/core/mnemonic"
import { append, handOver, sameChain } from "./chains.ts"
import { people } from "./people.ts"
import { bothWays, type Direction, type Scenario } from "./scenario.ts"
import type { Data, Tool } from "./tool.ts"

type Step = readonly string[]
const as = (who: string, ...step: Step): Step => ["--identity", who, "sigchain", ...step]
const alice = (...step: Step): Step => as("alice", ...step)

/** A chain with a device in both, then a step of each of its own, then each gives its branch to the other. */
async function forked(
  { maker, checker }: Direction,
  mine: readonly Step[],
  theirs: readonly Step[],
  before: readonly Step[] = [],
): Promise<Data> {
  await append(maker, alice("add", "github:alice"), alice("add-device", "laptop"), ...before)
  await handOver(maker, checker)
  await append(maker, ...mine)
  await append(checker, ...theirs)
  const id = await exchange(maker, checker)
  return sameChain(maker, checker, id)
}

async function exchange(one: Tool, other: Tool): Promise<string> {
  const [first] = (await one.data(["--identity", "alice", "sigchain", "show"])).events
  const id = first?.digest ?? ""
  const [mine, theirs] = [
    await one.run(["sigchain", "export", id, "-q"]),
    await other.run(["sigchain", "export", id, "-q"]),
  ]
  await one.data(["sigchain", "import", "-"], theirs.stdout)
  await other.data(["sigchain", "import", "-"], mine.stdout)
  return id
}

async function primaryOverDevice(direction: Direction): Promise<void> {
  const shown = await forked(
    direction,
    [alice("add", "dns:a.example")],
    [as("laptop", "add", "dns:b.example"), as("laptop", "add", "dns:c.example")],
  )
  assert.deepEqual([shown.status, shown.contested, shown.losing.length], ["ok", true, 2])
  assert.deepEqual(shown.splits[0]?.successors.map(({ rank }) => rank).toSorted(), ["device", "primary"])
  assert.deepEqual(shown.subjects.map(({ subject }) => subject).toSorted(), ["dns:a.example", "github:alice"])
}

async function recoveryOverPrimary(direction: Direction): Promise<void> {
  const shown = await forked(
    direction,
    [alice("rotate", "safe")],
    [alice("add", "dns:b.example"), alice("add", "dns:c.example")],
    [alice("set-next", "safe", "--yes")],
  )
  assert.deepEqual([shown.status, shown.contested, shown.primaries.length], ["ok", true, 2])
  assert.deepEqual(shown.splits[0]?.successors.map(({ rank }) => rank).toSorted(), ["primary", "recovery"])
}

/** A thief of the primary revokes the committed key by a program of their own: neither tool revokes what is no device. CHAIN-12 */
async function burned({ maker, checker }: Direction): Promise<void> {
  await append(maker, alice("add", "github:alice"), alice("set-next", "safe", "--yes"))
  const safe = (await maker.run(["identity", "show", "safe", "--id"])).stdout.trim()
  const before = replayChain(parseChain((await maker.run([...alice("export"), "-q"])).stdout))
  const thief = createSigner("ed25519", parseWords(people[0]?.words ?? "").secret)
  const operation = { op: "revoke_device", keys: [safe] } as const
  const { replay } = await appendEvent({ chain: before, operation, now: Math.floor(Date.now() / 1_000) }, thief)
  await maker.data(["sigchain", "import", "-"], formatChain(replay.path))
  await append(maker, alice("rotate", "safe", "--yes"))
  // The checker learns of both branches.
  await checker.data(["sigchain", "import", "-"], formatChain(replay.path))
  await handOver(maker, checker, "safe")
  const shown = await sameChain(maker, checker, replay.chain)
  assert.deepEqual([shown.status, shown.contested, shown.primary, shown.head.seq], ["ok", true, safe, 2])
}

async function devicesTied(direction: Direction): Promise<void> {
  const shown = await forked(direction, [as("laptop", "add", "dns:a.example")], [as("laptop", "add", "dns:b.example")])
  assert.deepEqual([shown.status, shown.splits[0]?.winner], ["fork", null])
}

async function settled(direction: Direction): Promise<void> {
  const { maker, checker } = direction
  const claim = await maker.data(["--identity", "alice", "claim", "create", "github:alice", "--format", "json", "-q"])
  const shown = await forked(direction, [alice("add", "dns:a.example")], [alice("add", "dns:b.example")])
  assert.equal(shown.status, "fork")
  const [mine, theirs] = [
    await maker.json(["verify", "file", "-", "--offline"], claim.text),
    await checker.json(["verify", "file", "-", "--offline"], claim.text),
  ]
  assert.deepEqual([mine.code, theirs.code, theirs.data.reason], [13, 13, "chain.fork"])
  const refused = await checker.json(alice("add", "dns:c.example"))
  assert.deepEqual([refused.code, refused.error?.code], [13, "chain.fork"])
  const kept = shown.splits[0]?.successors[0]?.digest ?? ""
  await append(maker, alice("settle", "--keep", kept))
  await handOver(maker, checker)
  const after = await sameChain(maker, checker, shown.chain)
  assert.deepEqual([after.status, after.contested, after.splits[0]?.winner], ["ok", true, kept])
}

async function sticky(direction: Direction): Promise<void> {
  const shown = await forked(direction, [alice("add", "dns:a.example")], [as("laptop", "revoke", "github:alice")])
  const entry = shown.subjects.find(({ subject }) => subject === "github:alice")
  assert.deepEqual([shown.status, entry?.status], ["ok", "revoked"])
}

async function suspended(direction: Direction): Promise<void> {
  const before = [alice("add-device", "phone")]
  const shown = await forked(
    direction,
    [alice("add", "dns:a.example")],
    [as("phone", "revoke-device", "laptop")],
    before,
  )
  assert.deepEqual(
    shown.devices.map((device) => device.suspended),
    [true, false],
  )
}

async function lifted(direction: Direction): Promise<void> {
  const { maker, checker } = direction
  const shown = await forked(direction, [alice("add", "dns:a.example")], [as("laptop", "revoke", "github:alice")])
  const revocation = shown.losing.find(({ op }) => op === "revoke")?.digest ?? ""
  await append(maker, alice("settle", "--lift", revocation))
  await handOver(maker, checker)
  const after = await sameChain(maker, checker, shown.chain)
  assert.equal(after.subjects.find(({ subject }) => subject === "github:alice")?.status, "active")
}

/** Two branches of the primary and one of a device: only the tied one is rejected, and of what it revoked only that is lifted. */
async function threeBranches(direction: Direction): Promise<void> {
  const { maker, checker } = direction
  const theirs = [alice("revoke", "github:alice"), alice("revoke", "dns:deep.example")]
  const before = [alice("add", "dns:deep.example"), alice("add", "dns:low.example")]
  const { chain } = await forked(direction, [alice("add", "dns:a.example")], theirs, before)
  const shared = parseChain((await maker.run(["sigchain", "export", chain, "-q"])).stdout)
  const laptop = createSigner("ed25519", parseWords(people[1]?.words ?? "").secret)
  const operation = { op: "revoke", subject: "dns:low.example" } as const
  const now = Math.floor(Date.now() / 1_000)
  const { replay } = await appendEvent({ chain: replayChain(shared.slice(0, 4)), operation, now }, laptop)
  for (const tool of [maker, checker]) await tool.data(["sigchain", "import", "-"], formatChain(replay.path))
  const { losing, splits } = await sameChain(maker, checker, chain)
  assert.equal(splits[0]?.successors.length, 3)
  const of = (op: string, subject: string): string =>
    losing.find(({ payload, ...event }) => event.op === op && JSON.stringify(payload).includes(subject))?.digest ?? ""

  const step = ["settle", "--keep", of("add", "dns:a.example"), "--keep-revocations"]
  const { events } = await maker.data(alice(...step))
  assert.deepEqual(
    events.map(({ payload }) => payload),
    [{ reject: [of("revoke", "github:alice")] }, { subject: "github:alice" }],
  )
  await handOver(maker, checker)
  await sameChain(maker, checker, chain)
  const inForce = [of("revoke", "dns:deep.example"), of("revoke", "dns:low.example")].toSorted()
  for (const tool of [maker, checker]) {
    const { revocations } = await tool.data(alice("settle"))
    assert.deepEqual(revocations.map(({ digest }) => digest).toSorted(), inForce, tool.name)
  }
}

export const forks: readonly Scenario[] = [
  ...bothWays("fork: the primary wins over a device", primaryOverDevice),
  ...bothWays("fork: the committed key wins over the primary", recoveryOverPrimary),
  ...bothWays("fork: the committed key comes back from before somebody revoked it", burned),
  ...bothWays("fork: two events of a device stay a fork", devicesTied),
  ...bothWays("fork: two events of the primary, then settle", settled),
  ...bothWays("fork: a revocation on a losing branch stays", sticky),
  ...bothWays("fork: a device revoked on a losing branch is suspended", suspended),
  ...bothWays("fork: a revocation that settle lifts", lifted),
  ...bothWays("fork: settle rejects the tied branches alone", threeBranches),
]
