/** A server that lies: what it drops, holds back, repeats, reorders, makes up or hands out is noticed, named, and healed where it can be. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { createSigner } from "@kez/core"
import { createNoteSigner, signCheckpoint } from "@kez/core/tlog"
import { createDeviceKeys } from "../src/credential/device-keys.ts"
import { createKeyPackage } from "../src/credential/key-package.ts"
import { encodeRow } from "../src/engine/row.ts"
import type { Delivery } from "../src/wire/delivery.ts"
import { couple, EngineWorld, type Home } from "./support/engine-world.ts"
import { host } from "./support/model-directory.ts"
import { createDevice, createPerson } from "./support/world.ts"

function here<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("nothing there")
  return value
}

/** Alice and Bob who have talked already. */
async function talking() {
  const made = await couple()
  await made.alice.say(made.bob, "0")
  await made.world.rest()
  return made
}

const uidOf = ({ world, person, device }: Home): string => world.server.register(person.chain, device.name).uid
/** What goes to one person's mailbox as a message. */
const isMessageTo = (home: Home, uid: string, { kind }: Delivery): boolean => kind === "message" && uid === uidOf(home)

test("M1 a message that the server puts in twice is shown once, and is an alarm", async () => {
  const { world, alice, bob } = await talking()
  world.server.lies.deliver = (uid, one) =>
    isMessageTo(bob, uid, one) ? [one, one, { ...one, seq: one.seq + 1_000 }] : [one]
  await alice.say(bob, "1")
  await world.rest()
  assert.deepEqual(await bob.texts(alice), ["0", "1"])
  assert.deepEqual(await bob.alarms(), ["message_repeated"])
  await world.close()
})

test("M1 a server that repeats a thousand times makes no thousand alarms, and what stops something stands before them", async () => {
  const { world, alice, bob } = await talking()
  world.server.lies.deliver = (uid, one) => {
    if (!isMessageTo(bob, uid, one)) return [one]
    return [one, ...Array.from({ length: 100 }, (_, i) => ({ ...one, seq: one.seq + 1_000 + i }))]
  }
  await alice.say(bob, "1")
  await world.rest()
  assert.equal((await bob.alarms()).length, 32)
  const impostor = await world.person("mallory")
  await world.directory.register(impostor, "alice")
  await bob.engine.contacts.check()
  assert.equal((await bob.alarms())[0], "chain_changed")
  assert.deepEqual(await bob.texts(alice), ["0", "1"])
  await world.close()
})

test("M2 messages in the order 3, 1, 2: shown in theirs, and nobody is alarmed", async () => {
  const { world, alice, bob } = await talking()
  const held: Delivery[] = []
  world.server.lies.deliver = (uid, one) => {
    if (!isMessageTo(bob, uid, one)) return [one]
    held.push(one)
    return []
  }
  await alice.say(bob, "1", "2", "3")
  await world.rest()
  world.server.lies = { history: () => [] }
  const [one, two, three] = held
  for (const delivery of [three, one, two]) world.server.push(uidOf(bob), here(delivery))
  await world.rest()
  const messages = await bob.messages(alice)
  assert.deepEqual(
    messages.map(({ text, isEarly }) => [text, isEarly]),
    [
      ["0", false],
      ["1", false],
      ["2", false],
      ["3", false],
    ],
  )
  assert.deepEqual(await bob.alarms(), [])
  await world.close()
})

test("M3 M17 ten messages dropped from the mailbox are noticed with the next one, and come from the history", async () => {
  const { world, alice, bob } = await talking()
  world.server.lies.deliver = (uid, one) => (isMessageTo(bob, uid, one) ? [] : [one])
  const texts = Array.from({ length: 10 }, (_, i) => `dropped ${i}`)
  await alice.say(bob, ...texts)
  await world.rest()
  world.server.lies = {}
  await alice.say(bob, "next")
  await world.rest()
  assert.deepEqual(await bob.texts(alice), ["0", ...texts, "next"])
  assert.deepEqual(await bob.alarms(), [])
  await world.close()
})

