/**
 * `npm run bench`: prints the tables and keeps them in bench/RESULTS.md. `--short` for a quick look, without keeping. `--large` fills
 * the store with 1,000,000 events instead of 100,000, which takes many minutes, and moves a file of 10 GiB.
 */
import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { cpus } from "node:os"
import { join } from "node:path"
import { backendNames, prepareBackend } from "@kez/core"
import { type Refusal, refusals } from "./bad-input.ts"
import { brokerRows } from "./broker.ts"
import { channelRows } from "./channels.ts"
import { chatRows } from "./chat.ts"
import { chatServerRows, shortSize, usualSize } from "./chat-servers.ts"
import { claimRows } from "./claims.ts"
import { fileRows, largeFiles, shortFiles, usualFiles } from "./files.ts"
import type { Row } from "./measure.ts"
import { replayRows } from "./replay.ts"
import { startRows } from "./start.ts"
import { storeRows } from "./store.ts"

const short = process.argv.includes("--short")
const large = process.argv.includes("--large")
const rounds = short ? 3 : 11

await prepareBackend()
const rows = [
  ...(await claimRows(short ? 1_000 : 5_000, rounds)),
  ...(await replayRows(rounds)),
  ...(await chatRows(short ? 200 : 500, rounds)),
  ...startRows(short ? 5 : 31),
  ...(await channelRows(short ? { count: 60, rounds: 1 } : { count: 200, rounds: 7 })),
  ...(await brokerRows(short ? { count: 200, rounds: 3 } : { count: 1_000, rounds: 7 })),
  ...(await chatServerRows(short ? shortSize : usualSize)),
  ...(await fileRows(short ? shortFiles : large ? largeFiles : usualFiles)),
  ...(await storeRows(short ? "short" : large ? "large" : "usual")),
]
const report = formatReport(rows, refusals(short ? 1 : 5))
console.log(report)
if (!short) writeFileSync(join(import.meta.dirname, "RESULTS.md"), report)
if (rows.some((row) => row.holds === undefined)) console.error("kez: not everything was measured; see the table")
if (rows.some((row) => row.holds === false)) console.error("kez: a target is missed; see the table")

function formatReport(measured: readonly Row[], refused: readonly Refusal[]): string {
  const { ed25519, schnorr, sha256, zstd } = backendNames()
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], {
    cwd: import.meta.dirname,
    encoding: "utf8",
  }).trim()
  return `# Benchmark results

Written by \`npm run bench\`. Product and limit run in turn in one process (starts: in turn as processes; accounts: the command as a process against places in another; the store: processes in turn, asked by another, a ratio of medians); a ratio is the median over ${rounds} rounds or more, over 7 for accounts, files and the store.

- commit ${commit}, Node ${process.version}, ${cpus().length} cores
- backends: Ed25519 ${ed25519}, BIP-340 ${schnorr}, SHA-256 ${sha256}, zstd ${zstd}

| what | product | limit in the same run | ratio | target | |
|---|---|---|---|---|---|
${measured.map((row) => `| ${row.what} | ${row.product} | ${row.limit} | ${Number.isNaN(row.ratio) ? "" : row.ratio.toFixed(2)} | ${row.target} | ${verdict(row)} |`).join("\n")}

Hostile input, time to the refusal:

| input | code | ms |
|---|---|---|
${refused.map(({ what, code, ms }) => `| ${what} | \`${code}\` | ${ms.toFixed(2)} |`).join("\n")}
`
}

function verdict({ holds }: Row): string {
  if (holds === undefined) return "**not measured**"
  return holds ? "holds" : "**missed**"
}
