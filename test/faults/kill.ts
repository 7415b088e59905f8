/** D-1: kill -9 at times that a seed decides, under load; after each the same data is opened again and compared with what was acknowledged. */
import { setTimeout as sleep } from "node:timers/promises"
import type { Digest } from "@kez/core"
import { check, type Problem } from "./check.ts"
import { connect } from "./connection.ts"
import { History } from "./history.ts"
import { chainsOfWriter, createWriter, runRivals, type Writer } from "./load.ts"
import type { Random } from "./random.ts"
import { type StorePlace, spawnStore, startStore } from "./store-process.ts"

const writers = 8
const longestLoadMs = 250
/** A store that starts is killed as well, once in so many rounds. */
const killsAtStart = 8
const longestStartMs = 400
const rivalsIn = 3
/** All chains are read through the service once in so many rounds, the feed after each. */
const wholeCheckEvery = 25

export interface FaultReport {
  readonly faults: number
  readonly acknowledged: number
  readonly evidence: number
  readonly unanswered: number
  readonly slowestRestartMs: number
  readonly usualRestartMs?: number
  readonly problems: readonly Problem[]
}

export interface KillOptions {
  readonly place: StorePlace
  readonly rounds: number
  readonly random: Random
  readonly onRound?: (round: number) => void
}

type Running = Awaited<ReturnType<typeof startStore>>

interface Scene {
  readonly place: StorePlace
  readonly history: History
  readonly crew: readonly Writer[]
}

export async function killRounds({ place, rounds, random, onRound }: KillOptions): Promise<FaultReport> {
  const history = new History()
  const crew = Array.from({ length: writers }, (_, i) => createWriter(history, random.fork(`writer ${i}`), `w${i}`))
  const scene = { place, history, crew }
  const problems: Problem[] = []
  const restartsMs: number[] = []
  let [faults, checked] = [0, 0]
  let store = await startStore(place)
  for (let round = 1; round <= rounds; round++) {
    faults += await loadAndKill(store, scene, random.fork(`round ${round}`))
    store = await startStore(place)
    restartsMs.push(await store.readyMs)
    const chains = [...history.chains.keys()]
    const isWhole = round % wholeCheckEvery === 0 || round === rounds
    problems.push(...(await checkAndSettle(store, scene, isWhole ? chains : chains.slice(checked))))
    // Those of the last round may go on in the next one.
    checked = Math.max(0, chains.length - writers * chainsOfWriter)
    onRound?.(round)
  }
  problems.push(...(await checkAndSettle(store, scene, history.chains.keys())))
  await store.stop()
  const [usualRestartMs = 0] = restartsMs.toSorted((a, b) => a - b).slice(Math.floor(restartsMs.length / 2))
  return { faults, ...figuresOf(history), slowestRestartMs: Math.max(...restartsMs), usualRestartMs, problems }
}

/** Resolves to how many processes were killed. */
async function loadAndKill(store: Running, { place, history, crew }: Scene, random: Random): Promise<number> {
  const until = new AbortController()
  const { signal } = until
  const lines = crew.map(async (writer) => {
    const connection = connect(store.at)
    await writer.run(connection, signal)
    connection.close()
  })
  if (random.oneIn(rivalsIn)) lines.push(runRivals(store.at, { history, random: random.fork("rivals"), signal }))
  await sleep(random.between(1, longestLoadMs))
  await store.kill()
  until.abort()
  await Promise.all(lines)
  if (!random.oneIn(killsAtStart)) return 1
  await killAtStart(place, random.between(0, longestStartMs))
  return 2
}

async function checkAndSettle(
  store: Running,
  { history, crew }: Scene,
  chains: Iterable<Digest>,
): Promise<readonly Problem[]> {
  const reader = connect(store.at)
  const problems = await check(reader, history, chains)
  for (const writer of crew) await writer.settle(reader)
  reader.close()
  return problems
}

async function killAtStart(place: StorePlace, afterMs: number): Promise<void> {
  const store = spawnStore(place)
  await sleep(afterMs)
  await store.kill()
}

export function figuresOf(history: History): Pick<FaultReport, "acknowledged" | "evidence" | "unanswered"> {
  const { acknowledged } = history
  const evidence = acknowledged.filter(({ outcome }) => outcome === "evidence").length
  return { acknowledged: acknowledged.length, evidence, unanswered: history.settled }
}
