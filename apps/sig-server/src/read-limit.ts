/**
 * How much one address may read. Reads come out of memory, so that the limit is for whoever takes the whole of it. Health, which load
 * balancers ask for, costs nothing. SPEC STORE-13
 */

import type { IncomingMessage } from "node:http"
import {
  type Asking,
  addressOf,
  type BucketPlan,
  type IsTrusted,
  limitHeaders,
  networkOf,
  Problem,
  TokenBuckets,
} from "@kez/server"
import { maxBuckets, maxKnownAddresses } from "./http-limits.ts"

export interface ReadLimitOptions {
  readonly plan: BucketPlan
  readonly nowMs: () => number
  readonly isTrusted: IsTrusted | undefined
  readonly onRefusal: () => void
}

export class ReadLimit {
  readonly #options: ReadLimitOptions
  readonly #buckets: TokenBuckets
  readonly #networks = new Map<string, string>()
  /** Those that have paid before the framework saw them. */
  readonly #paid = new WeakSet<IncomingMessage>()

  constructor(options: ReadLimitOptions) {
    this.#options = options
    this.#buckets = new TokenBuckets(options.plan, { maxBuckets, nowMs: options.nowMs })
  }

  /** Takes a token. False: there is none, and `refusalOf` says so. */
  tryTake(request: IncomingMessage): boolean {
    if (this.#buckets.isOff) return true
    return this.#buckets.tryTake(this.networkOf(request))
  }

  /** The same for who knows the network already. */
  tryTakeFrom(network: string): boolean {
    return this.#buckets.isOff || this.#buckets.tryTake(network)
  }

  /** Whether there is a token, which stays. */
  hasRoom(network: string): boolean {
    return this.#buckets.isOff || this.#buckets.look(network).remaining > 0
  }

  /** An address asks many times, and to read one of IPv6 takes longer than all the rest of this. */
  networkOf(request: Asking): string {
    const address = addressOf(request, this.#options.isTrusted)
    const known = this.#networks.get(address)
    if (known !== undefined) return known
    const network = networkOf(address)
    if (this.#networks.size >= maxKnownAddresses) this.#networks.clear()
    this.#networks.set(address, network)
    return network
  }

  /** The token that was taken is for `refusalOf` as well. */
  pay(request: IncomingMessage): void {
    this.#paid.add(request)
  }

  /** Takes a token for what is no health check. The refusal where there is none. */
  refusalOf(request: IncomingMessage): Problem | undefined {
    const { method, url = "" } = request
    if ((method !== "GET" && method !== "HEAD") || !url.startsWith("/v1/")) return undefined
    if (this.#paid.has(request) || this.tryTake(request)) return undefined
    const view = this.#buckets.look(this.networkOf(request))
    this.#options.onRefusal()
    // Since the token was looked for, one may have come.
    const seconds = Math.max(1, view.retryAfterSeconds)
    return new Problem({
      status: 429,
      code: "net.rate_limit",
      detail: `Cannot answer now: many reads came from this address; try again in ${seconds} s`,
      // Only here: on each answer they would cost more than the look at the limit.
      headers: { "retry-after": String(seconds), ...limitHeaders(view) },
    })
  }
}