test("M3 dropped from the history too: an alarm, and the sender's device sends them again", async () => {
  const { world, alice, bob } = await talking()
  const before = here([...world.server.conversations.values()][0]).messages.length
  world.server.lies.deliver = (uid, one) => (isMessageTo(bob, uid, one) ? [] : [one])
  await alice.say(bob, "1", "2")
  await world.rest()
  world.server.lies = { history: (kept) => kept.slice(0, before) }
  alice.transport.unplug()
  await alice.say(bob, "3")
  alice.transport.plug()
  await world.rest()
  assert.ok(
    bob.events.some(
      ({ kind, ...rest }) => kind === "alarm" && "alarm" in rest && rest.alarm.alarm.kind === "messages_missing",
    ),
  )
  const shown = await bob.messages(alice)
  assert.deepEqual(
    shown.map(({ text }) => text),
    ["0", "1", "2", "3"],
  )
  assert.ok(shown.every(({ isEarly }) => !isEarly))
  // Healed: the alarm is closed by itself.
  assert.deepEqual(await bob.alarms(), [])
  await world.close()
})

test("what is dropped for good stays an alarm with its place, and the later message is shown, marked as early", async () => {
  const { world, alice, bob } = await talking()
  const held: Delivery[] = []
  world.server.lies = {
    deliver: (uid, one) => {
      if (!isMessageTo(bob, uid, one)) return [one]
      held.push(one)
      return []
    },
    history: () => [],
  }
  await alice.say(bob, "1", "2")
  await world.rest()
  // Alice's device is away: nobody sends it again.
  alice.transport.unplug()
  world.server.lies = { history: () => [] }
  world.server.push(uidOf(bob), here(held[1]))
  await world.rest()
  assert.deepEqual(
    (await bob.messages(alice)).map(({ text, isEarly }) => [text, isEarly]),
    [
      ["0", false],
      ["2", true],
    ],
  )
  const { alarm } = await bob.alarm("messages_missing")
  assert.ok(alarm.kind === "messages_missing")
  assert.deepEqual([alarm.device, alarm.from, alarm.to, alarm.code], [alice.device.name, 1, 1, "chat.gap"])
  alice.transport.plug()
  await world.rest()
  assert.deepEqual(await bob.texts(alice), ["0", "1", "2"])
  assert.deepEqual(await bob.alarms(), [])
  await world.close()
})

test("M5 messages of an earlier epoch, put in again, are not shown again", async () => {
  const { world, alice, bob } = await talking()
  const kept = here([...world.server.conversations.values()][0]).messages
  const old = here(kept[0])
  const name = here([...world.server.conversations.keys()][0])
  for (let i = 0; i < 4; i++) {
    const device = await alice.person.addDevice()
    world.publish(alice.person)
    const other = await world.homeOf(alice.person, device)
    await world.rest()
    world.clock.advance(61)
    await world.rest()
    void other
  }
  world.server.push(uidOf(bob), { kind: "message", conversation: name, seq: 99_999, id: old.id, data: old.data })
  await world.rest()
  assert.deepEqual(await bob.texts(alice), ["0"])
  await world.close()
})

test("what nobody of the conversation made, or what was altered, is shown to nobody and is an alarm", async () => {
  const { world, alice, bob } = await talking()
  world.server.lies.deliver = (uid, one) => {
    if (!isMessageTo(bob, uid, one)) return [one]
    const data = one.data.slice()
    data[data.length - 1] = (data[data.length - 1] ?? 0) ^ 1
    return [
      { ...one, data },
      { ...one, data: new Uint8Array(64) },
    ]
  }
  await alice.say(bob, "altered")
  await world.rest()
  assert.deepEqual(await bob.texts(alice), ["0"])
  assert.ok((await bob.alarms()).includes("message_refused"))
  const { alarm } = await bob.alarm("message_refused")
  assert.ok(alarm.hint !== undefined && alarm.code !== "internal")
  // The next one shows that one is missing, and the history has it as it was.
  world.server.lies = {}
  await alice.say(bob, "next")
  await world.rest()
  assert.deepEqual(await bob.texts(alice), ["0", "altered", "next"])
  await world.close()
})

test("M6 the server hands out a key package of its own for Bob: an alarm, nothing is sent, and nothing is readable to it", async () => {
  const { world, alice, bob } = await couple()
  const mallory = await createPerson()
  const device = await mallory.addDevice()
  const fake = await createKeyPackage({ keys: device.keys, credential: device.credential, now: world.clock.at })
  world.server.lies.handOut = (name, bytes) => (name === bob.device.name ? fake.bytes : bytes)
  const [message] = await alice.say(bob, "for bob alone")
  await world.rest()
  assert.deepEqual(await alice.alarms(), ["key_package"])
  const { alarm } = await alice.alarm("key_package")
  assert.equal("contact" in alarm && alarm.contact, bob.person.chain)
  assert.equal(await alice.state(here(message)), "waiting")
  assert.ok([...world.server.conversations.values()].every(({ messages }) => messages.length === 0))
  // Once it stops lying the message goes out.
  world.server.lies = {}
  world.clock.advance(61)
  await world.rest()
  assert.deepEqual(await bob.texts(alice), ["for bob alone"])
  await world.close()
})

