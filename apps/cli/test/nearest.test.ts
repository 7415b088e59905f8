/** The nearest name. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { nearestOf } from "../src/nearest.ts"

for (const [typed, expected] of [
  ["colour", "color"],
  ["COLOR", "color"],
  ["resolvers", "resolver"],
  ["x", undefined],
  ["something-else", undefined],
] as const) {
  test(`nearestOf() of ${typed} is ${expected}`, () => {
    assert.equal(nearestOf(typed, ["color", "resolver", "plain"]), expected)
  })
}
