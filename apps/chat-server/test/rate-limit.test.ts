/** How much one person may ask for. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { createCommandLimits, createNewLimit } from "../src/commands/rate-limit.ts"
import { beginPlan, bringPlan, pieceBytes, piecePlan } from "../src/limits.ts"

const plans = {
  all: { burst: 5, perHour: 3_600 },
  write: { burst: 3, perHour: 3_600 },
  live: { burst: 2, perHour: 3_600 },
}
const off = { burst: 0, perHour: 0 }
const limited = { code: "net.rate_limit" }

test("everything is counted, what is stored once more, what is live for itself; the refusal says for how long", () => {
  let nowMs = 0
  const limit = createCommandLimits(plans, () => nowMs)
  const ask = (operation: "send" | "history" | "live", uid = "a") => limit(uid, { operation, bytes: 10 })
  for (let at = 0; at < 3; at++) ask("send")
  assert.throws(() => ask("send"), { ...limited, retryAfterSeconds: 1 })
  ask("history")
  assert.throws(() => ask("history"), limited)
  for (let at = 0; at < 2; at++) ask("live")
  assert.throws(() => ask("live"), limited)
  ask("send", "b")
  nowMs += 1_000
  ask("history")
})

test("what is no command counts as well: it is answered", () => {
  const limit = createCommandLimits(plans, () => 0)
  for (let at = 0; at < 5; at++) limit("a", { operation: undefined, bytes: 10 })
  assert.throws(() => limit("a", { operation: undefined, bytes: 10 }), limited)
  assert.throws(() => limit("a", { operation: "history", bytes: 10 }), limited)
})

test("bytes are counted in pieces: who sends the largest messages comes to an end before the count does", () => {
  const limit = createCommandLimits({ ...plans, all: off, write: { burst: 1e6, perHour: 1 } }, () => 0)
  const bytes = 98_304
  const most = Math.ceil((piecePlan.burst * pieceBytes) / bytes)
  const send = () => limit("a", { operation: "send", bytes })
  for (let at = 0; at < most; at++) send()
  assert.throws(send, limited)
  limit("a", { operation: "history", bytes })
})

test("conversations begun, and people brought in, are limited for each pair; what was not accepted is not counted", () => {
  const limit = createNewLimit(false, () => 0)
  for (let at = 0; at < 100; at++) limit.assert("a", "b")
  for (let at = 0; at < bringPlan.burst; at++) {
    limit.assert("a", "b")
    limit.spend("a", "b")
  }
  assert.throws(() => limit.assert("a", "b"), limited)
  limit.assert("a", "c")
  limit.assert("c", "b")
  for (let at = 0; at < beginPlan.burst; at++) limit.spend("a", "a")
  assert.throws(() => limit.assert("a", "a"), limited)
  createNewLimit(true, () => 0).assert("a", "a")
})
