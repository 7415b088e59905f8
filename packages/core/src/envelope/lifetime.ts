/** The bound on how long a statement with an expiry may live. SPEC §11. */
import { parseTime } from "../time.ts"
import { fault } from "./schema.ts"

/** Throws `time.order` unless 0 < to - from <= maxSeconds. Both are strict times, already checked. */
export function assertLifetime(from: string, to: string, maxSeconds: number): void {
  const seconds = parseTime(to) - parseTime(from)
  if (seconds <= 0 || seconds > maxSeconds)
    throw fault("time.order", "payload.expires_at", `1 to ${maxSeconds} seconds of life`)
}
