/** Holes in what a device sent: noticed however large they are, asked for in bounded pieces, and no way for one member to push out what others write. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { digestOf } from "@kez/core"
import { encodeRow, type GroupRow, keys } from "../src/engine/row.ts"
import { encodeRequest } from "../src/wire/command-codec.ts"
import { encodeMessage } from "../src/wire/message.ts"
import { couple, type Home } from "./support/engine-world.ts"
import { rowOf, say, settle, textsIn, three } from "./support/group-world.ts"

/** What a hostile client does to its own count. */
function tamper(home: Home, group: string, change: (row: GroupRow) => Partial<GroupRow>): void {
  const row = rowOf(home, group)
  home.rows.set(keys.group(row.group), encodeRow({ ...row, ...change(row) }))
}

function missing(home: Home) {
  return home.events.flatMap((event) =>
    event.kind === "alarm" && event.isOpen && event.alarm.alarm.kind === "messages_missing" ? [event.alarm.alarm] : [],
  )
}

function waitingIn(home: Home): number {
  return [...home.rows.keys()].filter((key) => key.startsWith("inbox/")).length
}

test("A1 more than 200 keys of a device are lost, in the history too: an alarm, and all of it is sent again", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "0")
  await world.rest()
  const [name] = world.server.conversations.keys()
  const before = world.server.conversations.get(name ?? "")?.messages.length ?? 0
  world.server.lies.deliver = (_, one) => (one.kind === "message" ? [] : [one])
  const texts = Array.from({ length: 230 }, (_, i) => `${i + 1}`)
  await alice.say(bob, ...texts)
  await world.rest()
  const lost = new Set(
    world.server.conversations
      .get(name ?? "")
      ?.messages.slice(before)
      .map(({ id }) => id),
  )
  world.server.lies = { history: (kept) => kept.filter(({ id }) => !lost.has(id)) }
  await alice.say(bob, "next")
  await settle(world, 1, 91)
  const [alarm] = missing(bob)
  assert.deepEqual([alarm?.device, alarm?.from], [alice.device.name, 1])
  await settle(world, 6, 91)
  assert.deepEqual(await bob.texts(alice), ["0", ...texts, "next"])
  assert.deepEqual([await bob.alarms(), waitingIn(bob)], [[], 0])
  await world.close()
})

test("A1 a member whose count jumps: shown as early, one alarm about his device, and a bounded range is asked for", async () => {
  const { world, alice, bob, carol, id } = await three()
  await say(carol, id, "in order")
  await world.rest()
  for (let i = 0; i < 40; i++) {
    tamper(carol, id, ({ nextCounter }) => ({ nextCounter: nextCounter + 1_000 }))
    await say(carol, id, `jump ${i}`)
  }
  await settle(world, 1, 91)
  await say(alice, id, "from alice")
  await settle(world, 1, 91)
  const texts = await textsIn(bob, id)
  assert.ok(texts.includes("from alice") && texts.includes("jump 39"))
  assert.deepEqual(await bob.alarms(), ["messages_missing"])
  assert.ok(missing(bob).every(({ device }) => device === carol.device.name))
  assert.equal(waitingIn(bob), 0)
  await world.close()
})

test("A1 more messages of one device come early than are held: the oldest hole is given up, told, and what fills it later is shown", async () => {
  const { world, bob, carol, id } = await three()
  await say(carol, id, "in order")
  await world.rest()
  const uid = world.server.register(bob.person.chain, bob.device.name).uid
  const held: Parameters<typeof world.server.push>[1][] = []
  world.server.lies = {
    deliver: (to, one) => {
      if (to !== uid || one.kind !== "message" || held.length > 0) return [one]
      held.push(one)
      return []
    },
    history: (kept) => kept.filter((one) => one.id !== held[0]?.id),
  }
  // Nothing is sent again: what is asked for does not reach her.
  world.server.lies.answer = (operation, { dev }) => {
    const isBob = dev === world.server.register(bob.person.chain, bob.device.name).dev
    return isBob && operation === "send" ? "lose_request" : undefined
  }
  const texts = Array.from({ length: 190 }, (_, i) => `${i + 1}`)
  for (const text of texts) await say(carol, id, text)
  await world.rest()
  await carol.engine.settled(1_000)
  for (let i = 190; i < 262; i++) await say(carol, id, `${i + 1}`)
  await settle(world, 1, 91)
  assert.equal((await textsIn(bob, id)).length, 262)
  assert.deepEqual(await bob.alarms(), ["messages_missing"])
  const shown = await bob.engine.messages(id, { limit: 500 })
  assert.ok(shown.every(({ isEarly }) => !isEarly))
  const [first] = held
  if (first !== undefined) world.server.push(uid, first)
  await settle(world, 1, 91)
  assert.ok((await textsIn(bob, id)).includes("1"))
  assert.deepEqual(await bob.alarms(), [])
  await world.close()
})

