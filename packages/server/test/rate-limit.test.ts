/** Token buckets: what they give, when it comes back, and how much is remembered. SPEC STORE-13 */
import assert from "node:assert/strict"
import { test } from "node:test"
import { networkOf, TokenBuckets } from "../src/rate-limit.ts"

function make(plan: { burst: number; perHour: number }, maxBuckets = 10) {
  let nowMs = 1_000_000
  const buckets = new TokenBuckets(plan, { maxBuckets, nowMs: () => nowMs })
  return {
    buckets,
    wait: (seconds: number) => {
      nowMs += seconds * 1_000
    },
  }
}

test("a bucket gives its burst, then one token at a time", () => {
  const { buckets, wait } = make({ burst: 3, perHour: 60 })
  for (let left = 3; left > 0; left--) {
    assert.equal(buckets.look("a").remaining, left)
    buckets.spend("a")
  }
  assert.deepEqual(buckets.look("a"), { limit: 3, remaining: 0, retryAfterSeconds: 60, resetSeconds: 180 })
  wait(59)
  assert.equal(buckets.look("a").retryAfterSeconds, 1)
  wait(1)
  assert.equal(buckets.look("a").remaining, 1)
  wait(10_000)
  assert.deepEqual(buckets.look("a"), { limit: 3, remaining: 3, retryAfterSeconds: 0, resetSeconds: 0 })
})

test("what was taken at once beyond the burst is paid back first", () => {
  const { buckets, wait } = make({ burst: 1, perHour: 60 })
  for (let i = 0; i < 4; i++) buckets.spend("a")
  assert.equal(buckets.look("a").retryAfterSeconds, 240)
  wait(180)
  assert.equal(buckets.look("a").remaining, 0)
  wait(60)
  assert.equal(buckets.look("a").remaining, 1)
})

test("a clock that is set back neither gives nor takes", () => {
  const { buckets, wait } = make({ burst: 2, perHour: 60 })
  buckets.spend("a")
  wait(-3_600)
  assert.equal(buckets.look("a").remaining, 1)
})

test("without tokens that come back a bucket stays empty", () => {
  const { buckets, wait } = make({ burst: 1, perHour: 0 })
  buckets.spend("a")
  wait(1_000_000)
  assert.equal(buckets.look("a").retryAfterSeconds, 3_600)
})

test("a burst of 0 is no limit, and remembers nothing", () => {
  const { buckets } = make({ burst: 0, perHour: 0 })
  assert.equal(buckets.isOff, true)
  buckets.spend("a")
  assert.equal(buckets.size, 0)
})

test("memory is bounded: the bucket that was used longest ago is forgotten", () => {
  const { buckets } = make({ burst: 2, perHour: 1 }, 3)
  for (const key of ["a", "b", "c", "a", "d", "e"]) buckets.spend(key)
  assert.equal(buckets.size, 3)
  assert.equal(buckets.look("b").remaining, 2)
  assert.equal(buckets.look("a").remaining, 0)
})

for (const [address, network] of [
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:0DB8:0001:2::9", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  // As some proxies write them. A port must not make another customer of it.
  ["::ffff:c000:207", "192.0.2.7"],
  ["192.0.2.7:50123", "192.0.2.7"],
  ["[2001:db8:1:2::9]:50123", "2001:db8:1:2::/64"],
  ["[2001:db8:1:2::9]", "2001:db8:1:2::/64"],
] as const) {
  test(`networkOf() of ${address} is ${network}`, () => {
    assert.equal(networkOf(address), network)
  })
}
