/** The chains that this computer knows: every valid event, losing branches included. SPEC §5.5, FORK-5. */
import {
  type ChainReplay,
  type Code,
  type Digest,
  decodeEnvelope,
  envelopeDigest,
  formatEnvelope,
  hasRoomFor,
  KezError,
  replayChain,
  type SigchainEvent,
} from "@kez/core"
import { guard, type Store } from "./database.ts"

/** Branches of one answer that are stored: each is replayed from event 0. */
const maxEnds = 32

/** What became of a branch that was handed to the store. */
export interface Stored {
  readonly chain: Digest
  /** Events that were not known before. */
  readonly added: number
  readonly refused: readonly { readonly seq: number; readonly digest: Digest; readonly code: Code }[]
}

/** Chain ids of every chain that any known event of it names `key` in, as a primary or a device; sorted. */
export function chainsOfKey(store: Store, key: string, role?: "primary" | "device"): readonly Digest[] {
  const rows =
    role === undefined
      ? store.prepare("SELECT DISTINCT chain FROM chain_keys WHERE key = ? ORDER BY chain").all(key)
      : store.prepare("SELECT chain FROM chain_keys WHERE key = ? AND role = ? ORDER BY chain").all(key, role)
  return rows.map((row) => String(row["chain"]))
}

/** Chain ids that begin with `prefix`; at most two, since two are one too many. */
export function chainsByPrefix(store: Store, prefix: string): readonly Digest[] {
  const rows = store
    .prepare("SELECT digest FROM events WHERE seq = 0 AND substr(digest, 1, ?) = ? LIMIT 2")
    .all(prefix.length, prefix)
  return rows.map((row) => String(row["digest"]))
}

/** Every known event of a chain, by seq. Throws `store.corrupt` for an event that cannot be read any more. */
export function loadEvents(store: Store, chain: Digest): readonly SigchainEvent[] {
  const path = store.location() ?? "the store"
  const digests = guard(path, () => knownDigests(store, chain))
  const last = lastRead.get(store)
  if (last?.chain === chain && isEqual(last.digests, digests)) return last.events
  const rows = guard(path, () =>
    store.prepare("SELECT digest, envelope FROM events WHERE chain = ? ORDER BY seq, digest").all(chain),
  )
  const events = rows.map((row) => readEvent(String(row["envelope"]), String(row["digest"]), path))
  lastRead.set(store, { chain, digests: rows.map((row) => String(row["digest"])), events })
  return events
}

/** The chain that a connection read last: each of an identity's many accounts would otherwise decode its whole history again. */
const lastRead = new WeakMap<Store, LastRead>()

interface LastRead {
  readonly chain: Digest
  /** Tells whether the chain has changed since, by this process or another. */
  readonly digests: readonly Digest[]
  readonly events: readonly SigchainEvent[]
}

function knownDigests(store: Store, chain: Digest): readonly Digest[] {
  const rows = store.prepare("SELECT digest FROM events WHERE chain = ? ORDER BY seq, digest").all(chain)
  return rows.map((row) => String(row["digest"]))
}

function isEqual(a: readonly Digest[], b: readonly Digest[]): boolean {
  return a.length === b.length && a.every((digest, at) => digest === b[at])
}

/** Notes that events were signed on this computer. To be called in a transaction. */
export function markOwn(store: Store, events: readonly SigchainEvent[]): void {
  const mark = store.prepare("UPDATE events SET own = 1 WHERE digest = ?")
  for (const event of events) mark.run(envelopeDigest(event))
}

/** Digests of the events of a chain that were signed on this computer. */
export function ownEvents(store: Store, chain: Digest): ReadonlySet<Digest> {
  const rows = store.prepare("SELECT digest FROM events WHERE chain = ? AND own = 1").all(chain)
  return new Set(rows.map((row) => String(row["digest"])))
}

/** The chain as this computer knows it; undefined when it knows none of its events. */
export function loadChain(store: Store, chain: Digest): ChainReplay | undefined {
  const events = loadEvents(store, chain)
  return events.length === 0 ? undefined : replayChain(events, { chain })
}

/**
 * Stores one branch, event 0 first, as far as it is valid; what is known already stays as it is. To be called in a
 * transaction. Nothing that core refuses is stored: a store full of noise would be a tool against its owner.
 */
