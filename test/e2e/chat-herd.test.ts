/** A11, D-6, D-7 with 80 clients; `npm run faults -- --chat` does the same with 1,000. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { complaintsOf, herd } from "../faults/herd.ts"
import { skipWithoutNats } from "../support/broker.ts"

test("A11 callout away, chat server restarted, nats-server killed, with 80 clients that write: all back within 30 s, nothing lost or shown twice", {
  skip: skipWithoutNats,
}, async () => {
  const report = await herd({ clients: 80, processes: 2, perSecond: 15 })
  assert.deepEqual(complaintsOf(report), [], JSON.stringify(report))
  assert.equal(report.steps.length, 3)
})
