/** How long something is to hold: a time from now such as `90d`, a date, or a moment. */
import { formatTime, KezError, parseTime } from "@kez/core"

const unitSeconds: Readonly<Record<string, number>> = { m: 60, h: 3_600, d: 86_400, w: 7 * 86_400, y: 365 * 86_400 }

/** Unix seconds of `90d`, `2027-01-01` (its first second, UTC) or `2027-01-01T12:00:00Z`. Throws `usage`, for a past one too. */
export function readExpiry(text: string, now: number): number {
  const at = momentOf(text, now)
  if (at > now) return at
  throw new KezError("usage", `Cannot let it expire at ${formatTime(at)}: expected a time in the future`)
}

/** Seconds of `7d` or `12h`. Throws `usage`. */
export function readDuration(text: string): number {
  const [, number = "", unit = ""] = /^([1-9][0-9]{0,5})([mhdwy])$/.exec(text) ?? []
  const seconds = Number(number) * (unitSeconds[unit] ?? 0)
  if (seconds > 0) return seconds
  throw new KezError("usage", "Cannot read the time: expected a number with m, h, d, w or y, such as 7d")
}

function momentOf(text: string, now: number): number {
  if (/^[0-9]+[a-z]$/.test(text)) return now + readDuration(text)
  try {
    return parseTime(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text)
  } catch (cause) {
    if (!(cause instanceof KezError)) throw cause
    throw new KezError("usage", "Cannot read the expiry: expected 90d, 2027-01-01 or 2027-01-01T12:00:00Z", { cause })
  }
}
