/**
 * What broker-forbidden.test.ts tries, by a user who is registered at a real chat server, against another one: let in by its callout, with the permissions
 * that it gives, in the streams that it made.
 */
import assert from "node:assert/strict"
import { after, describe, test } from "node:test"
import { inboxPrefixOf } from "@kez/core"
import { connectDevice, skipWithoutNats } from "../support/broker.ts"
import { attacks } from "../support/broker-attacks.ts"
import { attackBy, makeWorld } from "../support/broker-world.ts"
import { startChatWorld, type WorldPerson } from "../support/chat-world.ts"

describe("forbidden with a real chat server", { skip: skipWithoutNats }, async () => {
  if (skipWithoutNats !== false) return
  const t = { after }
  const chat = await startChatWorld(t)
  const { broker } = chat
  const deviceOf = ({ devices: [device] }: WorldPerson) => {
    assert.ok(device)
    return device
  }
  const devices = { alice: deviceOf(await chat.person("alice")), bob: deviceOf(await chat.person("bob")) }
  const world = await makeWorld(t, broker, { devices })
  const alice = attackBy(await connectDevice(t, { broker, device: devices.alice }), inboxPrefixOf(devices.alice))

  test("her own subjects work: it is not that she may do nothing at all", async () => {
    const client = await chat.connect(devices.alice)
    await client.ask("session", { cursor: 0 })
    assert.deepEqual(await client.read(), [])
  })

  for (const { name, run } of attacks) {
    test(`A10 refused: ${name}`, async () => {
      await world.prepare()
      assert.equal(await run(alice, world), "refused")
    })
  }
})
