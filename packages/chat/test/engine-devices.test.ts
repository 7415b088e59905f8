/** Devices that come, are revoked, race and renew, in conversations that go on. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { copyOf, couple, type EngineWorld, type Home } from "./support/engine-world.ts"
import { settle } from "./support/group-world.ts"

function here<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("nothing there")
  return value
}

/** A further device of somebody, with its engine. */
async function another(world: EngineWorld, home: Home): Promise<Home> {
  const device = await home.person.addDevice()
  const added = await world.homeOf(home.person, device)
  await world.rest()
  world.publish(home.person)
  await settle(world, 1, 61)
  return added
}

test("a contact's new device is added, told as an alarm, and reads what comes from then on", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "before")
  await world.rest()
  const laptop = await another(world, bob)
  const { alarm, isStop } = await alice.alarm("new_device")
  assert.equal("device" in alarm && alarm.device, laptop.device.name)
  assert.equal(isStop, false)
  await alice.say(bob, "after")
  await world.rest()
  assert.deepEqual(await laptop.texts(alice), ["after"])
  assert.deepEqual(await bob.texts(alice), ["before", "after"])
  await laptop.say(alice, "from the laptop")
  await world.rest()
  assert.deepEqual(await alice.texts(bob), ["before", "after", "from the laptop"])
  assert.deepEqual(await bob.texts(alice), ["before", "after", "from the laptop"])
  assert.deepEqual([await bob.alarms(), await laptop.alarms()], [[], []])
  await alice.engine.alarms.settle((await alice.alarm("new_device")).id, "accept")
  await alice.engine.contacts.check()
  assert.deepEqual(await alice.alarms(), [])
  await world.close()
})

test("a contact's device that was listed a while ago is added at once: there may be no other of its person", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "before")
  await world.rest()
  // Events of this world are dated at its beginning.
  world.clock.advance(40)
  await world.rest()
  bob.transport.unplug()
  const laptop = await world.homeOf(bob.person, await bob.person.addDevice())
  await world.rest()
  world.publish(bob.person)
  await world.rest()
  await alice.say(bob, "who reads this?")
  await world.rest()
  assert.deepEqual(await laptop.texts(alice), ["who reads this?"])
  await world.close()
})

test("a contact writes from a device that his chain, as it is known here, does not list yet: it comes once the chain does", async () => {
  const { world, alice, bob } = await couple()
  const phone = await world.homeOf(alice.person, await alice.person.addDevice())
  await world.rest()
  const stale = copyOf(here(bob.known.get(alice.person.chain)))
  world.shows = (who, chain) => (who === bob && chain === alice.person.chain ? stale : undefined)
  await phone.engine.contacts.add("bobby@localhost")
  await phone.say(bob, "from the new phone")
  await settle(world, 1, 61)
  assert.deepEqual(await bob.texts(alice), [])
  world.shows = undefined
  await settle(world, 1, 61)
  assert.deepEqual(await bob.texts(alice), ["from the new phone"])
  await world.close()
})

test("an own new device gets into all conversations, and both devices show what both write", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "before")
  await world.rest()
  const tablet = await another(world, alice)
  assert.equal((await tablet.engine.conversations()).length, 1)
  const sent = here((await tablet.say(bob, "from the tablet"))[0])
  await world.rest()
  assert.deepEqual(await alice.texts(bob), ["before", "from the tablet"])
  assert.ok((await alice.messages(bob))[1]?.sender.isSelf)
  assert.equal(await tablet.state(sent), "delivered")
  await alice.say(bob, "from the phone")
  await world.rest()
  assert.deepEqual(await tablet.texts(bob), ["from the tablet", "from the phone"])
  assert.deepEqual(await bob.texts(alice), ["before", "from the tablet", "from the phone"])
  await world.close()
})

