/** Every bound of the store's HTTP side, in one place; what admins may change is in settings.ts. Bytes unless the name says otherwise. SPEC §8 */
import { limits } from "@kez/core"

/** The body of a POST: one envelope in JCS. */
export const maxBodyBytes = limits.maxEnvelopeBytes
/** All headers of a request together, its first line too. */
export const maxHeaderBytes = 16_384
/** `nostr:npub1…` has 69 characters, a digest or a hex key 71. */
export const maxChainNameBytes = 128

/** From the first byte of a request to the end of its headers. */
export const headersTimeoutMs = 10_000
/** From the first byte of a request to the end of its body. */
export const requestTimeoutMs = 20_000
/** How often connections are checked against the two above. */
export const connectionCheckMs = 2_000
/** Longer than reverse proxies keep theirs: the side that speaks next must not meet a closed connection. */
export const keepAliveTimeoutMs = 75_000
/** A connection on which nothing moves in either direction while it is answered. Heartbeats of a stream count. */
export const socketIdleMs = 90_000
/** Requests under way may finish for so long once the process is told to stop. */
export const shutdownMs = 10_000

/** Token buckets that are remembered for each kind of limit; beyond, the one that was used longest ago is forgotten. */
export const maxBuckets = 100_000
/** Addresses whose networks are remembered. */
export const maxKnownAddresses = 10_000

/** Events of one page of the feed. */
export const maxFeedEvents = 1_000
export const usualFeedEvents = 100

export const streamHeartbeatMs = 15_000
/** Events of one message of a stream; beyond, the message only says where the chain ends. */
export const maxStreamEventsBytes = 262_144
/** Bytes that a stream's reader has not taken yet; beyond, it is cut. */
export const maxStreamBacklogBytes = 524_288
