/** Reply subjects are never checked by nats-server: what a device can aim at another with them, and that nothing of it is stored or obeyed. */
import assert from "node:assert/strict"
import { after, describe, test } from "node:test"
import { conversationOf, parseCommand } from "@kez/broker"
import { inboxPrefixOf, mailboxReaderOf } from "@kez/core"
import { connectDevice, skipWithoutNats, startCallout, startTestBroker } from "../support/broker.ts"
import { makeWorld } from "../support/broker-world.ts"

describe("reply subjects", { skip: skipWithoutNats }, async () => {
  if (skipWithoutNats !== false) return
  const t = { after }
  const broker = await startTestBroker(t)
  await startCallout(broker)
  const world = await makeWorld(t, broker)
  const { alice, bob, store, mailbox } = world
  const connection = await connectDevice(t, { broker, device: alice })
  const reader = mailboxReaderOf(alice)
  const pull = `$JS.API.CONSUMER.MSG.NEXT.${reader.stream}.${reader.consumer}`
  const stored = async (): Promise<number> => {
    const answer = await world.storeService.request("$JS.API.INFO")
    return (answer.json() as { readonly api: object; readonly storage: number }).storage
  }

  const targets: ReadonlyArray<readonly [name: string, subject: string]> = [
    ["Bob's mailbox", mailbox.subject],
    ["a conversation", conversationOf("c2").messages.subject],
    ["a conversation's commits", conversationOf("c2").commits.subject],
    ["a command as Bob", `cmd.${bob.uid}.${bob.dev}.send`],
    ["Bob's live subject", `live.${bob.uid}.typing`],
    ["Bob's inbox", `${inboxPrefixOf(bob)}.watched.1`],
    ["JetStream's own requests", `$JS.API.STREAM.PURGE.${mailbox.stream}`],
    ["the system account", "$SYS.REQ.SERVER.PING"],
  ]
  for (const [name, target] of targets) {
    for (const state of ["with a message of her own to read", "with nothing to read"] as const) {
      test(`trap: Alice pulls ${state}, the answer aimed at ${name} -> nothing is stored, nothing obeyed`, async () => {
        await world.prepare()
        if (state === "with a message of her own to read") {
          await store.deliver({ uid: alice.uid, id: `${target}:${alice.uid}`, data: Buffer.from("mine") })
          await store.openSession(alice, 0)
        } else {
          await store.openSession(alice, 0)
          for (const _ of Array.from({ length: 20 }))
            connection.publish(pull, '{"batch":100,"no_wait":true}', { reply: `${inboxPrefixOf(alice)}.own` })
          await connection.flush()
        }
        const before = await stored()
        world.reached.length = 0
        connection.publish(pull, '{"batch":5,"no_wait":true}', { reply: target })
        await connection.flush()
        await new Promise((resolve) => setTimeout(resolve, 60))
        assert.equal(await stored(), before)
        // Some of it arrives as a message. Its content is Alice's own or none, and it is no command.
        for (const message of world.reached) assert.equal(parseCommand(message.subject, message.reply), undefined)
      })
    }
  }

  test("trap: a command of Alice with a reply in Bob's inbox is no command", async () => {
    world.reached.length = 0
    connection.publish(`cmd.${alice.uid}.${alice.dev}.send`, "x", { reply: `${inboxPrefixOf(bob)}.watched.2` })
    await connection.flush()
    await new Promise((resolve) => setTimeout(resolve, 60))
    assert.deepEqual(world.reached, [])
  })
})
