/**
 * D-2: power cuts. The store works on a disk that is a file; it is frozen, the file is copied without what the kernel still holds
 * back, the store is killed, and starts again on the copy. The control run does the same to a store with weaker settings.
 */
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { check, type Problem } from "./check.ts"
import { connect } from "./connection.ts"
import { History } from "./history.ts"
import { createImage, type DiskImage } from "./image.ts"
import { type FaultReport, figuresOf } from "./kill.ts"
import { createWriter, type Writer } from "./load.ts"
import type { Random } from "./random.ts"
import { startStore } from "./store-process.ts"

const writers = 8
const diskMebibytes = 64
const weaken = join(import.meta.dirname, "weaken.ts")

export interface PowerCutOptions {
  readonly cuts: number
  readonly random: Random
  /** The control run: `synchronous=NORMAL`. Each cut has a new disk then, since the one before has lost something. */
  readonly isWeak?: boolean
  readonly onRound?: (round: number) => void
}

export async function powerCuts(options: PowerCutOptions): Promise<FaultReport> {
  const { cuts, random, isWeak = false, onRound } = options
  const lives = isWeak ? cuts : 1
  const total = {
    faults: 0,
    acknowledged: 0,
    evidence: 0,
    unanswered: 0,
    slowestRestartMs: 0,
    problems: [] as Problem[],
  }
  for (let life = 0; life < lives; life++) {
    const disk = createImage(diskMebibytes)
    try {
      const plan = { disk, cuts: cuts / lives, random: random.fork(`life ${life}`), isWeak, onRound }
      const report = await cutsOfOneDisk(plan)
      total.faults += report.faults
      total.acknowledged += report.acknowledged
      total.unanswered += report.unanswered
      total.slowestRestartMs = Math.max(total.slowestRestartMs, report.slowestRestartMs)
      total.problems.push(...report.problems)
    } finally {
      disk.close()
    }
  }
  return total
}

interface DiskPlan extends Omit<PowerCutOptions, "onRound"> {
  readonly disk: DiskImage
  readonly onRound: ((round: number) => void) | undefined
}

async function cutsOfOneDisk({ disk, cuts, random, isWeak, onRound }: DiskPlan): Promise<FaultReport> {
  const history = new History()
  const crew = Array.from({ length: writers }, (_, i) => createWriter(history, random.fork(`writer ${i}`), `w${i}`))
  const place = { data: join(disk.folder, "data"), ...(isWeak && { preload: weaken }) }
  const problems: Problem[] = []
  let slowestRestartMs = 0
  let store = await startStore(place)
  try {
    for (let cut = 1; cut <= cuts; cut++) {
      if (isWeak && !store.output().includes("weakened"))
        throw new Error("the control run is none: nothing was weakened")
      await loadAndCut({ store, crew, disk, afterMs: random.between(150, 900) })
      store = await startStore(place)
      slowestRestartMs = Math.max(slowestRestartMs, await store.readyMs)
      const reader = connect(store.at)
      problems.push(...(await check(reader, history)))
      // What was lost cannot be continued.
      if (!isWeak) for (const writer of crew) await writer.settle(reader)
      reader.close()
      onRound?.(cut)
    }
  } finally {
    await store.kill()
  }
  return { faults: cuts, ...figuresOf(history), slowestRestartMs, problems }
}

interface Cut {
  readonly store: Awaited<ReturnType<typeof startStore>>
  readonly crew: readonly Writer[]
  readonly disk: DiskImage
  readonly afterMs: number
}

async function loadAndCut({ store, crew, disk, afterMs }: Cut): Promise<void> {
  const until = new AbortController()
  const lines = crew.map(async (writer) => {
    const connection = connect(store.at)
    await writer.run(connection, until.signal)
    connection.close()
  })
  await sleep(afterMs)
  await store.freeze()
  disk.copy()
  await store.kill()
  until.abort()
  await Promise.all(lines)
  disk.powerUp()
}
