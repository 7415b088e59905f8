/** A storage that forgets: for tests of what stands on a storage. The list of tests for storages runs on it as well. */
import { type Digest, KezError } from "@kez/core"
import { maxHeadsPerSigner } from "../../src/limits.ts"
import type { ListedHead, NewEvent, Storage, StoredEvent, StoredHead } from "../../src/storage/storage.ts"

export interface MemoryStorage extends Storage {
  /** In the order in which they came; a test may damage them. */
  readonly rows: StoredEvent[]
  /** Thrown by every write while it is set. */
  failure: Error | undefined
  /** Rows that were read, by any query: what a cache is to save. */
  reads: number
}

interface Place {
  readonly rows: StoredEvent[]
  readonly primaries: Set<string>
  readonly sizes: Map<Digest, number>
  readonly chains: Map<Digest, Digest>
  heads: readonly ListedHead[]
  lastHead: number
  readonly marks: Map<string, string>
}

export function createPlace(): Place {
  return {
    rows: [],
    primaries: new Set(),
    sizes: new Map(),
    chains: new Map(),
    heads: [],
    lastHead: 0,
    marks: new Map(),
  }
}

/** `kind` decides whether what is cached above it is trusted. */
export function createMemoryStorage(place: Place = createPlace(), kind: Storage["kind"] = "sqlite"): MemoryStorage {
  const { rows, primaries, sizes, chains, marks } = place
  const eventsOf = (chain: Digest) => rows.filter((row) => row.chain === chain)

  const storage: MemoryStorage = {
    kind,
    rows,
    failure: undefined,
    reads: 0,
    async loadChain(chain) {
      const events = eventsOf(chain).toSorted((a, b) => a.seq - b.seq || (a.digest < b.digest ? -1 : 1))
      storage.reads += events.length
      return events.length === 0 ? undefined : { events, size: events.length }
    },
    sizeOf: async (chain) => sizes.get(chain) ?? 0,
    chainsOfPrimary: async (key) =>
      [...primaries].flatMap((line) => (line.startsWith(`${key} `) ? [line.slice(key.length + 1)] : [])).sort(),
    chainOfEvent: async (digest) => chains.get(digest),
    async append(event, expectedSize) {
      await write()
      const { primaries: keys, ...row } = event
      if (chains.has(event.digest) || (sizes.get(event.chain) ?? 0) !== expectedSize) return { status: "raced" }
      chains.set(event.digest, event.chain)
      sizes.set(event.chain, expectedSize + 1)
      for (const key of keys) primaries.add(`${key} ${event.chain}`)
      return insert(row)
    },
    loadHeads: async (chain, now) =>
      place.heads.filter((head) => head.chain === chain && head.expiresAt > now).map(({ cursor: _, ...head }) => head),
    headsAfter: async (cursor, limit, now) =>
      place.heads
        .filter((head) => head.cursor > cursor && head.expiresAt > now)
        .toSorted((a, b) => a.cursor - b.cursor)
        .slice(0, limit),
    async saveHead(head, now) {
      await write()
      const same = (other: StoredHead) => place.heads.length > 0 && headKey(other) === headKey(head)
      const known = place.heads.find(same)
      const better = known !== undefined && known.expiresAt >= head.expiresAt ? known : listed(head, now * 1_000)
      const live = [better, ...place.heads.filter((other) => !same(other))].filter(
        ({ chain, expiresAt }) => chain !== head.chain || expiresAt > now,
      )
      const sorted = live.sort((a, b) => b.seq - a.seq || b.expiresAt - a.expiresAt)
      const own = sorted.filter(({ chain, signer }) => chain === head.chain && signer === head.signer)
      const dropped = new Set(own.slice(maxHeadsPerSigner))
      place.heads = sorted.filter((other) => !dropped.has(other))
    },
    eventsAfter: async (cursor, limit) => rows.filter((row) => row.cursor > cursor).slice(0, limit),
    readMark: async (name) => marks.get(name),
    async writeMark(name, value) {
      await write()
      marks.set(name, value)
    },
    counts: async () => ({
      events: rows.length,
      chains: sizes.size,
      bytes: rows.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0),
    }),
    assertWritable: () => write(),
    async fill(filled) {
      if (rows.length > 0) throw new KezError("store.exists", "Cannot fill the storage: it is not empty")
      for await (const { events, heads } of filled) {
        for (const { primaries: keys, ...row } of events) {
          chains.set(row.digest, row.chain)
          sizes.set(row.chain, (sizes.get(row.chain) ?? 0) + 1)
          for (const key of keys) primaries.add(`${key} ${row.chain}`)
          rows.push(row)
        }
        place.heads = [...place.heads, ...heads.map((head) => listed(head, 0))]
      }
      rows.sort((a, b) => a.cursor - b.cursor)
    },
    async close() {},
  }
  return storage

  function listed(head: StoredHead, leastCursor: number): ListedHead {
    place.lastHead = Math.max(place.lastHead + 1, leastCursor)
    return { ...head, cursor: place.lastHead }
  }

  async function write(): Promise<void> {
    // Others run before it is done, as with a real one.
    await Promise.resolve()
    if (storage.failure !== undefined) throw storage.failure
  }

  function insert(row: Omit<NewEvent, "primaries">) {
    const cursor = rows.length + 1
    rows.push({ ...row, cursor })
    return { status: "stored", cursor } as const
  }
}

function headKey({ chain, signer, seq, digest }: StoredHead): string {
  return `${chain} ${signer} ${seq} ${digest}`
}
