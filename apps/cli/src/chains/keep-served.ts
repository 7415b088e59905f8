/** Keeping what places served of chains: events, evidence of forks, signed heads, and which place it was. SPEC VER-6, FORK-5 */
import { type ChainHead, type Digest, envelopeDigest, judgeHead, KezError } from "@kez/core"
import type { Served } from "../chain-sources.ts"
import { loadChain, storeBranch, storeEvents } from "../store/chains.ts"
import type { Store } from "../store/database.ts"
import { loadHeads, saveHead } from "../store/heads.ts"
import { rememberSource } from "../store/sources.ts"

/** To be called in a transaction. Returns how many events were not known before. */
export function keepServed(store: Store, served: readonly Served[], now: number): { readonly added: number } {
  let added = 0
  for (const { source, place, branch } of served.filter(({ forkOf }) => forkOf === undefined)) {
    const events = branch ?? source.events ?? []
    if (events.length === 0) continue
    const stored = storeBranch(store, events, now)
    added += stored.added
    const kind = source.kind === "hint" ? "hint" : "other"
    if (place !== undefined && stored.refused.length === 0)
      rememberSource(store, stored.chain, { url: place, kind, now })
  }
  for (const { source, forkOf } of served) {
    const { events = [] } = source
    if (forkOf !== undefined && events.length > 0) added += storeEvents(store, forkOf, events, now).added
  }
  keepHeads(
    store,
    served.flatMap(({ source }) => source.heads ?? []),
    now,
  )
  return { added }
}

/** Only heads that speak for their chain now: anybody can sign others, and there is room for few. */
function keepHeads(store: Store, heads: readonly ChainHead[], now: number): void {
  for (const [chain, own] of Map.groupBy(heads, ({ payload }): Digest => payload.chain)) {
    const known = new Set(loadHeads(store, chain, now).map(envelopeDigest))
    const fresh = own.filter((head) => !known.has(envelopeDigest(head)))
    const replay = fresh.length === 0 ? undefined : loadChain(store, chain)
    if (replay === undefined) continue
    for (const head of fresh) if (speaks(() => judgeHead(head, replay, now))) saveHead(store, head, now)
  }
}

function speaks(judge: () => unknown): boolean {
  try {
    judge()
    return true
  } catch (error) {
    if (error instanceof KezError) return false
    throw error
  }
}
