/** Lanes: bounded, independent of each other, and in order. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { inLanes } from "../src/lanes.ts"

const lanes = { laneOf: (item: string) => item.charAt(0), width: 2 }

test("inLanes() gives the results in the order of the items", async () => {
  const items = ["a1", "b1", "a2", "a3", "b2"]
  assert.deepEqual(await inLanes(items, lanes, async (item) => item.toUpperCase()), ["A1", "B1", "A2", "A3", "B2"])
  assert.deepEqual(await inLanes([], lanes, async (item) => item), [])
})

test("inLanes() runs no more than the width of one lane at once, and all lanes side by side", async () => {
  let most = 0
  let running = 0
  const started: string[] = []
  const gates: (() => void)[] = []
  const done = inLanes(["a1", "a2", "a3", "b1"], lanes, async (item) => {
    started.push(item)
    running += item.startsWith("a") ? 1 : 0
    most = Math.max(most, running)
    await new Promise<void>((resolve) => gates.push(resolve))
    running -= item.startsWith("a") ? 1 : 0
  })
  assert.deepEqual(started, ["a1", "b1", "a2"])
  while (gates.length > 0) {
    gates.shift()?.()
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  await done
  assert.equal(most, 2)
  assert.equal(started.length, 4)
})

test("inLanes() throws what a task throws", async () => {
  await assert.rejects(
    inLanes(["a1", "b1"], lanes, (item) => Promise.reject(new RangeError(item))),
    RangeError,
  )
})