test("M6 a credential that names Bob, signed by the server's key: refused, and an alarm", async () => {
  const { world, alice, bob } = await couple()
  // Bob's chain does not list this device, whatever its credential says.
  const forged = await createDevice(bob.person, createDeviceKeys())
  const fake = await createKeyPackage({ keys: forged.keys, credential: forged.credential, now: world.clock.at })
  world.server.lies.handOut = () => fake.bytes
  await alice.say(bob, "for bob alone")
  await world.rest()
  const { alarm } = await alice.alarm("key_package")
  assert.equal(alarm.code, "chat.credential")
  assert.equal((await alice.engine.conversations())[0]?.state, "opening")
  await world.close()
})

test("H11 a handle that leads to another chain than the pinned one is a hard stop, with the other statement as evidence", async () => {
  const { world, alice, bob } = await talking()
  const impostor = await createPerson()
  await impostor.append({ op: "add", subject: `kez:bobby@${host}` })
  world.people.set(impostor.chain, impostor)
  await world.directory.register(impostor, "bobby")
  await alice.engine.contacts.check()
  await world.rest()
  const state = await alice.alarm("chain_changed")
  const { alarm } = state
  assert.ok(alarm.kind === "chain_changed")
  assert.deepEqual([alarm.pinned, alarm.found, state.isStop], [bob.person.chain, impostor.chain, true])
  assert.ok(alarm.evidence.includes(impostor.chain))
  await assert.rejects(alice.say(bob, "is it you?"), { code: "account.changed" })
  await assert.rejects(alice.engine.alarms.settle(state.id, "dismiss"), { code: "usage" })
  await assert.rejects(alice.engine.contacts.add("bobby@localhost"), { code: "account.changed" })
  assert.equal((await alice.engine.contacts.find("bobby@localhost"))?.chain, bob.person.chain)
  await world.close()
})

test("H11 on first use: what waits in the outbox when the chain changes does not go out", async () => {
  const { world, alice, bob } = await talking()
  alice.transport.unplug()
  const [message] = await alice.say(bob, "secret")
  const impostor = await createPerson()
  await impostor.append({ op: "add", subject: `kez:bobby@${host}` })
  world.people.set(impostor.chain, impostor)
  await world.directory.register(impostor, "bobby")
  await alice.engine.contacts.check()
  alice.transport.plug()
  await world.rest()
  assert.equal(await alice.state(here(message)), "waiting")
  assert.deepEqual(await bob.texts(alice), ["0"])
  await world.close()
})

test("H10 a chain that does not name the handle: not added, whatever the server says", async () => {
  const world = new EngineWorld()
  const alice = await world.home("alice")
  const mallory = await createPerson()
  world.people.set(mallory.chain, mallory)
  await world.directory.register(mallory, "bobby")
  await assert.rejects(alice.engine.contacts.add("bobby"), { code: "account.one_sided" })
  assert.deepEqual(await alice.engine.contacts.list(), [])
  await world.close()
})

test("H12 the owner's look finds a statement about his handle that he did not sign", async () => {
  const world = new EngineWorld()
  const alice = await world.home("alice")
  await alice.engine.contacts.check()
  assert.deepEqual(await alice.alarms(), [])
  const mallory = await createPerson()
  await world.directory.register(mallory, "alice")
  world.directory.places.set("alice", 0)
  await alice.engine.contacts.check()
  assert.deepEqual(await alice.alarms(), ["own_handle"])
  await world.close()
})

test("H12 a registration by another device of the owner is his, and one for somebody else is not", async () => {
  const world = new EngineWorld()
  const person = await world.person("alice")
  // It signed nothing itself: it came later.
  const alice = await world.homeOf(person, await person.addDevice(), "alice", { handleStatements: [] })
  await alice.engine.contacts.check()
  assert.deepEqual(await alice.alarms(), [])
  const mallory = await createPerson()
  await world.directory.register(mallory, "alice")
  world.directory.places.set("alice", 0)
  await alice.engine.contacts.check()
  assert.deepEqual(await alice.alarms(), ["own_handle"])
  await world.close()
})

