/** Chain documents as places serve them. SPEC §5.9 */
import { type ChainReading, type Digest, envelopeDigest, readChain, type SigchainEvent } from "@kez/core"

const compactPrefix = "kez:zc1:"

/** JSONL or compact, as far as it can be read. */
export function readDocumentChain(bytes: Uint8Array): ChainReading {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return readChain(
    text.subarray(0, compactPrefix.length).toString("latin1") === compactPrefix ? text.toString("latin1") : bytes,
  )
}

/** The chain id of a document; undefined for one without events. */
export function chainOf(events: readonly SigchainEvent[]): Digest | undefined {
  const [genesis] = events
  return genesis === undefined ? undefined : envelopeDigest(genesis)
}

/** The documents read last, by their digest: many accounts of one identity name one chain. */
const lastRead = new Map<string, ChainReading>()
const maxLastRead = 4

/** The same, of a document that was fetched just now; `sha256` is the digest of its bytes. */
export function readServed(body: Uint8Array, sha256: string): ChainReading {
  const reading = lastRead.get(sha256) ?? readDocumentChain(body)
  lastRead.delete(sha256)
  lastRead.set(sha256, reading)
  const [oldest] = lastRead.keys()
  if (lastRead.size > maxLastRead && oldest !== undefined) lastRead.delete(oldest)
  return reading
}
