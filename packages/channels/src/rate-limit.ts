/** Places that ask to wait: nothing is sent to them until then. SPEC NET-4. */
import { KezError } from "@kez/core"
import { maxClosedHosts, maxRetryAfterSeconds } from "./limits.ts"

/** The place said when it may be asked again; until then nothing is sent to it. */
export class RateLimitError extends KezError {
  readonly retryAfterSeconds: number

  constructor(host: string, retryAfterSeconds: number) {
    super("net.rate_limit", `Cannot fetch from ${host}: it asked to wait for another ${retryAfterSeconds} s`)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** Platforms count callers with credentials apart from those without. */
export interface Bucket {
  /** Host, with its port unless that is the default. */
  readonly host: string
  readonly isAuthorized: boolean
}

/** Which hosts asked to wait. One that fails remembers nothing: neither call throws. */
export interface RateLimitMemory {
  /** Unix seconds; undefined or past for a host that may be asked. */
  closedUntil(bucket: Bucket): Promise<number | undefined>
  close(bucket: Bucket, untilSeconds: number): Promise<void>
}

/** Throws RateLimitError while the bucket is closed. */
export async function assertOpen(memory: RateLimitMemory, bucket: Bucket, nowSeconds: number): Promise<void> {
  const left = ((await memory.closedUntil(bucket)) ?? 0) - nowSeconds
  // More than any host can have asked for means that the clock was set back since.
  if (left > 0 && left <= maxRetryAfterSeconds) throw new RateLimitError(bucket.host, left)
}

/** Remembers as long as the process lives. */
export function createRateLimitMemory(maxHosts = maxClosedHosts): RateLimitMemory {
  const closed = new Map<string, number>()
  const nameOf = ({ host, isAuthorized }: Bucket) => `${isAuthorized ? "+" : "-"}${host}`
  return {
    async closedUntil(bucket) {
      return closed.get(nameOf(bucket))
    },
    async close(bucket, untilSeconds) {
      closed.set(nameOf(bucket), untilSeconds)
      if (closed.size <= maxHosts) return
      // Hosts come from hostile texts. The one that opens first is the one least missed.
      const [first] = [...closed].sort(([, left], [, right]) => left - right)
      if (first !== undefined) closed.delete(first[0])
    },
  }
}
