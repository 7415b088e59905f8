/** Order and bounds of what is on its way. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { createGate } from "../src/conversations/gate.ts"
import { createTurns } from "../src/conversations/turns.ts"

test("createGate() lets so much pass at once, in order; what is larger passes alone; a failure frees its place", async () => {
  const gate = createGate(10)
  const started: number[] = []
  const ends: (() => void)[] = []
  const pass = (id: number, bytes: number) =>
    gate.pass(bytes, () => {
      started.push(id)
      return new Promise<void>((resolve, reject) => ends.push(id === 2 ? () => reject(new Error("failed")) : resolve))
    })
  const all = [pass(1, 6), pass(2, 4), pass(3, 50), pass(4, 1)]
  const failed = assert.rejects(all[1] ?? Promise.resolve())
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  await settle()
  assert.deepEqual([started, gate.waiting], [[1, 2], 2])
  ends[0]?.()
  await settle()
  assert.deepEqual(started, [1, 2])
  ends[1]?.()
  await settle()
  assert.deepEqual([started, gate.waiting], [[1, 2, 3], 1])
  ends[2]?.()
  await settle()
  assert.deepEqual(started, [1, 2, 3, 4])
  ends[3]?.()
  await Promise.all([failed, all[0], all[2], all[3]])
})

test("createTurns() does one thing at a time for a name, also after one that failed", async () => {
  const turns = createTurns()
  const seen: string[] = []
  const work = (text: string) => async () => {
    seen.push(`${text} begins`)
    await new Promise((resolve) => setImmediate(resolve))
    seen.push(`${text} ends`)
    if (text === "a") throw new Error("failed")
  }
  const [a, b] = [turns.take("x", work("a")), turns.take("x", work("b"))]
  await assert.rejects(a)
  await b
  assert.deepEqual(seen, ["a begins", "a ends", "b begins", "b ends"])
})
