/** Times. SPEC §3.4; adversarial C26. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { formatTime, parseClaimTime, parseTime } from "../src/time.ts"
import { refuses } from "./support/throws.ts"

/** Accepted by TIME-1, and what Date makes of it. */
const strict = [
  "1970-01-01T00:00:00Z",
  "2000-02-29T23:59:59Z",
  "2026-12-31T00:00:00Z",
  "2400-02-29T12:00:00Z",
  "9999-12-31T23:59:59Z",
]

for (const text of strict) {
  test(`C26 ${text} is a time in events and claims`, () => {
    assert.equal(parseTime(text), Date.parse(text) / 1000)
    assert.equal(parseClaimTime(text), Date.parse(text) / 1000)
    assert.equal(formatTime(parseTime(text)), text)
  })
}

/** Accepted by TIME-2 alone. */
const inClaims: readonly (readonly [text: string, same: string])[] = [
  ["2026-01-31t12:00:00z", "2026-01-31T12:00:00Z"],
  ["2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00Z"],
  ["2026-01-31T12:00:00.999999999Z", "2026-01-31T12:00:00Z"],
  ["2026-01-31T12:00:00+00:00", "2026-01-31T12:00:00Z"],
  ["2026-01-31T12:00:00.1-00:00", "2026-01-31T12:00:00Z"],
  ["2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"],
  ["2016-12-31T23:59:60.9Z", "2017-01-01T00:00:00Z"],
]

for (const [text, same] of inClaims) {
  test(`C26 ${text} is a time in claims alone -> time.syntax in events`, () => {
    assert.equal(parseClaimTime(text), parseTime(same))
    refuses(() => parseTime(text), "time.syntax")
  })
}

const refused = [
  "",
  "2026-02-30T00:00:00Z",
  "2026-02-29T00:00:00Z",
  "2100-02-29T00:00:00Z",
  "2026-04-31T00:00:00Z",
  "2026-13-01T00:00:00Z",
  "2026-00-01T00:00:00Z",
  "2026-01-00T00:00:00Z",
  "2026-01-01T24:00:00Z",
  "2026-01-01T00:60:00Z",
  "2026-01-01T00:00:60Z",
  "2026-01-01T23:59:61Z",
  "1969-12-31T23:59:59Z",
  "0000-01-01T00:00:00Z",
  "10000-01-01T00:00:00Z",
  "2026-01-01T00:00:00",
  "2026-01-01 00:00:00Z",
  "2026-01-01T00:00Z",
  "2026-01-01T00:00:00+01:00",
  "2026-01-01T00:00:00+0000",
  "2026-01-01T00:00:00,5Z",
  "2026-01-01T00:00:00.Z",
  "2026-01-01T00:00:00.1234567890Z",
  "2026-1-01T00:00:00Z",
  "2026-01-01T00:00:00Z\n",
  " 2026-01-01T00:00:00Z",
  "２０26-01-01T00:00:00Z",
  `2026-01-01T00:00:00.${"0".repeat(100_000)}Z`,
]

for (const text of refused) {
  test(`C26 ${JSON.stringify(text.slice(0, 40))} -> time.syntax`, () => {
    refuses(() => parseTime(text), "time.syntax")
    refuses(() => parseClaimTime(text), "time.syntax")
  })
}

test("formatTime() and parseTime() agree with Date on every 97th day of the calendar", () => {
  let checked = 0
  for (let seconds = 12_345; seconds <= 253_402_300_799; seconds += 97 * 86_400) {
    const text = formatTime(seconds)
    assert.equal(text, new Date(seconds * 1000).toISOString().replace(".000Z", "Z"))
    assert.equal(parseTime(text), seconds)
    checked++
  }
  assert.equal(checked, 30_237)
})

test("formatTime() of fractions, negative times and the year 10000 -> time.syntax", () => {
  for (const seconds of [-1, 0.5, 253_402_300_800, Number.NaN, Number.POSITIVE_INFINITY]) {
    refuses(() => formatTime(seconds), "time.syntax")
  }
})
