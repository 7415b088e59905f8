/** What the chat server does not do: too much, too large, for the wrong reply, for somebody else. C.9, C.10, M9, M10, M18 */
import assert from "node:assert/strict"
import { createHash, randomBytes } from "node:crypto"
import { after, describe, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { mailboxOf } from "@kez/broker"
import { decodeLive, encodeRequest } from "@kez/chat"
import { jetstream, jetstreamManager } from "@nats-io/jetstream"
import { commandSubjectOf, inboxPrefixOf, liveSubjectOf } from "../../packages/core/src/index.ts"
import { skipWithoutNats } from "../support/broker.ts"
import { ask, personWith, register, signerOf } from "../support/chat-server.ts"
import { keyPackagesOf, startChatWorld, type WorldPerson } from "../support/chat-world.ts"

const newName = () => randomBytes(32).toString("hex")
const idOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`
const one = (text: string) => [Buffer.from(text)]
const chainOf = ({ chain }: WorldPerson) => chain.chain

describe("limits of commands", { skip: skipWithoutNats }, async () => {
  if (skipWithoutNats !== false) return
  const admin = signerOf(4_242)
  const world = await startChatWorld({ after }, { args: ["--admins", `${signerOf(10_001).key},${admin.key}`] })
  const [alice, bob] = [await world.person("alice", 2), await world.person("bob", 2)]
  const [phone, laptop] = alice.devices
  const [theirs, second] = bob.devices
  assert.ok(phone && laptop && theirs && second)
  const [a, b] = [await world.connect(phone), await world.connect(theirs)]
  const begin = async () => {
    const conversation = newName()
    const members = [chainOf(alice), chainOf(bob)]
    const { header } = await a.ask("commit", { conversation, id: idOf("begin"), follows: 0, members }, one("begin"))
    return { conversation, seq: header.seq ?? 0 }
  }

  test("M9 a one-time key package is handed out once, and is not taken again; the last-resort one stays", async () => {
    const [first, ...more] = await keyPackagesOf(theirs, 2)
    const lastResort = await keyPackagesOf(theirs, 1, true)
    assert.ok(first)
    await b.ask("key-packages-put", {}, [first, ...more, ...lastResort])
    const take = async () =>
      (await a.ask("key-packages-take", { chain: chainOf(bob), devices: [theirs.device] })).parts[0]
    const taken = [await take(), await take(), await take(), await take()].map((part) =>
      Buffer.from(part ?? []).toString("hex"),
    )
    assert.equal(new Set(taken).size, 3)
    assert.equal(taken[2], taken[3])
    assert.equal(taken[3], Buffer.from(lastResort[0] ?? []).toString("hex"))
    const again = await b.ask("key-packages-put", {}, [first, ...more])
    assert.deepEqual(again.header, { key_packages: 0, last_resort: true })
  })

  test("M10 the sixth time within an hour is refused, with when to come back; others are not hindered", async () => {
    const carol = await world.person("carol")
    const [device] = carol.devices
    assert.ok(device)
    const c = await world.connect(device)
    // Asking somebody who has none costs nothing.
    for (let at = 0; at < 7; at++) await c.ask("key-packages-take", { chain: chainOf(alice) })
    for (let at = 0; at < 5; at++) await c.ask("key-packages-take", { chain: chainOf(bob) })
    assert.equal(await c.codeOf("key-packages-take", { chain: chainOf(bob) }), "net.rate_limit")
    await c.ask("key-packages-take", { chain: chainOf(alice) })
    await a.ask("key-packages-take", { chain: chainOf(bob) })
    await world.restartServer()
    await sleep(300)
    assert.equal(await c.codeOf("key-packages-take", { chain: chainOf(bob) }), "net.rate_limit")
  })

  test("key packages of another device, of another person, or altered, are not taken", async () => {
    const [foreign] = await keyPackagesOf(phone, 1)
    const [sister] = await keyPackagesOf(second, 1)
    const [sound] = await keyPackagesOf(theirs, 1)
    assert.ok(foreign && sister && sound)
    const altered = Uint8Array.from(sound)
    altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1
    assert.equal(await b.codeOf("key-packages-put", {}, [foreign]), "chain.unknown")
    assert.equal(await b.codeOf("key-packages-put", {}, [sister]), "chat.key_package")
    assert.equal(await b.codeOf("key-packages-put", {}, [altered]), "chat.key_package")
    assert.equal(await b.codeOf("key-packages-put", {}, [new Uint8Array(9_000)]), "limit.size")
    const many = await b.ask("key-packages-put", {}, await keyPackagesOf(theirs, 60))
    assert.equal(many.header.key_packages, 60)
    assert.equal((await b.ask("key-packages-put", {}, await keyPackagesOf(theirs, 60))).header.key_packages, 100)
  })

  test("too large, of a wrong form, unknown: refused by its code, and the connection stays", async () => {
    const { conversation } = await begin()
    const large = [new Uint8Array(98_305)]
    assert.equal(await a.codeOf("send", { conversation, id: idOf("l") }, large), "limit.size")
    const header = { conversation, id: idOf("l"), follows: 0, members: [chainOf(alice)] }
    assert.equal(await a.codeOf("commit", header, [new Uint8Array(240_001)]), "limit.size")
    assert.equal(await a.codeOf("live", { conversation, topic: "typing" }, [new Uint8Array(8_193)]), "limit.size")
    const raw = async (operation: string, bytes: Uint8Array) => {
      const answer = await a.connection.request(commandSubjectOf(phone, operation), bytes, { timeout: 3_000 })
      return JSON.parse(Buffer.from(answer.data.subarray(4, answer.data.length - 2)).toString()).error.code
    }
    const sound = encodeRequest("cursor", { cursor: 0 })
    assert.equal(await raw("dance", sound), "usage")
    assert.equal(await raw("session", new Uint8Array()), "chat.encoding")
    assert.equal(await raw("session", sound.subarray(0, 9)), "chat.encoding")
    assert.equal(await raw("send", sound), "chat.encoding")
    for (const name of ["../x", "*", ">", conversation.toUpperCase(), `${conversation}.commit`]) {
      const text = JSON.stringify({ conversation: name, id: idOf("x") })
      const length = Buffer.alloc(3)
      length.writeUIntBE(text.length, 0, 3)
      const frame = Buffer.concat([Buffer.of(1), length, Buffer.from(text), Buffer.of(0, 1, 0, 0, 0, 1, 120)])
      assert.equal(await raw("send", frame), "schema.value", name)
    }
    await a.ask("cursor", { cursor: 0 })
  })

  test("a command with a reply that is not in the sender's own inbox is neither done nor answered", async () => {
    const { conversation } = await begin()
    const heard: string[] = []
    b.connection.subscribe(`${inboxPrefixOf(theirs)}.>`, { callback: (_, { subject }) => void heard.push(subject) })
    await b.connection.flush()
    const request = encodeRequest("send", { conversation, id: idOf("elsewhere") }, one("elsewhere"))
    for (const reply of [`${inboxPrefixOf(theirs)}.x`, liveSubjectOf(bob.uid, "typing"), undefined]) {
      a.connection.publish(commandSubjectOf(phone, "send"), request, reply === undefined ? {} : { reply })
    }
    await a.connection.flush()
    await a.ask("cursor", { cursor: 0 })
    const { parts } = await b.ask("history", { conversation, kind: "messages", from: 0, limit: 10 })
    assert.equal(parts.length, 0)
    assert.deepEqual(
      heard.filter((subject) => subject.endsWith(".x")),
      [],
    )
  })

  test("a device's second session takes the reader over; a cursor that goes back is told to look further", async () => {
    const again = await world.connect(theirs)
    const { conversation } = await begin()
    await a.ask("send", { conversation, id: idOf("m") }, one("hello"))
    const { header } = await b.ask("session", { cursor: 0 })
    const old = jetstream(b.connection).consumers.getConsumerFromInfo(JSON.parse(header.info))
    const newest = Math.max(...(await again.read()).map(({ place }) => place))
    const batch = await old.fetch({ max_messages: 1, expires: 1_000 }).catch(() => undefined)
    let count = 0
    if (batch !== undefined) for await (const _ of batch) count += 1
    assert.equal(count, 0)
    assert.equal((await b.ask("session", { cursor: newest })).header.rewound, false)
    assert.equal((await b.ask("session", { cursor: newest - 1 })).header.rewound, true)
    assert.equal((await b.ask("session", { cursor: newest + 100_000 })).header.rewound, true)
  })

  test("what is live reaches all devices of the members who are there, and is kept nowhere", async () => {
    const { conversation } = await begin()
    const heard: string[] = []
    b.connection.subscribe(`live.${bob.uid}.>`, {
      callback: (_, { subject, data }) =>
        void heard.push(`${subject.split(".").at(-1)} ${Buffer.from(decodeLive(data).data).toString()}`),
    })
    await b.connection.flush()
    await a.ask("live", { conversation, topic: "typing" }, one("typing"))
    await b.ask("cursor", { cursor: 0 })
    assert.deepEqual(heard, ["typing typing"])
  })

  test("the archive is of one person, in order, and an entry that is sent again is one", async () => {
    const { header } = await a.ask("archive-put", { id: idOf("1") }, one("first"))
    await a.ask("archive-put", { id: idOf("2") }, one("second"))
    assert.deepEqual((await a.ask("archive-put", { id: idOf("1") }, one("first"))).header, header)
    const other = await world.connect(laptop)
    const read = await other.ask("archive-read", { from: 0, limit: 10 })
    assert.deepEqual(
      read.parts.map((part) => Buffer.from(part).toString()),
      ["first", "second"],
    )
    assert.equal(read.header.is_end, true)
    const page = await other.ask("archive-read", { from: 0, limit: 1 })
    assert.deepEqual([page.parts.length, page.header.is_end], [1, false])
    assert.deepEqual((await b.ask("archive-read", { from: 0, limit: 10 })).parts, [])
  })

  test("only whose chain has an admin's key as its primary makes invitations, and they are good", async () => {
    assert.equal(await b.codeOf("invite", { count: 1 }), "auth.refused")
    const { codes } = (await a.ask("invite", { count: 2 })).header
    assert.equal(new Set(codes).size, 2)
    await world.restartServer()
    const dave = await personWith(signerOf(77), "kez:dave@localhost")
    assert.equal((await register(world.server, dave, "dave", { invitation: codes[0] ?? "" })).status, 201)
  })

  test("what all devices have is forgotten; a full mailbox of two is told to who writes, of more to its owner", async () => {
    const { conversation, seq } = await begin()
    const manager = await jetstreamManager(await world.broker.service("store"))
    const { stream, subject } = mailboxOf(bob.uid, world.broker.keys.mailboxSecret)
    const held = async () =>
      (await manager.streams.info(stream, { subjects_filter: subject })).state.subjects?.[subject] ?? 0
    const other = await world.connect(second)
    const all = await b.read()
    await other.ask("session", { cursor: 0 })
    const { config } = await manager.streams.info(stream)
    await manager.streams.update(stream, { ...config, max_msgs_per_subject: (await held()) + 1 })
    const send = (text: string) => a.codeOf("send", { conversation, id: idOf(text) }, one(text))
    assert.equal(await send("last"), "ok")
    // There is no room for this one: it is in the conversation, and his devices are to look there.
    assert.equal(await send("over"), "ok")
    assert.equal(await send("refused"), "store.full")
    const welcome = { conversation, id: idOf("w"), commit: seq, chain: chainOf(bob), device: theirs.device }
    assert.equal(await a.codeOf("welcome", welcome, one("w")), "store.full")
    // One device of his has read it all: the other one, which was not here for long, does not hold it up, and is told.
    const newest = Math.max(...(await b.read()).map(({ place }) => place))
    await b.ask("cursor", { cursor: newest })
    assert.equal(await send("again"), "ok")
    assert.ok((await held()) < all.length)
    assert.equal((await other.ask("session", { cursor: newest })).header.rewound, true)
    assert.equal((await other.ask("session", { cursor: newest })).header.rewound, false)
    const { parts } = await b.ask("history", { conversation, kind: "messages", from: 0, limit: 10 })
    assert.deepEqual(
      parts.map((part) => Buffer.from(part).toString()),
      ["last", "over", "again"],
    )
  })

  test("who has too many connections loses the oldest", async () => {
    const clients = []
    for (let at = 0; at < 5; at++) clients.push(await world.connect(laptop, { reconnect: false }))
    await clients[0]?.connection.closed()
    assert.ok(clients.slice(1).every(({ connection }) => !connection.isClosed()))
  })

  test("figures have commands, deliveries and decisions, and nobody's name", async () => {
    const { text } = await ask(`${world.server.metricsUrl}/metrics`)
    assert.match(text, /kez_chat_commands_total\{operation="send",result="ok"\}/)
    assert.match(text, /kez_chat_callout_decisions_total\{result="admitted"\}/)
    assert.match(text, /kez_chat_command_seconds_count\{operation="send"\}/)
    for (const name of ["alice", alice.uid, chainOf(alice)]) {
      assert.ok(!text.includes(name))
      assert.ok(!world.server.log().some((line) => line.includes(name)))
    }
  })
})

describe("limits of one person", { skip: skipWithoutNats }, async () => {
  if (skipWithoutNats !== false) return
  test("messages, and conversations with somebody new, are limited; the refusal says for how long", async (t) => {
    const world = await startChatWorld(t, { args: ["--message-burst", "14", "--message-per-hour", "60"] })
    const [alice, bob] = [await world.person("alice"), await world.person("bob")]
    const [device] = alice.devices
    assert.ok(device)
    const client = await world.connect(device)
    const members = [chainOf(alice), chainOf(bob)]
    const commit = () =>
      client.codeOf("commit", { conversation: newName(), id: idOf("b"), follows: 0, members }, one("b"))
    const codes = []
    for (let at = 0; at < 11; at++) codes.push(await commit())
    assert.deepEqual([...new Set(codes.slice(0, 10)), codes[10]], ["ok", "net.rate_limit"])
    const mine = () =>
      client.codeOf(
        "commit",
        { conversation: newName(), id: idOf("b"), follows: 0, members: [chainOf(alice)] },
        one("b"),
      )
    assert.deepEqual([await mine(), await mine(), await mine(), await mine()], ["ok", "ok", "ok", "net.rate_limit"])
  })
})
