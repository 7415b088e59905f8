/**
 * `npm run faults [-- --rounds N --seed S]`: the long run of faults against the real store, and its figures. N is how often the
 * process is killed; the other faults are in proportion. Power cuts and full disks need Linux and root, kills under PostgreSQL
 * need PostgreSQL: what cannot run is said. `npm run faults -- --chat [--clients N]` is that of the chat instead: 1,000 clients.
 * `npm run faults -- --files [--short]` is that of files: 5,000 of them and one of 1 GiB by the kez command, both sides killed.
 */
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { availableParallelism, loadavg, tmpdir, totalmem } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { postgresMissing, startPostgres } from "../support/postgres.ts"
import { type Problem, tally } from "./check.ts"
import { type CorruptionReport, flipBits } from "./corruption.ts"
import { type DiskFullReport, fillDisk } from "./disk-full.ts"
import { createImage, createMemoryDisk, imagesMissing } from "./image.ts"
import { type FaultReport, killRounds } from "./kill.ts"
import { powerCuts } from "./power-cut.ts"
import { type RaceReport, race } from "./race.ts"
import { createRandom, newSeed } from "./random.ts"
import { runFiles } from "./run-files.ts"
import { runHerd } from "./run-herd.ts"
import { recoveryWithinMs, startStore } from "./store-process.ts"

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "200" },
    seed: { type: "string" },
    chat: { type: "boolean", default: false },
    clients: { type: "string", default: "1000" },
    files: { type: "boolean", default: false },
    short: { type: "boolean", default: false },
  },
})
if (values.chat) process.exit(await runHerd(Number(values.clients)))
if (values.files) process.exit(await runFiles(values.short))
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 10) {
  console.error(`kez: Cannot run faults: expected 10 rounds or more, got ${values.rounds}`)
  process.exit(2)
}
const seed = values.seed ?? newSeed()
const random = createRandom(seed)
const began = performance.now()
const problems: Problem[] = []
console.log(`seed ${seed}`)

const folder = mkdtempSync(join(tmpdir(), "kez-faults-"))
try {
  await runAll()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function runAll(): Promise<void> {
  const lines: string[] = []
  const place = { data: join(folder, "kill") }
  const killed = await killRounds({ place, rounds, random: random.fork("kill"), onRound: progress("kill -9, SQLite") })
  lines.push(faultLine("kill -9, SQLite", killed))
  if (postgresMissing === false) lines.push(faultLine("kill -9, PostgreSQL", await killOnPostgres()))
  else lines.push(`kill -9, PostgreSQL  not run: ${postgresMissing}`)
  const reason = imagesMissing()
  if (reason === false) lines.push(...(await runDisks()))
  else lines.push(`power cuts and full disks not run: ${reason}`)
  lines.push(raceLine(await runRaces()))
  for (const where of ["database", "log"] as const) {
    const flips = Math.ceil(rounds / 5)
    lines.push(corruptionLine(where, await flipBits({ where, flips, random: random.fork(`flips ${where}`) })))
  }
  console.log(`\n${head()}\n${lines.join("\n")}\n${sums()}`)
  for (const { finding, about } of problems.slice(0, 20)) console.error(`kez: ${finding}: ${about}`)
  if (problems.length > 0) process.exitCode = 1
}

async function killOnPostgres(): Promise<FaultReport> {
  const server = await startPostgres()
  try {
    const place = { databaseUrl: await server.createDatabase() }
    return await killRounds({
      place,
      rounds,
      random: random.fork("postgres"),
      onRound: progress("kill -9, PostgreSQL"),
    })
  } finally {
    await server.close()
  }
}

async function runDisks(): Promise<readonly string[]> {
  const cuts = Math.ceil(rounds / 10)
  const cut = await powerCuts({ cuts, random: random.fork("power"), onRound: progress("power cut") })
  const options = { cuts: Math.ceil(rounds / 40), random: random.fork("weak"), isWeak: true }
  const weak = await powerCuts({ ...options, onRound: progress("power cut, control") })
  const lost = tally(weak.problems, "lost")
  if (lost === 0) problems.push({ finding: "odd", about: "the control run lost nothing: these cuts cannot see loss" })
  const lines = [
    faultLine("power cut", cut),
    `control run          synchronous=NORMAL, ${weak.faults} cuts: ${lost} of ${weak.acknowledged} acknowledged events lost (expected: > 0)`,
  ]
  for (const [name, disk] of [
    ["ext4", createImage(32)],
    ["tmpfs", createMemoryDisk(16_384)],
  ] as const) {
    try {
      const report = await fillDisk({ folder: disk.folder, rounds: Math.ceil(rounds / 30), random: random.fork(name) })
      lines.push(faultLine(`disk full, ${name}`, report), fullLine(report))
    } finally {
      disk.close()
    }
  }
  return lines
}

async function runRaces(): Promise<readonly RaceReport[]> {
  const store = await startStore({ data: join(folder, "race") })
  try {
    const reports: RaceReport[] = []
    for (let i = 0; i < Math.ceil(rounds / 20); i++) reports.push(await race(store.at, 100, random.fork(`race ${i}`)))
    return reports
  } finally {
    await store.stop()
  }
}

function head(): string {
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: import.meta.dirname, encoding: "utf8" })
  const memory = Math.round(totalmem() / 1_073_741_824)
  const machine = `${availableParallelism()} cores, ${memory} GiB, Node ${process.version}`
  const took = Math.round((performance.now() - began) / 1_000)
  return `seed ${seed}   commit ${commit.trim()}   ${machine}   ${took} s, load ${loadavg()[0]?.toFixed(1)}`
}

