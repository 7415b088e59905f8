/** How much one person may ask for. Those who ask for more hear when to come back. */
import type { Operation } from "@kez/chat"
import { type BucketPlan, TokenBuckets } from "@kez/server"
import { beginPlan, bringPlan, maxBuckets, pieceBytes, piecePlan } from "../limits.ts"
import { rateLimit } from "./come-again.ts"

export interface CommandPlans {
  /** What writes: messages, commits, Welcomes, the archive. */
  readonly write: BucketPlan
  /** Everything, what writes too. */
  readonly all: BucketPlan
  /** What only who is there hears. */
  readonly live: BucketPlan
}

/** Of one person: conversations that are begun (`member` is the sender), and how often somebody is brought into one. */
export interface NewLimit {
  /** Throws `net.rate_limit`. */
  assert(sender: string, member: string): void
  /** It was accepted. Whoever loses a race between commits has not begun anything. */
  spend(sender: string, member: string): void
}

export function createNewLimit(isOff: boolean, nowMs: () => number): NewLimit {
  const begun = new TokenBuckets(beginPlan, { maxBuckets, nowMs })
  const brought = new TokenBuckets(bringPlan, { maxBuckets, nowMs })
  const of = (sender: string, member: string) =>
    sender === member ? ([begun, sender] as const) : ([brought, `${sender} ${member}`] as const)
  return {
    assert(sender, member) {
      const [buckets, key] = of(sender, member)
      const { remaining, retryAfterSeconds } = buckets.look(key)
      if (isOff || remaining > 0) return
      throw rateLimit("Cannot begin that now: many conversations were begun", Math.max(1, retryAfterSeconds))
    },
    spend(sender, member) {
      const [buckets, key] = of(sender, member)
      buckets.spend(key)
    },
  }
}

const kinds: { readonly [O in Operation]?: keyof CommandPlans } = {
  send: "write",
  commit: "write",
  welcome: "write",
  "archive-put": "write",
  "key-packages-put": "write",
  live: "live",
}

export interface Asked {
  /** Undefined: no command that there is. */
  readonly operation: Operation | undefined
  readonly bytes: number
}

/** Throws `net.rate_limit`. */
export function createCommandLimits(plans: CommandPlans, nowMs: () => number): (uid: string, asked: Asked) => void {
  const make = (plan: BucketPlan): TokenBuckets => new TokenBuckets(plan, { maxBuckets, nowMs })
  const buckets = { write: make(plans.write), all: make(plans.all), live: make(plans.live) }
  const take = (bucket: TokenBuckets, uid: string): void => {
    if (bucket.isOff || bucket.tryTake(uid)) return
    throw rateLimit("Cannot do that now: this person asks for much", Math.max(1, bucket.look(uid).retryAfterSeconds))
  }
  const pieces = make(plans.write.burst === 0 ? { burst: 0, perHour: 0 } : piecePlan)
  return (uid, { operation, bytes }) => {
    const kind = operation === undefined ? undefined : kinds[operation]
    if (kind !== "live") take(buckets.all, uid)
    if (kind !== undefined) take(buckets[kind], uid)
    if (kind !== "write") return
    take(pieces, uid)
    for (let more = pieceBytes; more < bytes; more += pieceBytes) pieces.spend(uid)
  }
}
