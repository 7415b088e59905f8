/** What is kept has an end: of who left nothing but where the devices that spoke last stand, and no row for each message that was opened; what the alarm of a repeat needs is there. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Digest } from "@kez/core"
import { encodeRow, type GroupRow, keys } from "../src/engine/row.ts"
import type { Delivery } from "../src/wire/delivery.ts"
import { couple, type Home } from "./support/engine-world.ts"
import { rowOf, say, settle, textsIn, three } from "./support/group-world.ts"

const uidOf = ({ world, person, device }: Home): string => world.server.register(person.chain, device.name).uid

/** What comes to somebody's mailbox as a message, from now on. */
function listen(home: Home): Delivery[] {
  const heard: Delivery[] = []
  home.world.server.lies.deliver = (uid, one) => {
    if (uid === uidOf(home) && one.kind === "message") heard.push(one)
    return [one]
  }
  return heard
}

test("who left a group leaves nothing in the row that each message writes, and is there anew when he comes back", async () => {
  const { world, alice, bob, carol, dave, id } = await three()
  const namesOf = ({ receipts, cameIn = {}, confirmedBy = {}, since = {} }: GroupRow) =>
    [receipts, cameIn, confirmedBy, since].flatMap((one) => Object.keys(one))
  await alice.engine.groups.add(id, dave.person.chain)
  await settle(world)
  for (const home of [alice, dave, carol]) await say(home, id, "hello")
  await settle(world)
  const gone = [dave.person.chain, dave.device.name, carol.person.chain, carol.device.name]
  for (const name of gone) assert.ok(namesOf(rowOf(alice, id)).includes(name))
  await alice.engine.groups.remove(id, dave.person.chain)
  await alice.engine.groups.remove(id, carol.person.chain)
  await settle(world)
  for (const home of [alice, bob])
    assert.deepEqual(
      namesOf(rowOf(home, id)).filter((name) => gone.includes(name)),
      [],
    )
  await alice.engine.groups.add(id, dave.person.chain)
  await settle(world)
  await say(alice, id, "again")
  await settle(world)
  await say(dave, id, "thanks")
  await settle(world)
  assert.deepEqual(await textsIn(dave, id), ["hello", "hello", "hello", "again", "thanks"])
  const shown = (await alice.engine.messages(id)).filter(({ sender }) => sender.isSelf)
  assert.equal(shown.at(-1)?.delivered?.state, "delivered")
  const { confirmedBy = {}, nextCounter } = rowOf(alice, id)
  assert.ok((confirmedBy[dave.person.chain] ?? 0) <= nextCounter && (confirmedBy[dave.person.chain] ?? 0) > 0)
  assert.deepEqual(await dave.alarms(), [])
  await world.close()
})

