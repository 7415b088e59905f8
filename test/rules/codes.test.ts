/** The closed list of codes is one list: what core can answer is what SPEC.md explains. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { codes } from "../../packages/core/src/codes.ts"
import { readText } from "../support/sources.ts"

function missingFrom(document: string, names: readonly string[]): readonly string[] {
  return names.filter((name) => !document.includes(`\`${name}\``))
}

test("every code stands in SPEC.md", () => {
  assert.deepEqual(missingFrom(readText("SPEC.md"), codes), [])
})

test("every code is there once", () => {
  assert.deepEqual(
    codes.filter((code, index) => codes.indexOf(code) !== index),
    [],
  )
})

test("the rule on codes fails when the document only has a longer code", () => {
  assert.deepEqual(missingFrom("`chain.gaps`", ["chain.gap"]), ["chain.gap"])
})
