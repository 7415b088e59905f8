/** Two people over a server in memory: written, read, confirmed, answered; away and back; killed and started again. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { couple } from "./support/engine-world.ts"

test("two people write both ways; what is sent becomes delivered, then read", async () => {
  const { world, alice, bob } = await couple()
  const [hello] = await alice.say(bob, "hello")
  await world.rest()
  assert.deepEqual(await bob.texts(alice), ["hello"])
  assert.ok(hello)
  assert.equal(await alice.state(hello), "delivered")
  await bob.say(alice, "hello yourself")
  await world.rest()
  assert.deepEqual(await alice.texts(bob), ["hello", "hello yourself"])
  const [first] = await bob.messages(alice)
  assert.ok(first)
  await bob.engine.markRead(first.conversation, first.id)
  await world.rest()
  assert.equal(await alice.state(hello), "read")
  assert.deepEqual([await alice.alarms(), await bob.alarms()], [[], []])
  await world.close()
})
