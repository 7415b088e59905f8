/** What a registered device may not do to another, over WebSocket, as browsers connect. The attempts and their control are those of broker-forbidden.test.ts. */
import assert from "node:assert/strict"
import { after, describe, test } from "node:test"
import { inboxPrefixOf } from "@kez/core"
import { connectDevice, skipWithoutNats, startCallout, startTestBroker } from "../support/broker.ts"
import { attacks } from "../support/broker-attacks.ts"
import { attackBy, makeWorld } from "../support/broker-world.ts"

describe("forbidden over WebSocket", { skip: skipWithoutNats }, async () => {
  if (skipWithoutNats !== false) return
  const t = { after }
  const broker = await startTestBroker(t)
  await startCallout(broker)
  const world = await makeWorld(t, broker, { transport: "websocket" })
  const connection = await connectDevice(t, { broker, device: world.alice, transport: "websocket" })
  const alice = attackBy(connection, inboxPrefixOf(world.alice))

  for (const { name, run } of attacks) {
    test(`refused: ${name}`, async () => {
      await world.prepare()
      assert.equal(await run(alice, world), "refused")
    })
  }
})
