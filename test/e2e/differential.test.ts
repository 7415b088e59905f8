/** The differential run: no difference where there is none, and each difference found where one rule is wrong. crosstest/ */
import assert from "node:assert/strict"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { caseOf } from "../../crosstest/differential/cases.ts"
import { differential, type Report } from "../../crosstest/differential/differential.ts"
import { buildRust, rustLines, typescriptLines } from "../../crosstest/implementations.ts"
import { Peer, type PeerCommand } from "../../crosstest/peer.ts"
import { skipWithoutRust } from "../support/rust.ts"

const folder = mkdtempSync(join(tmpdir(), "kez-differential-"))
after(() => rmSync(folder, { recursive: true, force: true }))

const seed = 20_260_101
const wrongLines = join(import.meta.dirname, "..", "..", "crosstest", "wrong-lines.ts")

async function run(
  other: PeerCommand,
  plan: { cases: number; maxDifferences?: number },
): Promise<Report & { text: string }> {
  const peers = [new Peer(typescriptLines), new Peer(other)] as const
  let text = ""
  try {
    const report = await differential(peers, {
      seed,
      first: 0,
      folder,
      ...plan,
      onFound: (found) => (text += `${found}\n`),
    })
    return { ...report, text }
  } finally {
    await Promise.all(peers.map((peer) => peer.close()))
  }
}

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
  const { differences, cases, histogram, text } = await run({ ...typescriptLines, name: "again" }, { cases: 3_000 })
  assert.deepEqual([cases, differences], [3_000, 0], text)
  assert.ok(histogram.deep > 1 / 3, histogram.format())
  assert.ok(histogram.reached.size > 60, histogram.format())
})

/** A rule that is wrong in the other, its suite, and how long the smallest case that shows it may be. */
const rules = [
  ["time-1", "times", 40],
  ["id-3", "identities", 20],
  ["sig-2", "envelopes", 700],
  ["fork-7", "sigchain-forks", 4_500],
  ["chain-11", "sigchain-replay", 4_500],
  ["enc-2", "encodings", 400],
  ["ver-11", "verdicts", 4_500],
  ["crash", "json", 60],
  ["exit", "identities", 60],
] as const

for (const [rule, suite, maxChars] of rules) {
  test(`differential() finds and shrinks a difference in ${rule}`, async () => {
    const other = { name: "wrong", command: process.execPath, args: [wrongLines, rule] }
    const { found, text } = await run(other, { cases: 8_000, maxDifferences: 1 })
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

test("both implementations agree on 20,000 hostile cases", { skip: skipWithoutRust() }, async () => {
  const rust = buildRust()
  assert.ok("folder" in rust, JSON.stringify(rust))
  const { differences, text } = await run(rustLines(rust.folder), { cases: 20_000 })
  assert.equal(differences, 0, text)
})
