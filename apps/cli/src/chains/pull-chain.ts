/** Bringing chains to this computer from wherever they lie: everything valid is kept, forks included. SPEC §5.5, VER-5 */
import type { Net } from "@kez/channels"
import type { Digest } from "@kez/core"
import type { Served, Weight } from "../chain-sources.ts"
import { weigh } from "../chain-sources.ts"
import type { Context } from "../context.ts"
import { writeStore } from "../store/access.ts"
import { type Asked, askChain } from "./ask-chain.ts"
import { chainOf } from "./chain-document.ts"
import { keepServed } from "./keep-served.ts"

export interface PullPlace {
  readonly url: string
  readonly isChosen?: boolean
}

export interface PullRequest {
  readonly places: readonly PullPlace[]
  /** Documents that are here already. */
  readonly documents?: readonly Served[]
  /** Only these chains are kept; any that a place names for the key unless given. */
  readonly chain?: Digest
  readonly key?: string
  readonly timeoutMs: number
}

/** What one place gave. */
export interface Pulled {
  readonly asked: Asked
  readonly served: readonly Served[]
  /** Events of chains that were asked for. */
  readonly events: number
}

export interface PullResult {
  readonly places: readonly Pulled[]
  /** Events that were not known here before. */
  readonly added: number
  /** Ids of the chains that were found. */
  readonly chains: readonly Digest[]
}

const weight: Weight = { kind: "store", expected: false }

/** Asks all places at once. Never throws for what they do. */
export async function pullChains(context: Context, net: Net, request: PullRequest): Promise<PullResult> {
  const { places, documents = [], timeoutMs } = request
  const answers = await Promise.all(
    places.map(({ url, isChosen = false }) => askChain(net, url, { timeoutMs, isChosen })),
  )
  const pulled = answers.map((asked) => {
    const served = weigh(asked, weight).filter((one) => isWanted(one, request))
    const events = Math.max(0, ...served.map(({ source }) => source.events?.length ?? 0))
    return { asked, served, events }
  })
  const given = documents.filter((one) => isWanted(one, request))
  const all = [...pulled.flatMap(({ served }) => served), ...given]
  const chains = new Set(all.flatMap(({ source, forkOf }) => (forkOf === undefined ? idOf(source) : [])))
  if (chains.size === 0) return { places: pulled, added: 0, chains: [] }
  const { added } = await writeStore(context, (store) => keepServed(store, all, context.now()))
  return { places: pulled, added, chains: [...chains] }
}

function idOf({ events = [] }: Served["source"]): readonly Digest[] {
  const chain = chainOf(events)
  return chain === undefined ? [] : [chain]
}

function isWanted({ source, forkOf }: Served, { chain, key }: PullRequest): boolean {
  const { events = [] } = source
  if (source.outcome !== "found" || events.length === 0) return false
  const id = forkOf ?? chainOf(events)
  if (chain !== undefined) return id === chain
  if (forkOf !== undefined || key === undefined) return true
  return events.some(
    ({ payload }) => payload.primary === key || (payload.op === "rotate" && payload.payload.new_primary === key),
  )
}
