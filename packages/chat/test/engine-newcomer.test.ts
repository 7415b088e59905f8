/** What who adds a newcomer says of where the messages of each device stand: believed until the device itself shows it, and no way to hide what it sends. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { type Digest, digestOf } from "@kez/core"
import { readPositions } from "../src/engine/positions.ts"
import { encodeRow, keys } from "../src/engine/row.ts"
import type { Home } from "./support/engine-world.ts"
import { say, settle, textsIn, three } from "./support/group-world.ts"

const someId = digestOf(new TextEncoder().encode("never sent"))

/** What a hostile client says of another's device to those whom it adds. */
function pretend(liar: Home, about: Home, group: string, next: number, last: Digest | null = someId): void {
  const row = { next, recent: [], held: [], lastSeq: 0, ...(last === null ? {} : { last }) }
  liar.rows.set(keys.sequence(group as Digest, about.device.name), encodeRow(row))
}

for (const [next, last] of [
  [10_000, someId],
  [Number.MAX_SAFE_INTEGER, someId],
  [10_000, null],
] as const) {
  test(`A10 who adds a newcomer says that another's device sent ${next} messages${last === null ? " and not which" : ""}: nothing of it is lost to him`, async () => {
    const { world, alice, carol, dave, id } = await three()
    await say(carol, id, "before")
    await world.rest()
    pretend(alice, carol, id, next, last)
    await alice.engine.groups.add(id, dave.person.chain)
    await world.rest()
    await say(carol, id, "one")
    await say(carol, id, "two")
    await settle(world, 3, 91)
    assert.deepEqual(await textsIn(dave, id), ["one", "two"])
    const shown = await dave.engine.messages(id)
    assert.ok(shown.every(({ isEarly }) => !isEarly))
    const told = last === null || next > 2 ** 32 ? [] : ["told_wrong"]
    assert.deepEqual(await dave.alarms(), told)
    if (told.length > 0) {
      const { alarm } = await dave.alarm("told_wrong")
      assert.ok(alarm.kind === "told_wrong")
      assert.deepEqual([alarm.contact, alarm.device], [alice.person.chain, carol.device.name])
    }
    await world.close()
  })
}

test("A10 who adds a newcomer names the right number and another message before it: the device is believed, and it is an alarm", async () => {
  const { world, alice, carol, dave, id } = await three()
  await say(carol, id, "before")
  await world.rest()
  pretend(alice, carol, id, 1)
  await alice.engine.groups.add(id, dave.person.chain)
  await world.rest()
  await say(carol, id, "one")
  await settle(world, 1, 91)
  assert.deepEqual(await textsIn(dave, id), ["one"])
  assert.deepEqual(await dave.alarms(), ["told_wrong"])
  await world.close()
})

test("A10 who adds a newcomer says less than there was: what was before him is not missed, as its device says", async () => {
  const { world, alice, carol, dave, id } = await three()
  for (const text of ["a", "b", "c"]) await say(carol, id, text)
  await world.rest()
  const key = keys.sequence(id as Digest, carol.device.name)
  const right = alice.rows.get(key)
  alice.rows.delete(key)
  await alice.engine.groups.add(id, dave.person.chain)
  await world.rest()
  if (right !== undefined) alice.rows.set(key, right)
  await say(carol, id, "one")
  await settle(world, 2, 91)
  await say(carol, id, "two")
  await settle(world, 1, 91)
  assert.deepEqual(await textsIn(dave, id), ["one", "two"])
  assert.ok((await dave.engine.messages(id)).every(({ isEarly }) => !isEarly))
  assert.deepEqual(await dave.alarms(), [])
  await world.close()
})

test("what was on its way while a newcomer was added is not missed by him for ever", async () => {
  const { world, alice, carol, dave, id } = await three()
  const uid = world.server.register(alice.person.chain, alice.device.name).uid
  world.server.lies.deliver = (to, one) => (to === uid && one.kind === "message" ? [] : [one])
  await say(carol, id, "on its way")
  await world.rest()
  await alice.engine.groups.add(id, dave.person.chain)
  await world.rest()
  world.server.lies = {}
  await say(carol, id, "one")
  await settle(world, 2, 91)
  assert.deepEqual(await textsIn(dave, id), ["one"])
  assert.ok((await dave.engine.messages(id)).every(({ isEarly }) => !isEarly))
  for (const home of [alice, carol, dave]) assert.deepEqual(await home.alarms(), [])
  await world.close()
})

test("a newcomer is told of few devices that are not in the conversation any more, and takes no more of them", async () => {
  const { world, alice, dave, id } = await three()
  const deviceAt = (i: number) => `ed25519:${String(i).padStart(64, "0")}`
  const keyOf = (i: number) => keys.sequence(id as Digest, deviceAt(i))
  for (let i = 0; i < 300; i++)
    alice.rows.set(keyOf(i), encodeRow({ next: 7, last: someId, recent: [someId], held: [], lastSeq: i }))
  await alice.restart()
  await alice.engine.groups.add(id, dave.person.chain)
  await settle(world, 1, 91)
  const taken = [...dave.rows.keys()].filter((key) => key.startsWith(`${keys.sequences(id as Digest)}ed25519:0000`))
  // Those that spoke last.
  assert.deepEqual([taken.length, dave.rows.has(keyOf(299)), dave.rows.has(keyOf(0))], [64, true, false])
  // Whoever adds may say what he likes.
  const there = new Set([deviceAt(290)])
  const said = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [deviceAt(i), { next: 7, last: someId }]))
  const read = Object.keys(readPositions(new TextEncoder().encode(JSON.stringify(said)), there))
  assert.deepEqual([read.length, read.includes(deviceAt(290))], [65, true])
  await world.close()
})