function faultLine(name: string, { faults, acknowledged, slowestRestartMs, ...report }: FaultReport): string {
  problems.push(...report.problems)
  if (slowestRestartMs > recoveryWithinMs)
    problems.push({ finding: "odd", about: `${name}: a restart took ${Math.round(slowestRestartMs)} ms` })
  const bad = (["lost", "duplicated", "out of order", "altered"] as const).map(
    (finding) => `${finding} ${tally(report.problems, finding)}`,
  )
  const others = report.problems.filter(
    ({ finding }) => !["lost", "duplicated", "out of order", "altered"].includes(finding),
  )
  const { usualRestartMs } = report
  const usual = usualRestartMs === undefined ? "" : ` (median ${(usualRestartMs / 1_000).toFixed(1)} s)`
  return `${name.padEnd(20)} ${faults} faults   acknowledged ${acknowledged} (${report.evidence} as evidence)   sent again ${report.unanswered}   ${bad.join("   ")}   other ${others.length}   slowest restart ${(slowestRestartMs / 1_000).toFixed(1)} s${usual}`
}

function fullLine({ refused, slowestRecoveryMs, startsWhileFull }: DiskFullReport): string {
  const { ready, refused: refusedStarts } = startsWhileFull
  return `                     refused with 507 store.full ${refused}   slowest recovery ${Math.round(slowestRecoveryMs)} ms   starts on the full disk ${ready} reading, ${refusedStarts} refused by name`
}

function raceLine(reports: readonly RaceReport[]): string {
  problems.push(...reports.flatMap((report) => report.problems))
  const sum = (pick: (report: RaceReport) => number): number =>
    reports.reduce((total, report) => total + pick(report), 0)
  return `races                ${reports.length} of 100   won ${sum((r) => r.won)} (2 places each)   kept as evidence ${sum((r) => r.kept)}   refused ${sum((r) => r.refused)}`
}

function corruptionLine(where: string, report: CorruptionReport): string {
  problems.push(...report.problems)
  const { injected, refusedToStart, refusedToServe, harmless, tail } = report
  return `bit flip, ${where.padEnd(10)} injected ${injected}   named at start ${refusedToStart}   named when read ${refusedToServe}   harmless ${harmless}   looks like a power cut (last event) ${tail}   silent ${report.problems.length}`
}

function sums(): string {
  return problems.length === 0 ? "nothing acknowledged was lost" : `${problems.length} problems`
}

function progress(name: string): (round: number) => void {
  return (round) => {
    if (round % 10 === 0) console.error(`kez: ${name}: ${round}`)
  }
}
