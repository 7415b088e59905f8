/** How much one address may ask for: reads, and changes of the directory, which cost signatures and looks at stores. */
import { type BucketPlan, limitHeaders, networkOf, Problem, TokenBuckets } from "@kez/server"
import { maxBuckets } from "./limits.ts"

export interface AddressPlans {
  readonly read: BucketPlan
  readonly write: BucketPlan
  /** Questions about the standing of a device. */
  readonly standing: BucketPlan
}

export type AddressLimit = keyof AddressPlans

export interface AddressLimits {
  /** Takes a token; the refusal where there is none. */
  refusalOf(limit: AddressLimit, address: string): Problem | undefined
}

export function createAddressLimits(
  plans: AddressPlans,
  { nowMs, onRefusal }: { readonly nowMs: () => number; readonly onRefusal: (limit: AddressLimit) => void },
): AddressLimits {
  const make = (plan: BucketPlan): TokenBuckets => new TokenBuckets(plan, { maxBuckets, nowMs })
  const buckets: Readonly<Record<AddressLimit, TokenBuckets>> = {
    read: make(plans.read),
    write: make(plans.write),
    standing: make(plans.standing),
  }
  return {
    refusalOf(limit, address) {
      const bucket = buckets[limit]
      const key = networkOf(address)
      if (bucket.isOff || bucket.tryTake(key)) return undefined
      onRefusal(limit)
      const view = bucket.look(key)
      const seconds = Math.max(1, view.retryAfterSeconds)
      return new Problem({
        status: 429,
        code: "net.rate_limit",
        detail: `Cannot answer now: many requests came from this address; try again in ${seconds} s`,
        headers: { "retry-after": String(seconds), ...limitHeaders(view) },
      })
    },
  }
}
