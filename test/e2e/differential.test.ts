/** The differential run: no difference where there is none, and none between the implementations. crosstest/ */
import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { caseOf } from "../../crosstest/differential/cases.ts"
import { buildRust, rustLines, typescriptLines } from "../../crosstest/implementations.ts"
import { runAgainst, seed } from "../support/differential.ts"
import { skipWithoutRust } from "../support/rust.ts"

const folder = mkdtempSync(join(tmpdir(), "kez-differential-"))
after(() => rmSync(folder, { recursive: true, force: true }))

test("caseOf() gives the same case for the same seed and number, whatever was made before", () => {
  const once = Array.from({ length: 200 }, (_, i) => JSON.stringify(caseOf(seed, i)))
  const again = Array.from({ length: 200 }, (_, i) => JSON.stringify(caseOf(seed, 199 - i))).reverse()
  assert.deepEqual(again, once)
  assert.notDeepEqual(
    Array.from({ length: 200 }, (_, i) => JSON.stringify(caseOf(seed + 1, i))),
    once,
  )
})

test("differential() finds nothing between two of the same, and a third of its cases go deep", async () => {
  const { differences, cases, histogram, text } = await runAgainst(
    { ...typescriptLines, name: "again" },
    { folder, cases: 3_000 },
  )
  assert.deepEqual([cases, differences], [3_000, 0], text)
  assert.ok(histogram.deep > 1 / 3, histogram.format())
  assert.ok(histogram.reached.size > 60, histogram.format())
})

test("both implementations agree on 20,000 hostile cases", { skip: skipWithoutRust() }, async () => {
  const rust = buildRust()
  assert.ok("folder" in rust, JSON.stringify(rust))
  const { differences, text } = await runAgainst(rustLines(rust.folder), { folder, cases: 20_000 })
  assert.equal(differences, 0, text)
})