test("a revoked device is removed before anything more is written, and reads nothing of it", async () => {
  const { world, alice, bob } = await couple()
  const laptop = await another(world, bob)
  await alice.say(bob, "to both")
  await world.rest()
  assert.deepEqual(await laptop.texts(alice), ["to both"])
  alice.transport.unplug()
  await alice.say(bob, "not for the laptop")
  await bob.person.revoke(laptop.device)
  world.publish(bob.person)
  alice.transport.plug()
  await settle(world, 1, 61)
  assert.deepEqual(await bob.texts(alice), ["to both", "not for the laptop"])
  assert.deepEqual(await laptop.texts(alice), ["to both"])
  assert.equal((await laptop.engine.conversations())[0]?.state, "removed")
  await assert.rejects(laptop.say(alice, "let me in"), { code: /chat\.removed|usage/ })
  await world.close()
})

test("M11 both sides commit at once: one wins, the other rebases, and both go on", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "0")
  await world.rest()
  alice.transport.unplug()
  bob.transport.unplug()
  const [phone, laptop] = [await alice.person.addDevice(), await bob.person.addDevice()]
  const [a2, b2] = [await world.homeOf(alice.person, phone), await world.homeOf(bob.person, laptop)]
  await world.rest()
  world.publish(alice.person)
  world.publish(bob.person)
  alice.transport.plug()
  bob.transport.plug()
  await settle(world, 1, 61)
  await settle(world, 1, 61)
  await alice.say(bob, "1")
  await world.rest()
  await bob.say(alice, "2")
  await world.rest()
  for (const [who, other] of [
    [a2, bob],
    [b2, alice],
  ] as const) {
    assert.deepEqual((await who.texts(other)).slice(-2), ["1", "2"])
  }
  const codes = new Set<string | undefined>()
  for (const { engine } of [alice, bob, a2, b2]) codes.add((await engine.conversations())[0]?.safetyCode)
  assert.equal(codes.size, 1)
  await world.close()
})

test("M4 two copies of one device: what the second says in a place that is taken is shown to nobody, and is an alarm", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "0")
  await world.rest()
  const copy = new Map(alice.rows)
  await alice.say(bob, "1")
  await world.rest()
  // The whole disk is set back to yesterday's.
  alice.rows.clear()
  for (const [key, value] of copy) alice.rows.set(key, value)
  await alice.restart()
  await world.rest()
  await alice.say(bob, "another 1").catch(() => undefined)
  await settle(world, 1, 61)
  assert.deepEqual(await bob.texts(alice), ["0", "1"])
  const alarms = await bob.alarms()
  assert.ok(alarms.includes("sender_fork") || alarms.includes("message_repeated"), String(alarms))
  await world.close()
})

test("a credential that ends is renewed, with the key packages, and the conversation goes on", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "0")
  await world.rest()
  for (let day = 0; day < 95; day += 5) {
    world.clock.advance(5 * 86_400)
    await world.rest()
  }
  await alice.say(bob, "after 95 days")
  await world.rest()
  assert.deepEqual(await bob.texts(alice), ["0", "after 95 days"])
  await bob.say(alice, "and back")
  await world.rest()
  assert.deepEqual(await alice.texts(bob), ["0", "after 95 days", "and back"])
  assert.deepEqual([await alice.alarms(), await bob.alarms()], [[], []])
  await world.close()
})

test("a member's chain that is behind here is fetched, and the commit that needs it is applied then", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "0")
  await world.rest()
  // Alice hears nothing of Bob's chain by herself.
  const device = await bob.person.addDevice()
  await world.homeOf(bob.person, device)
  await world.rest()
  bob.known.set(bob.person.chain, bob.person.replay)
  bob.onChange(bob.person.chain)
  await settle(world, 1, 61)
  await bob.say(alice, "1")
  await world.rest()
  assert.deepEqual(await alice.texts(bob), ["0", "1"])
  assert.equal(alice.known.get(bob.person.chain)?.head.digest, bob.person.replay.head.digest)
  await world.close()
})
