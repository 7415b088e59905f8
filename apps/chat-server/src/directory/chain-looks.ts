/**
 * Looks at chains that are looked at again and again: what was seen is kept for as long as there is room, so that an unchanged chain costs one small
 * answer of each store, and a store that is set back takes nothing back.
 */
import { type ChainReplay, type Digest, replayChain } from "@kez/core"
import { chainLookMs, maxKeptEvents, storeRestMs } from "../limits.ts"
import { type ChainVersion, fetchChain } from "./store-fetch.ts"

export interface ChainLook {
  /** Undefined where no store that answered has it. */
  readonly replay: ChainReplay | undefined
  /** Every store answered. */
  readonly isComplete: boolean
}

interface Kept {
  readonly replay: ChainReplay
  readonly versions: ReadonlyMap<string, ChainVersion>
}

export type LookAtChain = (chain: Digest) => Promise<ChainLook>

export function createChainLooks({
  stores,
  nowMs,
}: {
  readonly stores: readonly string[]
  readonly nowMs: () => number
}): LookAtChain {
  const kept = new Map<Digest, Kept>()
  const silentAtMs = new Map<string, number>()
  let events = 0
  const drop = (chain: Digest): void => {
    events -= kept.get(chain)?.replay.path.length ?? 0
    kept.delete(chain)
  }
  const keep = (chain: Digest, made: Kept): void => {
    drop(chain)
    kept.set(chain, made)
    events += made.replay.path.length
    for (const oldest of kept.keys()) {
      if (events <= maxKeptEvents) return
      drop(oldest)
    }
  }
  const ask = async (store: string, chain: Digest, known: ChainVersion | undefined) => {
    // A store that hangs must not let everybody wait who knocks.
    if (nowMs() - (silentAtMs.get(store) ?? Number.NEGATIVE_INFINITY) < storeRestMs) throw new Error("silent")
    try {
      const fetched = await fetchChain(store, chain, { timeoutMs: chainLookMs, known })
      silentAtMs.delete(store)
      return fetched
    } catch (error) {
      silentAtMs.set(store, nowMs())
      throw error
    }
  }
  return async (chain) => {
    const known = kept.get(chain)
    const versions = new Map(known?.versions)
    const answers = await Promise.allSettled(
      stores.map(async (store) => {
        const fetched = await ask(store, chain, known?.versions.get(store))
        if (fetched === "same") return []
        if (fetched.version === undefined) versions.delete(store)
        else versions.set(store, fetched.version)
        return fetched.events
      }),
    )
    const isComplete = answers.every(({ status }) => status === "fulfilled")
    const fresh = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []))
    const previous = kept.get(chain)?.replay ?? known?.replay
    if (fresh.length === 0) return { replay: previous, isComplete }
    const replay = replayChain(fresh, previous === undefined ? { chain } : { chain, previous })
    keep(chain, { replay, versions })
    return { replay, isComplete }
  }
}
