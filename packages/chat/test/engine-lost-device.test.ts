/** Somebody loses his only device, is written to meanwhile, and comes back with another one: what reached nobody is sent again, to those for whom it was. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Digest } from "@kez/core"
import { encodeRow, type GroupRow, keys } from "../src/engine/row.ts"
import { encodeMessage } from "../src/wire/message.ts"
import { copyOf, couple, type EngineWorld, type Home } from "./support/engine-world.ts"
import { rowAt, rowOf, say, settle, textsIn, three } from "./support/group-world.ts"

/** Little time passes: the library looks at the computer's clock when it takes a key package. */
/** The device is gone, with all that was on it. */
async function lose(world: EngineWorld, home: Home): Promise<void> {
  await home.engine.close()
  world.homes.splice(world.homes.indexOf(home), 1)
}

/** The person comes back with a new device. `isRevoked`: the lost one is revoked. `before`: what happens while nobody has heard of it. */
async function comeBack(
  world: EngineWorld,
  lost: Home,
  contacts: readonly string[],
  { isRevoked, before }: { readonly isRevoked: boolean; readonly before?: () => Promise<void> },
): Promise<Home> {
  const device = await lost.person.addDevice()
  if (isRevoked) await lost.person.revoke(lost.device)
  const back = await world.homeOf(lost.person, device)
  await world.rest()
  for (const handle of contacts) await back.engine.contacts.add(`${handle}@localhost`)
  await before?.()
  world.publish(lost.person)
  await settle(world)
  return back
}

/** Its row is as it was before that stood in it. */
async function forgetCameIn(home: Home, id: string): Promise<void> {
  const key = keys.group(id as Digest)
  const { cameIn: _, confirmedBy: __, ...row } = rowAt<GroupRow>(home, key)
  home.rows.set(key, encodeRow(row))
  await home.restart()
}

const states = async (home: Home, other: Home) =>
  (await home.messages(other)).filter(({ sender }) => sender.isSelf).map(({ delivered }) => delivered?.state)

for (const isRevoked of [true, false]) {
  test(`what was written while somebody had lost his only device comes to the next one, ${isRevoked ? "the lost one revoked" : "the lost one still listed"}`, async () => {
    const { world, alice, bob } = await couple()
    await alice.say(bob, "read")
    await settle(world)
    await lose(world, bob)
    const [first] = await alice.say(bob, "lost 1", "lost 2")
    await alice.engine.send(first?.conversation ?? "sha256:", {
      type: "edit",
      of: first?.id ?? "sha256:",
      text: "lost 1, edited",
    })
    await world.rest()
    assert.deepEqual((await states(alice, bob)).slice(1), ["sent", "sent"])
    const back = await comeBack(world, bob, ["alice"], { isRevoked })
    assert.deepEqual(await back.texts(alice), ["lost 1, edited", "lost 2"])
    assert.deepEqual((await states(alice, bob)).slice(1), ["delivered", "delivered"])
    await alice.say(bob, "now")
    await settle(world)
    await back.say(alice, "I am back")
    await settle(world)
    assert.deepEqual(await back.texts(alice), ["lost 1, edited", "lost 2", "now", "I am back"])
    assert.deepEqual(await alice.texts(back), ["read", "lost 1, edited", "lost 2", "now", "I am back"])
    assert.deepEqual(await back.alarms(), [])
    await world.close()
  })
}

test("who comes back and writes first, in another group, gets what was written before as well, once", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "read")
  await settle(world)
  await lose(world, bob)
  await alice.say(bob, "lost 1", "lost 2")
  await world.rest()
  alice.transport.unplug()
  const back = await comeBack(world, bob, ["alice"], { isRevoked: true })
  await back.say(alice, "first word")
  await world.rest()
  await alice.say(back, "written offline")
  alice.transport.plug()
  await settle(world, 3)
  const texts = await back.texts(alice)
  assert.deepEqual(texts.toSorted(), ["first word", "lost 1", "lost 2", "written offline"])
  assert.ok(
    texts.indexOf("lost 1") < texts.indexOf("lost 2") && texts.indexOf("lost 2") < texts.indexOf("written offline"),
  )
  await settle(world)
  assert.deepEqual((await states(alice, bob)).slice(1), ["delivered", "delivered", "delivered"])
  assert.deepEqual(await back.alarms(), [])
  await world.close()
})

test("a further device of somebody who read it all is given nothing, and a device of nobody's chain neither", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "read 1", "read 2")
  await settle(world)
  const before = [...world.server.conversations.values()][0]?.messages.length
  const phone = await comeBack(world, bob, ["alice"], { isRevoked: false })
  assert.deepEqual(await phone.texts(alice), [])
  assert.equal([...world.server.conversations.values()][0]?.messages.length, before)
  await world.close()
})

