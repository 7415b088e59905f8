/**
 * `npm test [-- --unit | --e2e] [WORD...]`: unit tests in one process, then commands and servers one file a process.
 * A word keeps the files whose path contains it. The last line is the one summary of the whole repository.
 */
import { globSync } from "node:fs"
import { join } from "node:path"
import { buildIrohFor } from "./test-iroh.ts"
import { addTotals, formatFile, formatSummary, type Totals } from "./test-report.ts"
import { type FileResult, runAlone, runTogether } from "./test-run.ts"

const ROOT = join(import.meta.dirname, "..")
const UNIT = ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts", "test/rules/**/*.test.ts"]
const SEPARATE = ["test/cli/**/*.test.ts", "test/interop/**/*.test.ts", "test/e2e/**/*.test.ts"]
const UNIT_TIMEOUT_MS = 120_000
const SEPARATE_TIMEOUT_MS = 180_000
const CONCURRENCY = 2

const began = performance.now()
const args = process.argv.slice(2)
const words = args.filter((arg) => !arg.startsWith("--"))
const unknown = args.find((arg) => arg.startsWith("--") && arg !== "--unit" && arg !== "--e2e")
if (unknown !== undefined) {
  console.error(`kez: Cannot run tests: expected --unit, --e2e or a part of a path, got ${unknown}`)
  process.exit(2)
}

const totals: Totals = { passed: 0, failed: 0, skipped: 0, missingServers: 0 }
if (!args.includes("--e2e")) await runUnits(find(UNIT))
if (!args.includes("--unit")) await runSeparately(find(SEPARATE))
finish()

function find(patterns: readonly string[]): string[] {
  return globSync(patterns, { cwd: ROOT, exclude: (path) => path.includes("node_modules") })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
    .sort()
    .map((path) => join(ROOT, path))
}

async function runUnits(files: readonly string[]): Promise<void> {
  if (files.length === 0) return
  const plan = { root: ROOT, files, timeoutMs: UNIT_TIMEOUT_MS }
  for (const result of await runTogether(plan)) report(result)
}

async function runSeparately(files: readonly string[]): Promise<void> {
  buildIrohFor(ROOT, files)
  const waiting = [...files]
  const worker = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      report(await runAlone({ root: ROOT, files, file, timeoutMs: SEPARATE_TIMEOUT_MS }))
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
}

function report(result: FileResult): void {
  addTotals(totals, result)
  console.log(formatFile(result, ROOT))
}

function finish(): void {
  const forbidden = process.env["CI"] === "true" && totals.missingServers > 0
  console.log(`\nall tests took ${((performance.now() - began) / 1000).toFixed(1)} s`)
  if (forbidden)
    console.log(`skipped for want of a real server: ${totals.missingServers}; with CI=true that is a failure`)
  if (totals.passed + totals.failed === 0) console.log("no test ran")
  process.exitCode = totals.failed > 0 || forbidden || totals.passed === 0 ? 1 : 0
  console.log(formatSummary(totals))
}
