/**
 * `npm run crosstest [-- -v] [--alone] [--differential …] [WORD...]`: both command lines and both line processes, as black boxes.
 * A word keeps the scenarios of a group of that name, and those whose name contains it; their numbers stay. `--alone` lets `./kez` play both parts.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { buildRust, ROOT, rustLines, typescriptLines } from "./implementations.ts"
import { Peer } from "./peer.ts"
import { allScenarios, type Numbered } from "./scenarios/all.ts"
import { people } from "./scenarios/people.ts"
import { type Command, makeTemplate, openTool } from "./scenarios/tool.ts"
import { type Status, summary } from "./summary.ts"

const args = process.argv.slice(2)
// Homes and key files are for their owner alone, as the tools make them.
process.umask(0o077)
if (args.includes("--differential")) {
  process.argv.splice(2, args.length, ...args.filter((arg) => arg !== "--differential"))
  await import("./differential/run.ts")
} else await runScenarios()

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
  const chosen = allScenarios.filter(
    ({ group, name }) => words.length === 0 || words.some((word) => group === word || name.includes(word)),
  )
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
    const results = await runAll(chosen, { commands, peers, folder, isVerbose })
    const statuses = chosen.map(({ group }, i) => ({ group, status: results[i]?.status ?? "FAIL" }))
    const { lines, isGood } = summary(statuses, { isWhole: words.length === 0, isCi: process.env["CI"] === "true" })
    console.log(`\n${lines.join("\n")}`)
    process.exitCode = isGood ? 0 : 1
  } finally {
    await Promise.all(peers.map((peer) => peer.close()))
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Stage {
  readonly commands: { readonly typescript: Command; readonly rust: Command }
  readonly peers: readonly [Peer, Peer]
  readonly folder: string
  readonly isVerbose: boolean
}

/** Two at once, told in order. */
async function runAll(scenarios: readonly Numbered[], stage: Stage): Promise<readonly Result[]> {
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
  for (const result of results) console.log((await result).lines.join("\n"))
  await workers
  return Promise.all(results)
}

interface Result {
  readonly status: Status
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
  if (scenario.missing !== undefined)
    return { status: "miss", lines: [`miss ${heading}: ${scenario.missing} is not here`] }
  try {
    const typescript = open(stage.commands.typescript, mine)
    await scenario.run({ typescript, rust: open(stage.commands.rust, theirs), peers: stage.peers, show: echo })
    return { status: "ok", lines: [`ok   ${heading}`, ...(stage.isVerbose ? told : [])] }
  } catch (error) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { status: "FAIL", lines: [`FAIL ${heading}`, ...told.map((line) => line.slice(0, 2_000)), reason] }
  }
}
