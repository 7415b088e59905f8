/** History through the archive: a new device and the words alone show what was said, a revoked device reads nothing new. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { openArchiveEntry } from "../src/archive/archive-entry.ts"
import { archiveKeyPairOfWords, signArchiveKey } from "../src/archive/archive-keys.ts"
import { directPolicy } from "../src/conversation/state-body.ts"
import { decodeRow } from "../src/engine/row.ts"
import { addHome, archiveItems, archiveWorld, entriesOf, epochsIn, settle, writeMany } from "./support/archive-world.ts"
import { Home, testStore } from "./support/engine-world.ts"
import { host } from "./support/model-directory.ts"
import { createPerson, now } from "./support/world.ts"

async function shown(home: Home, other: Home) {
  return (await home.messages(other)).map(({ id, type, text, editedAt, reactions, sender, at, answers }) => ({
    ...{ id, type, text, editedAt, reactions, at, answers },
    by: sender.device,
  }))
}

/** As a command waits that sends and ends. */
async function settledSoon({ engine, clock }: Home): Promise<boolean> {
  const settled = engine.settled(10_000)
  for (let i = 0; i < 20; i++) {
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(0)
  }
  return settled
}

async function say(all: Awaited<ReturnType<typeof archiveWorld>>) {
  const { world, alice, bob } = all
  const [hello] = await alice.say(bob, "hello")
  await world.rest()
  const [answer] = await bob.say(alice, "hello yourself")
  await world.rest()
  if (hello === undefined || answer === undefined) throw new Error("nothing said")
  const { id } = await alice.engine.openDirect(bob.person.chain)
  await alice.engine.send(id, { type: "reply", to: answer.id, text: "a reply" })
  await alice.engine.send(id, { type: "edit", of: hello.id, text: "hello, edited" })
  await alice.engine.send(id, { type: "reaction", to: answer.id, emoji: "+1", action: "add" })
  const [taken] = await bob.say(alice, "taken back")
  await world.rest()
  if (taken === undefined) throw new Error("nothing said")
  const theirs = await bob.engine.openDirect(alice.person.chain)
  await bob.engine.send(theirs.id, { type: "delete", of: taken.id })
  await settle(world)
  return { hello, answer, id }
}

test("the words alone read everything: messages, replies, edits, reactions, deletions, pins", async () => {
  const all = await archiveWorld()
  const { world, alice, bob, words } = all
  await say(all)
  assert.equal(alice.engine.archive().kind, "on")
  const before = await shown(alice, bob)
  assert.equal(before.length, 4)
  // Nobody else is there: Alice's old device is gone, and Bob is away.
  await alice.engine.close()
  bob.transport.unplug()
  const phone = await addHome(world, alice, words)
  await settle(world)
  assert.equal(phone.engine.archive().kind, "on")
  assert.deepEqual(await shown(phone, bob), before)
  assert.deepEqual(await phone.alarms(), [])
  const [contact] = await phone.engine.contacts.list()
  assert.deepEqual([contact?.handle, contact?.standing], ["bobby@localhost", "accepted"])
  assert.equal((await phone.engine.conversations())[0]?.unread, 0)
  assert.ok(phone.events.some((event) => event.kind === "archive" && event.archive.kind === "restoring"))
  assert.ok(!phone.events.some(({ kind }) => kind === "message"))
  // And goes on.
  bob.transport.plug()
  world.publish(alice.person)
  await settle(world)
  await phone.say(bob, "back again")
  await settle(world)
  assert.equal((await bob.texts(phone)).at(-1), "back again")
  await bob.say(phone, "welcome back")
  await settle(world)
  assert.deepEqual((await phone.texts(bob)).slice(-2), ["back again", "welcome back"])
  assert.equal((await phone.engine.conversations())[0]?.unread, 1)
  await world.close()
})

test("an answer goes to the group that the device which came back is in, whichever of the two has the smaller id", async () => {
  for (let round = 0; round < 4; round++) {
    const all = await archiveWorld()
    const { world, alice, bob, words } = all
    await alice.say(bob, "hello")
    await settle(world)
    await alice.engine.close()
    const phone = await addHome(world, alice, words)
    world.publish(alice.person)
    await world.rest()
    await phone.say(bob, "back again")
    await world.rest()
    assert.equal((await bob.texts(phone)).at(-1), "back again")
    // At once: the phone is not added to the old group yet.
    await bob.say(phone, "welcome back")
    await world.rest()
    assert.equal((await phone.texts(bob)).at(-1), "welcome back")
    await world.close()
  }
})

