/** Refusals that pass: when to come back is among what the client is told. */
import { KezError } from "@kez/core"

export class ComeAgain extends KezError {
  readonly retryAfterSeconds: number

  constructor(code: "net.rate_limit" | "net.busy", message: string, retryAfterSeconds: number) {
    super(code, `${message}; try again in ${retryAfterSeconds} s`)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

export function rateLimit(message: string, retryAfterSeconds: number): ComeAgain {
  return new ComeAgain("net.rate_limit", message, retryAfterSeconds)
}

export function busy(): ComeAgain {
  return new ComeAgain("net.busy", "Cannot do that now: the server is busy", 1)
}
