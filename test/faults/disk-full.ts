/** D-3: the disk fills up under load. Writes are refused by name, reading goes on, and writing as well once there is room. */
import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from "node:fs"
import { join } from "node:path"
import { check, type Problem } from "./check.ts"
import { connect } from "./connection.ts"
import { History } from "./history.ts"
import { type FaultReport, figuresOf } from "./kill.ts"
import { createWriter, type Writer } from "./load.ts"
import type { Random } from "./random.ts"
import { recoveryWithinMs, spawnStore, startStore } from "./store-process.ts"

const writers = 4
const chunkBytes = 65_536
/** What is left for the store when the rest of the disk is taken by others. */
const roomBytes = [65_536, 524_288] as const
const restartsIn = 3

export interface DiskFullOptions {
  /** The mounted disk. */
  readonly folder: string
  readonly rounds: number
  readonly random: Random
}

export interface DiskFullReport extends FaultReport {
  readonly refused: number
  readonly slowestRecoveryMs: number
  /** Starts on a full disk: those that served readers, and those that said `store.full`. */
  readonly startsWhileFull: { readonly ready: number; readonly refused: number }
}

interface Scene {
  readonly place: { readonly data: string }
  readonly history: History
  readonly crew: readonly Writer[]
  readonly problems: Problem[]
  readonly starts: { ready: number; refused: number }
}

export async function fillDisk({ folder, rounds, random }: DiskFullOptions): Promise<DiskFullReport> {
  const history = new History()
  const crew = Array.from({ length: writers }, (_, i) => createWriter(history, random.fork(`writer ${i}`), `w${i}`))
  const place = { data: join(folder, "data") }
  const scene: Scene = { place, history, crew, problems: [], starts: { ready: 0, refused: 0 } }
  let [refused, slowestRecoveryMs, slowestRestartMs] = [0, 0, 0]
  let store = await startStore(place)
  try {
    for (let round = 0; round < rounds; round++) {
      const ballast = fillUp(folder, random.between(...roomBytes))
      refused += await writeUntilFull(store.at, scene)
      await checkWhileFull(store.at, scene)
      const restarts = random.oneIn(restartsIn)
      if (restarts) {
        await store.kill()
        await startWhileFull(scene)
      }
      rmSync(ballast)
      if (restarts) {
        store = await startStore(place)
        slowestRestartMs = Math.max(slowestRestartMs, await store.readyMs)
      }
      slowestRecoveryMs = Math.max(slowestRecoveryMs, await recover(store.at, scene))
    }
  } finally {
    await store.kill()
  }
  const { problems, starts: startsWhileFull } = scene
  const figures = { ...figuresOf(history), refused, slowestRecoveryMs, slowestRestartMs }
  return { faults: rounds, ...figures, startsWhileFull, problems }
}

/** Takes all of the disk but some; gives the file that does. */
function fillUp(folder: string, leaveBytes: number): string {
  const path = join(folder, "ballast")
  const file = openSync(path, "w")
  let written = 0
  try {
    for (;;) written += writeSync(file, Buffer.alloc(chunkBytes, 1))
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error
    ftruncateSync(file, Math.max(0, written - leaveBytes))
  } finally {
    closeSync(file)
  }
  return path
}

/** All writers go on until the store refuses each of them, and try a few times more. Resolves to the refusals. */
async function writeUntilFull(url: string, { crew, problems }: Scene): Promise<number> {
  const { signal } = new AbortController()
  let refused = 0
  const lines = crew.map(async (writer) => {
    const connection = connect(url)
    // A small event may still find room where a larger one did not.
    for (let refusals = 0; refusals < 5; refusals++) {
      await writer.run(connection, signal)
      refused += 1
      if (writer.refusal !== "store.full") problems.push({ finding: "odd", about: `refused by ${writer.refusal}` })
    }
    connection.close()
  })
  await Promise.all(lines)
  return refused
}

async function checkWhileFull(url: string, { history, problems }: Scene): Promise<void> {
  const reader = connect(url)
  problems.push(...(await check(reader, history)))
  const { status } = await reader.get("/livez")
  if (status !== 200) problems.push({ finding: "odd", about: `/livez ${status} on a full disk` })
  reader.close()
}

async function startWhileFull({ place, problems, starts }: Scene): Promise<void> {
  const store = spawnStore(place)
  const url = await store.url.catch(() => undefined)
  await store.kill()
  if (url !== undefined) starts.ready += 1
  else if (store.output().includes("[store.full]")) starts.refused += 1
  else {
    const { signalCode, exitCode } = store.child
    problems.push({ finding: "odd", about: `a start on a full disk: ${signalCode ?? exitCode} ${store.output()}` })
  }
}

/** Sends again what was refused; resolves to how long that took until all of it was accepted. */
async function recover(url: string, { history, crew, problems }: Scene): Promise<number> {
  const connection = connect(url)
  const began = performance.now()
  const tookMs = (): number => performance.now() - began
  do for (const writer of crew) await writer.settle(connection)
  while (crew.some(({ isSettled }) => !isSettled) && tookMs() < recoveryWithinMs)
  const recoveryMs = tookMs()
  if (crew.some(({ isSettled }) => !isSettled)) {
    problems.push({ finding: "odd", about: `no write was taken ${recoveryWithinMs} ms after there was room again` })
  }
  problems.push(...(await check(connection, history)))
  connection.close()
  return recoveryMs
}
