/** Real signed chains for tests, and the rows that a storage keeps of them. */
import {
  appendEvent,
  type ChainReplay,
  createSigner,
  envelopeDigest,
  formatEnvelope,
  replayChain,
  type SigchainEvent,
  signHead,
} from "@kez/core"
import type { Storage, StoredHead } from "../src/storage/storage.ts"

export const now = 1_800_000_000

export function signerOf(name: number | string) {
  return createSigner(
    "ed25519",
    new Uint8Array(32).fill(0).map((_, i) => String(name).charCodeAt(i) || 7),
  )
}

export interface MadeChain {
  readonly events: readonly SigchainEvent[]
  readonly replay: ChainReplay
}

/** A chain of `length` events by one primary, who adds accounts. */
export async function makeChain(name: number | string, length: number): Promise<MadeChain> {
  let made: MadeChain | undefined
  for (let i = 0; i < length; i++) made = await addTo(made, name, `dns:a${i}.${name}.example`)
  if (made === undefined) throw new Error("a chain has at least one event")
  return made
}

export async function addTo(chain: MadeChain | undefined, name: number | string, subject: string): Promise<MadeChain> {
  const operation = { op: "add", subject } as const
  const time = now - 10_000 + (chain?.events.length ?? 0)
  const { event } = await appendEvent({ chain: chain?.replay, operation, now: time }, signerOf(name))
  const events = [...(chain?.events ?? []), event]
  return { events, replay: replayChain(events) }
}

/** Two branches after event `at`: all events of both, the shared ones once. */
export async function makeFork(name: number | string, at: number): Promise<MadeChain> {
  const trunk = await makeChain(name, at + 1)
  const [left, right] = [await addTo(trunk, name, "dns:left.example"), await addTo(trunk, name, "dns:right.example")]
  const events = [...left.events, ...right.events.slice(at + 1)]
  return { events, replay: replayChain(events) }
}

export async function headOf(
  { replay }: MadeChain,
  name: number | string,
  lifetimeSeconds = 3_600,
): Promise<StoredHead> {
  const head = await signHead(replay, { now, lifetimeSeconds }, signerOf(name))
  const { chain, seq, digest } = head.payload
  return {
    chain,
    signer: head.signature.key,
    seq,
    digest,
    expiresAt: now + lifetimeSeconds,
    text: formatEnvelope(head),
  }
}

/** Writes events as a service would that has found them valid. */
export async function storeEvents(storage: Storage, { events, replay }: MadeChain): Promise<void> {
  const size = await storage.sizeOf(replay.chain)
  for (const [place, event] of events.slice(size).entries()) {
    const { payload } = event
    const row = {
      digest: envelopeDigest(event),
      chain: replay.chain,
      seq: payload.seq,
      text: formatEnvelope(event),
      primaries: payload.seq === 0 ? [payload.primary] : [],
      storedAt: now + place,
    }
    await storage.append(row, size + place)
  }
}
