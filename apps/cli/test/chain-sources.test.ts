/** What a store served as a source for the verifier: its document and the branches beside it are one answer. SPEC VER-5, VER-6, VER-10 */
import assert from "node:assert/strict"
import { test } from "node:test"
import { envelopeDigest, formatEnvelope, type SigchainEvent } from "@kez/core"
import { add } from "../../../packages/core/test/support/chains.ts"
import { keyNamed } from "../../../packages/core/test/support/keys.ts"
import { weigh } from "../src/chain-sources.ts"
import type { Asked } from "../src/chains/ask-chain.ts"

const key = keyNamed("chain-sources")
const first = add(undefined, "dns:a.example", key)
const [left, right] = [add(first, "github:left", key), add(first, "github:right", key)]
const damaged: SigchainEvent = { ...right, signature: { ...right.signature, sig: left.signature.sig } }
const url = `https://sig.example/v1/chains/${envelopeDigest(first)}`

const evidence = { kind: "chain", source: url } as const

const asked = (forks: readonly SigchainEvent[]): Asked => ({
  url,
  outcome: "found",
  documents: [{ name: url, reading: { events: [first], fault: undefined }, evidence }],
  evidence,
  forks: [{ name: `${url}/forks`, events: forks, fault: undefined }],
  heads: [],
})

for (const expected of [true, false]) {
  test(`weigh() counts the branches beside the path as served, but for their faults; expected: ${expected}`, () => {
    const served = weigh(asked([left, damaged]), { kind: "store", expected })
    const texts = served[0]?.source.events?.map(formatEnvelope)
    assert.deepEqual(texts, [formatEnvelope(first), formatEnvelope(left)])
    assert.equal(served[0]?.source.code, undefined)
    assert.equal(served[1]?.source.expected, false, "faults in evidence of forks are none of the store's answer")
  })
}
