/** What a registered device may not do to another, over TCP: every attempt is refused by the broker itself. */
import assert from "node:assert/strict"
import { after, describe, test } from "node:test"
import { inboxPrefixOf } from "@kez/core"
import { connectDevice, skipWithoutNats, startCallout, startTestBroker } from "../support/broker.ts"
import { attacks } from "../support/broker-attacks.ts"
import { attackBy, makeWorld } from "../support/broker-world.ts"

describe("forbidden over TCP", { skip: skipWithoutNats }, async () => {
  if (skipWithoutNats !== false) return
  const t = { after }
  const broker = await startTestBroker(t)
  await startCallout(broker)
  const world = await makeWorld(t, broker)
  const connection = await connectDevice(t, { broker, device: world.alice })
  const alice = attackBy(connection, inboxPrefixOf(world.alice))

  test("there are at least 98 of them", () => {
    assert.ok(attacks.length >= 98, `${attacks.length}`)
    assert.equal(new Set(attacks.map(({ name }) => name)).size, attacks.length)
  })
  for (const { name, run } of attacks) {
    test(`refused: ${name}`, async () => {
      await world.prepare()
      assert.equal(await run(alice, world), "refused")
    })
  }
})
