/**
 * How much may be written, and by whom. Tokens of a chain are taken only for what was stored: else anybody could keep its owner
 * from revoking. For the same reason the primary has a bucket of its own: whoever stole a device cannot empty it. SPEC STORE-13
 */

import { type BucketPlan, limitHeaders, networkOf, Problem, TokenBuckets } from "@kez/server"
import type { ChainView } from "./chain-service.ts"
import { maxBuckets } from "./http-limits.ts"

export interface WritePlans {
  readonly chain: BucketPlan
  readonly ip: BucketPlan
  readonly genesis: BucketPlan
}

/** The answer, as far as limits are told on it. */
export interface HeaderSink {
  setHeader(name: string, value: string): void
}

export type WriteLimit = keyof WritePlans

/** A bucket that a request has to have a token in. */
export interface Claim {
  readonly limit: WriteLimit
  readonly key: string
}

export class WriteLimits {
  readonly #buckets: Readonly<Record<WriteLimit, TokenBuckets>>
  readonly #onRefusal: (limit: WriteLimit) => void

  constructor(plans: WritePlans, nowMs: () => number, onRefusal: (limit: WriteLimit) => void) {
    const make = (plan: BucketPlan): TokenBuckets => new TokenBuckets(plan, { maxBuckets, nowMs })
    this.#buckets = { chain: make(plans.chain), ip: make(plans.ip), genesis: make(plans.genesis) }
    this.#onRefusal = onRefusal
  }

  /** Every POST costs its sender a token, refused ones too: signatures are checked for it. */
  takeFromAddress(address: string, answer: HeaderSink): void {
    const claim: Claim = { limit: "ip", key: networkOf(address) }
    this.assertRoom(claim, answer)
    this.spend(claim)
  }

  /** Throws 429 where there is no token; says on the answer how many there are. */
  assertRoom({ limit, key }: Claim, answer: HeaderSink): void {
    const buckets = this.#buckets[limit]
    if (buckets.isOff) return
    const view = buckets.look(key)
    for (const [name, value] of Object.entries(limitHeaders(view))) answer.setHeader(name, value)
    if (view.retryAfterSeconds === 0) return
    this.#onRefusal(limit)
    throw new Problem({
      status: 429,
      code: "net.rate_limit",
      detail: `Cannot store more now: ${reasons[limit]}; try again in ${view.retryAfterSeconds} s`,
      headers: { "retry-after": String(view.retryAfterSeconds) },
    })
  }

  spend({ limit, key }: Claim): void {
    this.#buckets[limit].spend(key)
  }
}

const reasons: Readonly<Record<WriteLimit, string>> = {
  chain: "this chain has had many events lately",
  ip: "many requests came from this address",
  genesis: "many new chains came from this address",
}

/**
 * The bucket of an event for a chain. Whether the key that it names has really signed it is found out later, and a token is only taken
 * then.
 */
export function chainClaim(view: ChainView, body: Buffer): Claim {
  const { chain, replay } = view
  // In JCS `sig` follows `key` in a signature and nowhere else. A rotation may be signed by the committed key.
  const isByOwner = body.includes(`"key":"${replay.state.primary}","sig":`) || body.includes('"op":"rotate"')
  return { limit: "chain", key: isByOwner ? `${chain} primary` : chain }
}

/** The bucket of signed heads of a chain: they are refreshed by a timer and must not take the place of events. */
export function headClaim({ chain }: ChainView): Claim {
  return { limit: "chain", key: `${chain} heads` }
}

/** The bucket of new chains from one address. */
export function genesisClaim(address: string): Claim {
  return { limit: "genesis", key: networkOf(address) }
}
