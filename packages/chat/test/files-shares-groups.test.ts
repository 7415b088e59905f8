/** What is shared with people as members of a group: who is not in it any more does not get it. F2 of adversarial.md. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { unitedGroups } from "../src/files/share-groups.ts"
import type { Home } from "./support/engine-world.ts"
import { type GroupOfThree, say, three } from "./support/group-world.ts"
import { hashOf, ModelNet } from "./support/model-net.ts"
import { type ShareSide, shareSide } from "./support/share-world.ts"

const note = "/home/alice/note.txt"
const noteHash = hashOf(new TextEncoder().encode("a note"))

interface SharedWithGroup extends GroupOfThree {
  readonly net: ModelNet
  readonly a: ShareSide
  /** Who of Bob and Carol is given it. */
  given(by?: ShareSide): readonly string[]
  named(): Promise<readonly string[]>
  share(a: ShareSide, how?: { readonly isMore?: boolean; readonly isByName?: boolean }): Promise<unknown>
  /** Bob and Carol ask what Alice shares. */
  ask(): Promise<void>
}

async function sharedWithGroup(): Promise<SharedWithGroup> {
  const all = await three()
  const { world, alice, bob, carol, id } = all
  const net = new ModelNet()
  const a = shareSide(net, alice, "a")
  const sides = [
    { home: bob, side: shareSide(net, bob, "b"), name: "bob" },
    { home: carol, side: shareSide(net, carol, "c"), name: "carol" },
  ]
  for (const { home } of sides) await alice.say(home, "hello")
  await world.rest()
  a.mover.write(note, "a note")
  const share: SharedWithGroup["share"] = (from, { isMore = false, isByName = false } = {}) => {
    const members = [bob, carol].map(({ person }) => person.chain)
    return from.files.shares.share([note], members, { isMore, groups: isByName ? [] : [{ id, members }] })
  }
  await share(a)
  await a.files.shares.open()
  const ask = async (): Promise<void> => {
    for (const { home, side } of sides) {
      const { id: direct } = await home.engine.openDirect(alice.person.chain)
      await side.files.run(() => side.files.browsing.ask(direct))
    }
    await world.rest()
  }
  await ask()
  const given = ({ mover }: ShareSide = a): readonly string[] =>
    sides.flatMap(({ side, name }) => (mover.give(noteHash, side.mover.endpoint) === undefined ? [] : [name]))
  const named = async (): Promise<readonly string[]> => {
    const [row] = await a.files.shares.list()
    return sides.flatMap(({ home, name }) => (row?.audience.includes(home.person.chain) === true ? [name] : []))
  }
  assert.deepEqual(given(), ["bob", "carol"])
  return { ...all, net, a, given, named, share, ask }
}

const remove = ({ alice, id }: SharedWithGroup, { person }: Home): Promise<void> =>
  alice.engine.groups.remove(id, person.chain)

test("who is removed from the group loses it at once, and does not get it back by being added", async () => {
  const all = await sharedWithGroup()
  const { world, alice, carol, id, given, named } = all
  await remove(all, carol)
  await world.rest()
  assert.deepEqual([given(), await named()], [["bob"], ["bob"]])
  await alice.engine.groups.add(id, carol.person.chain)
  await world.rest()
  assert.deepEqual(given(), ["bob"])
  await world.close()
})

test("who is to be removed loses it before there is a connection to make the commit", async () => {
  const all = await sharedWithGroup()
  const { world, alice, carol, given } = all
  alice.transport.unplug()
  await remove(all, carol)
  await world.rest()
  assert.deepEqual(given(), ["bob"])
  await world.close()
})

test("who leaves the group loses it", async () => {
  const { world, carol, id, given, named } = await sharedWithGroup()
  await carol.engine.groups.leave(id)
  await world.rest()
  assert.deepEqual([given(), await named()], [["bob"], ["bob"]])
  await world.close()
})

