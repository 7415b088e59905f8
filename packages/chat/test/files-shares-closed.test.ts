/** A list that cannot be made or given closes all doors: what was given until then may be what is not to be given any more. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { KezError } from "@kez/core"
import { hashOf } from "./support/model-net.ts"
import { askAlice, sharePair } from "./support/share-world.ts"

const [note, photo] = ["/home/alice/note.txt", "/home/alice/photo.jpg"]
const hash = (text: string): string => hashOf(new TextEncoder().encode(text))

test("F2: what is unshared is given to nobody, also where the mover takes the new sets only later", async () => {
  const pair = await sharePair()
  const { a, b, world } = pair
  a.mover.write(note, "a note")
  a.mover.write(photo, "a photo")
  await a.files.shares.share([note, photo], [b.home.person.chain])
  await askAlice(pair)
  const given = (text: string): boolean => a.mover.give(hash(text), b.mover.endpoint) !== undefined
  assert.deepEqual([given("a note"), given("a photo")], [true, true])
  const { offer } = a.mover
  a.mover.offer = () => Promise.reject(new KezError("file.program", "Cannot offer"))
  await assert.rejects(a.files.shares.unshare([note]), { code: "file.program" })
  assert.deepEqual([given("a note"), given("a photo")], [false, false])
  a.mover.offer = offer
  await a.files.shares.renew()
  assert.deepEqual([given("a note"), given("a photo")], [false, true])
  await world.close()
})

test("F2: where the mover did not take a change of the allow-list, it is told again", async () => {
  const pair = await sharePair()
  const { a, b, world } = pair
  a.mover.write(note, "a note")
  await a.files.shares.share([note], [b.home.person.chain])
  await askAlice(pair)
  const { allow } = a.mover
  a.mover.allow = () => Promise.reject(new KezError("file.program", "Cannot allow"))
  await a.home.engine.contacts.block(b.home.person.chain)
  await world.rest()
  a.mover.allow = allow
  await a.files.run(() => a.files.shares.allowAnew())
  assert.equal(a.mover.give(hash("a note"), b.mover.endpoint), undefined)
  await world.close()
})

test("where somebody cannot be told of a new list it is given all the same, and he is told later", async () => {
  const pair = await sharePair()
  const { a, b, world } = pair
  a.mover.write(note, "a note")
  await a.files.shares.share([note], "contacts")
  await askAlice(pair)
  const { engine } = a.home
  const { tellShares } = engine
  engine.tellShares = () => Promise.reject(new KezError("store.write", "Cannot write"))
  a.mover.write(photo, "a photo")
  await a.files.shares.share([photo], "contacts")
  await world.rest()
  const given = (text: string): boolean => a.mover.give(hash(text), b.mover.endpoint) !== undefined
  assert.deepEqual([given("a note"), given("a photo")], [true, true])
  engine.tellShares = tellShares
  const before = b.heard.length
  world.clock.advance(6)
  await world.rest()
  assert.equal(b.heard.length, before + 1)
  await world.close()
})

test("F2: who asks after the doors were closed is told no keys of what was given before", async () => {
  const pair = await sharePair()
  const { a, b, world, conversation } = pair
  a.mover.write(note, "a note")
  await a.files.shares.share([note], "contacts")
  await askAlice(pair)
  const { offer } = a.mover
  a.mover.offer = () => Promise.reject(new KezError("file.program", "Cannot offer"))
  a.mover.write(note, "another note")
  await assert.rejects(a.files.shares.renew(), { code: "file.program" })
  const told = (): number => b.home.events.filter((event) => event.kind === "shares").length
  const before = told()
  world.clock.advance(4)
  await a.files.run(() => a.files.shares.answer(conversation))
  await world.rest()
  assert.equal(told(), before)
  a.mover.offer = offer
  await a.files.shares.renew()
  await world.rest()
  assert.equal(told(), before + 1)
  await world.close()
})