test("H13 a directory that shows another history than before is an alarm, and nobody is added by it", async () => {
  const { world, alice } = await couple()
  await world.person("carol")
  world.directory.leaves.splice(0, 2, here(world.directory.leaves[1]), here(world.directory.leaves[0]))
  await assert.rejects(alice.engine.contacts.add("carol"), { code: "directory.split" })
  assert.deepEqual(await alice.alarms(), ["directory"])
  await world.close()
})

test("an alarm that was put away comes again the next day: a first small lie does not hide all later ones", async () => {
  const { world, alice } = await couple()
  world.directory.lie = (path) =>
    path === "/v1/log/checkpoint" ? { status: 200, body: new TextEncoder().encode("nonsense") } : undefined
  await alice.engine.contacts.check()
  await alice.engine.alarms.settle((await alice.alarm("directory")).id, "dismiss")
  await alice.engine.contacts.check()
  assert.deepEqual(await alice.alarms(), [])
  world.clock.at += 86_400
  await alice.engine.contacts.check()
  assert.deepEqual(await alice.alarms(), ["directory"])
  await world.close()
})

test("H13 a directory that claims more statements than anybody reads is an alarm, and asks for none of them", async () => {
  const { world, alice } = await couple()
  const log = createNoteSigner(`${host}/handles`, new Uint8Array(32).fill(7))
  const checkpoint = signCheckpoint({ origin: log.name, size: Number.MAX_SAFE_INTEGER, root: new Uint8Array(32) }, log)
  const asked: string[] = []
  world.directory.lie = (path) => {
    asked.push(path)
    return path === "/v1/log/checkpoint" ? { status: 200, body: new TextEncoder().encode(checkpoint) } : undefined
  }
  await alice.engine.contacts.check()
  assert.deepEqual(await alice.alarms(), ["directory"])
  assert.deepEqual(
    asked.filter((path) => path.startsWith("/v1/log/tile/")),
    [],
  )
  await world.close()
})

test("a contact who moved to another handle is told, and the new one is pinned when it is accepted", async () => {
  const { world, alice, bob } = await talking()
  await bob.person.append({ op: "add", subject: `kez:robert@${host}` })
  await world.directory.move(bob.person, "bobby", "robert")
  await alice.engine.contacts.check()
  const state = await alice.alarm("handle_moved")
  assert.equal(state.isAcceptable, true)
  await alice.engine.alarms.settle(state.id, "accept")
  assert.equal((await alice.engine.contacts.find("robert@localhost"))?.chain, bob.person.chain)
  await alice.say(bob, "hello robert")
  await world.rest()
  assert.equal((await bob.texts(alice)).at(-1), "hello robert")
  await world.close()
})

test("A9 the broker refuses again and again: tried on, and not taken for revoked", async () => {
  const { world, alice } = await talking()
  for (let i = 0; i < 5; i++) alice.transport.unplug("Authorization Violation", true)
  await world.rest()
  assert.equal(alice.engine.connection().kind, "offline")
  alice.transport.plug()
  await world.rest()
  assert.equal(alice.engine.connection().kind, "online")
  await world.close()
})

test("A7 only a signed answer of the chat server means revoked; one by another key does not", async () => {
  const { world, alice, bob } = await talking()
  world.directory.revoked.add(alice.device.name)
  alice.transport.unplug("Authorization Violation", true)
  alice.transport.unplug("Authorization Violation", true)
  await world.rest()
  assert.equal(alice.engine.connection().kind, "revoked")
  // Bob's line to the server is in other hands.
  bob.transport.unplug("Authorization Violation", true)
  const forger = createSigner("ed25519", new Uint8Array(32).fill(66))
  world.directory.lie = (path) =>
    path === "/v1/server" ? { status: 200, body: new TextEncoder().encode(`{"key":"${forger.key}"}`) } : undefined
  world.directory.revoked.add(bob.device.name)
  world.clock.advance(40)
  bob.transport.unplug("Authorization Violation", true)
  await world.rest()
  assert.equal(bob.engine.connection().kind, "offline")
  await world.close()
})

test("the broker lost its mailboxes: what nobody confirmed goes out again, and nothing is shown twice", async () => {
  const { world, alice, bob } = await talking()
  bob.transport.unplug()
  await alice.say(bob, "1", "2")
  await world.rest()
  // All mailboxes are gone, and the count of their stream begins anew.
  alice.transport.unplug()
  world.server.loseMailboxes()
  alice.transport.plug()
  bob.transport.plug()
  await world.rest()
  assert.deepEqual(await bob.texts(alice), ["0", "1", "2"])
  await bob.say(alice, "3")
  await world.rest()
  assert.deepEqual(await alice.texts(bob), ["0", "1", "2", "3"])
  assert.deepEqual([await alice.alarms(), await bob.alarms()], [[], []])
  await world.close()
})

