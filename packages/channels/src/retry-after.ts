/** The `Retry-After` header: seconds or an HTTP date. RFC 9110 §10.2.3. */
import { maxRetryAfterSeconds } from "./limits.ts"

/** Returns seconds from now, or undefined for a value that says nothing. */
export function parseRetryAfter(value: string | undefined, nowSeconds: number): number | undefined {
  if (value === undefined) return undefined
  const seconds = /^\d{1,10}$/.test(value.trim()) ? Number(value) : readDate(value) - nowSeconds
  if (Number.isNaN(seconds)) return undefined
  return Math.min(Math.max(0, Math.ceil(seconds)), maxRetryAfterSeconds)
}

/** Only dates that name their zone as HTTP does; Date.parse alone also takes "1" for a month. */
function readDate(value: string): number {
  return /^[A-Z][a-z]+, .{9,30} GMT$/.test(value.trim()) ? Date.parse(value) / 1000 : Number.NaN
}
