/** Hostile inputs, each in a process of its own with a watchdog: a typed refusal or a bounded result. Adversarial Z1, Z2, Z13, J9, J15, C22. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { join } from "node:path"
import { describe, test } from "node:test"

const script = join(import.meta.dirname, "../../packages/core/test/support/bad-input.ts")

interface Expected {
  readonly outcome: string
  /** More than this is no noise. The inputs themselves, up to 10 MB, are there before it is measured. */
  readonly maxGrowthMiB: number
  /** From the moment at which the input is ready. Chains check thousands of signatures, or walk as many events. */
  readonly watchdogMs: number
}

const text = (outcome: string, maxGrowthMiB = 48): Expected => ({ outcome, maxGrowthMiB, watchdogMs: 2_000 })
const chain = (outcome: string): Expected => ({ outcome, maxGrowthMiB: 192, watchdogMs: 15_000 })

const table: Readonly<Record<string, Expected>> = {
  "zstd-14-bytes": text("limit.decompressed", 16),
  "zstd-bomb": text("limit.decompressed", 16),
  "zstd-bomb-without-size": text("limit.decompressed", 16),
  "zstd-bomb-chain": text("limit.decompressed"),
  "nested-arrays": text("limit.depth", 16),
  "long-string": text("limit.size", 16),
  members: text("limit.members", 16),
  backticks: text("0 candidates"),
  "backticks-in-lines": text("1 candidates"),
  tildes: text("1 candidates"),
  tokens: text("1 candidates"),
  "tokens-apart": text("limit.candidates"),
  "references-apart": text("limit.candidates"),
  spaces: text("0 candidates"),
  "spaces-inside": text("0 candidates"),
  brackets: text("0 candidates"),
  lines: text("0 candidates"),
  "carriage-returns": text("0 candidates"),
  hints: text("0 candidates"),
  "long-hint": text("0 candidates"),
  "zone-lines": text("limit.candidates"),
  "zone-strings": text("0 candidates", 128),
  "zone-spaces": text("1 candidates"),
  "zone-owner": text("1 candidates"),
  "json-open": text("1 candidates"),
  "chain-lines": text("limit.chain", 64),
  "chain-garbage": text("schema.missing_member"),
  siblings: chain("fork at 1, 1 splits, 0 refused, 0 suspended, 0 checked"),
  "junk-siblings": chain("ok, 19990 refused, 19993 checked"),
  "nested-forks": chain("ok at 6001, 6000 splits, 0 refused, 0 suspended, 0 checked"),
  "rotated-forks": chain("ok at 2001, 2000 splits, 0 refused, 0 suspended, 0 checked"),
  "settled-forks": chain("ok at 3095, 3000 splits, 0 refused, 0 suspended, 0 checked"),
  "device-line": chain("ok at 5002, 1 splits, 0 refused, 0 suspended, 0 checked"),
  "many-candidates": chain("valid"),
}

interface Report {
  readonly outcome: string
  readonly growthMiB: number
}

function takeIn(name: string, watchdogMs: number): Promise<Report> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--expose-gc", script, name], { stdio: ["ignore", "pipe", "pipe"] })
    let said = ""
    let errors = ""
    let watchdog: NodeJS.Timeout | undefined
    child.stderr.on("data", (chunk) => (errors += chunk))
    child.stdout.on("data", (chunk) => {
      said += chunk
      if (watchdog === undefined && said.includes("ready\n")) {
        watchdog = setTimeout(() => {
          child.kill("SIGKILL")
          reject(new Error(`${name}: no answer within ${watchdogMs} ms`))
        }, watchdogMs)
      }
    })
    child.on("close", (code, signal) => {
      clearTimeout(watchdog)
      const [, report] = said.split("ready\n")
      if (code === 0 && report !== undefined) resolve(JSON.parse(report) as Report)
      else reject(new Error(`${name}: exit ${code} ${signal}\n${errors}`))
    })
  })
}

describe("hostile input", { concurrency: 2 }, () => {
  for (const [name, { outcome, maxGrowthMiB, watchdogMs }] of Object.entries(table)) {
    test(`${name} -> ${outcome}`, async () => {
      const report = await takeIn(name, watchdogMs)
      assert.equal(report.outcome, outcome)
      assert.ok(report.growthMiB <= maxGrowthMiB, `${report.growthMiB} MiB`)
    })
  }
})

test("every hostile input of the script is in the table", async () => {
  const listed = await new Promise<string>((resolve) => {
    let said = ""
    const child = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] })
    child.stdout.on("data", (chunk) => (said += chunk))
    child.on("close", () => resolve(said.trim()))
  })
  assert.deepEqual(listed.split(" "), Object.keys(table))
})
