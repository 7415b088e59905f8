/** Where the server learns about a chain: the sigchain stores that its admin chose, and the document that came along. It keeps none. */
import { type ChainReplay, type Digest, KezError, readChain, replayChain, type SigchainEvent } from "@kez/core"
import { chainCacheMs, chainFetchMs, maxCachedChains } from "../limits.ts"
import { createChainLooks, type LookAtChain } from "./chain-looks.ts"
import { fetchChain } from "./store-fetch.ts"

export interface ChainSource {
  /**
   * A chain, from all stores and a document, united: what one of them leaves out, another has. Throws `chain.unknown`, `chain.unreachable` while a
   * store is silent, and the codes of reading and replaying.
   */
  load(chain: Digest, document?: string): Promise<ChainReplay>
  /** For what is only shown: a minute old at most, undefined where the stores do not tell. */
  tryShow(chain: Digest): Promise<ChainReplay | undefined>
  /** What those stores that answer have. A revocation that one of them tells counts while others are silent. */
  readonly look: LookAtChain
}

export interface ChainSourceOptions {
  /** Base URLs of sigchain stores. */
  readonly stores: readonly string[]
  readonly nowMs: () => number
}

export function createChainSource({ stores, nowMs }: ChainSourceOptions): ChainSource {
  const shown = new Map<Digest, { readonly atMs: number; readonly replay: Promise<ChainReplay | undefined> }>()
  const load = async (chain: Digest, document?: string): Promise<ChainReplay> => {
    const given = document === undefined ? [] : readDocument(document)
    const fetched = await Promise.all(stores.map((store) => fetchChain(store, chain, { timeoutMs: chainFetchMs })))
    const events = [given, ...fetched.map((one) => (one === "same" ? [] : one.events))].flat()
    if (events.length > 0) return replayChain(events, { chain })
    throw new KezError("chain.unknown", "Cannot find the chain: no store that this server asks has it", {
      hint: "Publish it first (kez sigchain publish), or send it along.",
    })
  }
  return {
    load,
    look: createChainLooks({ stores, nowMs }),
    tryShow(chain) {
      const known = shown.get(chain)
      if (known !== undefined && Math.abs(nowMs() - known.atMs) < chainCacheMs) return known.replay
      const replay = load(chain).catch(() => undefined)
      shown.delete(chain)
      shown.set(chain, { atMs: nowMs(), replay })
      const oldest = shown.keys().next()
      if (shown.size > maxCachedChains && oldest.done !== true) shown.delete(oldest.value)
      return replay
    },
  }
}

/** A document that breaks off or is wrong in the middle came from the client itself: it is refused as a whole. */
function readDocument(document: string): readonly SigchainEvent[] {
  const { events, fault } = readChain(document)
  if (fault !== undefined) throw fault
  return events
}
