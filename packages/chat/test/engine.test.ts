/** Two people over a server in memory: written, read, confirmed, answered; away and back; strangers. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { couple, EngineWorld } from "./support/engine-world.ts"

function here<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("nothing there")
  return value
}

test("two people write both ways; what is sent becomes delivered, then read", async () => {
  const { world, alice, bob } = await couple()
  const hello = here((await alice.say(bob, "hello"))[0])
  assert.equal(hello.delivered?.state, "waiting")
  await world.rest()
  assert.deepEqual(await bob.texts(alice), ["hello"])
  assert.equal(await alice.state(hello), "delivered")
  await bob.say(alice, "hello yourself")
  await world.rest()
  assert.deepEqual(await alice.texts(bob), ["hello", "hello yourself"])
  const first = here((await bob.messages(alice))[0])
  assert.equal((await bob.engine.conversation(first.conversation))?.unread, 1)
  await bob.engine.markRead(first.conversation, first.id)
  await world.rest()
  assert.equal((await bob.engine.conversation(first.conversation))?.unread, 0)
  assert.equal(await alice.state(hello), "read")
  assert.deepEqual([await alice.alarms(), await bob.alarms()], [[], []])
  const [a, b] = [await alice.engine.conversations(), await bob.engine.conversations()]
  assert.equal(a[0]?.safetyCode, b[0]?.safetyCode)
  await world.close()
})

test("what is written without a network goes out in its order when there is one", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "0")
  await world.rest()
  alice.transport.unplug()
  const sent = await alice.say(bob, "1", "2", "3")
  await world.rest()
  assert.deepEqual(await bob.texts(alice), ["0"])
  assert.equal(await alice.state(here(sent[2])), "waiting")
  alice.transport.plug()
  await world.rest()
  assert.deepEqual(await bob.texts(alice), ["0", "1", "2", "3"])
  assert.equal(await alice.state(here(sent[2])), "delivered")
  await world.close()
})

test("the first message waits for a key package of the other, and says why", async () => {
  const world = new EngineWorld()
  const alice = await world.home("alice")
  const bobby = await world.person("bobby")
  const device = await bobby.addDevice()
  await alice.engine.contacts.add("bobby@localhost")
  const { id } = await alice.engine.openDirect("bobby@localhost")
  const message = await alice.engine.send(id, { type: "text", text: "first" })
  await world.rest()
  const [waiting] = await alice.engine.messages(id)
  assert.deepEqual([waiting?.delivered?.state, waiting?.delivered?.code], ["waiting", "chat.key_package"])
  assert.equal((await alice.engine.conversation(id))?.state, "opening")
  const bob = await world.homeOf(bobby, device, "bobby")
  await world.rest()
  world.clock.advance(61)
  await world.rest()
  assert.equal((await alice.engine.conversation(id))?.state, "open")
  assert.deepEqual(await bob.texts(alice), ["first"])
  assert.equal(await alice.state(message), "sent")
  await world.close()
})

test("both open at once: one conversation on both sides, nothing lost, and both write to one group", async () => {
  const { world, alice, bob } = await couple()
  alice.transport.unplug()
  bob.transport.unplug()
  await alice.say(bob, "from alice")
  await bob.say(alice, "from bob")
  alice.transport.plug()
  bob.transport.plug()
  await world.rest()
  for (const [who, other] of [
    [alice, bob],
    [bob, alice],
  ] as const) {
    assert.deepEqual((await who.texts(other)).toSorted(), ["from alice", "from bob"])
    assert.equal((await who.engine.conversations()).length, 1)
  }
  assert.equal(world.server.conversations.size, 2)
  await alice.say(bob, "a")
  await world.rest()
  await bob.say(alice, "b")
  await world.rest()
  const counts = [...world.server.conversations.values()].map(({ messages }) => messages.length)
  assert.ok(Math.min(...counts) <= 2, `one group goes on: ${counts}`)
  assert.deepEqual((await alice.texts(bob)).slice(2), ["a", "b"])
  const codes = [await alice.engine.conversations(), await bob.engine.conversations()].map(([one]) => one?.safetyCode)
  assert.equal(codes[0], codes[1])
  await world.close()
})

test("a stranger is a request: read, but told nothing before he is accepted; blocked, he is not shown at all", async () => {
  const world = new EngineWorld()
  const [alice, bob] = [await world.home("alice"), await world.home("bobby")]
  await world.rest()
  await alice.engine.contacts.add("bobby@localhost")
  const first = here((await alice.say(bob, "hi, you do not know me"))[0])
  await world.rest()
  const request = here((await bob.engine.conversations())[0])
  assert.equal(request.state, "request")
  assert.deepEqual(await bob.texts(alice), ["hi, you do not know me"])
  await bob.engine.markRead(request.id, first.id)
  await bob.engine.setTyping(request.id, true)
  await world.rest()
  assert.equal(await alice.state(first), "sent")
  assert.ok(!alice.events.some(({ kind }) => kind === "typing"))
  await bob.engine.contacts.accept(alice.person.chain)
  await world.rest()
  assert.equal(await alice.state(first), "read")
  await bob.engine.contacts.block(alice.person.chain)
  await alice.say(bob, "are you there?")
  await world.rest()
  assert.deepEqual(await bob.texts(alice), ["hi, you do not know me"])
  assert.equal((await bob.engine.conversation(request.id))?.state, "blocked")
  await assert.rejects(bob.say(alice, "no"), { code: "account.changed" })
  await bob.engine.contacts.accept(alice.person.chain)
  await alice.say(bob, "again")
  await world.rest()
  assert.deepEqual(await bob.texts(alice), ["hi, you do not know me", "again"])
  await world.close()
})

test("replies, edits, deletions and reactions, of whom they are", async () => {
  const { world, alice, bob } = await couple()
  const [one, two] = await alice.say(bob, "teh cat", "gone soon")
  await world.rest()
  const id = here(one).conversation
  await alice.engine.send(id, { type: "edit", of: here(one).id, text: "the cat" })
  await alice.engine.send(id, { type: "delete", of: here(two).id })
  await bob.engine.send(id, { type: "reply", to: here(one).id, text: "what cat?" })
  await bob.engine.send(id, { type: "reaction", to: here(one).id, emoji: "👍", action: "add" })
  await assert.rejects(bob.engine.send(id, { type: "edit", of: here(one).id, text: "a dog" }), { code: "usage" })
  await world.rest()
  for (const [who, other] of [
    [alice, bob],
    [bob, alice],
  ] as const) {
    const [edited, deleted, reply] = await who.messages(other)
    assert.deepEqual([edited?.text, deleted?.type, deleted?.text], ["the cat", "deleted", undefined])
    assert.deepEqual([reply?.text, reply?.answers], ["what cat?", here(one).id])
    assert.deepEqual(edited?.reactions, [{ emoji: "👍", by: [bob.person.chain] }])
  }
  await bob.engine.send(id, { type: "reaction", to: here(one).id, emoji: "👍", action: "remove" })
  await world.rest()
  assert.deepEqual((await alice.messages(bob))[0]?.reactions, [])
  await world.close()
})

test("typing is told to who is there, and kept nowhere; so few that the next message still opens", async () => {
  const { world, alice, bob } = await couple()
  const first = here((await alice.say(bob, "hello"))[0])
  await world.rest()
  await alice.engine.setTyping(first.conversation, true)
  await world.rest()
  assert.ok(bob.events.some((event) => event.kind === "typing" && event.isTyping && event.chain === alice.person.chain))
  bob.transport.unplug()
  for (let i = 0; i < 300; i++) {
    world.clock.at += 4
    await alice.engine.setTyping(first.conversation, i % 2 === 0)
  }
  await alice.say(bob, "after a lot of typing")
  await world.rest()
  bob.transport.plug()
  await world.rest()
  assert.deepEqual(await bob.texts(alice), ["hello", "after a lot of typing"])
  await bob.engine.setSettings({ typing: false })
  await bob.engine.setTyping(first.conversation, true)
  await world.rest()
  assert.ok(!alice.events.some(({ kind }) => kind === "typing"))
  await world.close()
})

test("what the server refuses for good fails with its reason, and goes out in its order after retry", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "0")
  await world.rest()
  const name = here([...world.server.conversations.keys()][0])
  const conversation = here(world.server.conversations.get(name))
  const { members } = conversation
  conversation.members = [bob.person.chain]
  const [failed] = await alice.say(bob, "1", "2")
  await world.rest()
  const [, first] = await alice.messages(bob)
  assert.deepEqual([first?.delivered?.state, first?.delivered?.code], ["failed", "chat.removed"])
  conversation.members = members
  await alice.engine.retry(here(failed).conversation)
  await world.rest()
  assert.deepEqual(await bob.texts(alice), ["0", "1", "2"])
  await world.close()
})

test("why a message waited is forgotten once it is there, also where the server's answer was lost", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "0")
  await world.rest()
  for (const lie of ["lose_request", "lose_answer"] as const) {
    let isLost = false
    world.server.lies.answer = (operation) => {
      if (operation !== "send" || isLost) return undefined
      isLost = true
      return lie
    }
    const [sent] = await alice.say(bob, lie)
    await world.rest()
    world.clock.advance(60)
    await world.rest()
    const message = (await alice.messages(bob)).find(({ id }) => id === here(sent).id)
    assert.deepEqual(message?.delivered, { state: "delivered" }, lie)
  }
  await world.close()
})

test("pages go back from a place, oldest first", async () => {
  const { world, alice, bob } = await couple()
  const sent = await alice.say(bob, ..."abcdefg")
  await world.rest()
  const id = here(sent[0]).conversation
  const newest = await bob.engine.messages(id, { limit: 3 })
  assert.deepEqual(
    newest.map(({ text }) => text),
    ["e", "f", "g"],
  )
  const before = await bob.engine.messages(id, { limit: 3, before: here(newest[0]).place })
  assert.deepEqual(
    before.map(({ text }) => text),
    ["b", "c", "d"],
  )
  await world.close()
})

test("a message waits for the disk once where it is written and once where it is read", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "0")
  await world.rest()
  await bob.say(alice, "1")
  await world.rest()
  const [atAlice, atBob] = [alice.store.writes, bob.store.writes]
  const order: string[] = []
  const request = alice.transport.request.bind(alice.transport)
  alice.transport.request = (...asked) => {
    order.push(`${asked[0]} after ${alice.store.writes - atAlice}`)
    return request(...asked)
  }
  await alice.say(bob, "2")
  await world.rest()
  assert.deepEqual(order.slice(0, 1), ["send after 1"])
  // What came; then a receipt, which is written and taken out again.
  assert.equal(bob.store.writes - atBob, 3)
  assert.deepEqual(await bob.texts(alice), ["0", "1", "2"])
  await world.close()
})
