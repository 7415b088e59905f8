/** A nats-server without room: what it has stays, what it cannot take waits where it was written, and whoever runs it is told. */
import assert from "node:assert/strict"
import { createHash, randomBytes } from "node:crypto"
import { rmSync, statfsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, describe, test } from "node:test"
import { createMemoryDisk, imagesMissing } from "../faults/image.ts"
import { skipWithoutNats } from "../support/broker.ts"
import { openTestEngine, until } from "../support/chat-engines.ts"
import { ask } from "../support/chat-server.ts"
import { type ChatWorld, startChatWorld } from "../support/chat-world.ts"
import { historyOf } from "../support/history.ts"
import { laterCleaner } from "../support/person.ts"

const mebibyte = 1_048_576
const idOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`

/** The broker, as the chat server sees it. */
const isWell = async (world: ChatWorld): Promise<boolean> =>
  (await ask(`${world.server.url}/readyz`)).body?.checks?.broker?.ok === true

/** Whether the log of the chat server says it. */
const says = (world: ChatWorld, text: string): boolean => world.server.log().some((line) => line.includes(text))

async function figureOf(world: ChatWorld, name: string): Promise<number> {
  const text = await (await fetch(`${world.server.metricsUrl}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1])
}

describe("a broker that may store no more", { skip: skipWithoutNats }, async () => {
  if (skipWithoutNats !== false) return
  const t = laterCleaner(after)
  const world = await startChatWorld(t, { broker: { maxStoredBytes: 2 * mebibyte } })
  const [alice, bob] = [await world.person("alice"), await world.person("bobby")]
  const [[phone], [other]] = [alice.devices, bob.devices]
  assert.ok(phone && other)
  const open = (person: typeof alice, device: typeof phone) => openTestEngine(t, world, { person, device })
  const [a, b] = [await open(alice, phone), await open(bob, other)]
  await Promise.all([a.engine.contacts.add("bobby@localhost"), b.engine.contacts.add("alice@localhost")])
  const texts = Array.from({ length: 40 }, (_, at) => `${at} ${"x".repeat(60_000)}`)

  test("refuses, and says who can help; messages wait in the order in which they were written", async () => {
    for (const text of texts) await a.say(bob.chain.chain, text)
    await until("the server says that it is full", async () => says(world, "nats-server is full"), 40)
    assert.equal(await isWell(world), false)
    assert.equal(await figureOf(world, "kez_chat_broker_healthy"), 0)
    const stored = await figureOf(world, "kez_chat_broker_stored_bytes")
    // What comes at the same time to several streams may go a little beyond it.
    assert.ok(stored > mebibyte && stored < 3 * mebibyte, `${stored}`)
    const [conversation] = await a.engine.conversations()
    const own = await a.engine.messages(conversation?.id ?? "", { limit: 100 })
    const waiting = own.filter(({ delivered }) => delivered?.state === "waiting")
    assert.ok(waiting.length > 5 && waiting.length < texts.length, `${waiting.length} wait`)
    const reasons = new Set(waiting.map(({ delivered }) => `${delivered?.code}: ${delivered?.reason}`))
    assert.match([...reasons].join("\n"), /broker\.refused: .*the server has no room left/)
  })

  test("with more room all of them arrive, once and in order", async () => {
    await world.restartBroker("SIGTERM", { settings: { maxStoredBytes: 64 * mebibyte } })
    await until("all are there", async () => (await b.texts(alice.chain.chain)).length >= texts.length, 40)
    assert.deepEqual(await b.texts(alice.chain.chain), texts)
    await until("the server says that there is room", () => isWell(world), 40)
  })
})

const missingDisk = imagesMissing()

describe("the disk of a broker", { skip: skipWithoutNats || missingDisk }, async () => {
  if (skipWithoutNats !== false || missingDisk !== false) return
  const t = laterCleaner(after)
  const disk = createMemoryDisk(48 * 1_024)
  t.after(() => disk.close())
  const ballast = join(disk.folder, "ballast")
  const world = await startChatWorld(t, { broker: { folder: join(disk.folder, "broker") } })
  const [alice, bob] = [await world.person("alice"), await world.person("bob")]
  const [[phone], [other]] = [alice.devices, bob.devices]
  assert.ok(phone && other)
  const [a, b] = [await world.connect(phone), await world.connect(other)]
  const conversation = randomBytes(32).toString("hex")
  const members = [alice.chain.chain, bob.chain.chain]
  await a.ask("commit", { conversation, id: idOf("begin"), follows: 0, members }, [Buffer.from("begin")])
  const acknowledged: string[] = []

  /** Whether it was acknowledged. */
  const send = async (text: string): Promise<boolean> => {
    try {
      await a.ask("send", { conversation, id: idOf(text) }, [Buffer.from(text)])
      acknowledged.push(text)
      return true
    } catch {
      return false
    }
  }

  test("that is full takes nothing back that was acknowledged", async () => {
    for (let at = 0; at < 20; at++) assert.ok(await send(`${at} ${"x".repeat(20_000)}`))
    const { bavail, bsize } = statfsSync(disk.folder)
    writeFileSync(ballast, new Uint8Array(bavail * bsize - 100_000))
    let refused = 0
    for (let at = 20; at < 60 && refused === 0; at++) if (!(await send(`${at} ${"x".repeat(20_000)}`))) refused += 1
    assert.equal(refused, 1)
    await until("the server says that nats-server cannot write", async () => says(world, "cannot write"), 40)
    assert.equal(await isWell(world), false)
    assert.deepEqual(await historyOf(b, conversation), acknowledged)
  })

  test("works again once it has room and nats-server was started anew, as the log said", async () => {
    rmSync(ballast)
    await world.restartBroker("SIGTERM")
    await until("it takes messages again", () => send("after"), 40)
    await b.back()
    assert.deepEqual(new Set(await historyOf(b, conversation)), new Set(acknowledged))
    const inMailbox = (await b.read()).filter(({ kind }) => kind === "message")
    const read = new Set(inMailbox.map(({ data }) => Buffer.from(data).toString()))
    for (const text of acknowledged) assert.ok(read.has(text), `${text.slice(0, 8)} is in the mailbox`)
  })
})
