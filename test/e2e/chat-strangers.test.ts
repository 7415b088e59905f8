/** M18: somebody who was never answered cannot fill a mailbox: friends' messages still come, and nothing is lost. */
import assert from "node:assert/strict"
import { createHash, randomBytes } from "node:crypto"
import { after, describe, test } from "node:test"
import { mailboxOf } from "@kez/broker"
import { jetstreamManager } from "@nats-io/jetstream"
import { skipWithoutNats } from "../support/broker.ts"
import { type RawClient, startChatWorld, type WorldPerson } from "../support/chat-world.ts"

const idOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`
const most = 2_000
const more = 40

describe("strangers and a mailbox", { skip: skipWithoutNats }, async () => {
  if (skipWithoutNats !== false) return
  const world = await startChatWorld({ after }, { args: ["--message-burst", "0", "--command-burst", "0"] })
  const [bob, alice, eve] = [await world.person("bob"), await world.person("alice"), await world.person("eve")]
  const [theirs, phone, laptop] = [...bob.devices, ...alice.devices, ...eve.devices]
  assert.ok(theirs && phone && laptop)
  const begin = async (client: RawClient, from: WorldPerson) => {
    const conversation = randomBytes(32).toString("hex")
    const members = [from.chain.chain, bob.chain.chain]
    await client.ask("commit", { conversation, id: idOf("begin"), follows: 0, members }, [Buffer.from("begin")])
    return conversation
  }
  const manager = await jetstreamManager(await world.broker.service("store"))
  const { stream, subject } = mailboxOf(bob.uid, world.broker.keys.mailboxSecret)
  const held = async () =>
    (await manager.streams.info(stream, { subjects_filter: subject })).state.subjects?.[subject] ?? 0

  test("what strangers write ends up in the conversation, what friends write in the mailbox too", async () => {
    const [b, a, e] = [await world.connect(theirs), await world.connect(phone), await world.connect(laptop)]
    const friends = await begin(a, alice)
    await b.ask("send", { conversation: friends, id: idOf("yes") }, [Buffer.from("yes")])
    const newest = Math.max(...(await b.read()).map(({ place }) => place))
    await b.ask("session", { cursor: newest })
    const before = await held()
    const strange = await begin(e, eve)
    for (let from = 0; from < most + more; from += 100) {
      const batch = Array.from({ length: Math.min(100, most + more - from) }, (_, at) =>
        e.codeOf("send", { conversation: strange, id: idOf(`${from + at}`) }, [Buffer.from(`${from + at}`)]),
      )
      assert.deepEqual([...new Set(await Promise.all(batch))], ["ok"])
    }
    assert.equal(await held(), before + most)
    await a.ask("send", { conversation: friends, id: idOf("hello") }, [Buffer.from("hello")])
    assert.equal(await held(), before + most + 1)
    assert.equal((await b.ask("session", { cursor: newest })).header.rewound, true)
    const { parts } = await b.ask("history", { conversation: strange, kind: "messages", from: 0, limit: 100 })
    assert.equal(parts.length, 100)
    await e.ask("send", { conversation: strange, id: idOf("later") }, [Buffer.from("later")])
    assert.equal(await held(), before + most + 2)
  })
})
