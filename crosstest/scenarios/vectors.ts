/** Every file of vectors/, through the line protocol, in both implementations. */
import assert from "node:assert/strict"
import { basename } from "node:path"
import { questionOf } from "../../packages/core/test/support/vector-outcome.ts"
import { readVectors, vectorFiles } from "../differential/vector-seeds.ts"
import { assertVector } from "../judges.ts"
import type { Scenario } from "./scenario.ts"

export const vectors: readonly Scenario[] = vectorFiles().map((file) => {
  const suite = basename(file, ".json")
  return {
    name: `vectors/${file}`,
    async run({ peers, show }) {
      const cases = readVectors(suite)
      const questions = cases.map((c) => ({ suite, case: questionOf(c) }))
      const answers = await Promise.all(peers.map((peer) => peer.ask(questions)))
      for (const [i, c] of cases.entries()) {
        for (const [at, peer] of peers.entries()) {
          const outcome = answers[at]?.[i] ?? {}
          try {
            assertVector(suite, c, outcome)
          } catch (cause) {
            throw new Error(`${peer.name}, ${c.id}: ${c.why}: ${JSON.stringify(outcome)}`, { cause })
          }
        }
        assert.deepEqual(answers[1]?.[i], answers[0]?.[i], c.id)
      }
      show(`${cases.length} cases`)
    },
  }
})
