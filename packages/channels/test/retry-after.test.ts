/** `Retry-After` in its two forms. RFC 9110 §10.2.3. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { parseRetryAfter } from "../src/index.ts"

const now = Date.UTC(2030, 0, 1, 12, 0, 0) / 1000

const cases: readonly (readonly [value: string | undefined, expected: number | undefined])[] = [
  [undefined, undefined],
  ["0", 0],
  ["120", 120],
  [" 120 ", 120],
  ["9999999999", 86_400],
  ["Tue, 01 Jan 2030 12:02:00 GMT", 120],
  ["Tue, 01 Jan 2030 11:00:00 GMT", 0],
  ["Fri, 01 Jan 2100 00:00:00 GMT", 86_400],
  ["Tuesday, 01-Jan-30 12:02:00 GMT", 120],
  ["-1", undefined],
  ["1.5", undefined],
  ["soon", undefined],
  ["", undefined],
  ["2030-01-01", undefined],
  ["Tue, 99 Foo 2030 12:02:00 GMT", undefined],
]

for (const [value, expected] of cases) {
  test(`parseRetryAfter() gives ${expected} for ${JSON.stringify(value)}`, () => {
    assert.equal(parseRetryAfter(value, now), expected)
  })
}
