/** What is sent again counts by who said it: a leave from a device that is not revoked, also of somebody who came in later. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { encodeRow, type GroupRow, keys } from "../src/engine/row.ts"
import { encodeMessage } from "../src/wire/message.ts"
import { rowAt, say, settle, three, viewOf } from "./support/group-world.ts"

test("A5 a member passes on that a revoked device wants its person to leave: nobody is removed", async () => {
  const { world, alice, bob, carol, id } = await three()
  const group = id as GroupRow["group"]
  const phone = await world.homeOf(bob.person, await bob.person.addDevice())
  await world.rest()
  await phone.engine.contacts.add("alice@localhost")
  world.publish(bob.person)
  await settle(world, 3)
  await say(phone, id, "from the phone")
  await settle(world, 3)
  // The phone's client goes on by itself, and the server lets only what comes behind the leave through.
  const key = keys.sequence(group, phone.device.name)
  const before = rowAt<{ next: number; last: GroupRow["lastId"] }>(alice, key)
  const place = { device: phone.device.name, counter: before.next, prev: before.last ?? group }
  const leave = encodeMessage(place, "membership", { content: { action: "leave" } })
  const held = [{ counter: before.next + 1, id: group, prev: leave.message.id }]
  alice.rows.set(key, encodeRow({ ...before, held }))
  await alice.restart()
  await settle(world)
  // Carol's client sends what she makes.
  const own = rowAt<GroupRow>(carol, keys.group(group))
  const at = { device: carol.device.name, counter: own.nextCounter, prev: own.lastId ?? group }
  const content = { device: phone.device.name, counter: before.next }
  const passed = encodeMessage(at, "resent", { content, body: leave.bytes })
  carol.rows.set(keys.own(group, at.counter), encodeRow(null, passed.bytes))
  const entry = { n: own.nextOutbox, counter: at.counter, id: passed.message.id }
  carol.rows.set(keys.outbox(group, entry.n), encodeRow(entry))
  const next = { nextCounter: at.counter + 1, nextOutbox: entry.n + 1, lastId: passed.message.id }
  carol.rows.set(keys.group(group), encodeRow({ ...own, ...next }))
  await bob.person.revoke(phone.device)
  alice.known.set(bob.person.chain, bob.person.replay)
  await carol.restart()
  await settle(world, 3)
  // It came, and was taken.
  assert.ok(rowAt<{ next: number }>(alice, key).next > before.next)
  assert.ok((await viewOf(alice, id)).members.includes(bob.person.chain))
  await world.close()
})

test("a newcomer's leave that was lost and sent again counts", async () => {
  const { world, alice, bob, dave, id } = await three()
  await alice.engine.groups.add(id, dave.person.chain)
  await settle(world, 3)
  const kept = world.server.conversations.get(id.slice(7))?.messages ?? []
  const count = kept.length
  world.server.lies = { deliver: (_, one) => (one.kind === "message" ? [] : [one]) }
  await dave.engine.groups.leave(id)
  await world.rest()
  const lost = new Set(kept.slice(count).map((one) => one.id))
  world.server.lies = { history: (all) => all.filter((one) => !lost.has(one.id)) }
  await say(bob, id, "hello")
  await settle(world, 3, 91)
  assert.equal(lost.size, 1)
  assert.equal((await viewOf(alice, id)).members.includes(dave.person.chain), false)
  await world.close()
})
