/** A place that asks to wait. SPEC §7. */
import { KezError } from "@kez/core"

/** The place said when it may be asked again; until then nothing is sent to it. */
export class RateLimitError extends KezError {
  readonly retryAfterSeconds: number

  constructor(host: string, retryAfterSeconds: number) {
    super("net.rate_limit", `Cannot fetch from ${host}: it asked to wait for another ${retryAfterSeconds} s`)
    this.retryAfterSeconds = retryAfterSeconds
  }
}
