/** When a client that lost its line tries again, as nats.js asks for it. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { Knocking } from "../src/transport/knocking.ts"

/** The loop of nats.js: it tries once so long has passed since its last attempt; each attempt here takes `attemptMs` and fails. */
function attempts({ random, attemptMs, untilMs }: { random: () => number; attemptMs: number; untilMs: number }) {
  let nowMs = 1_000
  const knocking = new Knocking(random, () => nowMs)
  knocking.back()
  let lastMs = 500
  nowMs = 10_000
  const lostMs = nowMs
  knocking.lost()
  const at: number[] = []
  while (nowMs - lostMs < untilMs) {
    const waitMs = knocking.sinceLastMs()
    if (lastMs + waitMs <= nowMs) {
      lastMs = nowMs
      at.push(nowMs - lostMs)
      nowMs += attemptMs
    } else {
      nowMs += Math.min(waitMs, lastMs + waitMs - nowMs)
    }
  }
  return at
}

test("D-7 the first attempt is at once, each later one after half to all of the time that it has been away", () => {
  assert.deepEqual(attempts({ random: () => 0, attemptMs: 5_000, untilMs: 20_000 }), [0, 7_500, 18_750])
  assert.deepEqual(attempts({ random: () => 1, attemptMs: 5_000, untilMs: 40_000 }), [0, 10_000, 30_000])
  for (let seed = 0; seed < 200; seed++) {
    let state = seed
    const random = () => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
      return state / 2_147_483_648
    }
    const at = attempts({ random, attemptMs: 5_000, untilMs: 60_000 })
    for (const [i, ms] of at.entries()) if (i > 0) assert.ok(ms <= 2 * ((at[i - 1] ?? 0) + 5_000), `${at}`)
  }
})

test("where it is refused at once it waits between 100 ms and 30 s", () => {
  const at = attempts({ random: () => 0.5, attemptMs: 1, untilMs: 300_000 })
  const waits = at.slice(1).map((ms, i) => ms - (at[i] ?? 0))
  assert.ok(Math.min(...waits) >= 100 && Math.max(...waits) <= 30_001, `${waits}`)
})
