/** To which chain a posted event belongs. */
import { type Digest, envelopeDigest, isDigest, KezError, type SigchainEvent } from "@kez/core"
import type { Storage } from "../storage/storage.ts"

/** The chain of an event that was posted under the id of its chain, for which nobody has to be asked; otherwise undefined. */
export function chainById(id: string, event: SigchainEvent): Digest | undefined {
  if (!isDigest(id)) return undefined
  return event.payload.seq > 0 || id === envelopeDigest(event) ? id : undefined
}

/**
 * The chain of an event that was posted under `id`, a chain id or a primary. Throws `chain.genesis` for an event 0 of another
 * chain, `chain.unknown` when the store has no chain of this id that the event could belong to.
 */
export async function chainFor(storage: Storage, id: string, event: SigchainEvent): Promise<Digest> {
  const { seq, prev = "", primary } = event.payload
  if (seq === 0) {
    const own = envelopeDigest(event)
    if (id === own || id === primary) return own
    if (!isDigest(id) && (await storage.chainsOfPrimary(id)).includes(own)) return own
    throw new KezError(
      "chain.genesis",
      "Cannot accept the event: it begins another chain than the one it was posted to",
    )
  }
  if (isDigest(id)) return id
  const chains = await storage.chainsOfPrimary(id)
  const [chain, ...others] = chains
  if (others.length === 0 && chain !== undefined) return chain
  const before = await storage.chainOfEvent(prev)
  if (before !== undefined && chains.includes(before)) return before
  throw new KezError("chain.unknown", "Cannot accept the event: the store has no chain of this id that it follows")
}
