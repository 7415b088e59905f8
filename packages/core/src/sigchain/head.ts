/** Signed heads: against a server that freezes a chain. SPEC §5.8. */
import type { Digest } from "../digest.ts"
import { acceptEnvelope, type ChainHead } from "../envelope/envelope.ts"
import { signEnvelope } from "../envelope/sign.ts"
import { assertSignature } from "../envelope/verify.ts"
import { KezError } from "../error.ts"
import { clockSkewSeconds, maxHeadLifetimeSeconds } from "../limits.ts"
import type { Signer } from "../signer.ts"
import { formatTime, parseTime } from "../time.ts"
import type { ChainReplay } from "./result.ts"

export interface HeadMeaning {
  /** `live`: names the end. `old`: names an earlier event, or one off the path. `beyond`: more exists than is known. `conflict`: another event stands at that seq. */
  readonly says: "live" | "old" | "beyond" | "conflict"
  readonly signer: string
  readonly expiresAt: string
}

/** Signs that the chain ends where `replay` ends, for `lifetimeSeconds` from `now` (Unix seconds) on. */
export function signHead(
  replay: ChainReplay,
  times: { readonly now: number; readonly lifetimeSeconds?: number },
  signer: Signer,
): Promise<ChainHead> {
  const { chain, head } = replay
  const payload = {
    type: "kez.sigchain.head",
    version: 1,
    chain,
    seq: head.seq,
    digest: head.digest,
    issued_at: formatTime(times.now),
    expires_at: formatTime(times.now + (times.lifetimeSeconds ?? maxHeadLifetimeSeconds)),
  } as const
  return signEnvelope("chain_head", payload, signer)
}

/**
 * What a head says about a chain at `now`. Throws the codes of its signature, `time.future`, `head.expired` or
 * `head.not_authorised`; `chain.unknown` when it is about another chain. [HEAD-1] [HEAD-2]
 */
export function judgeHead(received: ChainHead, replay: ChainReplay, now: number): HeadMeaning {
  const head = acceptEnvelope(received, "chain_head")
  const { chain, seq, digest, issued_at, expires_at } = head.payload
  if (chain !== replay.chain) throw new KezError("chain.unknown", "Cannot use the head: it is about another chain")
  assertSignature(head)
  if (parseTime(issued_at) > now + clockSkewSeconds)
    throw new KezError("time.future", "Cannot use the head: it is issued in the future")
  if (now >= parseTime(expires_at))
    throw new KezError("head.expired", `Cannot use the head: it expired at ${expires_at}`)
  const signer = head.signature.key
  if (!isCurrentKey(replay, signer)) {
    throw new KezError(
      "head.not_authorised",
      "Cannot use the head: expected the signature of a current key of the chain",
    )
  }
  return { says: compare(replay, seq, digest), signer, expiresAt: expires_at }
}

/** Whether a key may speak for the identity now: the primary, or an active device that no revocation suspends. */
export function isCurrentKey({ state }: ChainReplay, key: string): boolean {
  return key === state.primary || state.devices.some((device) => device.key === key && !device.suspended)
}

function compare(replay: ChainReplay, seq: number, digest: Digest): HeadMeaning["says"] {
  if (replay.digests[seq] !== digest && replay.knows(digest)) return "old"
  if (seq > replay.head.seq) return "beyond"
  if (replay.digests[seq] === digest) return seq === replay.head.seq ? "live" : "old"
  return "conflict"
}