export function storeBranch(store: Store, events: readonly SigchainEvent[], now: number): Stored {
  const [genesis] = events
  if (genesis === undefined) throw new KezError("chain.jsonl", "Cannot store the chain: it has no events")
  const chain = envelopeDigest(genesis)
  if (isKnownBranch(store, chain, events)) return { chain, added: 0, refused: [] }
  const { path, refused } = validPart(events, chain)
  const known = loadEvents(store, chain)
  const before = new Set(known.map(envelopeDigest))
  const fresh = path.filter((event) => !before.has(envelopeDigest(event)))
  const [first] = fresh
  if (first === undefined) return { chain, added: 0, refused }
  if (!hasRoomFor(known, path, path.indexOf(first))) {
    const { seq } = first.payload
    return { chain, added: 0, refused: [...refused, { seq, digest: envelopeDigest(first), code: "limit.chain" }] }
  }
  for (const event of fresh) insertEvent(store, chain, event, now)
  return { chain, added: fresh.length, refused }
}

/** Most of what places serve is here already, and then there is nothing to replay: what is here was valid. */
function isKnownBranch(store: Store, chain: Digest, events: readonly SigchainEvent[]): boolean {
  const known = new Set(knownDigests(store, chain))
  let before: Digest | undefined
  return events.every((event) => {
    const follows = event.payload.prev === before
    before = envelopeDigest(event)
    return follows && known.has(before)
  })
}

/**
 * Stores events of any branches of a known chain, as far as they are valid. Their order means nothing. To be called in a
 * transaction. Returns how many were not known before.
 */
export function storeEvents(
  store: Store,
  chain: Digest,
  events: readonly SigchainEvent[],
  now: number,
): { readonly added: number } {
  const byDigest = (list: readonly SigchainEvent[]) => new Map(list.map((event) => [envelopeDigest(event), event]))
  const known = byDigest(loadEvents(store, chain))
  const fresh = [...byDigest(events)].filter(([digest]) => !known.has(digest))
  const all = new Map([...known, ...fresh])
  const followed = new Set(fresh.flatMap(([, { payload }]) => payload.prev ?? []))
  const ends = fresh.flatMap(([digest, event]) => (followed.has(digest) ? [] : [event])).slice(0, maxEnds)
  const stored = ends.flatMap((end) => {
    const branch = branchTo(end, all)
    return branch === undefined ? [] : [storeBranch(store, branch, now).added]
  })
  return { added: stored.reduce((sum, one) => sum + one, 0) }
}

/** From event 0 to `end`; undefined where an event between them is not known. */
function branchTo(end: SigchainEvent, all: ReadonlyMap<Digest, SigchainEvent>): readonly SigchainEvent[] | undefined {
  const branch = [end]
  for (let event = end; event.payload.prev !== undefined; ) {
    const before = all.get(event.payload.prev)
    // Numbers that go down make a circle impossible.
    if (before === undefined || before.payload.seq >= event.payload.seq) return undefined
    branch.push(before)
    event = before
  }
  return branch.reverse()
}

function validPart(events: readonly SigchainEvent[], chain: Digest): Pick<ChainReplay, "path" | "refused"> {
  try {
    return replayChain(events, { chain })
  } catch (error) {
    if (!(error instanceof KezError) || error.code !== "chain.genesis") throw error
    return { path: [], refused: [{ seq: 0, digest: chain, code: error.code }] }
  }
}

function insertEvent(store: Store, chain: Digest, event: SigchainEvent, now: number): void {
  const { payload } = event
  store
    .prepare("INSERT OR IGNORE INTO events (digest, chain, seq, envelope, stored_at) VALUES (?, ?, ?, ?, ?)")
    .run(envelopeDigest(event), chain, payload.seq, formatEnvelope(event), now)
  const addKey = store.prepare("INSERT OR IGNORE INTO chain_keys (key, chain, role) VALUES (?, ?, ?)")
  addKey.run(payload.primary, chain, "primary")
  if (payload.op === "rotate") addKey.run(payload.payload.new_primary, chain, "primary")
  if (payload.op === "add_device") addKey.run(payload.payload.key, chain, "device")
}

/** A flipped bit must not pass for an event that nobody signed: the chain would seem to end before it. */
function readEvent(text: string, digest: Digest, path: string): SigchainEvent {
  try {
    const event = decodeEnvelope(text, "sigchain_event")
    if (envelopeDigest(event) === digest) return event
    throw new Error("another digest")
  } catch (cause) {
    throw new KezError("store.corrupt", `Cannot read ${path}: a sigchain event in it is damaged`, {
      cause,
      hint: `Nothing was deleted. Move it away (mv "${path}" "${path}.damaged") and go on: chains are found again with kez sigchain import.`,
    })
  }
}
