/** When a place may be asked again: `Retry-After`, and what platforms say in its place. RFC 9110 §10.2.3. */
import type { IncomingHttpHeaders } from "node:http"
import { maxRetryAfterSeconds, usualRetryAfterSeconds } from "./limits.ts"

/** Below this a number of seconds is a time from now, above it one since 1970. */
const firstUnixSeconds = 1_000_000_000

/** Returns seconds from now, or undefined for a value that says nothing. */
export function parseRetryAfter(value: string | undefined, nowSeconds: number): number | undefined {
  if (value === undefined) return undefined
  const seconds = /^\d{1,10}$/.test(value.trim()) ? Number(value) : readDate(value) - nowSeconds
  return bounded(seconds)
}

/** How long an answer asks to wait, in seconds; undefined for one that does not. */
export function readRetryAfter(status: number, headers: IncomingHttpHeaders, nowSeconds: number): number | undefined {
  if (status < 400) return undefined
  const said = parseRetryAfter(headers["retry-after"], nowSeconds)
  if (said !== undefined) return said
  if (![403, 429, 503].includes(status)) return undefined
  const reset = readReset(headers, nowSeconds)
  return reset ?? (status === 429 ? usualRetryAfterSeconds : undefined)
}

/** GitHub and Bluesky give Unix seconds, Mastodon a date, others the seconds that are left. */
function readReset(headers: IncomingHttpHeaders, nowSeconds: number): number | undefined {
  for (const prefix of ["x-ratelimit-", "ratelimit-"]) {
    const reset = headers[`${prefix}reset`]
    if (headers[`${prefix}remaining`] !== "0" || typeof reset !== "string") continue
    const number = /^\d{1,10}$/.test(reset) ? Number(reset) : undefined
    if (number === undefined && !/^\d{4}-\d\d-\d\dT[\d:.]{8,20}Z$/.test(reset)) continue
    const at = number ?? Date.parse(reset) / 1000
    return bounded(number !== undefined && number < firstUnixSeconds ? number : at - nowSeconds)
  }
  return undefined
}

function bounded(seconds: number): number | undefined {
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(0, Math.ceil(seconds)), maxRetryAfterSeconds)
}

/** Only dates that name their zone as HTTP does; Date.parse alone also takes "1" for a month. */
function readDate(value: string): number {
  return /^[A-Z][a-z]+, .{9,30} GMT$/.test(value.trim()) ? Date.parse(value) / 1000 : Number.NaN
}
