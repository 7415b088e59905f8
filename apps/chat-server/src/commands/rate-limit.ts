/** How much one person may ask for. Those who ask for more hear when to come back. */
import type { Operation } from "@kez/chat"
import { KezError } from "@kez/core"
import { type BucketPlan, TokenBuckets } from "@kez/server"
import { maxBuckets } from "../limits.ts"

export class RateLimit extends KezError {
  readonly retryAfterSeconds: number
  constructor(message: string, retryAfterSeconds: number) {
    super("net.rate_limit", `${message}; try again in ${retryAfterSeconds} s`)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

export interface CommandPlans {
  /** What writes: messages, commits, Welcomes, the archive. */
  readonly write: BucketPlan
  /** Everything, what writes too. */
  readonly all: BucketPlan
  /** What only who is there hears. */
  readonly live: BucketPlan
}

const kinds: { readonly [O in Operation]?: keyof CommandPlans } = {
  send: "write",
  commit: "write",
  welcome: "write",
  "archive-put": "write",
  "key-packages-put": "write",
  live: "live",
}

/** Throws `RateLimit`. */
export function createCommandLimits(
  plans: CommandPlans,
  nowMs: () => number,
): (uid: string, operation: Operation) => void {
  const make = (plan: BucketPlan): TokenBuckets => new TokenBuckets(plan, { maxBuckets, nowMs })
  const buckets = { write: make(plans.write), all: make(plans.all), live: make(plans.live) }
  const take = (bucket: TokenBuckets, uid: string): void => {
    if (bucket.isOff || bucket.tryTake(uid)) return
    throw new RateLimit(
      "Cannot do that now: this person asks for much",
      Math.max(1, bucket.look(uid).retryAfterSeconds),
    )
  }
  return (uid, operation) => {
    const kind = kinds[operation]
    if (kind !== "live") take(buckets.all, uid)
    if (kind !== undefined) take(buckets[kind], uid)
  }
}