test("H11 pins out of the archive: another chain behind the handle is a hard stop, a contact's new device an alarm", async () => {
  const all = await archiveWorld()
  const { world, alice, bob, words } = all
  await alice.say(bob, "hello")
  await settle(world)
  await alice.engine.close()
  const laptop = await bob.person.addDevice()
  const impostor = await createPerson()
  await impostor.append({ op: "add", subject: `kez:bobby@${host}` })
  world.people.set(impostor.chain, impostor)
  await world.directory.register(impostor, "bobby")
  const phone = await addHome(world, alice, words)
  await settle(world)
  const stop = await phone.alarm("chain_changed")
  assert.ok(stop.isStop && "pinned" in stop.alarm && stop.alarm.pinned === bob.person.chain)
  await assert.rejects(phone.say(bob, "to whom?"), { code: "account.changed" })
  const { alarm } = await phone.alarm("new_device")
  assert.equal("device" in alarm && alarm.device, laptop.name)
  await world.close()
})

test("a new device that another one let in reads the whole history, with nobody else online by then", async () => {
  const all = await archiveWorld()
  const { world, alice, bob } = all
  await say(all)
  const before = await shown(alice, bob)
  const tablet = await addHome(world, alice)
  await settle(world)
  // Its keys are sealed to the old device and to the words.
  assert.equal(tablet.engine.archive().kind, "closed")
  world.publish(alice.person)
  await settle(world, 2)
  await alice.engine.close()
  bob.transport.unplug()
  await settle(world, 2)
  assert.equal(tablet.engine.archive().kind, "on")
  assert.deepEqual(await shown(tablet, bob), before)
  await world.close()
})

