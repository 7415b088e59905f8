/** The chat server restarted and killed, nats-server killed, with clients connected that send on: nothing lost, nothing twice. E-9 */
import assert from "node:assert/strict"
import { createHash, randomBytes } from "node:crypto"
import { after, describe, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { encodeDelivery } from "@kez/chat"
import { jetstreamManager } from "@nats-io/jetstream"
import { skipWithoutNats } from "../support/broker.ts"
import { ask } from "../support/chat-server.ts"
import { type RawClient, startChatWorld } from "../support/chat-world.ts"
import { historyOf } from "../support/history.ts"

const idOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`

describe("recovery of the chat", { skip: skipWithoutNats }, async () => {
  if (skipWithoutNats !== false) return
  const world = await startChatWorld({ after })
  const [alice, bob] = [await world.person("alice"), await world.person("bob")]
  const [[phone], [other]] = [alice.devices, bob.devices]
  assert.ok(phone && other)
  const [a, b] = [await world.connect(phone), await world.connect(other)]
  const conversation = randomBytes(32).toString("hex")
  const members = [alice.chain.chain, bob.chain.chain]
  await a.ask("commit", { conversation, id: idOf("begin"), follows: 0, members }, [Buffer.from("begin")])
  let sent = 0

  /** As an outbox does: one after the other, each until it is answered. */
  const sendOn = async (client: RawClient, until: () => boolean): Promise<void> => {
    while (!until()) {
      const text = `message ${sent}`
      for (;;) {
        try {
          await client.ask("send", { conversation, id: idOf(text) }, [Buffer.from(text)])
          break
        } catch {
          await sleep(50)
        }
      }
      sent += 1
    }
  }

  const assertWhole = async (): Promise<void> => {
    const wanted = Array.from({ length: sent }, (_, at) => `message ${at}`)
    const inMailbox = (await b.read()).filter(({ kind }) => kind === "message")
    const texts = inMailbox.map(({ data }) => Buffer.from(data).toString())
    assert.deepEqual([...new Set(texts)], wanted)
    assert.deepEqual(await historyOf(b, conversation), wanted)
  }

  const during = async (what: () => Promise<void>): Promise<void> => {
    const before = sent
    let isDone = false
    const sending = sendOn(a, () => isDone)
    await sleep(300)
    await what()
    await sleep(300)
    isDone = true
    await sending
    assert.ok(sent > before)
    await Promise.all([a.back(), b.back()])
    await assertWhole()
  }

  test("the chat server is stopped and started", () => during(() => world.restartServer("SIGTERM")))

  test("the chat server is killed with -9", () => during(() => world.restartServer("SIGKILL")))

  test("nats-server is killed with -9", () => during(() => world.restartBroker("SIGKILL")))

  test("a chat server that starts before its broker has handles, and the chat when it comes", async () => {
    world.broker.child.kill("SIGKILL")
    await world.broker.ended
    await world.restartServer()
    const brokerOf = async () => {
      const { status, body } = await ask(`${world.server.url}/readyz`)
      return { status, isThere: body.checks.broker.ok }
    }
    assert.deepEqual(await brokerOf(), { status: 200, isThere: false })
    assert.equal((await ask(`${world.server.url}/v1/handles/alice`)).status, 200)
    await world.restartBroker()
    while (!(await brokerOf()).isThere) await sleep(100)
    await Promise.all([a.back(), b.back()])
    await assertWhole()
  })

  test("a message whose answer was lost long ago is not put into the log again", async () => {
    const [first] = (await b.ask("history", { conversation, kind: "messages", from: 0, limit: 1 })).header.places
    // The broker's own memory of ids is over, as after two minutes.
    const manager = await jetstreamManager(await world.broker.service("store"))
    for await (const { config } of manager.streams.list()) {
      if (config.name.startsWith("CONV"))
        await manager.streams.update(config.name, { ...config, duplicate_window: 100_000_000 })
    }
    await sleep(1_500)
    const again = await a.ask("send", { conversation, id: idOf("message 0") }, [Buffer.from("message 0")])
    assert.equal(again.header.seq, first)
    await assertWhole()
  })

  test("a commit that the server did not write down is caught up with", async () => {
    const store = await world.broker.store()
    const { header } = await a.ask("history", { conversation, kind: "commits", from: 0, limit: 10 })
    const newest = header.places.at(-1) ?? 0
    // As if it had died between the broker's word and its own table.
    const id = idOf("lost")
    const data = encodeDelivery({
      kind: "commit",
      conversation,
      seq: 0,
      id,
      follows: newest,
      members,
      data: Buffer.from("lost"),
    })
    const lost = await store.commit({ conversation, id: `${conversation}.${bob.uid}.${id}`, follows: newest, data })
    assert.ok(lost.accepted)
    const late = { conversation, id: idOf("late"), follows: newest, members }
    assert.deepEqual((await a.ask("commit", late, [Buffer.from("late")])).header, { accepted: false, newest: lost.seq })
    assert.ok((await b.read()).some(({ kind, seq }) => kind === "commit" && seq === lost.seq))
    const mine = await b.ask("commit", { ...late, id }, [Buffer.from("lost")])
    assert.deepEqual(mine.header, { accepted: true, seq: lost.seq })
  })

  test("a broker that lost its disk: sessions are told, conversations begin anew, and what is sent again is there", async () => {
    const { header } = await a.ask("history", { conversation, kind: "commits", from: 0, limit: 10 })
    const follows = header.places.at(-1) ?? 0
    const cursor = Math.max(...(await b.read()).map(({ place }) => place))
    await b.ask("session", { cursor })
    await world.restartBroker("SIGKILL", { losesDisk: true })
    await Promise.all([a.back(), b.back()])
    assert.equal((await b.ask("session", { cursor })).header.rewound, true)
    const next = { conversation, id: idOf("anew"), follows, members: [alice.chain.chain] }
    assert.deepEqual((await a.ask("commit", next, [Buffer.from("anew")])).header, { accepted: false, newest: 0 })
    const begun = await a.ask("commit", { ...next, follows: 0 }, [Buffer.from("anew")])
    assert.equal(begun.header.accepted, true)
    assert.equal(await b.codeOf("send", { conversation, id: idOf("x") }, [Buffer.from("x")]), "chat.removed")
    await a.ask("send", { conversation, id: idOf("message 0") }, [Buffer.from("message 0")])
    const { parts } = await a.ask("history", { conversation, kind: "messages", from: 0, limit: 10 })
    assert.deepEqual(
      parts.map((part) => Buffer.from(part).toString()),
      ["message 0"],
    )
  })
})
