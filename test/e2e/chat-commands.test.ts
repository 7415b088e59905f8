/** Three people over a real sigchain store, nats-server and chat server, with a client that knows the wire format and nothing else. */
import assert from "node:assert/strict"
import { createHash, randomBytes } from "node:crypto"
import { after, describe, test } from "node:test"
import { skipWithoutNats } from "../support/broker.ts"
import { keyPackagesOf, startChatWorld, type WorldPerson } from "../support/chat-world.ts"

const newName = () => randomBytes(32).toString("hex")
const idOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`
const one = (text: string) => [Buffer.from(text)]
const chainOf = ({ chain }: WorldPerson) => chain.chain

describe("commands of devices", { skip: skipWithoutNats }, async () => {
  if (skipWithoutNats !== false) return
  const world = await startChatWorld({ after })
  const [alice, bob, carol] = [await world.person("alice"), await world.person("bob"), await world.person("carol")]
  const deviceOf = ({ devices: [device] }: WorldPerson) => {
    assert.ok(device)
    return device
  }
  const [a, b, c] = [
    await world.connect(deviceOf(alice)),
    await world.connect(deviceOf(bob)),
    await world.connect(deviceOf(carol)),
  ]
  const ofTwo = [chainOf(alice), chainOf(bob)]
  const begin = async (members: readonly string[] = ofTwo) => {
    const conversation = newName()
    const { header } = await a.ask("commit", { conversation, id: idOf("begin"), follows: 0, members }, one("commit 1"))
    assert.equal(header.accepted, true)
    return { conversation, seq: header.seq ?? 0 }
  }

  test("two people: key packages, a conversation, a Welcome, messages, history", async () => {
    const { device } = deviceOf(bob)
    const put = await b.ask("key-packages-put", {}, [
      ...(await keyPackagesOf(deviceOf(bob), 2)),
      ...(await keyPackagesOf(deviceOf(bob), 1, true)),
    ])
    assert.deepEqual(put.header, { key_packages: 2, last_resort: true })
    const taken = await a.ask("key-packages-take", { chain: chainOf(bob) })
    assert.deepEqual([taken.header.devices, taken.parts.length], [[device], 1])
    const { conversation, seq } = await begin()
    await a.ask("welcome", { conversation, id: idOf("w"), commit: seq, chain: chainOf(bob), device }, one("welcome"))
    const first = await a.ask("send", { conversation, id: idOf("m1") }, one("hello"))
    await b.ask("send", { conversation, id: idOf("m2") }, one("hello yourself"))
    const seen = await b.read()
    assert.deepEqual(
      seen.map(({ kind, data }) => [kind, Buffer.from(data).toString()]),
      [
        ["commit", "commit 1"],
        ["welcome", "welcome"],
        ["message", "hello"],
      ],
      "the only device of a person gets no copy of what it sent",
    )
    assert.deepEqual([seen[1]?.device, seen[2]?.seq], [deviceOf(bob).dev, first.header.seq])
    assert.deepEqual(
      (await a.read()).map(({ data }) => Buffer.from(data).toString()),
      ["commit 1", "hello yourself"],
    )
    const history = await b.ask("history", { conversation, kind: "messages", from: 0, limit: 10 })
    assert.deepEqual(
      history.parts.map((part) => Buffer.from(part).toString()),
      ["hello", "hello yourself"],
    )
    assert.equal(history.header.is_end, true)
  })

  test("strangers: no message, history, commit, live or Welcome in a conversation of others", async () => {
    const { conversation, seq } = await begin()
    const toBob = { conversation, commit: seq, chain: chainOf(bob), device: deviceOf(bob).device }
    const mine = [chainOf(carol)]
    const codes = [
      await c.codeOf("send", { conversation, id: idOf("s") }, one("x")),
      await c.codeOf("history", { conversation, kind: "messages", from: 0, limit: 1 }),
      await c.codeOf("live", { conversation, topic: "typing" }, one("x")),
      await c.codeOf("commit", { conversation, id: idOf("c"), follows: seq, members: mine }, one("x")),
      await c.codeOf("commit", { conversation, id: idOf("c"), follows: 0, members: mine }, one("x")),
      await c.codeOf("welcome", { ...toBob, id: idOf("w") }, one("x")),
      await c.codeOf("send", { conversation: newName(), id: idOf("s") }, one("x")),
    ]
    assert.deepEqual([...new Set(codes)], ["chat.removed"])
    // A member brings a stranger in by a commit and not otherwise.
    const toCarol = { ...toBob, id: idOf("w2"), chain: chainOf(carol), device: deviceOf(carol).device }
    assert.equal(await a.codeOf("welcome", toCarol, one("x")), "auth.refused")
    const next = { conversation, id: idOf("d"), follows: seq }
    assert.equal(await a.codeOf("commit", { ...next, members: [chainOf(bob)] }, one("x")), "chat.commit")
    const unheardOf = [...ofTwo, `sha256:${newName()}`]
    assert.equal(await a.codeOf("commit", { ...next, members: unheardOf }, one("x")), "chain.unknown")
    assert.deepEqual(await c.read(), [])
  })

  test("whoever is removed gets the commit that says so, and nothing after it; a lost answer is given again", async () => {
    const all = [...ofTwo, chainOf(carol)]
    const { conversation, seq } = await begin(all)
    const second = { conversation, id: idOf("r"), follows: seq, members: ofTwo }
    const removed = await a.ask("commit", second, one("2"))
    assert.equal(removed.header.accepted, true)
    await a.ask("send", { conversation, id: idOf("m") }, one("without carol"))
    const seen = (await c.read()).filter((delivery) => delivery.conversation === conversation)
    assert.deepEqual(
      seen.map(({ kind, members }) => [kind, members?.length]),
      [
        ["commit", 3],
        ["commit", 2],
      ],
    )
    assert.equal(await c.codeOf("send", { conversation, id: idOf("c") }, one("x")), "chat.removed")
    const late = await b.ask("commit", { ...second, id: idOf("late"), members: all }, one("3"))
    assert.deepEqual(late.header, { accepted: false, newest: removed.header.seq })
    const third = { conversation, id: idOf("t"), follows: removed.header.seq ?? 0, members: ofTwo }
    assert.equal((await b.ask("commit", third, one("3"))).header.accepted, true)
    assert.deepEqual((await a.ask("commit", second, one("2"))).header, removed.header)
  })

  test("a message that is sent again is one message; the same id of somebody else is another", async () => {
    const { conversation } = await begin()
    const first = await a.ask("send", { conversation, id: idOf("m") }, one("once"))
    assert.deepEqual((await a.ask("send", { conversation, id: idOf("m") }, one("once"))).header, first.header)
    const other = await b.ask("send", { conversation, id: idOf("m") }, one("another"))
    assert.notEqual(other.header.seq, first.header.seq)
    const seen = async (by: typeof a) =>
      (await by.read())
        .filter((one) => one.conversation === conversation && one.kind === "message")
        .map(({ data }) => Buffer.from(data).toString())
    assert.deepEqual([await seen(a), await seen(b)], [["another"], ["once"]])
  })

  test("what one device of a person sends comes to the other one", async () => {
    const dora = await world.person("dora", 2)
    const [phone, tablet] = await Promise.all(dora.devices.map((device) => world.connect(device)))
    assert.ok(phone && tablet)
    const { conversation } = await begin([chainOf(alice), chainOf(dora)])
    await phone.ask("send", { conversation, id: idOf("d") }, one("from the phone"))
    for (const reader of [a, phone, tablet]) {
      const seen = (await reader.read()).filter((delivery) => delivery.conversation === conversation)
      assert.deepEqual(
        seen.map(({ data }) => Buffer.from(data).toString()),
        ["commit 1", "from the phone"],
      )
    }
  })
})