test("what comes while a device restores is shown once, behind what was before", async () => {
  const all = await archiveWorld()
  const { world, alice, bob, words } = all
  await alice.say(bob, ...Array.from({ length: 30 }, (_, i) => `before ${i}`))
  await settle(world)
  const phone = await addHome(world, alice, words)
  world.publish(alice.person)
  for (let i = 0; i < 5; i++) {
    await bob.say(alice, `meanwhile ${i}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await settle(world, 2)
  await alice.say(bob, "from the old one")
  await settle(world, 2)
  const texts = await phone.texts(bob)
  assert.deepEqual(texts, await alice.texts(bob))
  assert.equal(texts.length, 36)
  assert.deepEqual([await phone.alarms(), await alice.alarms()], [[], []])
  await world.close()
})

test("a revoked device reads nothing new: nothing is written under a key that it has", async () => {
  const all = await archiveWorld()
  const { world, alice, bob, words } = all
  const tablet = await addHome(world, alice)
  await settle(world)
  world.publish(alice.person)
  await settle(world, 2)
  await alice.say(bob, "to all of mine")
  await settle(world, 2)
  assert.equal(tablet.engine.archive().kind, "on")
  const revokedAt = archiveItems(all).at(-1)?.seq ?? 0
  await alice.person.revoke(tablet.device)
  world.publish(alice.person)
  await settle(world)
  await alice.say(bob, "not for the tablet")
  await settle(world, 2)
  assert.ok(!(await tablet.texts(bob)).includes("not for the tablet"))
  // Whatever a server on its side shows it: no key that it ever had opens an entry that came after.
  const held = epochsIn(tablet.rows)
  const later = entriesOf(all).filter(({ seq }) => seq > revokedAt)
  assert.ok(held.length >= 2 && later.length > 0)
  for (const { data } of later) {
    assert.throws(() => openArchiveEntry(data, held, { chain: alice.person.chain, device: alice.device.name }), {
      code: "chat.archive",
    })
  }
  const phone = await addHome(world, alice, words)
  await settle(world, 2)
  assert.deepEqual(await phone.texts(bob), ["to all of mine", "not for the tablet"])
  assert.deepEqual(await phone.alarms(), [])
  await world.close()
})

test("two devices that renew the keys at once: a device that comes later reads what both wrote", async () => {
  const all = await archiveWorld()
  const { world, alice, bob } = all
  const [laptop, tablet] = [await addHome(world, alice), await addHome(world, alice)]
  await settle(world)
  world.publish(alice.person)
  await settle(world, 4)
  assert.deepEqual([laptop.engine.archive().kind, tablet.engine.archive().kind], ["on", "on"])
  await alice.person.revoke(tablet.device)
  // Both hear of it in the same moment, and each has something to write.
  alice.transport.unplug()
  laptop.transport.unplug()
  world.publish(alice.person)
  await alice.say(bob, "by the phone")
  await laptop.say(bob, "by the laptop")
  alice.transport.plug()
  laptop.transport.plug()
  await settle(world, 4)
  const late = await addHome(world, alice)
  await settle(world)
  world.publish(alice.person)
  await settle(world, 4)
  for (const one of [alice, laptop, bob]) await one.engine.close()
  assert.equal(late.engine.archive().kind, "on")
  assert.deepEqual((await late.texts(bob)).toSorted(), ["by the laptop", "by the phone"])
  assert.deepEqual(await late.alarms(), [])
  await world.close()
})

test("a conversation whose policy says so is not archived", async (t) => {
  const all = await archiveWorld()
  const { world, alice, bob, words } = all
  const policy = directPolicy as { archive: "on" | "off" }
  policy.archive = "off"
  t.after(() => {
    policy.archive = "on"
  })
  await alice.say(bob, "not for the archive")
  await world.rest()
  await bob.say(alice, "nor this")
  await settle(world)
  assert.deepEqual(await alice.texts(bob), ["not for the archive", "nor this"])
  await alice.engine.close()
  const phone = await addHome(world, alice, words)
  await settle(world)
  assert.equal(phone.engine.archive().kind, "on")
  assert.deepEqual(await phone.texts(bob), [])
  assert.equal((await phone.engine.contacts.list()).length, 1)
  await world.close()
})

test("without an archive key nothing is written; once there is one, what was before is written too", async () => {
  const all = await archiveWorld()
  const { world, alice, bob } = all
  await bob.say(alice, "from bob")
  await alice.say(bob, "from alice")
  await settle(world)
  assert.equal(bob.engine.archive().kind, "off")
  assert.equal(await settledSoon(bob), true)
  assert.equal(world.server.archives.get(world.server.register(bob.person.chain, bob.device.name).uid), undefined)
  const secret = crypto.getRandomValues(new Uint8Array(32))
  const archiveKey = await signArchiveKey(secret, { chain: bob.person.chain, epoch: 0, now }, bob.person.primary)
  bob.archive = { archiveKey }
  await bob.restart()
  await settle(world)
  await bob.engine.close()
  const laptop = await addHome(world, bob, (await archiveKeyPairOfWords(secret)).secretKey)
  await settle(world)
  assert.deepEqual(await laptop.texts(alice), ["from bob", "from alice"])
  await world.close()
})

for (const when of ["before", "after"] as const) {
  test(`a restoring device killed ${when} any write: the history is there once, in its order`, {
    timeout: 60_000,
  }, async () => {
    const all = await archiveWorld()
    const { world, alice, bob, words } = all
    for (let i = 0; i < 12; i++) {
      await alice.say(bob, `message ${i}`)
      if (i % 3 === 2) await settle(world)
    }
    const texts = await alice.texts(bob)
    await alice.engine.close()
    bob.transport.unplug()
    for (let k = 0; k < 40; k++) {
      const phone = new Home(world, alice.person, await alice.person.addDevice(), "alice")
      phone.archive = { archiveSecret: words }
      phone.store.failAt = { write: k, when }
      world.homes.push(phone)
      await phone.open().catch(() => undefined)
      await settle(world)
      const wasKilled = phone.store.writes > k
      if (phone.engine !== undefined) await phone.restart()
      else phone.store = testStore(phone.rows)
      if (phone.engine === undefined) await phone.open()
      await settle(world, 2)
      assert.equal(phone.engine.archive().kind, "on", `write ${k}`)
      assert.deepEqual(await phone.texts(bob), texts, `write ${k}`)
      assert.deepEqual(await phone.alarms(), [], `write ${k}`)
      await phone.engine.close()
      if (!wasKilled) return
    }
    assert.fail("more writes than were expected")
  })
}

test("the server finds no text in what it keeps, and forges no entry", async () => {
  const all = await archiveWorld()
  const { world, alice, bob } = all
  await alice.say(bob, "canary-4711")
  await settle(world)
  assert.ok(archiveItems(all).length >= 4)
  for (const { data } of archiveItems(all)) assert.ok(!Buffer.from(data).includes("canary"))
  await world.close()
})

test("ten thousand messages come back in order, in steps of a bounded size", { timeout: 60_000 }, async () => {
  const all = await archiveWorld()
  const { world, alice, bob, words } = all
  await alice.say(bob, "first")
  await settle(world)
  await alice.engine.close()
  const count = 10_000
  writeMany(all, count)
  const phone = new Home(world, alice.person, await alice.person.addDevice(), "alice")
  phone.archive = { archiveSecret: words }
  let largest = 0
  const write = phone.store.write.bind(phone.store)
  phone.store.write = async (changes) => {
    largest = Math.max(
      largest,
      changes.reduce((sum, change) => sum + ("put" in change ? change.value.length : 0), 0),
    )
    await write(changes)
  }
  world.homes.push(await phone.open())
  await settle(world, 2)
  assert.equal(phone.engine.archive().kind, "on")
  const texts = [...phone.rows]
    .filter(([key]) => key.startsWith("message/"))
    .sort(([x], [y]) => (x < y ? -1 : 1))
    .map(([, row]) => decodeRow<{ readonly text: string }>(row).value.text)
  assert.deepEqual(texts, ["first", ...Array.from({ length: count }, (_, i) => `message ${i}`)])
  assert.deepEqual(await phone.alarms(), [])
  assert.ok(largest < 1_048_576, `${largest} bytes in one step`)
  await world.close()
})
