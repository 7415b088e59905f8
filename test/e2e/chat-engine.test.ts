/** Two people with real engines over a real sigchain store, nats-server and chat server: both ways, away and back, servers restarted. */
import assert from "node:assert/strict"
import { after, describe, test } from "node:test"
import { skipWithoutNats } from "../support/broker.ts"
import { openTestEngine, until } from "../support/chat-engines.ts"
import { startChatWorld, type WorldDevice } from "../support/chat-world.ts"
import { laterCleaner } from "../support/person.ts"

describe("the engine over real servers", { skip: skipWithoutNats }, async () => {
  if (skipWithoutNats !== false) return
  const t = laterCleaner(after)
  const world = await startChatWorld(t)
  const [alice, bob] = [await world.person("alice"), await world.person("bobby")]
  const of = (person: typeof alice) => ({ person, device: person.devices[0] as WorldDevice })
  const [a, b] = [await openTestEngine(t, world, of(alice)), await openTestEngine(t, world, of(bob))]
  const [aliceChain, bobChain] = [alice.chain.chain, bob.chain.chain]
  const delivered = (id: string) => async () =>
    a.events.some((event) => event.kind === "outbox" && event.message === id && event.delivered.state === "delivered")

  test("two people write both ways, by handle; a receipt comes back", async () => {
    await a.engine.contacts.add("bobby@localhost")
    await b.engine.contacts.add("alice@localhost")
    const id = await a.say(bobChain, "hello")
    await until("bob reads it", async () => (await b.texts(aliceChain)).length === 1)
    await until("alice hears of it", delivered(id))
    await b.say(aliceChain, "hello yourself")
    await until("alice reads it", async () => (await a.texts(bobChain)).length === 2)
    assert.deepEqual(await a.texts(bobChain), ["hello", "hello yourself"])
    assert.deepEqual([await a.engine.alarms.list(), await b.engine.alarms.list()], [[], []])
  })

  test("who is away gets all of it in its order when he comes back", async () => {
    await b.engine.close()
    for (let i = 0; i < 20; i++) await a.say(bobChain, `while away ${i}`)
    assert.equal(await a.engine.settled(10_000), true)
    await b.reopen()
    await until("bob has caught up", async () => (await b.texts(aliceChain)).length === 22)
    assert.deepEqual(
      (await b.texts(aliceChain)).slice(2),
      Array.from({ length: 20 }, (_, i) => `while away ${i}`),
    )
    assert.equal(await b.engine.settled(10_000), true)
  })

  test("the broker is killed and the chat server restarted while both write: nothing lost, nothing twice", async () => {
    const before = (await b.texts(aliceChain)).length
    const said: string[] = []
    const write = async (name: string, count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        said.push(`${name} ${i}`)
        await a.say(bobChain, `${name} ${i}`)
      }
    }
    await write("before", 5)
    const restarting = world.restartBroker()
    await write("while the broker is away", 5)
    await restarting
    const serving = world.restartServer()
    await write("while the server is away", 5)
    await serving
    await until("bob has all of it", async () => (await b.texts(aliceChain)).length === before + 15, 40)
    assert.deepEqual((await b.texts(aliceChain)).slice(before), said)
    await b.say(aliceChain, "and back")
    await until("alice reads it", async () => (await a.texts(bobChain)).at(-1) === "and back", 40)
    assert.deepEqual([await a.engine.alarms.list(), await b.engine.alarms.list()], [[], []])
  })

  test("a new device of Bob reads what comes from then on; revoked, it is out within ten seconds", async () => {
    const device = await bob.addDevice()
    const laptop = await openTestEngine(t, world, { person: bob, device })
    await until("the laptop is in", async () => (await laptop.engine.conversations()).length === 1)
    await until("alice is told", async () =>
      (await a.engine.alarms.list()).some(({ alarm }) => alarm.kind === "new_device" && alarm.device === device.device),
    )
    await a.say(bobChain, "to all your devices")
    await until("the laptop reads it", async () => (await laptop.texts(aliceChain)).at(-1) === "to all your devices")
    await until("and the phone", async () => (await b.texts(aliceChain)).at(-1) === "to all your devices")
    await bob.append({ op: "revoke_device", keys: [device.device] })
    await until("the laptop is out", async () => laptop.engine.connection().kind === "revoked", 15)
    await a.say(bobChain, "not for the laptop")
    await until("the phone reads on", async () => (await b.texts(aliceChain)).at(-1) === "not for the laptop")
    assert.ok(!(await laptop.texts(aliceChain)).includes("not for the laptop"))
  })
})
