/** A process that is killed before or after each of its writes: nothing lost, nothing twice, nothing out of order. adversarial C.10 M21 */
import assert from "node:assert/strict"
import { test } from "node:test"
import { deviceIdOf } from "@kez/core"
import { couple, type EngineWorld, type Home } from "./support/engine-world.ts"

let first: ReturnType<typeof couple> | undefined

/** Alice and Bob as they were before anything was written. */
async function coupleAgain(): Promise<{ world: EngineWorld; alice: Home; bob: Home }> {
  first ??= couple()
  const world = await (await first).world.copy()
  const [alice, bob] = world.homes
  if (alice === undefined || bob === undefined) throw new Error("nobody")
  return { world, alice, bob }
}

/** Writes of which each is tried; more than any of the scenes has. */
const maxWrites = 40

type When = "before" | "after"

/** Sends what is not in the conversation yet: a call that was killed may have been kept or not. */
async function sayAll(home: Home, other: Home, texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    if ((await home.texts(other)).includes(text)) continue
    await home.say(other, text)
  }
}

for (const when of ["before", "after"] as const satisfies readonly When[]) {
  test(`a sender killed ${when} any write: all arrives once, in its order`, async () => {
    for (let k = 0; k < maxWrites; k++) {
      const { world, alice, bob } = await coupleAgain()
      alice.store.failAt = { write: alice.store.writes + k, when }
      await sayAll(alice, bob, ["one", "two"]).catch(() => undefined)
      await world.rest()
      const wasKilled = alice.store.writes > (alice.store.failAt?.write ?? 0)
      await alice.restart()
      await world.rest()
      await sayAll(alice, bob, ["one", "two", "three"])
      await world.rest()
      world.clock.advance(61)
      await world.rest()
      assert.deepEqual(await bob.texts(alice), ["one", "two", "three"], `write ${k}`)
      assert.deepEqual(await alice.texts(bob), ["one", "two", "three"], `write ${k}`)
      assert.deepEqual([await alice.alarms(), await bob.alarms()], [[], []], `write ${k}`)
      await bob.say(alice, "four")
      await world.rest()
      assert.equal((await alice.texts(bob)).at(-1), "four", `write ${k}`)
      await world.close()
      if (!wasKilled) return
    }
    assert.fail(`more than ${maxWrites} writes`)
  })

  test(`a reader killed ${when} any write: all is shown once, in its order, and answered`, async () => {
    for (let k = 0; k < maxWrites; k++) {
      const { world, alice, bob } = await coupleAgain()
      bob.store.failAt = { write: bob.store.writes + k, when }
      await sayAll(alice, bob, ["one", "two"])
      await world.rest()
      const wasKilled = bob.store.writes > (bob.store.failAt?.write ?? 0)
      await bob.restart()
      await world.rest()
      world.clock.advance(61)
      await world.rest()
      assert.deepEqual(await bob.texts(alice), ["one", "two"], `write ${k}`)
      await bob.say(alice, "three")
      await world.rest()
      assert.deepEqual(await alice.texts(bob), ["one", "two", "three"], `write ${k}`)
      const [one] = await alice.messages(bob)
      assert.equal(one?.delivered?.state, "delivered", `write ${k}`)
      assert.deepEqual([await alice.alarms(), await bob.alarms()], [[], []], `write ${k}`)
      await world.close()
      if (!wasKilled) return
    }
    assert.fail(`more than ${maxWrites} writes`)
  })
}

for (const operation of ["commit", "welcome", "send", "key-packages-take"] as const) {
  for (const lie of ["lose_request", "lose_answer"] as const) {
    test(`${operation}: ${lie === "lose_answer" ? "an answer" : "a request"} that is lost, with a kill behind it, changes nothing in the end`, async () => {
      const { world, alice, bob } = await couple()
      let isOver = false
      world.server.lies.answer = (asked, { dev }) => {
        if (isOver || asked !== operation || dev !== deviceIdOf(alice.device.name)) return undefined
        isOver = true
        return lie
      }
      await alice.say(bob, "one")
      await world.rest()
      await alice.restart()
      await world.rest()
      await alice.say(bob, "two")
      await world.rest()
      world.clock.advance(61)
      await world.rest()
      assert.ok(isOver)
      assert.deepEqual(await bob.texts(alice), ["one", "two"])
      assert.deepEqual([await alice.alarms(), await bob.alarms()], [[], []])
      await world.close()
    })
  }
}
