/** Every operation of a chain, made by one tool and judged by the other. SPEC §5 and §6. */
import assert from "node:assert/strict"
import { bothWays, type Direction, type Scenario } from "./scenario.ts"
import type { Data, Tool } from "./tool.ts"

type Step = readonly string[]

/** Appends as `alice` unless a step names another identity first. */
export async function append(tool: Tool, ...steps: readonly Step[]): Promise<void> {
  for (const step of steps)
    await tool.data([...(step[0] === "--identity" ? [] : ["--identity", "alice"]), ...step, "-q"])
}

const as = (who: string, ...step: Step): Step => ["--identity", who, "sigchain", ...step]
const chain = (...step: Step): Step => ["sigchain", ...step]

/** Hands the whole chain over. */
export async function handOver(from: Tool, to: Tool, who = "alice"): Promise<Data> {
  const document = (await from.run(["--identity", who, "sigchain", "export", "-q"])).stdout
  return to.data(["sigchain", "import", "-"], document)
}

/** What both show of a chain is the same, but for the signed head, which only its maker holds. */
export async function sameChain(one: Tool, other: Tool, id: string): Promise<Data> {
  const [mine, theirs] = [await one.data(["sigchain", "show", id]), await other.data(["sigchain", "show", id])]
  const facts = ({ head, splits, ...rest }: Data) => ({
    ...rest,
    head: [head.seq, head.digest],
    splits: splits.map(({ successors, winner }) => ({
      winner,
      successors: successors.map(({ digest, rank }) => [digest, rank]),
    })),
  })
  assert.deepEqual(facts(theirs), facts(mine))
  return theirs
}

async function passed({ maker, checker, show }: Direction, who = "alice"): Promise<Data> {
  const { chain: id, refused } = await handOver(maker, checker, who)
  assert.deepEqual(refused, [])
  const shown = await sameChain(maker, checker, id)
  show(JSON.stringify(shown))
  return shown
}

const keyOf = async (tool: Tool, name: string) => (await tool.run(["identity", "show", name, "--id"])).stdout.trim()

async function devices(direction: Direction): Promise<void> {
  const { maker } = direction
  await append(
    maker,
    chain("add-device", "laptop"),
    as("laptop", "add-device", "phone"),
    as("phone", "add", "github:alice"),
  )
  const shown = await passed(direction)
  assert.deepEqual(
    shown.devices.map(({ added_by, suspended }) => [added_by, suspended]),
    [
      [await keyOf(maker, "alice"), false],
      [await keyOf(maker, "laptop"), false],
    ],
  )
  assert.equal(shown.events.at(-1)?.signer, await keyOf(maker, "phone"))
}

async function revokedDevices(direction: Direction): Promise<void> {
  await append(
    direction.maker,
    chain("add-device", "laptop"),
    as("laptop", "add-device", "phone"),
    chain("revoke-device", "laptop"),
  )
  assert.deepEqual((await passed(direction)).devices, [])
}

async function keptDevice(direction: Direction): Promise<void> {
  const { maker } = direction
  await append(
    maker,
    chain("add-device", "laptop"),
    as("laptop", "add-device", "phone"),
    chain("revoke-device", "laptop", "--keep", "phone"),
  )
  assert.deepEqual(
    (await passed(direction)).devices.map(({ key }) => key),
    [await keyOf(maker, "phone")],
  )
}

async function rotated(direction: Direction): Promise<void> {
  const { maker, checker } = direction
  const listed = await maker.data(["--identity", "alice", "claim", "create", "github:alice", "--format", "json", "-q"])
  const stray = await maker.data([
    "--identity",
    "alice",
    "claim",
    "create",
    "ap:a@social.example",
    "--format",
    "json",
    "-q",
  ])
  await append(maker, chain("add", "github:alice"), chain("rotate", "safe"), as("safe", "add", "dns:a.example"))
  const shown = await passed(direction, "safe")
  assert.deepEqual(shown.primaries, [await keyOf(maker, "alice"), await keyOf(maker, "safe")])
  // The old claim is named by the chain: it outlives the rotation. Another one by the old key does not.
  const kept = await checker.json(["verify", "file", "-", "--offline"], listed.text)
  assert.deepEqual([kept.code, kept.data.primary], [0, await keyOf(maker, "safe")])
  const refused = await checker.json(["verify", "file", "-", "--offline"], stray.text)
  assert.deepEqual([refused.code, refused.data.reason], [10, "claim.not_in_chain"])
}

async function recovery(direction: Direction): Promise<void> {
  const { maker } = direction
  await append(maker, chain("add", "github:alice"), chain("set-next", "safe", "--yes"))
  const theft = await maker.json(["--identity", "alice", "sigchain", "rotate", "phone"])
  assert.equal(theft.error?.code, "chain.prerotation")
  await append(maker, chain("rotate", "safe", "--next", "paper"))
  const shown = await passed(direction, "safe")
  assert.deepEqual(
    [shown.primary, shown.events.at(-1)?.signer],
    [await keyOf(maker, "safe"), await keyOf(maker, "safe")],
  )
  assert.match(shown.next ?? "", /^sha256:/)
}

async function revokedClaim(direction: Direction): Promise<void> {
  const { maker, checker } = direction
  const claim = await maker.data([
    "--identity",
    "alice",
    "claim",
    "create",
    "github:alice",
    "--format",
    "compact",
    "-q",
  ])
  await append(maker, chain("add", "github:alice"))
  const before = (await maker.run(["--identity", "alice", "sigchain", "export", "-q"])).stdout
  const valid = await checker.json(
    ["verify", "file", "-", "--offline", "--chain", checker.file("before.jsonl", before)],
    claim.text,
  )
  assert.equal(valid.code, 0)
  await append(maker, chain("revoke", "github:alice"))
  await passed(direction)
  const { code, data } = await checker.json(["verify", "file", "-", "--offline"], claim.text)
  assert.deepEqual([code, data.status, data.reason], [11, "revoked", "claim.revoked"])
}

