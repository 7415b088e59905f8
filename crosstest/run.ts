/**
 * `npm run crosstest [-- -v] [--alone] [--differential …] [WORD...]`: both command lines and both line processes, as black boxes.
 * A word keeps the scenarios of a group of that name, and those whose name contains it; their numbers stay. `--alone` lets `./kez` play both parts.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { buildRust, ROOT, rustLines, typescriptLines } from "./implementations.ts"
import { Peer } from "./peer.ts"
import { chains } from "./scenarios/chains.ts"
import { claims } from "./scenarios/claims.ts"
import { classic } from "./scenarios/classic.ts"
import { forks } from "./scenarios/forks.ts"
import { identities } from "./scenarios/identities.ts"
import { people } from "./scenarios/people.ts"
import { publicSets } from "./scenarios/public.ts"
import { refused } from "./scenarios/refusals.ts"
import type { Scenario } from "./scenarios/scenario.ts"
import { type Command, makeTemplate, openTool } from "./scenarios/tool.ts"
import { vectors } from "./scenarios/vectors.ts"

const args = process.argv.slice(2)
// Homes and key files are for their owner alone, as the tools make them.
process.umask(0o077)
if (args.includes("--differential")) {
  process.argv.splice(2, args.length, ...args.filter((arg) => arg !== "--differential"))
  await import("./differential/run.ts")
} else await runScenarios()

interface Numbered extends Scenario {
  readonly number: number
  readonly group: string
}

async function runScenarios(): Promise<void> {
  const isVerbose = args.includes("-v")
  const words = args.filter((arg) => !arg.startsWith("-"))
  const unknown = args.find((arg) => arg.startsWith("-") && arg !== "-v" && arg !== "--alone")
  if (unknown !== undefined) {
    console.error(`kez: Cannot run the cross-test: expected -v, --alone, --differential or a word, got ${unknown}`)
    process.exit(2)
  }
  const rust = args.includes("--alone") ? undefined : buildRust()
  if (rust !== undefined && !("folder" in rust)) {
    console.error("missing" in rust ? rust.missing : rust.broken)
    process.exit(2)
  }
  const { scenarios, missing } = numbered()
  const chosen = scenarios.filter(
    ({ group, name }) => words.length === 0 || words.some((word) => group === word || name.includes(word)),
  )
  for (const path of missing) console.log(`not here: ${path}`)
  const commands = {
    typescript: { name: "typescript", path: join(ROOT, "kez") },
    rust:
      rust === undefined
        ? { name: "second", path: join(ROOT, "kez") }
        : { name: "rust", path: join(rust.folder, "kez-rs") },
  }
  const peers = [
    new Peer(typescriptLines),
    new Peer(rust === undefined ? { ...typescriptLines, name: "second" } : rustLines(rust.folder)),
  ] as const
  const folder = mkdtempSync(join(tmpdir(), "kez-crosstest-"))
  try {
    const failed = await runAll(chosen, { commands, peers, folder, isVerbose })
    console.log(`\n${chosen.length - failed} passed, ${failed} failed`)
    process.exitCode = failed > 0 || chosen.length === 0 ? 1 : 0
  } finally {
    await Promise.all(peers.map((peer) => peer.close()))
    rmSync(folder, { recursive: true, force: true })
  }
}

function numbered(): { readonly scenarios: readonly Numbered[]; readonly missing: readonly string[] } {
  const { scenarios: others, missing } = publicSets()
  const groups = { classic, identities, claims, chains, forks, refused, vectors, public: others }
  const all = Object.entries(groups).flatMap(([group, list]) => list.map((scenario) => ({ ...scenario, group })))
  return { scenarios: all.map((scenario, i) => ({ ...scenario, number: i + 1 })), missing }
}

interface Stage {
  readonly commands: { readonly typescript: Command; readonly rust: Command }
  readonly peers: readonly [Peer, Peer]
  readonly folder: string
  readonly isVerbose: boolean
}

/** Two at once, told in order. Returns how many failed. */
async function runAll(scenarios: readonly Numbered[], stage: Stage): Promise<number> {
  const { typescript, rust } = stage.commands
  const needTools = scenarios.some(({ group }) => group !== "vectors" && group !== "public")
  const templates = needTools
    ? await Promise.all([makeTemplate(typescript, stage.folder, people), makeTemplate(rust, stage.folder, people)])
    : []
  const results: Promise<Result>[] = []
  const waiting = [...scenarios.entries()]
  const settle: ((result: Result) => void)[] = []
  for (const _ of scenarios) results.push(new Promise((resolve) => settle.push(resolve)))
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [at, scenario] = next
      settle[at]?.(await play(scenario, stage, templates))
    }
  }
  const workers = Promise.all([worker(), worker()])
  let failed = 0
  for (const result of results) {
    const { lines, ok } = await result
    console.log(lines.join("\n"))
    if (!ok) failed++
  }
  await workers
  return failed
}

interface Result {
  readonly ok: boolean
  readonly lines: readonly string[]
}

async function play(scenario: Numbered, stage: Stage, [mine, theirs]: readonly string[]): Promise<Result> {
  const told: string[] = []
  const echo = (text: string): void =>
    void told.push(
      ...text
        .trimEnd()
        .split("\n")
        .map((line) => `      ${line}`),
    )
  const open = (command: Command, template: string | undefined) =>
    openTool(command, { folder: stage.folder, echo, ...(template === undefined ? {} : { template }) })
  const heading = `${String(scenario.number).padStart(3)}  ${scenario.name}`
  try {
    const typescript = open(stage.commands.typescript, mine)
    await scenario.run({ typescript, rust: open(stage.commands.rust, theirs), peers: stage.peers, show: echo })
    return { ok: true, lines: [`ok   ${heading}`, ...(stage.isVerbose ? told : [])] }
  } catch (error) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { ok: false, lines: [`FAIL ${heading}`, ...told.map((line) => line.slice(0, 2_000)), reason] }
  }
}
