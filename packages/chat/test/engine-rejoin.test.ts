/** Who is removed and comes in again: what he said before is his and theirs who were there, and reaches nobody who came in meanwhile. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Digest } from "@kez/core"
import { encodeRow, keys } from "../src/engine/row.ts"
import type { EngineWorld, Home } from "./support/engine-world.ts"
import { rowAt, say, settle, textsIn, three } from "./support/group-world.ts"

/** A client that forgets that anything of a device was not for it. */
async function askForAll(world: EngineWorld, asks: Home, of: Home, group: string): Promise<void> {
  const key = keys.sequence(group as Digest, of.device.name)
  const { next, last } = rowAt<{ next: number; last: Digest }>(asks, key)
  const held = [{ counter: next - 1, id: last, prev: last }]
  asks.rows.set(key, encodeRow({ next: 0, recent: [], held, lastSeq: 9_999 }))
  await asks.restart()
  await settle(world, 3, 91)
}

test("A6 who was removed and came back sends nothing of before to who came in meanwhile, whatever he asks for", async () => {
  const { world, alice, bob, carol, dave, id } = await three()
  await settle(world)
  for (const text of ["secret 0", "secret 1"]) await say(bob, id, text)
  await settle(world)
  await alice.engine.groups.remove(id, bob.person.chain)
  await settle(world)
  await alice.engine.groups.add(id, dave.person.chain)
  await settle(world)
  await alice.engine.groups.add(id, bob.person.chain)
  await settle(world)
  await say(bob, id, "back")
  await settle(world)
  // Dave never saw Bob's device, and was told where it stands, so that he misses nothing.
  assert.deepEqual(
    dave.events.filter(({ kind }) => kind === "alarm"),
    [],
  )
  await askForAll(world, dave, bob, id)
  assert.deepEqual(await textsIn(dave, id), ["back"])
  assert.deepEqual(await textsIn(carol, id), ["secret 0", "secret 1", "back"])
  await say(bob, id, "and on")
  await settle(world)
  for (const home of [alice, carol, dave]) {
    assert.equal((await textsIn(home, id)).at(-1), "and on")
    assert.ok((await home.engine.messages(id)).every(({ isEarly }) => !isEarly))
    assert.deepEqual(await home.alarms(), [])
  }
  await world.close()
})

test("what was told as not sent because this device was removed does not go out by itself once it is back", async () => {
  const { world, alice, bob, carol, dave, id } = await three()
  await say(bob, id, "0")
  await settle(world)
  bob.transport.unplug()
  await say(bob, id, "before the removal")
  await alice.engine.groups.remove(id, bob.person.chain)
  await settle(world)
  bob.transport.plug()
  await settle(world)
  await alice.engine.groups.add(id, dave.person.chain)
  await settle(world)
  await alice.engine.groups.add(id, bob.person.chain)
  await settle(world)
  await say(bob, id, "back")
  await settle(world, 4, 91)
  assert.deepEqual(await textsIn(dave, id), ["back"])
  assert.deepEqual(await textsIn(carol, id), ["0", "back"])
  const shown = await bob.engine.messages(id)
  assert.deepEqual(
    shown.map(({ text, delivered }) => [text, delivered?.state]),
    [
      ["0", "delivered"],
      ["before the removal", "failed"],
      ["back", "delivered"],
    ],
  )
  for (const home of [alice, carol, dave]) {
    assert.ok((await home.engine.messages(id)).every(({ isEarly }) => !isEarly))
    assert.deepEqual(await home.alarms(), [])
  }
  await world.close()
})

test("A10 who brings a device in again takes nothing of what it saw itself: what was said then cannot be said otherwise", async () => {
  const { world, alice, bob, carol, id } = await three()
  for (const text of ["a", "b", "c"]) await say(carol, id, text)
  await settle(world)
  const key = keys.sequence(id as Digest, carol.device.name)
  const seen = () => rowAt<{ next: number; last: Digest }>(bob, key)
  const { next, last } = seen()
  await alice.engine.groups.remove(id, bob.person.chain)
  await settle(world)
  // Alice's client says what it likes.
  alice.rows.set(key, encodeRow({ next: 1, last: id, recent: [], held: [], lastSeq: 0 }))
  await alice.restart()
  await alice.engine.groups.add(id, bob.person.chain)
  await settle(world)
  assert.deepEqual([seen().next, seen().last], [next, last])
  await say(carol, id, "d")
  await settle(world, 2, 91)
  assert.deepEqual(await textsIn(bob, id), ["a", "b", "c", "d"])
  assert.ok((await bob.engine.messages(id)).every(({ isEarly }) => !isEarly))
  assert.deepEqual(await bob.alarms(), [])
  await world.close()
})

test("what came early before this device was removed is early no more once it is back, and what was missing then stays told", async () => {
  const { world, alice, bob, carol, id } = await three()
  const at = keys.sequence(id as Digest, carol.device.name)
  const seen = () => rowAt<{ next: number; begunAt?: number }>(bob, at)
  const uidOf = ({ person, device }: Home) => world.server.register(person.chain, device.name).uid
  const [toBob, toCarol] = [uidOf(bob), uidOf(carol)]
  await say(carol, id, "0")
  await settle(world)
  bob.rows.set(at, encodeRow({ ...seen(), begunAt: 0 }))
  await bob.restart()
  await world.rest()
  // Carol hears of nothing that is asked of her, and the history has nothing.
  let isLost = true
  world.server.lies = {
    deliver: (uid, one) => (one.kind === "message" && (uid === toCarol || (uid === toBob && isLost)) ? [] : [one]),
    history: (kept, kind) => (kind === "messages" ? [] : kept),
  }
  await say(carol, id, "1")
  await world.rest()
  isLost = false
  await say(carol, id, "2")
  await settle(world)
  const earlyOf = async () => (await bob.engine.messages(id)).map(({ text, isEarly }) => [text, isEarly])
  assert.deepEqual(await earlyOf(), [
    ["0", false],
    ["2", true],
  ])
  const { next } = seen()
  await alice.engine.groups.remove(id, bob.person.chain)
  await settle(world)
  await say(carol, id, "3")
  await settle(world)
  await alice.engine.groups.add(id, bob.person.chain)
  await settle(world)
  assert.ok(seen().next > next + 2)
  await say(carol, id, "4")
  await settle(world)
  assert.deepEqual(await earlyOf(), [
    ["0", false],
    ["2", false],
    ["4", false],
  ])
  assert.deepEqual([seen().begunAt, await bob.alarms()], [0, ["messages_missing"]])
  await world.close()
})
