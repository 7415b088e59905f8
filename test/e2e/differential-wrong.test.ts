/** A test of the differential run itself: each of some rules, wrong in one of two processes, is found and shrunk. crosstest/ */
import assert from "node:assert/strict"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { runAgainst, seed } from "../support/differential.ts"

const folder = mkdtempSync(join(tmpdir(), "kez-differential-"))
after(() => rmSync(folder, { recursive: true, force: true }))

const wrongLines = join(import.meta.dirname, "..", "..", "crosstest", "wrong-lines.ts")

/** A rule that is wrong in the other, its suite, and how long the smallest case that shows it may be. */
const rules = [
  ["time-1", "times", 40],
  ["id-3", "identities", 20],
  ["sig-2", "envelopes", 700],
  ["fork-7", "sigchain-forks", 4_500],
  ["chain-11", "sigchain-replay", 4_500],
  ["enc-2", "encodings", 700],
  ["ver-11", "verdicts", 4_500],
  ["crash", "json", 60],
  ["exit", "identities", 60],
] as const

for (const [rule, suite, maxChars] of rules) {
  test(`differential() finds and shrinks a difference in ${rule}`, async () => {
    const other = { name: "wrong", command: process.execPath, args: [wrongLines, rule] }
    const { found, text } = await runAgainst(other, { folder, cases: 8_000, maxDifferences: 1 })
    const [first] = found
    assert.equal(first?.question.suite, suite, text)
    const chars = JSON.stringify(first?.question.case).length
    assert.ok(chars <= maxChars, `${chars} characters: ${text}`)
    const kept = readdirSync(folder).filter((name) => name.startsWith(`${suite}-${seed}-`))
    const file = JSON.parse(readFileSync(join(folder, kept.at(-1) ?? ""), "utf8"))
    assert.equal(file.suite, suite)
    assert.equal(file.cases.length, 1)
  })
}
