/** vectors/times.json. SPEC §3.4. */
import type { VectorFile } from "./vector-file.ts"

// text, why, Unix seconds as TIME-1 (undefined: time.syntax), and as TIME-2.
const rows: readonly [text: string, why: string, strict: number | undefined, claim: number | undefined][] = [
  ["2026-01-01T00:00:00Z", "the form that is written", 1_767_225_600, 1_767_225_600],
  ["1970-01-01T00:00:00Z", "the first second", 0, 0],
  ["9999-12-31T23:59:59Z", "the last second", 253_402_300_799, 253_402_300_799],
  ["2024-02-29T12:00:00Z", "a leap day", 1_709_208_000, 1_709_208_000],
  ["2000-02-29T00:00:00Z", "a leap day of a century divisible by 400", 951_782_400, 951_782_400],
  ["2026-01-01t00:00:00z", "lower case", undefined, 1_767_225_600],
  ["2026-01-01T00:00:00.123456789Z", "a fraction is cut off", undefined, 1_767_225_600],
  ["2026-01-01T00:00:00+00:00", "an offset of zero", undefined, 1_767_225_600],
  ["2026-01-01T00:00:00-00:00", "an unknown local offset is UTC", undefined, 1_767_225_600],
  ["2016-12-31T23:59:60Z", "a leap second is the following second", undefined, 1_483_228_800],
  ["2026-01-01T00:00:60Z", "a leap second elsewhere", undefined, undefined],
  ["2026-02-30T00:00:00Z", "no such day", undefined, undefined],
  ["2023-02-29T00:00:00Z", "no leap year", undefined, undefined],
  ["2100-02-29T00:00:00Z", "no leap year, by the century", undefined, undefined],
  ["2026-13-01T00:00:00Z", "no such month", undefined, undefined],
  ["2026-00-01T00:00:00Z", "month zero", undefined, undefined],
  ["2026-01-01T24:00:00Z", "hour 24", undefined, undefined],
  ["2026-01-01T00:60:00Z", "minute 60", undefined, undefined],
  ["1969-12-31T23:59:59Z", "before 1970", undefined, undefined],
  ["2026-01-01T01:00:00+01:00", "another offset", undefined, undefined],
  ["2026-01-01 00:00:00Z", "a space for the T", undefined, undefined],
  ["2026-01-01T00:00:00", "no zone", undefined, undefined],
  ["2026-01-01T00:00:00.Z", "a fraction without digits", undefined, undefined],
  ["2026-01-01T00:00:00.1234567890Z", "ten digits", undefined, undefined],
  ["2026-1-1T00:00:00Z", "single digits", undefined, undefined],
  ["+10000-01-01T00:00:00Z", "a year of five digits", undefined, undefined],
  ["２０２６-01-01T00:00:00Z", "full-width digits", undefined, undefined],
  ["2026-01-01T00:00:00Z\n", "a line feed at the end", undefined, undefined],
  ["9999-12-31T23:59:60Z", "the second after the last that can be written", undefined, 253_402_300_800],
]

export function times(): VectorFile {
  const result = (seconds: number | undefined) => seconds ?? "time.syntax"
  const cases = rows.map(([text, why, strict, claim], i) => ({
    id: `time-${i}`,
    why,
    text,
    strict: result(strict),
    claim: result(claim),
  }))
  return { spec: "§3.4", about: "Unix seconds of a time by TIME-1 (strict) and TIME-2 (claim), or the code.", cases }
}
