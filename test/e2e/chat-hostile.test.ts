/**
 * A chat server that lies, over real servers: its own key package for Bob, another chain behind his handle, another history of the directory, messages
 * dropped, repeated and put in another order. Each is noticed by its alarm and none is applied. The same and more against a model:
 * packages/chat/test/engine-hostile.test.ts.
 */
import assert from "node:assert/strict"
import { cpSync, rmSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { after, describe, test } from "node:test"
import { type Alarm, createDeviceKeys, type Delivery } from "@kez/chat"
import { skipWithoutNats } from "../support/broker.ts"
import { openTestEngine, type TestEngine, until } from "../support/chat-engines.ts"
import { keyPackagesOf, startChatWorld, type WorldPerson, worldDevice } from "../support/chat-world.ts"
import { type Lies, lyingTransport } from "../support/lying-transport.ts"
import { laterCleaner } from "../support/person.ts"

describe("a chat server that lies", { skip: skipWithoutNats }, async () => {
  if (skipWithoutNats !== false) return
  const t = laterCleaner(after)
  const world = await startChatWorld(t)
  const deviceOf = ({ devices: [device] }: WorldPerson) => {
    assert.ok(device)
    return device
  }
  const open = async (person: WorldPerson) => {
    const lies: Lies = {}
    const through: NonNullable<Parameters<typeof openTestEngine>[2]["through"]> = (one) => lyingTransport(one, lies)
    const home = await openTestEngine(t, world, { person, device: deviceOf(person), through })
    // All of its own key packages are there.
    assert.ok(await home.engine.settled(20_000))
    return { person, home, lies, chain: person.chain.chain }
  }
  const alarmsOf = async (home: TestEngine): Promise<readonly Alarm[]> =>
    (await home.engine.alarms.list()).map(({ alarm }) => alarm)
  const alarm = async <K extends Alarm["kind"]>(home: TestEngine, kind: K) => {
    const find = async () => (await alarmsOf(home)).find((one): one is Alarm & { kind: K } => one.kind === kind)
    await until(kind, async () => (await find()) !== undefined)
    const found = await find()
    assert.ok(found)
    return found
  }
  const [alice, bob] = [await open(await world.person("alice")), await open(await world.person("bobby"))]
  await alice.home.engine.contacts.add("bobby@localhost")

  test("M6 it hands out its own key package for Bob: refused, told, nothing is sent to anybody", async () => {
    const carol = await open(await world.person("carol"))
    // Its credential names Bob; his chain does not list it.
    const [fake] = await keyPackagesOf(await worldDevice(createDeviceKeys(), bob.chain), 1)
    assert.ok(fake)
    carol.lies.keyPackages = (parts) => parts.map(() => fake)
    await carol.home.engine.contacts.add("bobby@localhost")
    const id = await carol.home.say(bob.chain, "for bob alone")
    const told = await alarm(carol.home, "key_package")
    assert.deepEqual([told.contact, told.code], [bob.chain, "chat.credential"])
    const [conversation] = await carol.home.engine.conversations()
    assert.equal(conversation?.state, "opening")
    const [message] = await carol.home.engine.messages(conversation?.id ?? "", { limit: 1 })
    assert.deepEqual([message?.id, message?.delivered?.state], [id, "waiting"])
    assert.deepEqual(await bob.home.texts(carol.chain), [])
  })

  const hasRead = async (count: number): Promise<void> => {
    await until(`bob shows ${count}`, async () => (await bob.home.texts(alice.chain)).length >= count)
    const wanted = Array.from({ length: count }, (_, i) => String(i))
    assert.deepEqual(await bob.home.texts(alice.chain), wanted)
  }
  const say = async (...texts: readonly string[]): Promise<void> => {
    for (const text of texts) await alice.home.say(bob.chain, text)
  }

  test("they talk", async () => {
    await bob.home.engine.contacts.add("alice@localhost")
    await say("0")
    await hasRead(1)
    assert.ok(await bob.home.engine.settled(10_000))
  })

  const heldBack: Delivery[] = []

  test("M2 messages in the order 3, 1, 2 are shown in theirs, without an alarm", async () => {
    bob.lies.deliver = (delivery) => {
      heldBack.push(delivery)
      return undefined
    }
    await say("1", "2", "3")
    await until("they are held back", async () => heldBack.length === 3)
    const [one, two, three] = heldBack
    const order = [three, one, two]
    // Each stands where the next one would: what Alice writes now pushes them through, and is itself in the history alone.
    bob.lies.deliver = (delivery) => order.shift() ?? delivery
    await say("4", "5", "6", "7")
    await hasRead(8)
    assert.deepEqual(await alarmsOf(bob.home), [])
  })

  const drop = async (...texts: readonly string[]): Promise<void> => {
    let dropped = 0
    bob.lies.deliver = () => {
      dropped += 1
      return undefined
    }
    await say(...texts)
    await until("they are dropped", async () => dropped === texts.length)
    delete bob.lies.deliver
  }

  test("M3 dropped from the mailbox: they come from the history, without an alarm", async () => {
    await drop("8", "9")
    await say("10")
    await hasRead(11)
    assert.deepEqual(await alarmsOf(bob.home), [])
  })

  test("M3 dropped from the history too: told, and healed by who sent them", async () => {
    bob.lies.hidesHistory = true
    await drop("11", "12")
    await say("13")
    await hasRead(14)
    bob.lies.hidesHistory = false
    const told = bob.home.events.flatMap((event) => (event.kind === "alarm" ? [event.alarm.alarm] : []))
    const missing = told.find((one): one is Alarm & { kind: "messages_missing" } => one.kind === "messages_missing")
    assert.deepEqual([missing?.device, missing?.code], [deviceOf(alice.person).device, "chat.gap"])
    // Healed: closed by itself.
    await until("the alarm is closed", async () => (await alarmsOf(bob.home)).length === 0)
  })

  test("M1 M5 a message that it puts in again is shown once, and told", async () => {
    const [old] = heldBack
    assert.ok(old)
    bob.lies.deliver = () => ({ ...old, seq: old.seq + 1_000 })
    await say("14")
    const told = await alarm(bob.home, "message_repeated")
    assert.equal(told.seq, old.seq + 1_000)
    delete bob.lies.deliver
    await say("15")
    await hasRead(16)
  })

  test("what it alters is shown to nobody, and told", async () => {
    bob.lies.deliver = (delivery) => ({
      ...delivery,
      data: delivery.data.map((byte, i) => (i === 300 ? byte ^ 1 : byte)),
    })
    await say("16")
    await alarm(bob.home, "message_refused")
    assert.equal((await bob.home.texts(alice.chain)).length, 16)
    delete bob.lies.deliver
    await say("17")
    await hasRead(18)
  })

  test("H13 it shows a directory with another history than before: told, and nobody is added by it", async () => {
    const data = join(world.server.folder, "data")
    const kept = join(world.server.folder, "kept")
    await world.server.end("SIGTERM")
    cpSync(data, kept, { recursive: true })
    await world.restartServer()
    await world.person("davey")
    await alice.home.engine.contacts.add("davey@localhost")
    await world.server.end("SIGTERM")
    rmSync(data, { recursive: true })
    cpSync(kept, data, { recursive: true })
    await world.restartServer()
    await world.person("edith")
    await assert.rejects(alice.home.engine.contacts.add("edith@localhost"), { code: "directory.split" })
    assert.equal((await alarm(alice.home, "directory")).host, "localhost")
  })

  test("H11 it puts another chain behind Bob's handle: a hard stop with the evidence", async () => {
    const dana = await open(await world.person("dana"))
    await dana.home.engine.contacts.add("bobby@localhost")
    await dana.home.say(bob.chain, "hello")
    await until("bob reads it", async () => (await bob.home.texts(dana.chain)).length === 1)
    await world.server.end("SIGTERM")
    const database = new DatabaseSync(join(world.server.folder, "data", "kez-chat.sqlite"))
    database.exec("DELETE FROM handles WHERE handle = 'bobby'")
    database.close()
    await world.restartServer()
    const impostor = await world.person("bobby")
    await dana.home.engine.contacts.check()
    const told = await alarm(dana.home, "chain_changed")
    assert.deepEqual([told.pinned, told.found], [bob.chain, impostor.chain.chain])
    assert.ok(told.evidence.includes(impostor.chain.chain))
    await assert.rejects(dana.home.say(bob.chain, "is it you?"), { code: "account.changed" })
    assert.equal((await dana.home.engine.contacts.find("bobby@localhost"))?.chain, bob.chain)
    // And Bob's own look finds it.
    await bob.home.engine.contacts.check()
    await alarm(bob.home, "own_handle")
  })
})
