/** What others say of our messages counts for what was sent, and from devices that are not revoked. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Digest } from "@kez/core"
import { encodeRow, keys, type ReceiptRow } from "../src/engine/row.ts"
import { couple, type Home } from "./support/engine-world.ts"
import { rowOf, say, settle, three } from "./support/group-world.ts"

/** A client that says more than came. */
async function pretend(liar: Home, of: Home, group: string, delivered: number): Promise<void> {
  const receipt: ReceiptRow = { delivered, saidDelivered: 0, read: 0, saidRead: 0 }
  const row = { ...rowOf(liar, group), receipts: { [of.device.name]: receipt } }
  liar.rows.set(keys.group(group as Digest), encodeRow(row))
  await liar.restart()
}

const states = async (home: Home, group: string) =>
  (await home.engine.messages(group)).map(({ delivered }) => delivered?.state)

test("a receipt for messages that were never sent says nothing", async () => {
  const { world, alice, bob, carol, id } = await three()
  await settle(world)
  for (const home of [bob, carol]) home.transport.unplug()
  await say(alice, id, "one")
  await settle(world)
  await pretend(carol, alice, id, 2 ** 52)
  await settle(world)
  const { confirmed = 0, confirmedBy = {}, nextCounter } = rowOf(alice, id)
  assert.ok(confirmed <= nextCounter)
  assert.ok(Object.values(confirmedBy).every((counter) => counter <= nextCounter))
  carol.transport.unplug()
  await say(alice, id, "two")
  await settle(world)
  assert.equal((await states(alice, id)).at(-1), "sent")
  bob.transport.plug()
  await settle(world)
  assert.deepEqual(await states(alice, id), ["delivered", "delivered"])
  await world.close()
})

test("A5 what a revoked device says came does not count for its person", async () => {
  const { world, alice, bob } = await couple()
  const phone = await world.homeOf(bob.person, await bob.person.addDevice())
  await world.rest()
  await phone.engine.contacts.add("alice@localhost")
  await alice.say(bob, "0")
  world.publish(bob.person)
  await settle(world)
  await alice.say(bob, "1")
  await settle(world)
  for (const home of [bob, phone]) home.transport.unplug()
  await alice.say(bob, "2")
  await settle(world)
  await bob.person.revoke(phone.device)
  alice.known.set(bob.person.chain, bob.person.replay)
  phone.transport.plug()
  await world.rest()
  const last = (await alice.messages(bob)).at(-1)
  assert.deepEqual([await phone.texts(alice), last?.delivered?.state], [["0", "1", "2"], "sent"])
  await world.close()
})
