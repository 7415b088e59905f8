/** A chain in memory: all its events, what they come to, and the bytes that are served. */
import { setImmediate } from "node:timers/promises"
import {
  type ChainReplay,
  type Digest,
  decodeEnvelope,
  envelopeDigest,
  formatEnvelope,
  KezError,
  replayChain,
  type SigchainEvent,
  utf8Length,
  vouchForEvent,
} from "@kez/core"
import type { ChainView } from "../chain-service.ts"
import { cachedChainBytes, cachedEventBytes, eventsPerTurn } from "../limits.ts"
import type { StoredChain, StoredEvent } from "../storage/storage.ts"
import { documentOf, type GrowingDocument, withLine } from "./document.ts"

export interface KeptEvent {
  readonly event: SigchainEvent
  /** Unix seconds. */
  readonly storedAt: number
}

export interface KeptChain {
  readonly view: ChainView
  /** Every valid event, losing branches included. */
  readonly events: Map<Digest, KeptEvent>
  /** Events that others follow. */
  readonly parents: Set<Digest>
  readonly document: GrowingDocument
  /** Of all events. */
  readonly bytes: number
  readonly weight: number
  /** The version of the storage at which this was the newest state; undefined: each look has to ask. */
  newestAt: number | undefined
}

/**
 * The chain that a storage gave back. Each row is compared with its digest, by which its signature was checked when it came:
 * it is not checked again. Throws `store.corrupt` for a row with other bytes, and when an event is missing.
 */
export async function readStoredChain(chain: Digest, stored: StoredChain): Promise<KeptChain> {
  const events = new Map<Digest, KeptEvent>()
  for (const [i, row] of stored.events.entries()) {
    events.set(row.digest, { event: readRow(row), storedAt: row.storedAt })
    if (i % eventsPerTurn === eventsPerTurn - 1) await setImmediate()
  }
  const replay = replayed(chain, events)
  // A hole: those after it would silently count no more.
  for (const digest of events.keys()) if (!replay.knows(digest)) throw damaged("one is missing")
  const document = documentOf(replay.path.map(formatEnvelope))
  const parents = new Set([...events.values()].flatMap(({ event }) => event.payload.prev ?? []))
  const bytes = stored.events.reduce((sum, { text }) => sum + utf8Length(text), 0)
  return keptChain({ replay, events, parents, document, bytes })
}

/** The chain with an event that was judged valid and written. Of the one before, the view stays as it is. */
export function withEvent(before: KeptChain | undefined, added: KeptEvent, replay: ChainReplay): KeptChain {
  const { event } = added
  const line = formatEnvelope(event)
  const events = before?.events ?? new Map<Digest, KeptEvent>()
  const parents = before?.parents ?? new Set<Digest>()
  events.set(envelopeDigest(event), added)
  if (event.payload.prev !== undefined) parents.add(event.payload.prev)
  const bytes = (before?.bytes ?? 0) + utf8Length(line)
  return keptChain({ replay, events, parents, bytes, document: documentAfter(before, event, replay) })
}

/** Events that are not on the winning path, by seq and digest. */
export function eventsOffPath({ events, view }: KeptChain): readonly SigchainEvent[] {
  const winning = new Set(view.replay.digests)
  return [...events.entries()]
    .flatMap(([digest, { event }]) => (winning.has(digest) ? [] : [{ digest, event }]))
    .toSorted((a, b) => a.event.payload.seq - b.event.payload.seq || (a.digest < b.digest ? -1 : 1))
    .map(({ event }) => event)
}

/** The events from event 0 to this one. */
export function branchTo({ events }: KeptChain, digest: Digest): readonly SigchainEvent[] {
  const branch: SigchainEvent[] = []
  for (let kept = events.get(digest); kept !== undefined; ) {
    branch.push(kept.event)
    const { prev } = kept.event.payload
    kept = prev === undefined ? undefined : events.get(prev)
  }
  return branch.reverse()
}

/** Other chains may have pushed the signatures of this one out of memory: before all of it is walked, they are vouched for. */
export function vouchForAll(events: ReadonlyMap<Digest, KeptEvent>): void {
  for (const { event } of events.values()) vouchForEvent(event)
}

function documentAfter(before: KeptChain | undefined, event: SigchainEvent, replay: ChainReplay): GrowingDocument {
  if (before !== undefined && replay.head.digest === before.view.replay.head.digest) return before.document
  const continues = before !== undefined && event.payload.prev === before.view.replay.head.digest
  if (continues && replay.head.digest === envelopeDigest(event)) return withLine(before.document, formatEnvelope(event))
  return documentOf(replay.path.map(formatEnvelope))
}

function keptChain(
  parts: Pick<KeptChain, "events" | "parents" | "document" | "bytes"> & { replay: ChainReplay },
): KeptChain {
  const { replay, events, parents, document, bytes } = parts
  const view = { chain: replay.chain, replay, document: document.bytes, size: events.size }
  const weight = cachedChainBytes + 2 * bytes + events.size * cachedEventBytes
  return { view, events, parents, document, bytes, weight, newestAt: undefined }
}

function replayed(chain: Digest, events: ReadonlyMap<Digest, KeptEvent>): ChainReplay {
  vouchForAll(events)
  try {
    return replayChain(
      [...events.values()].map(({ event }) => event),
      { chain },
    )
  } catch (cause) {
    throw cause instanceof KezError ? damaged(cause.code) : cause
  }
}

/** A flipped bit must not pass for an event that nobody signed: the chain would seem to end before it. */
function readRow({ text, digest, seq }: StoredEvent): SigchainEvent {
  try {
    const event = decodeEnvelope(text, "sigchain_event")
    if (envelopeDigest(event) === digest && formatEnvelope(event) === text && event.payload.seq === seq) return event
  } catch (cause) {
    throw cause instanceof KezError ? damaged(cause.code) : cause
  }
  throw damaged("one has other bytes")
}

/** Names no chain and quotes no event: this gets into the log. `kez-sig-server check` names them to who runs the store. */
function damaged(how: string): KezError {
  return new KezError("store.corrupt", `Cannot read a chain: its events in the store are damaged (${how})`, {
    hint: "Nothing was deleted. kez-sig-server check names what is damaged.",
  })
}