test("in a group: what a member's devices did not confirm comes to the next one, and nothing that was before him or before others", async () => {
  const { world, alice, bob, carol, dave, id } = await three()
  await say(alice, id, "read by all")
  await settle(world)
  await lose(world, carol)
  await say(alice, id, "lost to carol")
  await settle(world)
  await say(bob, id, "from bob")
  await settle(world)
  const back = await comeBack(world, carol, ["alice", "bobby"], { isRevoked: true })
  assert.deepEqual((await textsIn(back, id)).toSorted(), ["from bob", "lost to carol"])
  // Bob has it already.
  assert.deepEqual(await textsIn(bob, id), ["read by all", "lost to carol", "from bob"])
  // Dave comes in, and then another device of Carol's: what was before Dave is not said again before him.
  await lose(world, back)
  await say(alice, id, "before dave")
  await settle(world)
  await alice.engine.groups.add(id, dave.person.chain)
  await settle(world)
  await say(alice, id, "with dave")
  await settle(world)
  const again = await comeBack(world, carol, ["alice", "bobby"], { isRevoked: true })
  assert.deepEqual(await textsIn(again, id), ["with dave"])
  assert.deepEqual(await textsIn(dave, id), ["with dave"])
  // Who was removed and came back is given nothing of the time between.
  await lose(world, again)
  await alice.engine.groups.remove(id, carol.person.chain)
  await settle(world)
  await say(alice, id, "without carol")
  await settle(world)
  await alice.engine.groups.add(id, carol.person.chain)
  await settle(world)
  const last = await comeBack(world, carol, ["alice", "bobby"], { isRevoked: true })
  assert.deepEqual(await textsIn(last, id), [])
  await world.close()
})

test("what is given has an end: a hundred messages, of fourteen days", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "read")
  await settle(world)
  await lose(world, bob)
  const known = alice.known.get(bob.person.chain)
  const stale = known === undefined ? undefined : copyOf(known)
  await alice.say(bob, "too old")
  await world.rest()
  const before = async () => {
    // She hears of the device after that.
    world.shows = (who, chain) => (who === alice && chain === bob.person.chain ? stale : undefined)
    world.clock.advance(15 * 86_400)
    await world.rest()
    await alice.say(bob, ...Array.from({ length: 105 }, (_, i) => `${i}`))
    await world.rest()
    world.shows = undefined
  }
  const back = await comeBack(world, bob, ["alice"], { isRevoked: true, before })
  const last = Array.from({ length: 100 }, (_, i) => `${i + 5}`)
  assert.deepEqual(await back.texts(alice), last)
  const found = await states(alice, bob)
  assert.deepEqual([found[1], found[2], found.at(-1)], ["sent", "sent", "delivered"])
  await world.close()
})

test("what is given again puts nothing among what a device has read long ago, whatever time it names", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, ...Array.from({ length: 140 }, (_, i) => `${i}`))
  await settle(world)
  // Alice's client puts another text in place of her first message, and forgets what was confirmed.
  const [name = ""] = world.server.conversations.keys()
  const group: Digest = `sha256:${name}`
  const forged = encodeMessage({ device: alice.device.name, counter: 50, prev: group }, "text", {
    content: {},
    body: new TextEncoder().encode("as I said then"),
  })
  alice.rows.set(keys.own(group, 50), encodeRow(null, forged.bytes))
  const value = rowOf(alice, group)
  const { confirmedBy: _, ...row } = value
  alice.rows.set(keys.group(group), encodeRow({ ...row, confirmed: 0 }))
  // So long ago that Bob's device does not remember its id.
  const at = keys.sequence(group, alice.device.name)
  const read = rowAt<{ recent: readonly Digest[] }>(bob, at)
  bob.rows.set(at, encodeRow({ ...read, recent: read.recent.slice(-20) }))
  const phone = await comeBack(world, bob, ["alice"], { isRevoked: false })
  assert.ok((await phone.texts(alice)).includes("as I said then"))
  assert.equal((await bob.texts(alice)).includes("as I said then"), false)
  await world.close()
})

test("the longest text that can be written is given to who comes back; a longer one is refused when it is written", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "read")
  await settle(world)
  await lose(world, bob)
  await assert.rejects(alice.say(bob, "x".repeat(65_200)), { code: "limit.size" })
  await alice.say(bob, "y".repeat(64_000), "short")
  await world.rest()
  const back = await comeBack(world, bob, ["alice"], { isRevoked: true })
  await alice.say(bob, "now")
  await settle(world, 3)
  assert.deepEqual(
    (await back.texts(alice)).map((text) => text.length),
    [64_000, 5, 3],
  )
  await world.close()
})

