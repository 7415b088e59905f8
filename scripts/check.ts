/** `npm run check`: format and lint, types, and this project's own rules. `npm run format` (--fix) writes the format. */
import { spawn } from "node:child_process"
import { globSync } from "node:fs"
import { join } from "node:path"
import { formatFile } from "./test-report.ts"
import { runTogether } from "./test-run.ts"

const ROOT = join(import.meta.dirname, "..")
const RULES_TIMEOUT_MS = 60_000
const shouldFix = process.argv.includes("--fix")

interface Step {
  readonly name: string
  readonly run: () => Promise<string | undefined>
}

const steps: readonly Step[] = [
  { name: "format and lint", run: () => runTool("@biomejs/biome/bin/biome", biomeArguments()) },
  { name: "types", run: () => runTool("typescript/bin/tsc", ["-p", "."]) },
  { name: "rules", run: runRules },
]

// All at once, told in order: the first of them is the usual reason for the others.
const outcomes = await Promise.all(steps.map(runStep))
for (const { name, problem, tookMs } of outcomes) {
  console.log(`${problem === undefined ? "ok  " : "FAIL"} ${name}  ${Math.round(tookMs)} ms`)
  if (problem !== undefined) console.log(problem.trimEnd())
}
process.exitCode = outcomes.some(({ problem }) => problem !== undefined) ? 1 : 0

async function runStep({ name, run }: Step): Promise<{ name: string; problem: string | undefined; tookMs: number }> {
  const began = performance.now()
  const problem = await run()
  return { name, problem, tookMs: performance.now() - began }
}

function biomeArguments(): string[] {
  const common = [
    "--colors=off",
    "--error-on-warnings",
    "--diagnostic-level=warn",
    "--max-diagnostics=none",
    "--no-errors-on-unmatched",
    ".",
  ]
  return ["check", ...(shouldFix ? ["--write"] : []), ...common]
}

/** Resolves to what the tool said when it failed. */
function runTool(script: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, "node_modules", script), ...args], { cwd: ROOT })
    const output: Buffer[] = []
    child.stdout.on("data", (bytes: Buffer) => output.push(bytes))
    child.stderr.on("data", (bytes: Buffer) => output.push(bytes))
    child.on("error", reject)
    child.on("close", (code) => resolve(code === 0 ? undefined : Buffer.concat(output).toString() || `exit ${code}`))
  })
}

async function runRules(): Promise<string | undefined> {
  const files = globSync("test/rules/**/*.test.ts", { cwd: ROOT }).map((path) => join(ROOT, path))
  const results = await runTogether({ root: ROOT, files: files.sort(), timeoutMs: RULES_TIMEOUT_MS })
  const broken = results.filter((result) => result.failures.length > 0)
  return broken.length === 0 ? undefined : broken.map((result) => formatFile(result, ROOT)).join("\n")
}
