/** What comes is shown while it is written. If it cannot be written it comes again: nothing lost, nothing shown twice. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { KezError } from "@kez/core"
import { encodeRequest } from "../src/wire/command-codec.ts"
import type { Delivery } from "../src/wire/delivery.ts"
import { couple, type EngineWorld, type Home } from "./support/engine-world.ts"

const shownTo = ({ events }: Home): readonly (string | undefined)[] =>
  events.flatMap((event) => (event.kind === "message" && !event.message.sender.isSelf ? [event.message.text] : []))

async function later(world: EngineWorld): Promise<void> {
  world.clock.advance(60)
  await world.rest()
}

test("what comes is shown while it is written, and what is asked for meanwhile waits until it is kept", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "0")
  await world.rest()
  const disk = Promise.withResolvers<void>()
  bob.store.before = () => disk.promise
  await alice.say(bob, "1")
  for (let i = 0; i < 200 && shownTo(bob).length < 2; i++) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(shownTo(bob), ["0", "1"])
  let isKept = false
  const read = bob.texts(alice).finally(() => {
    isKept = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(isKept, false)
  disk.resolve()
  assert.deepEqual(await read, ["0", "1"])
  await world.close()
})

test("what a full disk does not take is shown once, and kept once there is room, in a later run too", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "0")
  await world.rest()
  const full = async (): Promise<void> => {
    throw new KezError("store.full", "Cannot write to the chat's store: the disk is full")
  }
  bob.store.before = full
  await alice.say(bob, "1")
  for (let i = 0; i < 5; i++) await later(world)
  assert.deepEqual(await bob.texts(alice), ["0"])
  bob.store.before = async () => undefined
  for (let i = 0; i < 3; i++) await later(world)
  assert.deepEqual(await bob.texts(alice), ["0", "1"])
  assert.deepEqual(shownTo(bob), ["0", "1"])
  bob.store.before = full
  await alice.say(bob, "2")
  for (let i = 0; i < 3; i++) await later(world)
  bob.store.before = async () => undefined
  await bob.restart()
  for (let i = 0; i < 3; i++) await later(world)
  assert.deepEqual(await bob.texts(alice), ["0", "1", "2"])
  assert.equal(alice.events.filter((event) => event.kind === "alarm").length, 0)
  await world.close()
})

test("one write that fails: what comes behind it is not taken before it, and both are kept in the end", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "0")
  await world.rest()
  let failures = 1
  bob.store.before = async () => {
    if (failures-- > 0) throw new KezError("store.full", "Cannot write to the chat's store: the disk is full")
  }
  await alice.say(bob, "1")
  await world.rest()
  assert.equal(failures, 0)
  // There is room again, and the session of before still reads.
  await alice.say(bob, "2")
  await world.rest()
  assert.deepEqual(await bob.texts(alice), ["0"])
  await bob.restart()
  await world.rest()
  assert.deepEqual(await bob.texts(alice), ["0", "1", "2"])
  assert.deepEqual([await alice.alarms(), await bob.alarms()], [[], []])
  await world.close()
})

test("who looked for it in the store before it was kept is told of it as of a change, and can mark it as read then", async () => {
  const { world, alice, bob } = await couple()
  const [first] = await alice.say(bob, "0")
  await world.rest()
  const [conversation] = await bob.engine.conversations()
  assert.ok(first !== undefined && conversation !== undefined)
  bob.store.before = async () => {
    throw new KezError("store.full", "Cannot write to the chat's store: the disk is full")
  }
  const [second] = await alice.say(bob, "1")
  assert.ok(second !== undefined)
  await world.rest()
  assert.deepEqual(shownTo(bob), ["0", "1"])
  await bob.engine.markRead(conversation.id, second.id)
  bob.store.before = async () => undefined
  await later(world)
  const changed = bob.events.flatMap((event) => (event.kind === "message_changed" ? [event.message] : []))
  assert.deepEqual(
    changed.map(({ text }) => text),
    ["1"],
  )
  assert.equal((await bob.engine.conversation(conversation.id))?.unread, 2)
  await bob.engine.markRead(conversation.id, second.id)
  await later(world)
  assert.equal(await alice.state(second), "read")
  await world.close()
})

test("A10 a text that comes live is not shown, and still opens where it is kept: by a member's client or a server's lie", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "0")
  await world.rest()
  const uid = world.server.register(bob.person.chain, bob.device.name).uid
  const held: Delivery[] = []
  world.server.lies.deliver = (to, one) => {
    if (to !== uid || one.kind !== "message") return [one]
    held.push(one)
    return []
  }
  await alice.say(bob, "1")
  await world.rest()
  const [one] = held
  assert.ok(one !== undefined)
  const from = world.server.register(alice.person.chain, alice.device.name)
  const { conversation, data } = one
  world.server.handle("live", from, encodeRequest("live", { conversation, topic: "typing" }, [data]))
  await world.rest()
  assert.deepEqual([shownTo(bob), await bob.texts(alice)], [["0"], ["0"]])
  world.server.lies = {}
  world.server.push(uid, one)
  await world.rest()
  assert.deepEqual(
    [shownTo(bob), await bob.texts(alice)],
    [
      ["0", "1"],
      ["0", "1"],
    ],
  )
  assert.deepEqual(await bob.alarms(), [])
  await world.close()
})

test("after a write that failed one session is opened, not one after another", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "0")
  await world.rest()
  let [failures, sessions] = [1, 0]
  bob.store.before = async () => {
    if (failures-- > 0) throw new KezError("store.full", "Cannot write to the chat's store: the disk is full")
  }
  const request = bob.transport.request.bind(bob.transport)
  bob.transport.request = (...asked) => {
    if (asked[0] === "session") sessions++
    return request(...asked)
  }
  await alice.say(bob, "1")
  await world.rest()
  for (let i = 0; i < 20; i++) {
    world.clock.advance(1)
    await world.rest()
  }
  assert.equal(sessions, 1)
  assert.deepEqual(await bob.texts(alice), ["0", "1"])
  await alice.say(bob, "2")
  await world.rest()
  assert.deepEqual(await bob.texts(alice), ["0", "1", "2"])
  await world.close()
})
