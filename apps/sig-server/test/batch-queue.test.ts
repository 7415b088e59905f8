/** What gathers writes into transactions, without a database. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { BatchQueue, type Outcome } from "../src/storage/batch-queue.ts"

function newQueue(maxBatch: number) {
  const batches: { readonly items: readonly number[]; done: PromiseWithResolvers<void> }[] = []
  const queue = new BatchQueue(async (items: readonly number[]): Promise<readonly Outcome<string>[]> => {
    const done = Promise.withResolvers<void>()
    batches.push({ items, done })
    await done.promise
    return items.map((item) => (item < 0 ? { error: new Error("refused") } : { value: `wrote ${item}` }))
  }, maxBatch)
  const add = (item: number) => queue.add(item)
  return { queue, batches, add }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test("add() takes along what came in the same turn, and then what waited for that", async () => {
  const { queue, batches, add } = newQueue(3)
  const first = Promise.all([add(0), add(1)])
  await turn()
  const second = Promise.all([add(2), add(3), add(4), add(5)])
  await turn()
  assert.equal(batches.length, 1, "one transaction at a time")
  batches[0]?.done.resolve()
  assert.deepEqual(await first, ["wrote 0", "wrote 1"])
  await turn()
  batches[1]?.done.resolve()
  await turn()
  batches[2]?.done.resolve()
  await second
  assert.deepEqual(
    batches.map(({ items }) => items),
    [[0, 1], [2, 3, 4], [5]],
  )
  await queue.idle()
})

test("add() tells everybody of a batch when it fails, and goes on with the next", async () => {
  const { queue, batches, add } = newQueue(2)
  const failing = Promise.allSettled([add(0), add(1)])
  const later = add(2)
  await turn()
  batches[0]?.done.reject(new Error("no room"))
  assert.deepEqual(
    (await failing).map(({ status }) => status),
    ["rejected", "rejected"],
  )
  await turn()
  batches[1]?.done.resolve()
  assert.deepEqual(await later, "wrote 2")
  await queue.idle()
  const again = add(3)
  await turn()
  batches[2]?.done.resolve()
  assert.deepEqual(await again, "wrote 3")
})

test("add() tells of one that failed, and nobody else of its batch", async () => {
  const { batches, add } = newQueue(3)
  const all = Promise.allSettled([add(0), add(-1), add(2)])
  await turn()
  batches[0]?.done.resolve()
  assert.deepEqual(
    (await all).map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  )
})
