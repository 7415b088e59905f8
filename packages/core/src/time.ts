/** Times: the strict form that KEZ writes, and the RFC 3339 forms that a v0.2 claim may hold. SPEC §3.4. */
import { KezError } from "./error.ts"

const strict = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/
const rfc3339Utc = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]00:00)$/

/** Unix seconds of `YYYY-MM-DDTHH:MM:SSZ`, or throws `time.syntax`. [TIME-1] */
export function parseTime(text: string): number {
  return toUnixSeconds(text, strict, 59)
}

/** Unix seconds of an RFC 3339 time in UTC, fraction cut off, leap second folded; or throws `time.syntax`. [TIME-2] */
export function parseClaimTime(text: string): number {
  return toUnixSeconds(text, rfc3339Utc, 60)
}

/** `YYYY-MM-DDTHH:MM:SSZ` of Unix seconds within the years 1970 to 9999, or throws `time.syntax`. */
export function formatTime(unixSeconds: number): string {
  if (!Number.isSafeInteger(unixSeconds) || unixSeconds < 0 || unixSeconds > 253_402_300_799) {
    throw new KezError("time.syntax", "Cannot write the time: expected whole seconds of the years 1970 to 9999")
  }
  const days = Math.floor(unixSeconds / 86_400)
  const [year, month, day] = civilFromDays(days)
  const rest = unixSeconds - days * 86_400
  const clock = [Math.floor(rest / 3_600), Math.floor(rest / 60) % 60, rest % 60].map(pad2).join(":")
  return `${String(year).padStart(4, "0")}-${pad2(month)}-${pad2(day)}T${clock}Z`
}

function toUnixSeconds(text: string, form: RegExp, maxSecond: 59 | 60): number {
  if (text.length > 40 || !form.test(text)) throw refused()
  const [year, month, day] = [100 * pairAt(text, 0) + pairAt(text, 2), pairAt(text, 5), pairAt(text, 8)]
  const [hour, minute, second] = [pairAt(text, 11), pairAt(text, 14), pairAt(text, 17)]
  const inDate = year >= 1970 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month)
  const leapSecond = second === 60 && maxSecond === 60 && hour === 23 && minute === 59
  if (!inDate || hour > 23 || minute > 59 || (second > 59 && !leapSecond)) throw refused()
  return daysFromCivil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second
}

/** The number that two digits at `at` write. */
function pairAt(text: string, at: number): number {
  return 10 * (text.charCodeAt(at) - 0x30) + text.charCodeAt(at + 1) - 0x30
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

// Years are counted from March, so that the leap day is the last of its year. An era is 400 years, 146,097 days.
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
}

function civilFromDays(days: number): readonly [year: number, month: number, day: number] {
  const z = days + 719_468
  const era = Math.floor(z / 146_097)
  const dayOfEra = z - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shifted = Math.floor((5 * dayOfYear + 2) / 153)
  const month = shifted < 10 ? shifted + 3 : shifted - 9
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1]
}

function pad2(n: number): string {
  return String(n).padStart(2, "0")
}

function refused(): KezError {
  return new KezError("time.syntax", "Cannot read the time: expected UTC like 2026-01-31T12:00:00Z")
}
