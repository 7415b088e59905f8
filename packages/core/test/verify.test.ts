/** Verdicts, row by row of the tables of SPEC §6, each status, reason and flag at least once. Adversarial C8 to C10, P3, P10, P11. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { verifyClaim } from "../src/verify/verify.ts"
import { lineOf } from "./support/questions.ts"
import { answered } from "./support/verdicts-answered.ts"
import { refused } from "./support/verdicts-refused.ts"

/** After these nothing may be written to the reader's high-water marks. [VER-10] */
const doubts = [
  "chain.fork",
  "chain.rollback",
  "chain.withheld",
  "chain.unreachable",
  "chain.not_authorised",
  "event.op",
]
const seen = new Set<string>()

for (const [title, expected, input] of [...answered, ...refused]) {
  test(`${title} -> ${expected}`, () => {
    const verdict = verifyClaim(input)
    assert.equal(lineOf(verdict), expected)
    const reversed = verifyClaim({ ...input, chains: [...input.chains].reverse() })
    assert.equal(lineOf(reversed), expected)
    for (const word of [verdict.status, ...verdict.flags]) seen.add(word)
    if (verdict.reason !== undefined) seen.add(verdict.reason)
    if (doubts.includes(verdict.reason ?? "")) assert.equal(verdict.mark, undefined)
  })
}

test("each status, reason and flag of the tables of SPEC §6 was reached", () => {
  const words = [
    ...["valid", "revoked", "expired", "unreachable", "fork", "invalid"],
    ...["unpublished", "no_chain", "stale", "contested", "unlisted", "unpinned", "rollback"],
    ...["chain.fork", "proof.subject_mismatch", "proof.primary_mismatch", "account.changed", "claim.not_in_chain"],
    ...["time.future", "limit.candidates", "claim.revoked", "claim.expired", "proof.not_found", "identity.unsupported"],
    ...["chain.unreachable", "chain.withheld", "chain.rollback", "chain.required", "chain.stale"],
  ]
  assert.deepEqual(
    words.filter((word) => !seen.has(word)),
    [],
  )
})
