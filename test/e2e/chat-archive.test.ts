/** History through the archive over real servers: two devices, the words alone with nobody else online, and a device that was revoked. */
import assert from "node:assert/strict"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { after, describe, test } from "node:test"
import { skipWithoutNats } from "../support/broker.ts"
import { archiveOf, openTestEngine, type TestEngine, until } from "../support/chat-engines.ts"
import { startChatWorld, type WorldDevice } from "../support/chat-world.ts"
import { laterCleaner } from "../support/person.ts"

const canary = "canary-5c11f0-in-no-archive"

describe("the archive over real servers", { skip: skipWithoutNats }, async () => {
  if (skipWithoutNats !== false) return
  const t = laterCleaner(after)
  const world = await startChatWorld(t)
  const [alice, bob] = [await world.person("alice"), await world.person("bobby")]
  const { archiveKey, archiveSecret } = await archiveOf(alice)
  const [aliceChain, bobChain] = [alice.chain.chain, bob.chain.chain]
  const of = (person: typeof alice) => ({ person, device: person.devices[0] as WorldDevice })
  const phone = await openTestEngine(t, world, { ...of(alice), archive: { archiveKey } })
  const b = await openTestEngine(t, world, of(bob))
  let laptop: TestEngine | undefined
  const isOn = (home: TestEngine) => async () => home.engine.archive().kind === "on"

  test("a second device that the first lets in shows the same history", async () => {
    await phone.engine.contacts.add("bobby@localhost")
    await b.engine.contacts.add("alice@localhost")
    const first = await phone.say(bobChain, `${canary} one`)
    await until("bob reads it", async () => (await b.texts(aliceChain)).length === 1)
    const { id } = await b.engine.openDirect(aliceChain)
    await b.engine.send(id, { type: "reaction", to: first, emoji: "+1", action: "add" })
    for (let i = 0; i < 40; i++) await b.say(aliceChain, `${canary} ${i}`)
    await until("alice reads all", async () => (await phone.texts(bobChain)).length === 41)
    assert.equal(await phone.engine.settled(10_000), true)
    laptop = await openTestEngine(t, world, { person: alice, device: await alice.addDevice() })
    await until("the laptop has the archive", isOn(laptop))
    assert.deepEqual(await laptop.texts(bobChain), await phone.texts(bobChain))
    const found = (await laptop.engine.conversations())[0]
    const [message] = found === undefined ? [] : await laptop.engine.messages(found.id, { limit: 100 })
    assert.deepEqual(message?.reactions, [{ emoji: "+1", by: [bobChain] }])
  })

  test("both devices write, and the words alone read all of it with nobody else online", async () => {
    if (laptop === undefined) throw new Error("no laptop")
    const home = laptop
    await until(
      "the laptop is in the conversation",
      async () => (await home.engine.conversations())[0]?.state === "open",
    )
    await laptop.say(bobChain, "from the laptop")
    await until("on the phone", async () => (await phone.texts(bobChain)).at(-1) === "from the laptop")
    await phone.say(bobChain, "from the phone")
    await until("on the laptop", async () => (await home.texts(bobChain)).at(-1) === "from the phone")
    const history = await phone.texts(bobChain)
    for (const one of [phone, laptop]) assert.equal(await one.engine.settled(10_000), true)
    for (const one of [phone, laptop, b]) await one.engine.close()
    const restored = await openTestEngine(t, world, {
      ...{ person: alice, device: await alice.addDevice() },
      archive: { archiveSecret },
    })
    await until("it is restored", isOn(restored))
    assert.deepEqual(await restored.texts(bobChain), history)
    assert.ok(restored.events.some((event) => event.kind === "archive" && event.archive.kind === "restoring"))
    const contacts = await restored.engine.contacts.list()
    assert.deepEqual(
      contacts.map(({ handle, standing }) => [handle, standing]),
      [["bobby@localhost", "accepted"]],
    )
    assert.deepEqual(await restored.engine.alarms.list(), [])
    // Without the words from now on.
    await restored.engine.close()
    await b.reopen()
    await restored.reopen()
    await until("bob is there", async () => b.engine.connection().kind === "online")
    await restored.say(bobChain, "back again")
    await until("bob reads it", async () => (await b.texts(aliceChain)).at(-1) === "back again", 40)
  })

  test("a canary stands in no file of the broker and of the chat server", () => {
    const files = [world.broker.settings.folder, world.server.folder].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: "utf8" })
        .map((name) => join(folder, name))
        .filter((path) => statSync(path).isFile()),
    )
    assert.ok(files.length > 5)
    for (const path of files) assert.ok(!readFileSync(path).includes(canary), path)
  })
})
