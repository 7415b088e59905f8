/** The places of one question: each is asked once, and weighed by the best reason to ask it. SPEC VER-5, VER-6 */
import type { Net } from "@kez/channels"
import type { ChainMark, Digest } from "@kez/core"
import type { Served, Weight } from "../chain-sources.ts"
import { lazy } from "../lazy.ts"
import type { Asked } from "./ask-chain.ts"
import { chainUrl } from "./store-url.ts"

const loadAsk = lazy(() => import("./ask-chain.ts"))
const loadWeigh = lazy(() => import("../chain-sources.ts"))

/** Answers that several questions of one moment share, by URL. */
export type AskedPlaces = Map<string, Promise<Asked>>

/** Answers that are kept for others: each may hold a whole chain. */
const maxShared = 16
/** Keys and chains of one account that stores are asked about: a page may hold as many proofs as it likes. */
const maxAskedIds = 8

export interface Place {
  readonly url: string
  readonly weight: Weight
  readonly timeoutMs: number
  /** The reader named this store. */
  readonly isChosen?: boolean
}

export interface Asking {
  /** Asks a place, or gives one that was asked already a better reason. */
  add(place: Place): void
  /** What all of them answered; those that nobody may ask are silent. */
  served(): Promise<readonly Served[]>
}

const other: Weight = { kind: "other", expected: false }

/** `net` undefined: nobody may be asked. */
export function createAsking(net: (() => Promise<Net>) | undefined, shared: AskedPlaces = new Map()): Asking {
  const weights = new Map<string, Weight>()
  const asked = new Map<string, Promise<Asked>>()

  function ask({ url, timeoutMs, isChosen }: Place, open: () => Promise<Net>): Promise<Asked> {
    const earlier = shared.get(url)
    if (earlier !== undefined) return earlier
    const pending = askVia(open, url, { timeoutMs, ...(isChosen === true ? { isChosen } : {}) })
    pending.catch(() => {}) // its error is thrown where it is awaited, which may be later than another one
    shared.set(url, pending)
    const [oldest] = shared.keys()
    if (shared.size > maxShared && oldest !== undefined) shared.delete(oldest)
    return pending
  }

  return {
    add(place) {
      const { url, weight } = place
      if (weights.get(url)?.expected !== true) weights.set(url, weight)
      if (net !== undefined && !asked.has(url)) asked.set(url, ask(place, net))
    },
    async served() {
      if (net === undefined) return unasked(weights)
      if (asked.size === 0) return []
      const [{ weigh }, answers] = await Promise.all([loadWeigh(), Promise.all([...asked].map(answerOf))])
      return answers.flatMap(([url, one]) => weigh(one, weights.get(url) ?? other))
    },
  }
}

async function answerOf([url, pending]: readonly [string, Promise<Asked>]): Promise<readonly [string, Asked]> {
  return [url, await pending]
}

async function askVia(
  open: () => Promise<Net>,
  url: string,
  options: { readonly timeoutMs: number; readonly isChosen?: boolean },
): Promise<Asked> {
  const [{ askChain }, net] = await Promise.all([loadAsk(), open()])
  return askChain(net, url, options)
}

/** Expected places that were not asked because the reader wished so: silent like any other. */
function unasked(weights: ReadonlyMap<string, Weight>): readonly Served[] {
  return [...weights].flatMap(([name, weight]) => {
    if (!weight.expected) return []
    const evidence = { kind: "chain", source: name, note: "not asked" } as const
    return [{ source: { name, ...weight, outcome: "failed" }, evidence, place: undefined } as const]
  })
}

export interface StoreQuestion {
  readonly primaries: readonly string[]
  readonly chains: readonly Digest[]
  /** A primary of a marked chain is looked up by the chain's id, so that a second chain of it changes nothing. CHAIN-19 */
  readonly marks: readonly ChainMark[]
}

export interface StoreUrls {
  readonly urls: readonly string[]
  /** Whether there are more than are asked: that is silence, and never a pass. */
  readonly isCut: boolean
}

/** Where the reader's stores have what a question is about. */
export function storeUrls(stores: readonly string[], { primaries, chains, marks }: StoreQuestion): StoreUrls {
  const byKey = primaries.flatMap((key) => {
    const marked = marks.filter((mark) => mark.primaries.includes(key)).map(({ chain }) => chain)
    return marked.length === 0 ? [key] : marked
  })
  const ids = [...new Set([...chains, ...byKey])]
  const urls = stores.flatMap((store) => ids.slice(0, maxAskedIds).map((id) => chainUrl(store, id)))
  return { urls, isCut: stores.length > 0 && ids.length > maxAskedIds }
}
