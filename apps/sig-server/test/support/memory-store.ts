/** A store in memory for tests of the HTTP side: core judges, nothing is kept. */
import {
  type ChainHead,
  type ChainReplay,
  type Digest,
  decodeEnvelope,
  envelopeDigest,
  formatChain,
  formatEnvelope,
  judgeHead,
  KezError,
  parseChain,
  replayChain,
  type SigchainEvent,
} from "@kez/core"
import type { Appended, ChainService, ChainView, LookUp } from "../../src/chain-service.ts"
import type { Storage, StoredEvent } from "../../src/storage/storage.ts"

export interface MemoryStore {
  readonly service: ChainService
  /** What /readyz, the feed and the metrics ask for. */
  readonly storage: Pick<Storage, "kind" | "eventsAfter" | "assertWritable" | "counts">
  /** Every later write fails with it, until it is undefined again. */
  fault: KezError | undefined
}

interface Chain {
  readonly events: Map<Digest, SigchainEvent>
  readonly heads: ChainHead[]
  view: ChainView
}

/** `now` in Unix seconds. */
export function createMemoryStore(now: () => number): MemoryStore {
  const chains = new Map<Digest, Chain>()
  const feed: StoredEvent[] = []
  const listeners = new Set<(view: ChainView) => void>()
  const store: MemoryStore = {
    fault: undefined,
    service: {
      find: (id) => Promise.resolve(find(chains, id)),
      forks: (id) => Promise.resolve(forksOf(chains.get(id))),
      append: async (id, text) => {
        if (store.fault !== undefined) throw store.fault
        const outcome = append(chains, id, text)
        if (outcome.status === "stored" || outcome.status === "lost") {
          const { view, digest, seq } = outcome
          feed.push({ digest, seq, chain: view.chain, text: asText(text), storedAt: now(), cursor: feed.length + 1 })
          for (const listener of listeners) listener(view)
        }
        return outcome
      },
      heads: (id) => Promise.resolve((chains.get(id)?.heads ?? []).map(formatEnvelope)),
      postHead: async (id, text) => {
        const chain = chains.get(id)
        if (chain === undefined) throw new KezError("chain.unknown", "Cannot keep the head: no such chain")
        const head = decodeEnvelope(text, "chain_head")
        judgeHead(head, chain.view.replay, now())
        chain.heads.unshift(head)
      },
      watch: (listener) => {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
      close: () => Promise.resolve(),
    },
    storage: {
      kind: "sqlite",
      eventsAfter: (cursor, limit) => Promise.resolve(feed.slice(cursor, cursor + limit)),
      assertWritable: async () => {
        if (store.fault !== undefined) throw store.fault
      },
      counts: () => Promise.resolve({ events: feed.length, chains: chains.size, bytes: 0 }),
    },
  }
  return store
}

function asText(text: string | Uint8Array): string {
  return typeof text === "string" ? text : Buffer.from(text).toString()
}

function find(chains: ReadonlyMap<Digest, Chain>, id: string): LookUp {
  const found = [...chains.values()].filter(({ view }) => view.chain === id || view.replay.everyPrimary.includes(id))
  const [only, ...others] = found.map(({ view }) => view)
  if (only === undefined) return { status: "none" }
  if (others.length === 0) return { status: "found", view: only }
  return { status: "several", chains: [only, ...others].map(({ chain }) => chain).sort() }
}

function forksOf(chain: Chain | undefined): Uint8Array | undefined {
  if (chain === undefined) return undefined
  const winning = new Set(chain.view.replay.digests)
  return Buffer.from(
    formatChain([...chain.events].filter(([digest]) => !winning.has(digest)).map(([, event]) => event)),
  )
}

function append(chains: Map<Digest, Chain>, id: string, text: string | Uint8Array): Appended {
  try {
    const event = decodeEnvelope(text, "sigchain_event")
    if (formatEnvelope(event) !== asText(text)) throw new KezError("chain.not_canonical", "Cannot store it: not in JCS")
    return event.payload.seq === 0 ? addGenesis(chains, event) : addEvent(chains, id, event)
  } catch (error) {
    if (error instanceof KezError) return { status: "refused", refusal: { code: error.code, message: error.message } }
    throw error
  }
}

function addGenesis(chains: Map<Digest, Chain>, event: SigchainEvent): Appended {
  const digest = envelopeDigest(event)
  const known = chains.get(digest)
  if (known !== undefined) return { status: "known", view: known.view, digest, seq: 0 }
  const events = new Map([[digest, event]])
  const view = viewOf(replayChain([event]), events)
  chains.set(digest, { events, heads: [], view })
  return { status: "stored", view, digest, seq: 0 }
}

function addEvent(chains: ReadonlyMap<Digest, Chain>, id: string, event: SigchainEvent): Appended {
  const found = find(chains, id)
  const chain = found.status === "found" ? chains.get(found.view.chain) : undefined
  if (chain === undefined) throw new KezError("chain.unknown", "Cannot store the event: no such chain")
  const digest = envelopeDigest(event)
  const { seq, prev } = event.payload
  const { view } = chain
  if (chain.events.has(digest)) {
    return { status: view.replay.digests.includes(digest) ? "known" : "lost", view, digest, seq }
  }
  if (prev === undefined || !chain.events.has(prev)) {
    const code = seq > view.replay.head.seq + 1 ? "chain.gap" : "chain.prev"
    return { status: "behind", view, refusal: { code, message: "Cannot store the event: it does not follow the end" } }
  }
  const events = new Map([...chain.events, [digest, event]])
  const replay = replayChain(events.values(), { chain: view.chain })
  const refused = replay.refused.find((one) => one.digest === digest)
  if (refused !== undefined) throw new KezError(refused.code, "Cannot store the event: it is not valid there")
  chain.events.set(digest, event)
  chain.view = viewOf(replay, chain.events)
  return { status: replay.digests.includes(digest) ? "stored" : "lost", view: chain.view, digest, seq }
}

function viewOf(replay: ChainReplay, events: ReadonlyMap<Digest, SigchainEvent>): ChainView {
  const document = Buffer.from(formatChain(replay.path))
  parseChain(document)
  return { chain: replay.chain, replay, document, size: events.size }
}
