/** What became of a page of a followed store: each of its lines is judged, those of one chain one after the other, chains side by side. */
import type { Code } from "@kez/core"
import { mirrorParallelChains } from "./limits.ts"
import type { FeedEntry } from "./mirror-page.ts"

export interface Tally {
  /** Of valid ones: new here (losing branches included), and held before. */
  readonly stored: number
  readonly known: number
  readonly refused: ReadonlyMap<Code, number>
}

/** These say that this store has a problem, not what was read: it is tried again. */
export const ownFaults: ReadonlySet<Code> = new Set(["store.full", "store.busy", "store.write"])

/** Chains share waits for the disk. Throws what `judge` throws, after all that is under way has ended. */
export async function inChainOrder(
  entries: readonly FeedEntry[],
  judge: (entry: FeedEntry) => Promise<"stored" | "known" | Code>,
): Promise<Tally> {
  const counts = { stored: 0, known: 0 }
  const refused = new Map<Code, number>()
  const waiting = [...Map.groupBy(entries, (entry) => entry.chain).values()]
  const worker = async (): Promise<void> => {
    for (let group = waiting.pop(); group !== undefined; group = waiting.pop()) {
      for (const entry of group) {
        const outcome = await judge(entry)
        if (outcome === "known" || outcome === "stored") counts[outcome]++
        else refused.set(outcome, (refused.get(outcome) ?? 0) + 1)
      }
    }
  }
  const results = await Promise.allSettled(Array.from({ length: mirrorParallelChains }, worker))
  for (const result of results) if (result.status === "rejected") throw result.reason
  return { ...counts, refused }
}