test("who was removed while nothing here gave files is given nothing by the next run", async () => {
  const all = await sharedWithGroup()
  const { world, net, alice, carol, given, ask } = all
  await all.a.files.close()
  await remove(all, carol)
  await world.rest()
  const again = shareSide(net, alice, "e")
  again.mover.write(note, "a note")
  await again.files.shares.open()
  await ask()
  assert.deepEqual(given(again), ["bob"])
  await world.close()
})

test("who lost his only device is a member still: it is shared with him, now and later, and given to his next device", async () => {
  const all = await sharedWithGroup()
  const { world, net, alice, bob, carol, a, id, given, named } = all
  await carol.person.revoke(carol.device)
  world.publish(carol.person)
  await say(alice, id, "to those who have a device")
  await world.rest()
  assert.ok((await alice.engine.devices(id)).every(({ chain }) => chain !== carol.person.chain))
  assert.deepEqual([given(), await named()], [["bob"], ["bob", "carol"]])
  const people = [alice, bob, carol].map(({ person }) => person.chain)
  assert.deepEqual((await alice.engine.members(id)).toSorted(), people.toSorted())
  const next = await world.homeOf(carol.person, await carol.person.addDevice())
  world.publish(carol.person)
  await world.rest()
  world.clock.advance(61)
  await world.rest()
  await next.engine.contacts.add("alice@localhost")
  await alice.say(next, "welcome back")
  await world.rest()
  const side = shareSide(net, next, "d")
  const { id: direct } = await next.engine.openDirect(alice.person.chain)
  await side.files.run(() => side.files.browsing.ask(direct))
  await world.rest()
  assert.notEqual(a.mover.give(noteHash, side.mover.endpoint), undefined)
  await world.close()
})

test("members() throws where nothing is given: to a stranger's group, and where this device is about to leave", async () => {
  const { world, bob, carol, dave, alice, id } = await three()
  const { id: orchard } = await alice.engine.groups.create("orchard", [dave.person.chain])
  await world.rest()
  assert.equal((await dave.engine.members(orchard)).length, 2)
  await dave.engine.groups.leave(orchard)
  await assert.rejects(dave.engine.members(orchard), { code: "chat.removed" })
  await alice.engine.groups.remove(id, carol.person.chain)
  assert.deepEqual((await alice.engine.members(id)).includes(carol.person.chain), false)
  await bob.engine.contacts.block(alice.person.chain)
  await assert.rejects(bob.engine.members(id), { code: "usage" })
  await assert.rejects(bob.engine.members(`sha256:${"0".repeat(64)}`), { code: "usage" })
  await world.close()
})

test("who is named beside the group keeps it, whichever of both was first", async () => {
  for (const isFirstByName of [true, false]) {
    const all = await sharedWithGroup()
    const { world, carol, a, given, share } = all
    await share(a, { isByName: isFirstByName })
    await share(a, { isByName: !isFirstByName, isMore: true })
    await remove(all, carol)
    await world.rest()
    assert.deepEqual(given(), ["bob", "carol"])
    await world.close()
  }
})

test("who is blocked gets nothing, and gets it again when he is accepted, as a member still", async () => {
  const { world, alice, carol, given } = await sharedWithGroup()
  await alice.engine.contacts.block(carol.person.chain)
  await world.rest()
  assert.deepEqual(given(), ["bob"])
  await alice.engine.contacts.accept(carol.person.chain)
  await world.rest()
  assert.deepEqual(given(), ["bob", "carol"])
  await world.close()
})

test("unitedGroups() keeps those who are named as members alone", () => {
  const [a, b, c] = ["a", "b", "c"].map((digit) => `sha256:${digit.repeat(64)}`) as [string, string, string]
  const [x, y] = ["x", "y"]
  const before = { audience: [a, b], groups: [{ id: x, members: [b] }] }
  const wanted = { audience: [a, b, c], groups: [{ id: y, members: [a, b, c] }] }
  assert.deepEqual(unitedGroups(before, wanted), [
    { id: x, members: [b] },
    { id: y, members: [b, c] },
  ])
  assert.deepEqual(unitedGroups(undefined, wanted), wanted.groups)
  assert.deepEqual(unitedGroups(before, { audience: "contacts" }), [])
})
