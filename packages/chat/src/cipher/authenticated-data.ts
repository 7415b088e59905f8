/**
 * What every commit and message carries in MLS's `authenticated_data`, in the clear and under the sender's signature: the state of the
 * conversation it was made under, the epoch's transcript, the time, and the chain head of each member that it concerns.
 */
import { type Digest, KezError } from "@kez/core"
import { ByteReader, joinBytes, uintBytes } from "../bytes.ts"
import type { NamedHead } from "../chains.ts"
import { bytesOfDigest, digestBytes, digestOfBytes } from "../digests.ts"
import { maxNamedHeads } from "../limits.ts"

export interface AuthenticatedData {
  /** Digest of the state: for a commit, of the one in force after it. */
  readonly state: Digest
  /** Names the epoch by everything that led to it, so that a fork is told from damage. */
  readonly transcript: Digest
  /** Unix seconds, as the sender's clock had it. Lifetimes are judged at it, by everybody alike. */
  readonly at: number
  /** Sorted by chain, each once. */
  readonly heads: readonly NamedHead[]
}

const version = 1
const what = "the data of a message"

export function encodeAuthenticatedData({ state, transcript, at, heads }: AuthenticatedData): Uint8Array {
  const sorted = heads.toSorted(byChain)
  return joinBytes(
    Uint8Array.of(version),
    bytesOfDigest(state),
    bytesOfDigest(transcript),
    uintBytes(at, 8),
    uintBytes(sorted.length, 2),
    ...sorted.map(({ chain, seq, digest }) =>
      joinBytes(bytesOfDigest(chain), uintBytes(seq, 4), bytesOfDigest(digest)),
    ),
  )
}

/** Throws `chat.encoding` for anything but the one spelling, `limit.size` for too many heads. */
export function decodeAuthenticatedData(bytes: Uint8Array): AuthenticatedData {
  const reader = new ByteReader(bytes, what)
  if (reader.uint(1) !== version) throw fault("another version of its data")
  const state = digestOfBytes(reader.bytes(digestBytes))
  const transcript = digestOfBytes(reader.bytes(digestBytes))
  const at = reader.uint(8)
  const count = reader.uint(2)
  if (count > maxNamedHeads) {
    throw new KezError("limit.size", `Cannot read ${what}: expected at most ${maxNamedHeads} heads, got ${count}`)
  }
  const heads = Array.from({ length: count }, () => ({
    chain: digestOfBytes(reader.bytes(digestBytes)),
    seq: reader.uint(4),
    digest: digestOfBytes(reader.bytes(digestBytes)),
  }))
  reader.end()
  if (heads.some((head, i) => i > 0 && byChain(heads[i - 1] ?? head, head) >= 0)) throw fault("heads out of order")
  return { state, transcript, at, heads }
}

function byChain(a: NamedHead, b: NamedHead): number {
  return a.chain < b.chain ? -1 : a.chain > b.chain ? 1 : 0
}

function fault(found: string): KezError {
  return new KezError("chat.encoding", `Cannot read ${what}: it has ${found}`, {
    hint: "It was made by another version of KEZ. Update, then look again.",
  })
}
