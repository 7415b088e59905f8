/** `kez verify id` for many accounts over all six channels, against the least time that its busiest place allows. */
import { type ChildProcess, fork, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { get } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import { median, type Row } from "./measure.ts"
import type { Command } from "./places/main.ts"
import type { Counts, World } from "./places/world.ts"

const root = join(import.meta.dirname, "..")
const kez = join(root, "kez")
const latencyMs = 50
const atOnce = 2
const maxMemoryMb = 150
/** How often the memory of the command is read. */
const pollMs = 10

interface Run {
  readonly ms: number
  /** Undefined where the system does not tell. */
  readonly peakMb: number | undefined
  readonly counts: Counts
  readonly busiest: Counts["dns"]
  readonly limitMs: number
  /** What as many requests by twos take on this machine, in this minute, without any of our code. */
  readonly bareMs: number
}

/** The target is for `fullCount`: with fewer, the start of the command is a larger part of it all. */
const fullCount = 200

export async function channelRows({
  count,
  rounds,
}: {
  readonly count: number
  readonly rounds: number
}): Promise<readonly Row[]> {
  const waitMs = await calibrate()
  const places = openPlaces(count, waitMs)
  const folder = mkdtempSync(join(tmpdir(), "kez-bench-"))
  try {
    const [world] = (await once(places, "message")) as [World]
    const runs: Run[] = []
    // The first one fills the compile cache, and does not count.
    for (let round = 0; round <= rounds; round += 1)
      runs.push(await runOnce(places, world, join(folder, String(round))))
    return describe(count, waitMs, runs.slice(1))
  } finally {
    places.disconnect()
    rmSync(folder, { recursive: true })
  }
}

/**
 * How long a place has to wait so that a bare client has its answer after `latencyMs`: timers are late, and waking two
 * processes takes its time. Without this the places would be further away than the limit says.
 */
async function calibrate(): Promise<number> {
  const places = openPlaces(1, latencyMs)
  try {
    const [world] = (await once(places, "message")) as [World]
    await askBare(world, 10)
    const turns = 20
    const late = (await askBare(world, atOnce * turns)) / turns - latencyMs
    return Math.max(1, latencyMs - late)
  } finally {
    places.disconnect()
  }
}

function openPlaces(count: number, waitMs: number): ChildProcess {
  return fork(join(import.meta.dirname, "places/main.ts"), [String(count), String(waitMs)])
}

function describe(count: number, waitMs: number, runs: readonly Run[]): readonly Row[] {
  const away = `${latencyMs} ms away (places wait ${waitMs.toFixed(0)} ms, so that a bare client has its answer after ${latencyMs})`
  const what = `kez verify id of ${count} accounts over six channels, ${away}`
  const ms = median(runs.map((run) => run.ms))
  const limitMs = median(runs.map((run) => run.limitMs))
  const ratio = median(runs.map((run) => run.ms / run.limitMs))
  const bareMs = median(runs.map((run) => run.bareMs))
  const [{ busiest, counts }] = runs as [Run]
  const most = Math.max(...runs.flatMap((run) => run.counts.hosts.map(({ mostAtOnce }) => mostAtOnce)))
  const total = counts.hosts.reduce((sum, { requests }) => sum + requests, 0)
  const peaks = runs.flatMap(({ peakMb }) => peakMb ?? [])
  const memory = { what: "the same: peak memory of the command", limit: `${maxMemoryMb} MB`, target: "< 1" }
  const peakMb = Math.max(...peaks)
  return [
    {
      what,
      product: `${ms.toFixed(0)} ms`,
      limit: `${limitMs.toFixed(0)} ms, ${busiest.requests} answers of ${busiest.host} by twos`,
      ratio,
      target: count < fullCount ? `for information; <= 1.3 of ${fullCount}` : "<= 1.3",
      holds: count < fullCount || ratio <= 1.3,
    },
    {
      what: "the same against as many bare requests by twos, one after the other: a busy machine delays both",
      product: `${ms.toFixed(0)} ms`,
      limit: `${bareMs.toFixed(0)} ms`,
      ratio: median(runs.map((run) => run.ms / run.bareMs)),
      target: "for information",
      holds: true,
    },
    {
      what: `the same: most requests at once at any of ${counts.hosts.length} hosts (${total} answers in all; ${counts.dns.requests} of the DNS server apart)`,
      product: String(most),
      limit: String(atOnce),
      ratio: most / atOnce,
      target: "<= 1",
      holds: most <= atOnce,
    },
    peaks.length === 0
      ? { ...memory, product: "not told by this system", ratio: Number.NaN, holds: true }
      : {
          ...memory,
          product: `${peakMb.toFixed(0)} MB`,
          ratio: peakMb / maxMemoryMb,
          holds: peakMb < maxMemoryMb,
        },
  ]
}

/** Throws unless all are valid: a fast wrong answer is none. */
async function runOnce(places: ChildProcess, world: World, home: string): Promise<Run> {
  prepareHome(home, world)
  await ask(places, "forget")
  const env = { PATH: process.env["PATH"], HOME: home, KEZ_HOME: join(home, "kez"), GH_TOKEN: world.githubToken }
  const start = performance.now()
  const child = spawn(kez, ["verify", "id", ...world.subjects, "--json"], { cwd: root, env })
  let peakMb: number | undefined
  const timer = setInterval(() => {
    peakMb = readPeakMb(child.pid) ?? peakMb
  }, pollMs)
  const output: Buffer[] = []
  child.stdout.on("data", (bytes: Buffer) => output.push(bytes))
  child.stderr.on("data", (bytes: Buffer) => process.stderr.write(bytes))
  await once(child, "close")
  const ms = performance.now() - start
  clearInterval(timer)
  assertAllValid(Buffer.concat(output).toString(), world)
  const counts = await ask(places, "counts")
  const [busiest] = counts.hosts.toSorted((a, b) => b.requests - a.requests)
  if (busiest === undefined) throw new Error("no host was asked")
  const limitMs = Math.ceil(busiest.requests / atOnce) * latencyMs
  return { ms, peakMb, counts, busiest, limitMs, bareMs: await askBare(world, busiest.requests) }
}

async function askBare({ hosts }: World, requests: number): Promise<number> {
  const start = performance.now()
  let left = requests
  const askInTurn = async () => {
    while (left > 0) {
      left -= 1
      await new Promise<void>((resolve, reject) => {
        get(`${hosts["plc.directory"]}/nobody`, { agent: false }, (response) => {
          response.resume().once("end", resolve)
        }).once("error", reject)
      })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, askInTurn))
  return performance.now() - start
}

/** A new one each time: nothing is known, and no answer is kept. */
function prepareHome(home: string, { hosts, relays, resolver }: World): void {
  const lines = [
    `resolver = ${JSON.stringify([resolver])}`,
    `relays = ${JSON.stringify(relays)}`,
    "[hosts]",
    ...Object.entries(hosts).map(([host, base]) => `${JSON.stringify(host)} = ${JSON.stringify(base)}`),
  ]
  mkdirSync(join(home, "kez"), { recursive: true })
  writeFileSync(join(home, "kez/config.toml"), `${lines.join("\n")}\n`)
}

async function ask(places: ChildProcess, command: Command): Promise<Counts> {
  places.send(command)
  const [counts] = (await once(places, "message")) as [Counts]
  return counts
}

function assertAllValid(json: string, { subjects }: World): void {
  const { data } = JSON.parse(json) as {
    readonly data?: {
      readonly verdicts: readonly { readonly subject: string; readonly status: string; readonly reason: string }[]
    }
  }
  if (data === undefined) throw new Error(json.slice(0, 2_000))
  const valid = data.verdicts.filter(({ status }) => status === "valid")
  if (valid.length === subjects.length) return
  const other = data.verdicts.find(({ status }) => status !== "valid")
  throw new Error(
    `${valid.length} of ${subjects.length} valid; ${other?.subject} is ${other?.status}: ${other?.reason}`,
  )
}

/** The high-water mark of the process as Linux keeps it, a few milliseconds before its end at the latest. */
function readPeakMb(pid: number | undefined): number | undefined {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]
    return kib === undefined ? undefined : (Number(kib) * 1_024) / 1e6
  } catch {
    return undefined
  }
}