test("a text from before there was such a bound is left out, and holds nothing up", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "read")
  await settle(world)
  await lose(world, bob)
  await alice.say(bob, "long", "short")
  await world.rest()
  const [name = ""] = world.server.conversations.keys()
  const group = `sha256:${name}` as const
  const row = alice.rows.get(keys.own(group, 1))
  assert.ok(row !== undefined)
  const place = { device: alice.device.name, counter: 1, prev: group }
  const body = new TextEncoder().encode("x".repeat(65_200))
  alice.rows.set(keys.own(group, 1), encodeRow(null, encodeMessage(place, "text", { content: {}, body }).bytes))
  await alice.restart()
  const back = await comeBack(world, bob, ["alice"], { isRevoked: true })
  await alice.say(bob, "now")
  await settle(world, 3)
  assert.deepEqual(await back.texts(alice), ["short", "now"])
  assert.deepEqual(
    (await alice.alarms()).filter((kind) => kind !== "new_device"),
    [],
  )
  await world.close()
})

test("what there is no room for in this minute is given in the next one", async () => {
  const { world, alice, bob } = await couple()
  await lose(world, bob)
  const texts = Array.from({ length: 100 }, (_, i) => `lost ${i}`)
  await alice.say(bob, ...texts)
  await world.rest()
  world.clock.advance(60 - (world.clock.at % 60))
  // His next device is given all of it, and lost before it read any: for another one the minute has no room.
  const before = async () => world.homes.at(-1)?.transport.unplug()
  const lost = await comeBack(world, bob, ["alice"], { isRevoked: true, before })
  await lose(world, lost)
  const back = await comeBack(world, lost, ["alice"], { isRevoked: true })
  await alice.say(back, "now")
  await world.rest()
  assert.deepEqual(await back.texts(alice), ["now"])
  await settle(world, 6)
  assert.deepEqual(await back.texts(alice), [...texts, "now"])
  assert.deepEqual(await back.alarms(), [])
  await world.close()
})

test("a copy that got lost is given once more, and its count is not waited for", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "read")
  await settle(world)
  await lose(world, bob)
  await alice.say(bob, "lost")
  await world.rest()
  const [name = ""] = world.server.conversations.keys()
  const messages = () => world.server.conversations.get(name)?.messages ?? []
  const before = messages().length
  const back = await comeBack(world, bob, ["alice"], {
    isRevoked: true,
    before: async () => {
      world.server.lies.deliver = (_, one) => (one.kind === "message" ? [] : [one])
    },
  })
  const lost = new Set(
    messages()
      .slice(before)
      .map(({ id }) => id),
  )
  assert.ok(lost.size > 0)
  world.server.lies = { history: (kept) => kept.filter(({ id }) => !lost.has(id)) }
  await alice.say(bob, "now")
  for (let i = 0; i < 3; i++) {
    await world.rest()
    world.clock.advance(91)
    await world.rest()
  }
  await alice.say(bob, "and now")
  await settle(world, 3)
  assert.deepEqual(await back.texts(alice), ["lost", "now", "and now"])
  assert.ok((await back.messages(alice)).every(({ isEarly }) => !isEarly))
  assert.deepEqual(await states(alice, back), ["delivered", "delivered", "delivered", "delivered"])
  await world.close()
})

test("a store from before it was noted who came in when: nothing goes to people who came in after it was said", async () => {
  const { world, alice, bob, carol, dave, id } = await three()
  await settle(world)
  await lose(world, carol)
  await say(alice, id, "before dave")
  await settle(world)
  await alice.engine.groups.add(id, dave.person.chain)
  await settle(world)
  await say(alice, id, "with dave")
  await settle(world)
  for (const home of [alice, bob]) await forgetCameIn(home, id)
  const back = await comeBack(world, carol, ["alice", "bobby"], { isRevoked: true })
  assert.deepEqual(await textsIn(back, id), ["with dave"])
  assert.deepEqual(await textsIn(dave, id), ["with dave"])
  await world.close()
})

for (const isOfBefore of [false, true]) {
  test(`a further device of a newcomer who read all that was for him is given nothing${isOfBefore ? ", by a store from before it was noted who came in when" : ""}`, async () => {
    const { world, alice, dave, id } = await three()
    for (const text of ["before 1", "before 2"]) await say(alice, id, text)
    await settle(world)
    await alice.engine.groups.add(id, dave.person.chain)
    await settle(world)
    if (isOfBefore) await forgetCameIn(alice, id)
    for (const text of ["one", "two"]) await say(alice, id, text)
    await settle(world)
    assert.deepEqual(await textsIn(dave, id), ["one", "two"])
    const phone = await world.homeOf(dave.person, await dave.person.addDevice())
    await world.rest()
    await phone.engine.contacts.add("alice@localhost")
    world.publish(dave.person)
    await settle(world)
    assert.deepEqual(await textsIn(phone, id), [])
    await say(alice, id, "three")
    await settle(world)
    assert.deepEqual(await textsIn(phone, id), ["three"])
    await world.close()
  })
}