test("M1 messages that were opened leave no row each, and what comes again from its place is no alarm", async () => {
  const { world, alice, bob } = await couple()
  const heard = listen(bob)
  await alice.say(bob, "0")
  await world.rest()
  const keysOf = () => [...bob.rows.keys()].filter((key) => /^(seen)\//.test(key)).length
  await alice.say(bob, ...Array.from({ length: 40 }, (_, i) => `${i + 1}`))
  await world.rest()
  assert.equal(keysOf(), 0)
  for (const one of heard.slice()) world.server.push(uidOf(bob), one)
  await bob.restart()
  await world.rest()
  assert.deepEqual([await bob.alarms(), (await bob.texts(alice)).length], [[], 41])
  // Put in again, behind all that was read.
  const [first] = heard
  assert.ok(first !== undefined)
  world.server.push(uidOf(bob), { ...first, seq: first.seq + 1_000 })
  await world.rest()
  assert.deepEqual([await bob.alarms(), (await bob.texts(alice)).length], [["message_repeated"], 41])
  await world.close()
})

test("a store from before has such rows: nothing of it is an alarm, and they are gone with the next commit", async () => {
  const { world, alice, bob } = await couple()
  const heard = listen(bob)
  await alice.say(bob, "0", "1")
  await world.rest()
  const [name = ""] = world.server.conversations.keys()
  const group: Digest = `sha256:${name}`
  const { openedTo: _, ...row } = rowOf(bob, group)
  bob.rows.set(keys.group(group), encodeRow(row))
  bob.rows.set(`${keys.seen(group)}${"0".repeat(64)}`, encodeRow(1))
  await bob.restart()
  for (const one of heard.slice()) world.server.push(uidOf(bob), one)
  await world.rest()
  assert.deepEqual(await bob.alarms(), [])
  const phone = await world.homeOf(bob.person, await bob.person.addDevice())
  await world.rest()
  await phone.engine.contacts.add("alice@localhost")
  world.publish(bob.person)
  await settle(world)
  assert.ok(![...bob.rows.keys()].some((key) => key.startsWith(keys.seen(group))))
  assert.deepEqual(await bob.texts(alice), ["0", "1"])
  await world.close()
})

/** How often the whole inbox was looked through: not done where a message may go out at once. */
function countSlowWays(home: Home, group: string): () => number {
  let times = 0
  const { list } = home.store
  home.store.list = (range) => {
    if (range.from === keys.inbox(group as Digest) && range.limit === undefined) times++
    return list(range)
  }
  return () => times
}

test("A1 a member who brings in one device after the other: rows of those that spoke last are kept, what was made up goes first", async () => {
  const { world, alice, bob, carol, dave, id } = await three()
  const group = id as Digest
  await say(carol, id, "hello")
  await alice.engine.groups.remove(id, carol.person.chain)
  await settle(world)
  const row = (n: number) => ({ next: 300, last: group, recent: [group], held: [], lastSeq: n })
  for (let n = 0; n < 200; n++) {
    const isTold = n >= 100 ? { isTold: true } : {}
    alice.rows.set(keys.sequence(group, `ed25519:gone${n}`), encodeRow({ ...row(10_000 + n), ...isTold }))
    alice.rows.set(keys.olderIds(group, `ed25519:gone${n}`), encodeRow([group]))
  }
  await alice.restart()
  await alice.engine.groups.add(id, dave.person.chain)
  await settle(world)
  const devicesIn = (prefix: string) => [...alice.rows.keys()].filter((key) => key.startsWith(prefix))
  const kept = devicesIn(keys.sequences(group)).filter((key) => key.includes("gone"))
  assert.equal(kept.length, 64)
  assert.equal(kept.filter((key) => Number(key.slice(key.indexOf("gone") + 4)) >= 100).length, 0)
  assert.equal(devicesIn(keys.olderIds(group, "")).length, 64)
  await say(bob, id, "and on")
  await settle(world)
  assert.deepEqual(await textsIn(alice, id), ["hello", "and on"])
  assert.deepEqual(await alice.alarms(), [])
  await world.close()
})

test("A1 what a device left out for good and is gone is an alarm, and holds up no later message", async () => {
  const { world, alice, bob, carol, id } = await three()
  world.server.lies.deliver = (uid, one) => (uid === uidOf(bob) && one.kind === "message" ? [] : [one])
  await say(carol, id, "0")
  await world.rest()
  const all = [...world.server.conversations.values()].flatMap(({ messages }) => messages)
  const lost = new Set(all.map((one) => one.id))
  world.server.lies = { history: (kept) => kept.filter((one) => !lost.has(one.id)) }
  // It is gone by the time that Bob is back: what comes later and the removal are taken in together.
  bob.transport.unplug()
  await say(carol, id, "1")
  await world.rest()
  await alice.engine.groups.remove(id, carol.person.chain)
  await settle(world)
  const times = countSlowWays(bob, id)
  bob.transport.plug()
  await settle(world, 4)
  assert.deepEqual(await bob.alarms(), ["messages_missing"])
  assert.deepEqual(await textsIn(bob, id), ["1"])
  const before = times()
  for (const text of ["a", "b", "c"]) {
    await say(bob, id, text)
    await world.rest()
  }
  assert.ok(before > 0)
  assert.equal(times(), before)
  await world.close()
})