async function compactChain({ maker, checker, show }: Direction): Promise<void> {
  await append(maker, chain("add", "github:alice"), chain("add", "dns:a.example"))
  const compact = (await maker.run(["--identity", "alice", "sigchain", "export", "--format", "compact", "-q"])).stdout
  show(compact)
  assert.match(compact, /^kez:zc1:[\w-]+\n?$/)
  const { chain: id, added } = await checker.data(["sigchain", "import", "-"], compact)
  assert.equal(added, 2)
  const [mine, theirs] = [
    await maker.run(["sigchain", "export", id, "-q"]),
    await checker.run(["sigchain", "export", id, "-q"]),
  ]
  assert.equal(theirs.stdout, mine.stdout)
}

async function heads({ maker, checker, show }: Direction): Promise<void> {
  const claim = await maker.data(["--identity", "alice", "claim", "create", "github:alice", "--format", "json", "-q"])
  await append(maker, chain("add", "github:alice"))
  await handOver(maker, checker)
  const stale = await checker.json(["verify", "file", "-", "--offline", "--fresh"], claim.text)
  assert.deepEqual([stale.code, stale.data.reason], [5, "chain.stale"])
  const { text, digest } = await maker.data(["--identity", "alice", "sigchain", "head", "-q"])
  show(text)
  const taken = await checker.data(["sigchain", "import", "-"], text)
  assert.equal(taken.head.digest, digest)
  const fresh = await checker.json(["verify", "file", "-", "--offline", "--fresh"], claim.text)
  assert.deepEqual([fresh.code, fresh.data.flags.includes("stale")], [0, false])
}

/** A document that is cut in its last line gives its events before that, and a code. */
async function damagedDocument({ maker, checker }: Direction): Promise<void> {
  await append(maker, chain("add", "github:alice"), chain("revoke", "github:alice"), chain("add", "dns:a.example"))
  const lines = (await maker.run(["--identity", "alice", "sigchain", "export", "-q"])).stdout.trimEnd().split("\n")
  const gap = await checker.json(["sigchain", "import", "-"], `${[lines[0], lines[2]].join("\n")}\n`)
  assert.deepEqual([gap.code, gap.data.read, gap.data.refused.map(({ code }) => code)], [1, 1, ["chain.gap"]])
  const spaced = await checker.json(["sigchain", "import", "-"], `${lines[0]}\n${lines[1]?.replace(":", ": ")}\n`)
  assert.deepEqual(
    spaced.data.refused.map(({ code }) => code),
    ["chain.not_canonical"],
  )
}

/** What a graph ends with where no chain is known. docs/json.md */
const graphWithoutChain: Scenario = {
  name: "graph without a chain, and where one is required",
  async run({ typescript, rust }) {
    const ends = async (...args: readonly string[]) => {
      const answers = await Promise.all([typescript, rust].map((tool) => tool.json(["graph", "--offline", ...args])))
      const [mine, theirs] = answers.map(({ code, schema, error }) => [code, schema, error?.code ?? null])
      assert.deepEqual(theirs, mine, args.join(" "))
      return mine
    }
    const nora = (await typescript.data(["identity", "show", "nora"])).identity
    for (const account of ["dns:a.example", nora]) {
      assert.deepEqual(await ends(account), [0, "kez.graph/1", null])
      assert.deepEqual(await ends(account, "--require-chain"), [5, "kez.error/1", "chain.required"])
    }
    for (const key of [[], ["alice"]]) {
      assert.deepEqual(await ends(...key), [1, "kez.error/1", "chain.unknown"])
      assert.deepEqual(await ends(...key, "--require-chain"), [1, "kez.error/1", "chain.unknown"])
    }
  },
}

async function graph(direction: Direction): Promise<void> {
  const { maker, checker } = direction
  await append(
    maker,
    chain("add", "github:alice", "--subject-id", "42"),
    chain("add-device", "laptop"),
    chain("add", "dns:a.example"),
  )
  const { chain: id } = await passed(direction)
  const [mine, theirs] = [await maker.json(["graph", id, "--offline"]), await checker.json(["graph", id, "--offline"])]
  const facts = (data: object) =>
    JSON.parse(
      JSON.stringify(data, (name, value) =>
        ["checked_at", "expires_at", "source", "note"].includes(name) ? undefined : value,
      ),
    )
  assert.deepEqual([theirs.code, theirs.schema, facts(theirs.data)], [mine.code, mine.schema, facts(mine.data)])
}

export const chains: readonly Scenario[] = [
  ...bothWays("add_device, and a device that adds one and acts", devices),
  ...bothWays("revoke_device takes what the device added", revokedDevices),
  ...bothWays("revoke_device keeps what it is told to", keptDevice),
  ...bothWays("rotate, and what becomes of old claims", rotated),
  ...bothWays("set_next, and recovery by the committed key", recovery),
  ...bothWays("revoked claim", revokedClaim),
  ...bothWays("kez:zc1: chain", compactChain),
  ...bothWays("signed head and --fresh", heads),
  ...bothWays("damaged chain document", damagedDocument),
  ...bothWays("graph --json of a chain", graph),
  graphWithoutChain,
]
