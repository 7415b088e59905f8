/** Lines for narrow terminals. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { wrap } from "../src/terminal/wrap.ts"

test("wrap() leaves a short line alone, spaces too", () => {
  assert.deepEqual(wrap("   1 abandon      5 ability", 40), ["   1 abandon      5 ability"])
  assert.deepEqual(wrap("", 40), [""])
})

test("wrap() breaks at spaces, keeps the indent, and never within a word", () => {
  assert.deepEqual(wrap("  1. one two three", 10), ["  1. one", "  two", "  three"])
  assert.deepEqual(wrap("a correct-horse-battery b", 8), ["a", "correct-horse-battery", "b"])
})
