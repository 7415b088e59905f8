/** A revocation is signed as its owner was asked about it, though the chain may have grown meanwhile. SPEC FORK-6 */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Lifted } from "@kez/core"
import { assertSameLifting, isLifting, type Revocation } from "../src/lifting.ts"

const revocation = (lifted: Partial<Lifted>, ofFormer = false): Revocation => ({
  payload: { keys: ["ed25519:old"] },
  lifted: { devices: [], subjects: [], ...lifted },
  ofFormer,
  named: [],
})
const cancelled = { code: "input.cancelled" }

test("a revocation that lifts something else than its owner was asked about is not signed", () => {
  const one = revocation({ subjects: ["github:alice"] })
  const more = revocation({ subjects: ["github:alice"], devices: ["ed25519:phone"] })
  assert.doesNotThrow(() => assertSameLifting(one, one, false))
  assert.throws(() => assertSameLifting(more, one, false), cancelled)
  assert.doesNotThrow(() => assertSameLifting(more, one, true), "--yes is said of all of it")
})

test("a revocation that lifts only since the key was chosen is not signed: it takes the passphrase", () => {
  const nothing = revocation({})
  assert.equal(isLifting(nothing), false)
  for (const now of [revocation({ devices: ["ed25519:phone"] }), revocation({}, true)]) {
    assert.equal(isLifting(now), true)
    assert.throws(() => assertSameLifting(now, nothing, true), cancelled)
  }
})