test('M13 the server gives two members two histories: a hard stop on both sides, never "cannot decrypt"', async () => {
  const { world, alice, bob } = await talking()
  const name = here([...world.server.conversations.keys()][0])
  const conversation = here(world.server.conversations.get(name))
  // Each of them makes a commit, and each hears that his own was accepted.
  world.server.lies = { deliver: (_, one) => (one.kind === "commit" ? [] : [one]), history: () => [] }
  const before = [...conversation.commits]
  const [phone, laptop] = [await alice.person.addDevice(), await bob.person.addDevice()]
  for (const [person, device] of [
    [alice.person, phone],
    [bob.person, laptop],
  ] as const) {
    await world.homeOf(person, device)
  }
  await world.rest()
  alice.known.set(alice.person.chain, alice.person.replay)
  alice.onChange(alice.person.chain)
  await world.rest()
  conversation.commits.splice(0, conversation.commits.length, ...before)
  bob.known.set(bob.person.chain, bob.person.replay)
  bob.onChange(bob.person.chain)
  await world.rest()
  world.server.lies = {}
  await alice.say(bob, "which history?")
  await world.rest()
  assert.ok((await bob.alarms()).includes("conversation_fork"), String(await bob.alarms()))
  const { isStop, alarm } = await bob.alarm("conversation_fork")
  assert.deepEqual([isStop, alarm.code], [true, "chat.fork"])
  await assert.rejects(bob.say(alice, "no"), { code: "account.changed" })
  const { id } = await bob.engine.openDirect(alice.person.chain)
  await assert.rejects(bob.engine.members(id), { code: "account.changed", message: new RegExp(alarm.message) })
  await world.close()
})

test("the last-resort key package is replaced after its use, and the next stranger gets in as well", async () => {
  const world = new EngineWorld()
  const bob = await world.home("bobby")
  await world.rest()
  const writers: Home[] = []
  // Four one-time packages, then the last-resort one, then its successor.
  for (const handle of ["amy", "ben", "cat", "dan", "eve", "fay"]) {
    const writer = await world.home(handle)
    await world.rest()
    await writer.engine.contacts.add("bobby@localhost")
    await writer.say(bob, `from ${handle}`)
    await world.rest()
    writers.push(writer)
  }
  for (const writer of writers) assert.deepEqual(await bob.texts(writer), [`from ${writer.handle}`])
  await world.close()
})

test("M18 conversations that no Welcome ever comes for take no more than 32 MiB of the disk, and who is let in then reads all", async () => {
  const { world, alice, bob } = await talking()
  const data = new Uint8Array(60_000)
  for (let i = 0; i < 1_200; i++) {
    const conversation = i.toString(16).padStart(64, "0")
    world.server.push(uidOf(bob), { kind: "message", conversation, seq: 1, id: `sha256:${conversation}`, data })
  }
  await world.rest()
  const rows = [...bob.rows].filter(([key]) => key.startsWith("inbox/"))
  const bytes = rows.reduce((sum, [, value]) => sum + value.length, 0)
  assert.ok(bytes > 30_000_000 && bytes < 34_000_000, `${bytes} bytes wait`)
  const carol = await world.home("carol")
  await world.rest()
  await carol.engine.contacts.add("bobby@localhost")
  await carol.say(bob, "through all of that")
  await alice.say(bob, "1")
  await world.rest()
  assert.deepEqual(await bob.texts(carol), ["through all of that"])
  assert.deepEqual(await bob.texts(alice), ["0", "1"])
  await world.close()
})

test("M18 more strangers than the request folder takes are not shown", async () => {
  const { world, alice, bob } = await talking()
  for (let i = 0; i < 100; i++) {
    const chain = `sha256:${String(i).padStart(64, "0")}`
    const row = { chain, standing: "request", seenDevices: [] }
    await bob.store.write([{ put: `contact/${chain.slice(7)}`, value: encodeRow(row) }])
  }
  const eve = await world.home("eve")
  await world.rest()
  await eve.engine.contacts.add("bobby@localhost")
  await eve.say(bob, "one more")
  await world.rest()
  assert.deepEqual(await bob.texts(eve), [])
  assert.equal((await bob.engine.conversations()).length, 1)
  await alice.say(bob, "1")
  await world.rest()
  assert.deepEqual(await bob.texts(alice), ["0", "1"])
  await world.close()
})
