/** A store that grows: whether an append takes longer in a large one, and how much memory the process takes. */
import type { Row } from "../measure.ts"
import { type Loader, type Running, startLoader, startStore } from "./processes.ts"

export interface GrowthOptions {
  readonly dataFolder: string
  readonly chains: number
}

const length = 10
/** Made and posted at a time. */
const chainsAtOnce = 1_000
const connections = 64
/** Chains of which each gets one more event while its latency is measured, one at a time. */
const probed = 500
const maxMemoryMb = 300
const maxGrowth = 1.5

interface Probe {
  readonly newMs: number
  readonly oldMs: number
}

/** Fills a store; measures when a hundredth is there (at least a thousand chains), and at the end. */
export async function growthRows({ dataFolder, chains }: GrowthOptions): Promise<readonly Row[]> {
  const early = Math.max(chainsAtOnce, chains / 100)
  const loader = startLoader()
  const peaks: number[] = []
  const inStore = async <T>(work: (store: Running) => Promise<T>): Promise<T> => {
    // A new process for each part: what was just written is not in its memory, at the start no more than at the end.
    const store = await startStore(dataFolder)
    try {
      return await work(store)
    } finally {
      peaks.push(store.peakMb() ?? Number.NaN)
      await store.stop()
    }
  }
  try {
    await inStore((store) => fill(loader, store, [0, early]))
    const atStart = await inStore((store) => probe(loader, store, { kept: early, name: "start" }))
    await inStore((store) => fill(loader, store, [early, chains]))
    const atEnd = await inStore((store) => probe(loader, store, { kept: chains, name: "end" }))
    return describe({ chains, early, atStart, atEnd, peakMb: Math.max(...peaks) })
  } finally {
    loader.close()
  }
}

async function fill(loader: Loader, { port }: Running, [from, to]: readonly [from: number, to: number]): Promise<void> {
  for (let first = from; first < to; first += chainsAtOnce) {
    await loader.ask({ make: "chains", seed: "growth", from: first, count: Math.min(chainsAtOnce, to - first), length })
    await loader.ask({ post: [0, length], port, connections, status: 201 })
  }
}

/** Medians of appends, one at a time: to chains that are new, and to chains that the process has not in its memory. */
async function probe(
  loader: Loader,
  { port }: Running,
  { kept, name }: { readonly kept: number; readonly name: string },
): Promise<Probe> {
  // Code is compiled, and the thread that writes started, before anything counts.
  await loader.ask({ make: "chains", seed: `warm-${name}`, from: 0, count: chainsAtOnce, length })
  await loader.ask({ post: [0, length], port, connections, status: 201 })
  await loader.ask({ make: "chains", seed: `new-${name}`, from: 0, count: probed, length: 1 })
  const fresh = await loader.ask({ post: [0, 1], port, connections: 1, status: 201 })
  // From all over the store. The same chains of the start have one more event at the end.
  const step = Math.floor(kept / probed)
  const from = name === "start" ? 0 : 1
  await loader.ask({ make: "chains", seed: "growth", from, step, count: probed - 1, length: length + 1 })
  const old = await loader.ask({ post: [length, length + 1], port, connections: 1, status: 201 })
  return { newMs: fresh.medianMs, oldMs: old.medianMs }
}

function describe(found: {
  readonly chains: number
  readonly early: number
  readonly atStart: Probe
  readonly atEnd: Probe
  readonly peakMb: number
}): readonly Row[] {
  const { chains, early, atStart, atEnd, peakMb } = found
  const size = (count: number) =>
    `${(count * length).toLocaleString("en")} events in ${count.toLocaleString("en")} chains`
  const isTold = !Number.isNaN(peakMb)
  return [
    growth(
      `an append to a new chain, one at a time, in a store of ${size(chains)}; limit: of ${size(early)}`,
      atEnd.newMs,
      atStart.newMs,
    ),
    growth("the same, to a chain that the process has to load first", atEnd.oldMs, atStart.oldMs),
    {
      what: `peak memory of kez-sig-server while it takes ${size(chains)} in`,
      product: isTold ? `${peakMb.toFixed(0)} MB` : "not told by this system",
      limit: `${maxMemoryMb} MB`,
      ratio: peakMb / maxMemoryMb,
      target: "< 1",
      holds: !isTold || peakMb < maxMemoryMb,
    },
  ]
}

function growth(what: string, endMs: number, startMs: number): Row {
  const ratio = endMs / startMs
  return {
    what,
    product: `${endMs.toFixed(2)} ms`,
    limit: `${startMs.toFixed(2)} ms`,
    ratio,
    target: `<= ${maxGrowth}`,
    holds: ratio <= maxGrowth,
  }
}
