/** Group commit of the PostgreSQL storage, without a database. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { AppendQueue, type WaitingAppend } from "../src/storage/append-queue.ts"
import type { AppendResult } from "../src/storage/storage.ts"
import { eventNamed } from "./storage-suite.ts"

function newQueue(maxBatch: number) {
  const batches: { readonly events: readonly WaitingAppend[]; done: PromiseWithResolvers<void> }[] = []
  const queue = new AppendQueue(async (events): Promise<readonly AppendResult[]> => {
    const done = Promise.withResolvers<void>()
    batches.push({ events, done })
    await done.promise
    return events.map(({ event }) => ({ status: "stored", cursor: event.seq }))
  }, maxBatch)
  const append = (seq: number) => queue.append(eventNamed(`event ${seq}`, { seq }), seq)
  return { queue, batches, append }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test("append() takes along what came in the same turn, and then what waited for that", async () => {
  const { queue, batches, append } = newQueue(3)
  const first = Promise.all([append(0), append(1)])
  await turn()
  const second = Promise.all([append(2), append(3), append(4), append(5)])
  await turn()
  assert.equal(batches.length, 1, "one transaction at a time")
  batches[0]?.done.resolve()
  assert.deepEqual(
    (await first).map((result) => result.status === "stored" && result.cursor),
    [0, 1],
  )
  await turn()
  batches[1]?.done.resolve()
  await turn()
  batches[2]?.done.resolve()
  await second
  assert.deepEqual(
    batches.map(({ events }) => events.map(({ expectedSize }) => expectedSize)),
    [[0, 1], [2, 3, 4], [5]],
  )
  await queue.idle()
})

test("append() tells everybody of a batch when it fails, and goes on with the next", async () => {
  const { queue, batches, append } = newQueue(2)
  const failing = Promise.allSettled([append(0), append(1)])
  const later = append(2)
  await turn()
  batches[0]?.done.reject(new Error("no room"))
  assert.deepEqual(
    (await failing).map(({ status }) => status),
    ["rejected", "rejected"],
  )
  await turn()
  batches[1]?.done.resolve()
  assert.deepEqual(await later, { status: "stored", cursor: 2 })
  await queue.idle()
  const again = append(3)
  await turn()
  batches[2]?.done.resolve()
  assert.deepEqual(await again, { status: "stored", cursor: 3 })
})
