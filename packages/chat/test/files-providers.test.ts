/** Several who give one file: devices of the sender, members who have it whole; who sends wrong bytes is named and asked no more. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { isWanted } from "../src/files/passing-on.ts"
import type { Home } from "./support/engine-world.ts"
import { type FileSide, fileSide, idOf, offeredHash, offeredInGroup } from "./support/file-side.ts"

const media_type = "image/jpeg"
const offerOf = { type: "file_offer", name: "photo.jpg", size: 5, media_type, hash: offeredHash } as const

const allowed = ({ mover }: FileSide): readonly string[] | undefined => mover.sets.get(idOf("f"))

test("a member who has it whole gives it to the next one, who takes from both; when all have it nobody gives it any more", async () => {
  const { world, bob, carol, a, accept } = await offeredInGroup()
  const b = fileSide(bob, "b")
  const job = await accept(bob, b)
  b.mover.say({ event: "end", job, state: "done", bytes: 5 })
  await world.rest()
  assert.deepEqual(allowed(b), [idOf("a")]) // those who said where they are; Alice has it and does not ask
  const c = fileSide(carol, "d")
  await accept(carol, c)
  const asked = new Set(c.mover.fetches.flatMap(({ endpoints }) => endpoints))
  for (const endpoints of c.mover.added) for (const one of endpoints) asked.add(one)
  assert.deepEqual([...asked].toSorted(), [idOf("a"), idOf("b")])
  assert.ok(allowed(b)?.includes(idOf("d")))
  c.mover.say({ event: "end", job: c.mover.fetches[0]?.job ?? "", state: "done", bytes: 5 })
  await world.rest()
  assert.equal(allowed(a), undefined)
  assert.equal(allowed(b), undefined)
  assert.equal(allowed(c), undefined)
  assert.equal(a.views.at(-1)?.state, "done")
  await world.close()
})

test("who is removed from the group gets nothing from anybody, and is asked for nothing", async () => {
  const { world, alice, bob, carol, id, a, accept } = await offeredInGroup()
  const [b, c] = [fileSide(bob, "b"), fileSide(carol, "d")]
  const job = await accept(bob, b)
  b.mover.say({ event: "end", job, state: "done", bytes: 5 })
  await accept(carol, c)
  assert.ok(allowed(a)?.includes(idOf("d")) && allowed(b)?.includes(idOf("d")))
  await alice.engine.groups.remove(id, carol.person.chain)
  await world.rest()
  assert.ok(allowed(a)?.includes(idOf("d")) !== true)
  assert.ok(allowed(b)?.includes(idOf("d")) !== true)
  await world.close()
})

test("who is to be removed loses it before there is a connection to make the commit", async () => {
  const { world, alice, carol, id, a, accept } = await offeredInGroup()
  await accept(carol, fileSide(carol, "d"))
  assert.ok(allowed(a)?.includes(idOf("d")))
  alice.transport.unplug()
  await alice.engine.groups.remove(id, carol.person.chain)
  await world.rest()
  assert.deepEqual(allowed(a), [])
  await world.close()
})

test("F1 who sends wrong bytes is named; who does it again and again is named and asked no more", async () => {
  const { world, bob, carol, accept } = await offeredInGroup()
  const b = fileSide(bob, "b")
  b.mover.say({ event: "end", job: await accept(bob, b), state: "done", bytes: 5 })
  await world.rest()
  const c = fileSide(carol, "d")
  const job = await accept(carol, c)
  const peer = idOf("b")
  const by = { chain: bob.person.chain, device: bob.device.name }
  c.mover.say({ event: "source", job, peer, state: "connected", path: "direct" })
  c.mover.say({ event: "fault", job, peer, path: "photo.jpg", kind: "checksum", offset: 0 })
  c.mover.say({ event: "source", job, peer, state: "faulty", path: "none" })
  await world.rest()
  assert.deepEqual(
    c.notes.filter((note) => "by" in note && note.by?.device === by.device),
    [
      { kind: "connected", path: "direct", by },
      { kind: "checksum", file: "photo.jpg", by },
      { kind: "dropped", by },
    ],
  )
  c.mover.say({ event: "end", job, state: "failed", bytes: 0, error: { code: "peer.refused", message: "nobody" } })
  await world.rest()
  world.clock.advance(1)
  await world.rest()
  assert.deepEqual(c.mover.fetches.at(-1)?.endpoints, [idOf("a")])
  await world.close()
})

test("nobody gives what he fetched where everybody has it, or where it was changed since", async () => {
  const { world, bob, carol, accept } = await offeredInGroup()
  const c = fileSide(carol, "d")
  c.mover.say({ event: "end", job: await accept(carol, c), state: "done", bytes: 5 })
  await world.rest()
  const b = fileSide(bob, "b")
  b.mover.imported = [{ path: "photo.jpg", size: 5, hash: "e".repeat(64) }]
  b.mover.say({ event: "end", job: await accept(bob, b), state: "done", bytes: 5 })
  await world.rest()
  assert.equal(allowed(b), undefined)
  assert.equal(allowed(c), undefined)
  await world.close()
})

test("another device of the sender that has the file gives it too, under the same offer; and so does one of ours that fetched it", async () => {
  const { world, alice, bob, carol, id, accept } = await offeredInGroup()
  const [desktop, tablet] = [await alice.person.addDevice(), await bob.person.addDevice()]
  const second = await world.homeOf(alice.person, desktop)
  const other = await world.homeOf(bob.person, tablet)
  await other.engine.contacts.add("alice@localhost")
  for (const { person } of [alice, bob]) world.publish(person)
  await world.rest()
  world.clock.advance(61)
  await world.rest()
  await alice.engine.send(id, { type: "text", text: "all here" })
  await world.rest()
  const e = fileSide(second, "e")
  const before = (await second.engine.messages(id)).length
  // The offer was made before this device came: it is known from another of them.
  await alice.engine.send(id, { ...offerOf, transfer: idOf("f") })
  await world.rest()
  const { isAgain } = await e.files.offer(id, ["/y/photo.jpg"], "photo.jpg")
  await world.rest()
  assert.equal(isAgain, true)
  assert.equal((await second.engine.messages(id)).length, before + 1)
  const b = fileSide(bob, "b")
  b.mover.say({ event: "end", job: await accept(bob, b), state: "done", bytes: 5 })
  await world.rest()
  const asked = new Set([...b.mover.fetches.map(({ endpoints }) => endpoints), ...b.mover.added].flat())
  assert.deepEqual([...asked].toSorted(), [idOf("a"), idOf("e")])
  const d = fileSide(other, "9")
  await accept(other, d)
  const last = new Set([...d.mover.fetches.map(({ endpoints }) => endpoints), ...d.mover.added].flat())
  assert.ok(last.has(idOf("b")), "the other device of the same person")
  // Everybody has it by now: who is given it once more is told so by a message of its own.
  for (const { engine } of [bob, carol]) await engine.tellFileState(id, idOf("f"), "done")
  await world.rest()
  await e.files.sharing.withdraw(idOf("f"))
  assert.equal((await e.files.offer(id, ["/y/photo.jpg"], "photo.jpg")).isAgain, false)
  await world.close()
})

test("an offer that is taken back is given to nobody, and what is fetched of it ends", async () => {
  const { world, alice, carol, id, a, accept } = await offeredInGroup()
  const c = fileSide(carol, "d")
  const job = await accept(carol, c)
  assert.ok(allowed(a)?.includes(idOf("d")))
  const offer = (await alice.engine.messages(id)).find(({ type }) => type === "file_offer")
  await alice.engine.send(id, { type: "delete", of: offer?.id ?? "" })
  await world.rest()
  assert.equal(allowed(a), undefined)
  assert.deepEqual([c.views.at(-1)?.state, c.views.at(-1)?.code], ["failed", "file.refused"])
  assert.deepEqual(c.mover.cancelled, [job])
  await world.close()
})

test("each of several who have it, or do not want it, is told by name; who came after the offer is not waited for", async () => {
  const { world, alice, bob, carol, dave, id, a, accept } = await offeredInGroup()
  await alice.engine.groups.add(id, dave.person.chain)
  await world.rest()
  const b = fileSide(bob, "b")
  b.mover.say({ event: "end", job: await accept(bob, b), state: "done", bytes: 5 })
  await world.rest()
  const by = { chain: bob.person.chain, device: bob.device.name }
  assert.deepEqual(a.notes.at(-1), { kind: "has", by })
  const c = fileSide(carol, "d")
  const message = (await carol.engine.messages(id)).find(({ type }) => type === "file_offer")
  assert.ok(message)
  await c.files.run(() => c.files.receiving.decline(message))
  await world.rest()
  assert.equal(allowed(a), undefined)
  await world.close()
})

test("an offer that takes the name of one of ours takes nothing from it", async () => {
  const { world, alice, bob, id, a } = await offeredInGroup()
  await bob.engine.send(id, { ...offerOf, name: "trap.jpg", transfer: idOf("f") })
  await world.rest()
  const trap = (await alice.engine.messages(id)).find(({ fileOffer }) => fileOffer?.name === "trap.jpg")
  assert.ok(trap)
  await a.files.run(() => a.files.receiving.accept(trap, "/in"))
  const job = trap.id.slice("sha256:".length)
  const before = a.mover.offers
  a.mover.say({ event: "end", job, state: "done", bytes: 5 })
  await world.rest()
  assert.equal(a.mover.offers, before)
  await world.close()
})

test("a long transfer tells where it is for days, and a member who was away reads what is said then", async () => {
  const { world, alice, bob, carol, id, accept } = await offeredInGroup()
  carol.transport.unplug()
  await accept(bob, fileSide(bob, "b"))
  for (let at = 0; at < 260; at++) {
    world.clock.advance(240)
    await world.rest()
  }
  await alice.engine.send(id, { type: "text", text: "after a day" })
  await world.rest()
  carol.transport.plug()
  await world.rest()
  const texts = (await carol.engine.messages(id)).map(({ text }) => text)
  assert.equal(texts.at(-1), "after a day")
  assert.deepEqual(await carol.alarms(), [])
  const heard = bob.events.filter((event) => event.kind === "presence").length
  assert.ok(heard > 200, String(heard))
  await world.close()
})

test("an offer with the name of somebody else's says nothing of that one: not that it is here, not that nobody wants it", async () => {
  const { world, alice, bob, carol, id, a } = await offeredInGroup()
  await bob.engine.contacts.add("alice@localhost")
  const trapOf = async (home: Home) => {
    const trap = (await home.engine.messages(id)).find(({ fileOffer }) => fileOffer?.name === "trap.jpg")
    if (trap === undefined) throw new Error("no trap came")
    return trap
  }
  await bob.engine.send(id, { ...offerOf, name: "trap.jpg", transfer: idOf("f") })
  await world.rest()
  const c = fileSide(carol, "d")
  const trap = await trapOf(carol)
  await c.files.run(() => c.files.receiving.accept(trap, "/in"))
  c.mover.say({ event: "end", job: trap.id.slice("sha256:".length), state: "done", bytes: 5 })
  await world.rest()
  const told = alice.events.flatMap((event) => (event.kind === "file_state" ? [event.state] : []))
  assert.deepEqual(told, [])
  await c.files.run(() => c.files.receiving.decline(trap))
  await world.rest()
  assert.notEqual(allowed(a), undefined)
  await world.close()
})

test("what is said of a transfer elsewhere is not said of the one here", async () => {
  const { world, alice, bob, id, a } = await offeredInGroup()
  const { id: direct } = await alice.engine.openDirect(bob.person.chain)
  await alice.engine.send(direct, { type: "text", text: "hello" })
  await world.rest()
  await bob.engine.tellFileState(direct, idOf("f"), "done")
  await world.rest()
  assert.equal(
    await isWanted(alice.engine, {
      conversation: id,
      transfer: idOf("f"),
      sender: alice.person.chain,
      people: [bob.person.chain],
    }),
    true,
  )
  assert.notEqual(allowed(a), undefined)
  await world.close()
})

test("who names a place of somebody else first keeps nobody from it", async () => {
  const { world, alice, bob, carol, id, accept } = await offeredInGroup()
  await bob.engine.tellPresence(id, { endpoint: idOf("d"), addresses: [] })
  await world.rest()
  await accept(carol, fileSide(carol, "d"))
  const heard = alice.events.flatMap((event) => (event.kind === "presence" ? [event.presence.device] : []))
  assert.ok(heard.includes(carol.device.name))
  await world.close()
})

test("A9 a member who names the sender's place with addresses of his own keeps nobody from it, and is not taken for the sender", async () => {
  const { world, alice, bob, carol, id, accept } = await offeredInGroup()
  await bob.engine.tellFileState(id, idOf("f"), "serving")
  const c = fileSide(carol, "d")
  const job = await accept(carol, c)
  await bob.engine.tellPresence(id, { endpoint: idOf("a"), addresses: ["192.0.2.66:9"] })
  await world.rest()
  const last = c.mover.places.filter((one) => one.endpoint === idOf("a")).at(-1)
  assert.deepEqual(last?.addresses, ["127.0.0.1:1", "192.0.2.66:9"])
  c.mover.say({ event: "source", job, peer: idOf("a"), state: "connected", path: "direct" })
  await world.rest()
  const by = { chain: alice.person.chain, device: alice.device.name }
  assert.deepEqual(c.notes.at(-1), { kind: "connected", path: "direct", by })
  await world.close()
})
