/** A revoked device is still in the conversation, or something that follows from a commit cannot be done: nothing is lost of it, and nothing runs hot. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Digest } from "@kez/core"
import { encodeRow, keys } from "../src/engine/row.ts"
import { copyOf, couple, type EngineWorld, type Home } from "./support/engine-world.ts"
import { rowAt, rowOf, say, settle, textsIn, three } from "./support/group-world.ts"

/** Alice knows already that a device of Bob's, which is in the conversation, is revoked; nobody has removed it. */
async function withOverdue(): Promise<{ world: EngineWorld; alice: Home; bob: Home; group: Digest }> {
  const { world, alice, bob } = await couple()
  const phone = await bob.person.addDevice()
  await world.homeOf(bob.person, phone)
  await world.rest()
  await alice.say(bob, "0")
  world.publish(bob.person)
  await settle(world)
  await alice.say(bob, "1")
  await settle(world)
  await bob.person.revoke(phone)
  alice.known.set(bob.person.chain, bob.person.replay)
  const [name = ""] = world.server.conversations.keys()
  return { world, alice, bob, group: `sha256:${name}` }
}

test("what is written while a revoked device is in the conversation waits until it was removed", async () => {
  const { world, alice, bob } = await withOverdue()
  await alice.say(bob, "after")
  await bob.say(alice, "from bob")
  await settle(world, 3)
  assert.deepEqual((await bob.texts(alice)).toSorted(), ["0", "1", "after", "from bob"])
  assert.deepEqual(await wrongs(alice), [])
  await world.close()
})

test("who asks again while a revoked device is in the conversation is no alarm, and gets it later", async () => {
  const { world, alice, bob, group } = await withOverdue()
  const at = keys.sequence(group, alice.device.name)
  const { next, last } = rowAt<{ next: number; last: Digest }>(bob, at)
  const held = [{ counter: next - 1, id: last, prev: last }]
  bob.rows.set(at, encodeRow({ next: 0, recent: [], held, lastSeq: 9_999 }))
  await bob.restart()
  await settle(world, 2, 91)
  await bob.say(alice, "after")
  await settle(world)
  assert.deepEqual(await wrongs(alice), [])
  assert.ok((await alice.messages(bob)).some(({ text, isEarly }) => text === "after" && !isEarly))
  await world.close()
})

test("a commit of another is applied while a revoked device is in the conversation", async () => {
  const { world, alice, bob, carol, dave, id } = await three()
  await alice.engine.groups.add(id, dave.person.chain)
  await settle(world)
  const phone = await dave.person.addDevice()
  await world.homeOf(dave.person, phone)
  await world.rest()
  world.publish(dave.person)
  await settle(world, 4)
  await lose(world, bob)
  await say(alice, id, "lost to bob")
  await settle(world)
  const device = await bob.person.addDevice()
  const stale = copyOf(bob.person.replay)
  world.shows = (who, chain) => (who === alice && chain === bob.person.chain ? stale : undefined)
  await world.homeOf(bob.person, device)
  await world.rest()
  await dave.person.revoke(phone)
  alice.known.set(dave.person.chain, dave.person.replay)
  world.publish(bob.person)
  await restAtMost(world, alice, 4)
  world.shows = undefined
  world.publish(bob.person)
  await settle(world, 4, 31)
  await say(carol, id, "hello")
  await settle(world, 3)
  assert.deepEqual(await wrongs(alice), [])
  assert.ok((await textsIn(alice, id)).includes("hello"))
  assert.equal(rowOf(alice, id).lastCommit, rowOf(carol, id).lastCommit)
  await world.close()
})

/** That somebody has another device is told, and nothing is wrong. */
async function wrongs(home: Home): Promise<readonly string[]> {
  return (await home.alarms()).filter((kind) => kind !== "new_device")
}

async function lose(world: EngineWorld, home: Home): Promise<void> {
  await home.engine.close()
  world.homes.splice(world.homes.indexOf(home), 1)
}

/** Fails instead of running on for ever where an engine asks without pause. */
async function restAtMost(world: EngineWorld, home: Home, times: number): Promise<void> {
  const before = world.server.requests
  const isHot = (): boolean => world.server.requests - before > 2_000
  let timer: NodeJS.Timeout | undefined
  const hot = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      if (isHot()) reject(new Error(`${home.handle} asks without pause`))
    }, 20)
  })
  try {
    await Promise.race([settle(world, times, 31), hot])
  } finally {
    clearInterval(timer)
  }
}

test("what cannot be given to who comes in keeps nobody out of the epoch, nor what cannot be read of what was asked for", async () => {
  const { world, alice, bob, carol, id } = await three()
  await settle(world)
  await lose(world, bob)
  await say(alice, id, "lost to bob")
  await settle(world)
  const { nextCounter } = rowOf(alice, id)
  const damaged = new TextEncoder().encode("no message")
  alice.rows.set(keys.own(id as Digest, nextCounter - 1), encodeRow(null, damaged))
  const stale = copyOf(bob.person.replay)
  world.shows = (who, chain) => (who === alice && chain === bob.person.chain ? stale : undefined)
  await alice.restart()
  await settle(world)
  alice.rows.set(keys.changes(id as Digest, 0), encodeRow(null))
  await world.homeOf(bob.person, await bob.person.addDevice())
  await world.rest()
  world.publish(bob.person)
  await restAtMost(world, alice, 4)
  world.shows = undefined
  world.publish(bob.person)
  await restAtMost(world, alice, 4)
  assert.equal(rowOf(alice, id).lastCommit, rowOf(carol, id).lastCommit)
  assert.deepEqual(await wrongs(alice), [])
  await world.close()
})

test("a commit that cannot be worked off is tried again after a pause, and nothing of it is lost", async () => {
  const { world, alice, carol, id } = await three()
  await settle(world)
  const { get } = alice.store
  alice.store.get = (key) =>
    key === keys.thread(id as Digest) ? Promise.reject(new Error("a defect")) : get.call(alice.store, key)
  await world.homeOf(carol.person, await carol.person.addDevice())
  await world.rest()
  world.publish(carol.person)
  await restAtMost(world, alice, 4)
  const before = rowOf(alice, id).lastCommit
  alice.store.get = get
  await settle(world, 2, 61)
  await say(carol, id, "hello")
  await settle(world, 2, 61)
  assert.ok(rowOf(alice, id).lastCommit > before)
  assert.equal(rowOf(alice, id).lastCommit, rowOf(carol, id).lastCommit)
  assert.deepEqual(await textsIn(alice, id), ["hello"])
  assert.deepEqual(await wrongs(alice), [])
  await world.close()
})
