/**
 * Where the store keeps its bytes. One small interface, two implementations: SQLite in a file, PostgreSQL for several copies.
 * It judges nothing: what is handed to it was found valid, and it gives back the same bytes. SPEC §8
 */
import type { Digest } from "@kez/core"

/** A valid event as it is kept. Nothing of it is ever rewritten or deleted. */
export interface NewEvent {
  readonly digest: Digest
  readonly chain: Digest
  readonly seq: number
  /** JCS of the envelope: the bytes that are served. */
  readonly text: string
  /** Keys that the event makes a primary of its chain: by these the chain is found. */
  readonly primaries: readonly string[]
  /** Unix seconds. */
  readonly storedAt: number
}

export interface StoredEvent extends Omit<NewEvent, "primaries"> {
  /** Rises with every event of the whole store; mirrors follow it. No gaps matter, only the order. */
  readonly cursor: number
}

export interface StoredHead {
  readonly chain: Digest
  readonly signer: string
  readonly seq: number
  readonly digest: Digest
  /** Unix seconds. */
  readonly expiresAt: number
  /** JCS of the envelope. */
  readonly text: string
}

/** A head as those see it who follow the store. */
export interface ListedHead extends StoredHead {
  /** Given when it was kept; above all that were given before. */
  readonly cursor: number
}

/** What a chain holds, and which version of it that was. */
export interface StoredChain {
  /** By seq, then digest; losing branches included. */
  readonly events: readonly StoredEvent[]
  /** How many events the chain has: they only ever become more, so this names a version of it. */
  readonly size: number
}

/** `raced`: another writer added to the chain since `expectedSize` was read; nothing was written. */
export type AppendResult = { readonly status: "stored"; readonly cursor: number } | { readonly status: "raced" }

/** A whole chain on its way into an empty storage. Every event keeps its cursor, so that mirrors can go on where they were. */
export interface FilledChain {
  readonly events: readonly (NewEvent & { readonly cursor: number })[]
  readonly heads: readonly StoredHead[]
}

/** How much is kept, for limits and metrics. */
export interface StorageCounts {
  readonly events: number
  readonly chains: number
  readonly bytes: number
}

/**
 * Failures are KezErrors: `store.full` (disk or quota), `store.busy`, `store.corrupt`, `store.newer`, `store.write`.
 * A promise that resolves after a write means that the write survives a power cut.
 */
export interface Storage {
  readonly kind: "sqlite" | "postgres"
  /** Undefined: no such chain. */
  loadChain(chain: Digest): Promise<StoredChain | undefined>
  /** The number of events of a chain, 0 for none: whether a cached one is still the newest. */
  sizeOf(chain: Digest): Promise<number>
  /** Chain ids that a key is or was a primary of, sorted. */
  chainsOfPrimary(key: string): Promise<readonly Digest[]>
  /** The chain that an event belongs to. */
  chainOfEvent(digest: Digest): Promise<Digest | undefined>
  /** Writes one event durably, if the chain still has `expectedSize` events. */
  append(event: NewEvent, expectedSize: number): Promise<AppendResult>
  /** Heads that have not expired at `now`, newest position first. */
  loadHeads(chain: Digest, now: number): Promise<readonly StoredHead[]>
  /** Keeps the newest heads of a chain, a few for each signer; older and expired ones go. Durable. */
  saveHead(head: StoredHead, now: number): Promise<void>
  /** Events after a cursor, in its order, at most `limit`. */
  eventsAfter(cursor: number, limit: number): Promise<readonly StoredEvent[]>
  /**
   * Heads after a cursor that have not expired at `now`, in its order, at most `limit`. Cursors are at least the time in milliseconds: where
   * the newest were lost with an older state of the data, new heads are above them all the same.
   */
  headsAfter(cursor: number, limit: number, now: number): Promise<readonly ListedHead[]>
  /** A number of this store's own, such as how far a mirror has come. */
  readMark(name: string): Promise<string | undefined>
  writeMark(name: string, value: string): Promise<void>
  counts(): Promise<StorageCounts>
  /** Whether a write would succeed now. Throws as an append would. */
  assertWritable(): Promise<void>
  /**
   * Called with the chain of each event that another process on the same storage has written; `onReset` when the database was gone for a
   * while. It may have failed over since to a copy that lacks its newest events, and has others in their place: nothing read before
   * counts any more. PostgreSQL only.
   */
  onForeignAppend?(listener: (chain: Digest) => void, onReset?: () => void): void
  /**
   * Another number whenever something was written since that `append` and `saveHead` of this storage did not tell of: by another process.
   * As it was when this turn of the event loop began. SQLite only.
   */
  version?(): number
  /** Fills an empty storage in one transaction: all of it is kept, or nothing, whatever happens. Throws `store.exists` when it is not empty. */
  fill(chains: AsyncIterable<FilledChain>): Promise<void>
  close(): Promise<void>
}
