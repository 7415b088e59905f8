/** What a store of one's own has checked is not checked again, and nothing else passes for it. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { forgetVerifiedSignatures, signatureCheckCount } from "../src/envelope/verify.ts"
import { decodeEnvelope, formatEnvelope, replayChain, vouchForEvent } from "../src/index.ts"
import { alice, appendTo, start } from "./support/vouched-chain.ts"

test("vouchForEvent() saves the check of the signature and of the proof of possession, and of no other event", async () => {
  const chain = await start()
  const events = chain.path.map((event) => decodeEnvelope(formatEnvelope(event), "sigchain_event"))
  forgetVerifiedSignatures()
  const before = signatureCheckCount()
  for (const event of events) vouchForEvent(event)
  assert.equal(replayChain(events).head.digest, chain.head.digest)
  assert.equal(signatureCheckCount(), before)
  const longer = await appendTo(chain, alice)
  forgetVerifiedSignatures()
  for (const event of events) vouchForEvent(event)
  const again = signatureCheckCount()
  replayChain(longer.path)
  assert.equal(signatureCheckCount(), again + 1)
})

test("vouchForEvent() changes nothing for an event with other bytes", async () => {
  const chain = await start()
  forgetVerifiedSignatures()
  for (const event of chain.path) vouchForEvent(event)
  const text = chain.path.map(formatEnvelope).at(-1) ?? ""
  const forged = decodeEnvelope(
    text.replace(/"sig":"../, (part) => (part.endsWith("00") ? '"sig":"11' : '"sig":"00')),
    "sigchain_event",
  )
  const { refused } = replayChain([...chain.path.slice(0, -1), forged])
  assert.equal(refused[0]?.code, "signature.invalid")
})