test("A1 what claims to be of a later epoch fills no inbox: what honest members write comes in", async () => {
  const { world, alice, bob, carol, id } = await three()
  await say(alice, id, "0")
  await world.rest()
  const conversation = id.slice(7)
  const [like] = world.server.conversations.get(conversation)?.messages ?? []
  if (like === undefined) throw new Error("nothing was sent")
  const from = world.server.register(carol.person.chain, carol.device.name)
  // version, wire format, group id with its length, then the epoch.
  const at = 4 + 1 + 32
  for (let i = 0; i < 4_200; i++) {
    const data = like.data.slice()
    new DataView(data.buffer).setBigUint64(at, BigInt(1_000 + i))
    world.server.handle("send", from, encodeRequest("send", { conversation, id: digestOf(data) }, [data]))
  }
  await say(alice, id, "1")
  await world.rest()
  assert.deepEqual(await textsIn(bob, id), ["0", "1"])
  assert.ok(waitingIn(bob) <= 512, `${waitingIn(bob)} wait`)
  await say(alice, id, "2")
  await world.rest()
  assert.deepEqual(await textsIn(bob, id), ["0", "1", "2"])
  await world.close()
})

test("A6 who asks again and again gets no more than so many in a minute, and pushes out nothing that others may ask for", async () => {
  const { world, alice, carol, id } = await three()
  const group = id as GroupRow["group"]
  for (let i = 0; i < 40; i++) await say(alice, id, `${i}`)
  await world.rest()
  // All that she counts but her texts.
  const resent = (texts: number) => rowOf(alice, group).nextCounter - texts
  for (let i = 0; i < 20; i++) {
    // Carol's client forgets where it was, each time another place.
    const row = { next: i, recent: [], held: [], lastSeq: 1_000_000 }
    carol.rows.set(keys.sequence(group, alice.device.name), encodeRow(row))
    await say(alice, id, `more ${i}`)
    await world.rest()
  }
  assert.equal(resent(60), 120)
  const own = [...alice.rows].filter(([key]) => key.startsWith(keys.own(group)))
  assert.ok(own.every(([, row]) => !Buffer.from(row).includes('"type":"resent"')))
  assert.ok(own.length >= 60)
  world.clock.advance(61)
  carol.rows.set(
    keys.sequence(group, alice.device.name),
    encodeRow({ next: 0, recent: [], held: [], lastSeq: 1_000_000 }),
  )
  await say(alice, id, "a minute later")
  await world.rest()
  assert.ok(resent(61) > 120 && resent(61) <= 240)
  await world.close()
})

test("A6 who asks with three devices leaves something for the others in the same minute", async () => {
  const { world, alice, bob, carol, id } = await three()
  const group = id as GroupRow["group"]
  const devices = [carol]
  for (let i = 0; i < 2; i++) devices.push(await world.homeOf(carol.person, await carol.person.addDevice()))
  await world.rest()
  for (const { engine } of devices.slice(1)) await engine.contacts.add("alice@localhost")
  world.publish(carol.person)
  await settle(world, 3, 91)
  for (let i = 0; i < 40; i++) await say(alice, id, `${i}`)
  await world.rest()
  const next = () => rowOf(alice, group).nextCounter
  const askFrom = (home: Home, at: number) =>
    home.rows.set(
      keys.sequence(group, alice.device.name),
      encodeRow({ next: at, recent: [], held: [], lastSeq: 1_000_000 }),
    )
  const before = next()
  for (let i = 0; i < 5; i++) {
    for (const home of devices) askFrom(home, before - 40 + i)
    await say(alice, id, `more ${i}`)
    await world.rest()
  }
  assert.equal(next() - before - 5, 120)
  askFrom(bob, before - 20)
  await say(alice, id, "for bob")
  await world.rest()
  assert.ok(next() - before - 6 > 120 + 20)
  await world.close()
})

test("A10 a member who skips numbers and says that they are for nobody puts nothing before what was read, and what is missing stays told", async () => {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "a0", "a1")
  await settle(world, 1, 91)
  await bob.say(alice, "b0")
  await settle(world, 1, 91)
  const [name = ""] = world.server.conversations.keys()
  const group: GroupRow["group"] = `sha256:${name}`
  const row = rowOf(alice, group)
  const { name: device } = alice.device
  const counter = row.nextCounter + 5
  const note = { to: bob.device.name, before: counter }
  const first = encodeMessage({ device, counter, prev: group }, "not_resent", { content: note })
  const text = new TextEncoder().encode("as I said then")
  const forged = encodeMessage({ device, counter: 1, prev: group }, "text", { content: {}, body: text })
  const again = { device, counter: 1, at: world.clock.at - 3_600 }
  const place = { device, counter: counter + 1, prev: first.message.id }
  const second = encodeMessage(place, "resent", { content: again, body: forged.bytes })
  for (const [i, { bytes, message }] of [first, second].entries()) {
    alice.rows.set(keys.own(group, counter + i), encodeRow(null, bytes))
    const n = row.nextOutbox + i
    alice.rows.set(keys.outbox(group, n), encodeRow({ n, counter: counter + i, id: message.id }))
  }
  tamper(alice, group, () => ({
    ...{ nextCounter: counter + 2, lastId: second.message.id, nextOutbox: row.nextOutbox + 2 },
  }))
  await alice.restart()
  await settle(world, 2, 91)
  await alice.say(bob, "and on")
  await settle(world, 1, 91)
  assert.deepEqual(await bob.texts(alice), ["a0", "a1", "b0", "and on"])
  assert.deepEqual(await bob.alarms(), ["messages_missing"])
  assert.ok((await bob.messages(alice)).every(({ isEarly }) => !isEarly))
  await world.close()
})
