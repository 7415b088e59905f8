/** What is kept has an end: nothing of who left. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Digest } from "@kez/core"
import { decodeRow, type GroupRow, keys } from "../src/engine/row.ts"
import type { EngineWorld, Home } from "./support/engine-world.ts"
import { say, textsIn, three } from "./support/group-world.ts"

async function settle(world: EngineWorld, times = 2): Promise<void> {
  for (let i = 0; i < times; i++) {
    await world.rest()
    world.clock.advance(11)
    await world.rest()
  }
}

function rowOf(home: Home, group: string): GroupRow {
  return decodeRow<GroupRow>(home.rows.get(keys.group(group as Digest)) ?? new Uint8Array()).value
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
