/** Where the server learns about a chain: the sigchain stores that its admin chose, and the document that came along. It keeps none. */
import {
  type ChainReplay,
  type Digest,
  KezError,
  limits,
  parseChainLine,
  readChain,
  replayChain,
  type SigchainEvent,
} from "@kez/core"
import { chainCacheMs, chainFetchMs, maxCachedChains } from "../limits.ts"

export interface ChainLook {
  /** Undefined where no store that answered has it. */
  readonly replay: ChainReplay | undefined
  /** Every store answered. */
  readonly isComplete: boolean
}

export interface ChainSource {
  /**
   * A chain, from all stores and a document, united: what one of them leaves out, another has. Throws `chain.unknown`, `chain.unreachable` while a
   * store is silent, and the codes of reading and replaying.
   */
  load(chain: Digest, document?: string): Promise<ChainReplay>
  /** For what is only shown: a minute old at most, undefined where the stores do not tell. */
  tryShow(chain: Digest): Promise<ChainReplay | undefined>
  /** What those stores that answer have. A revocation that one of them tells counts while others are silent. */
  look(chain: Digest): Promise<ChainLook>
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
    const fetched = await Promise.all(stores.map((store) => fetchChain(store, chain)))
    const events = [given, ...fetched].flat()
    if (events.length > 0) return replayChain(events, { chain })
    throw new KezError("chain.unknown", "Cannot find the chain: no store that this server asks has it", {
      hint: "Publish it first (kez sigchain publish), or send it along.",
    })
  }
  return {
    load,
    async look(chain) {
      const answers = await Promise.allSettled(stores.map((store) => fetchChain(store, chain)))
      const events = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []))
      const isComplete = answers.every(({ status }) => status === "fulfilled")
      return { replay: events.length > 0 ? replayChain(events, { chain }) : undefined, isComplete }
    },
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

/** The winning path and the evidence of forks. Empty: the store has no such chain. */
async function fetchChain(store: string, chain: Digest): Promise<readonly SigchainEvent[]> {
  const base = `${store.replace(/\/$/, "")}/v1/chains/${chain}`
  try {
    const path = await fetchText(base)
    if (path === undefined) return []
    const forks = await fetchText(`${base}/forks`)
    return [...readChain(path).events, ...linesOf(forks ?? "")]
  } catch (cause) {
    throw new KezError(
      "chain.unreachable",
      "Cannot check the chain now: a sigchain store that this server asks does not answer",
      {
        cause,
        hint: "Nothing was changed. Try again.",
      },
    )
  }
}

function linesOf(text: string): readonly SigchainEvent[] {
  return text.split("\n", limits.maxKnownEvents).flatMap((line) => {
    try {
      return line === "" ? [] : [parseChainLine(line)]
    } catch (error) {
      // What is no event is no evidence either.
      if (error instanceof KezError) return []
      throw error
    }
  })
}

/** Undefined for 404. */
async function fetchText(url: string): Promise<string | undefined> {
  const answer = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(chainFetchMs) })
  if (answer.status !== 200) {
    await answer.body?.cancel()
    if (answer.status === 404) return undefined
    throw new KezError("net.status", `Cannot use the answer of a store: status ${answer.status}`)
  }
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length
    if (bytes > limits.maxChainBytes)
      throw new KezError("limit.body", "Cannot use the answer of a store: it is too long")
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString("utf8")
}
