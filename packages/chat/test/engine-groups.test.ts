/** Groups: made, joined, left; who is removed gets nothing more; who may do what; and what the server was told of it. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { KezError } from "@kez/core"
import { decodeRequest, encodeRequest } from "../src/wire/command-codec.ts"
import { EngineWorld, type Home } from "./support/engine-world.ts"
import { roleIn, say, textsIn, three, viewOf } from "./support/group-world.ts"

test("three people are in a group that one of them made, and read each other", async () => {
  const { world, alice, bob, carol, dave, id } = await three()
  await say(alice, id, "one")
  await world.rest()
  await say(carol, id, "two")
  await world.rest()
  for (const home of [alice, bob, carol]) {
    assert.deepEqual(await textsIn(home, id), ["one", "two"])
    const view = await viewOf(home, id)
    assert.deepEqual([view.kind, view.name, view.state, view.members.length], ["group", "garden", "open", 3])
    assert.deepEqual([roleIn(view, alice), roleIn(view, bob)], ["owner", "member"])
    assert.deepEqual(await home.alarms(), [])
  }
  assert.equal(await dave.engine.conversation(id), undefined)
  assert.equal((await viewOf(alice, id)).safetyCode, (await viewOf(carol, id)).safetyCode)
  await world.close()
})

test("who is added later reads from then on, and nothing of before", async () => {
  const { world, alice, bob, dave, id } = await three()
  await say(alice, id, "before")
  await world.rest()
  await alice.engine.groups.add(id, dave.person.chain)
  await world.rest()
  await say(bob, id, "welcome")
  await world.rest()
  assert.deepEqual(await textsIn(dave, id), ["welcome"])
  assert.equal((await viewOf(bob, id)).members.length, 4)
  assert.deepEqual([await alice.alarms(), await bob.alarms(), await dave.alarms()], [[], [], []])
  await world.close()
})

test("M16 who is removed reads nothing more, writes nothing more, and sees what it was", async () => {
  const { world, alice, bob, carol, id } = await three()
  await say(alice, id, "with carol")
  await world.rest()
  await alice.engine.groups.remove(id, carol.person.chain)
  await say(alice, id, "without carol") // written before the commit is made: it goes out after it
  await world.rest()
  assert.deepEqual(await textsIn(bob, id), ["with carol", "without carol"])
  assert.deepEqual(await textsIn(carol, id), ["with carol"])
  const view = await viewOf(carol, id)
  assert.deepEqual([view.state, view.name], ["removed", "garden"])
  await assert.rejects(carol.engine.send(id, { type: "text", text: "x" }), { code: "chat.removed" })
  assert.equal((await viewOf(bob, id)).members.includes(carol.person.chain), false)
  assert.ok((await bob.engine.devices(id)).every(({ chain }) => chain !== carol.person.chain))
  assert.deepEqual([await alice.alarms(), await bob.alarms(), await carol.alarms()], [[], [], []])
  await world.close()
})

test("who is removed counts as gone at once, also before there is a connection to make the commit", async () => {
  const { world, alice, bob, carol, id } = await three()
  alice.transport.unplug()
  await alice.engine.groups.remove(id, carol.person.chain)
  assert.ok((await alice.engine.devices(id)).every(({ chain }) => chain !== carol.person.chain))
  assert.equal((await viewOf(bob, id)).members.length, 3)
  await alice.restart() // what was asked for is kept
  await world.rest()
  assert.equal((await viewOf(bob, id)).members.length, 2)
  assert.equal((await viewOf(carol, id)).state, "removed")
  await world.close()
})

test("who was removed is added again, and reads on", async () => {
  const { world, alice, carol, id } = await three()
  await alice.engine.groups.remove(id, carol.person.chain)
  await world.rest()
  await say(alice, id, "while away")
  await world.rest()
  await alice.engine.groups.add(id, carol.person.chain)
  await world.rest()
  await say(alice, id, "back")
  await world.rest()
  assert.deepEqual(await textsIn(carol, id), ["back"])
  assert.equal((await viewOf(carol, id)).state, "open")
  await world.close()
})

test("roles decide: a member changes nothing, an admin removes members, a promotion and a name are seen by all", async () => {
  const { world, alice, bob, carol, id } = await three()
  await assert.rejects(bob.engine.groups.remove(id, carol.person.chain), { code: "chat.policy" })
  await assert.rejects(bob.engine.groups.rename(id, "mine"), { code: "chat.policy" })
  await assert.rejects(bob.engine.groups.setRole(id, bob.person.chain, "owner"), { code: "chat.policy" })
  await assert.rejects(alice.engine.groups.add(id, bob.person.chain), { code: "chat.state" })
  await alice.engine.groups.setRole(id, bob.person.chain, "admin")
  await alice.engine.groups.rename(id, "greenhouse")
  await world.rest()
  assert.equal((await viewOf(carol, id)).name, "greenhouse")
  await bob.engine.groups.remove(id, carol.person.chain)
  await world.rest()
  assert.equal((await viewOf(alice, id)).members.length, 2)
  await assert.rejects(bob.engine.groups.remove(id, alice.person.chain), { code: "schema.value" }) // nobody would own it
  await world.close()
})

test("who renamed a group chose its name, also when he has no role any more", async () => {
  const { world, alice, bob, carol, id } = await three()
  assert.equal((await viewOf(carol, id)).namedBy, alice.person.chain)
  await alice.engine.groups.setRole(id, bob.person.chain, "admin")
  await world.rest()
  await bob.engine.groups.rename(id, "dave")
  await world.rest()
  await bob.engine.groups.setRole(id, bob.person.chain, "member")
  await world.rest()
  for (const home of [alice, bob, carol]) {
    const { name, namedBy, roles = [] } = await viewOf(home, id)
    assert.deepEqual([name, namedBy, roles.length], ["dave", bob.person.chain, 3])
  }
  assert.equal(roleIn(await viewOf(alice, id), bob), "member")
  await alice.engine.groups.rename(id, "garden")
  await world.rest()
  assert.equal((await viewOf(bob, id)).namedBy, alice.person.chain)
  await world.close()
})

test("who wants to leave asks, and an owner's client does it; the last owner of others cannot", async () => {
  const { world, alice, bob, carol, id } = await three()
  await carol.engine.groups.leave(id)
  assert.deepEqual(await carol.engine.devices(id), []) // nothing is given there any more
  await world.rest()
  assert.equal((await viewOf(carol, id)).state, "removed")
  assert.equal((await viewOf(bob, id)).members.length, 2)
  await assert.rejects(alice.engine.groups.leave(id), { code: "chat.policy" })
  await alice.engine.groups.setRole(id, bob.person.chain, "owner")
  await world.rest()
  await alice.engine.groups.leave(id)
  await world.rest()
  assert.equal((await viewOf(alice, id)).state, "removed")
  await bob.engine.groups.leave(id) // alone
  assert.equal((await viewOf(bob, id)).state, "removed")
  await world.close()
})

test("two owners change at once: both changes are made, one after the other", async () => {
  const { world, alice, bob, carol, dave, id } = await three()
  await alice.engine.groups.setRole(id, bob.person.chain, "owner")
  await world.rest()
  alice.transport.unplug()
  bob.transport.unplug()
  await alice.engine.groups.add(id, dave.person.chain)
  await bob.engine.groups.remove(id, carol.person.chain)
  await bob.engine.groups.rename(id, "shed")
  alice.transport.plug()
  bob.transport.plug()
  await world.rest()
  for (const home of [alice, bob, dave]) {
    const view = await viewOf(home, id)
    assert.deepEqual([view.name, view.members.length], ["shed", 3])
    assert.ok(view.members.includes(dave.person.chain) && !view.members.includes(carol.person.chain))
  }
  assert.deepEqual([await alice.alarms(), await bob.alarms()], [[], []])
  await world.close()
})

test("what was asked for and is not allowed any more when it could be made is told, and holds nothing up", async () => {
  const { world, alice, bob, carol, id } = await three()
  await alice.engine.groups.setRole(id, bob.person.chain, "admin")
  await world.rest()
  bob.transport.unplug()
  await bob.engine.groups.remove(id, carol.person.chain)
  await say(bob, id, "from bob")
  await alice.engine.groups.setRole(id, bob.person.chain, "member")
  await world.rest()
  bob.transport.plug()
  await world.rest()
  const refused = bob.events.find((event) => event.kind === "change_refused")
  assert.ok(refused?.kind === "change_refused")
  assert.deepEqual([refused.conversation, refused.code], [id, "chat.policy"])
  assert.deepEqual(await textsIn(carol, id), ["from bob"])
  await world.close()
})

test("both remove the same person: it is done once", async () => {
  const { world, alice, bob, carol, id } = await three()
  await alice.engine.groups.setRole(id, bob.person.chain, "owner")
  await world.rest()
  alice.transport.unplug()
  bob.transport.unplug()
  await alice.engine.groups.remove(id, carol.person.chain)
  await bob.engine.groups.remove(id, carol.person.chain)
  alice.transport.plug()
  bob.transport.plug()
  await world.rest()
  assert.equal((await viewOf(bob, id)).members.length, 2)
  // What was over is not done again to who comes back.
  await alice.engine.groups.add(id, carol.person.chain)
  await world.rest()
  assert.equal((await viewOf(bob, id)).members.length, 3)
  assert.equal((await viewOf(carol, id)).state, "open")
  await world.close()
})

test("a group of somebody who was never looked up is a request: it is told nothing before he is accepted", async () => {
  const world = new EngineWorld()
  const [alice, bob] = [await world.home("alice"), await world.home("bobby")]
  await world.rest()
  await alice.engine.contacts.add("bobby@localhost")
  const { id } = await alice.engine.groups.create("surprise", [bob.person.chain])
  await say(alice, id, "hi")
  await world.rest()
  assert.equal((await viewOf(bob, id)).state, "request")
  assert.equal((await viewOf(bob, id)).addedBy, alice.person.chain)
  assert.equal(await bob.engine.tellPresence(id, { endpoint: "b".repeat(64), addresses: [] }), false)
  assert.deepEqual(await bob.engine.devices(id), [])
  await bob.engine.contacts.accept(alice.person.chain)
  await world.rest()
  assert.equal((await viewOf(bob, id)).state, "open")
  await bob.engine.contacts.block(alice.person.chain)
  assert.equal((await viewOf(bob, id)).state, "blocked")
  await world.close()
})

test("only contacts are added, and a conversation of two has no comings and goings", async () => {
  const { world, alice, bob, dave, id } = await three()
  await alice.engine.groups.setRole(id, bob.person.chain, "admin")
  await world.rest()
  await assert.rejects(bob.engine.groups.add(id, dave.person.chain), { code: "usage" })
  await assert.rejects(alice.engine.groups.create("x", [`sha256:${"0".repeat(64)}`]), { code: "usage" })
  await assert.rejects(alice.engine.groups.create("", [bob.person.chain]), { code: "schema.value" })
  const { id: direct } = await alice.engine.openDirect(bob.person.chain)
  await assert.rejects(alice.engine.groups.add(direct, dave.person.chain), { code: "usage" })
  await world.close()
})

test("a device that its owner adds later comes into the group; one that is revoked leaves it", async () => {
  const { world, alice, bob, id } = await three()
  const phone = await bob.person.addDevice()
  const second = await world.homeOf(bob.person, phone)
  world.publish(bob.person)
  await world.rest()
  world.clock.advance(61)
  await world.rest()
  await say(alice, id, "to both")
  await world.rest()
  assert.deepEqual(await textsIn(second, id), ["to both"])
  await bob.person.append({ op: "revoke_device", keys: [phone.name] })
  world.publish(bob.person)
  await world.rest()
  await say(alice, id, "to one")
  await world.rest()
  assert.deepEqual(await textsIn(second, id), ["to both"])
  assert.deepEqual(await textsIn(bob, id), ["to both", "to one"])
  await world.close()
})

test("a commit that tells the server other members than its state has is an alarm, and a member's client puts it right", async () => {
  const { world, alice, bob, carol, id } = await three()
  // Alice's client names everybody but Carol to the server: nothing would be delivered to her any more.
  const request = alice.transport.request.bind(alice.transport)
  let isLying = true
  alice.transport.request = (operation, bytes) => {
    if (operation !== "commit" || !isLying) return request(operation, bytes)
    const { header, parts } = decodeRequest("commit", bytes)
    const members = header.members.filter((chain) => chain !== carol.person.chain)
    isLying = false
    return request(operation, encodeRequest("commit", { ...header, members }, parts))
  }
  await alice.engine.groups.rename(id, "without you")
  await world.rest()
  const raised = bob.events.filter((event) => event.kind === "alarm" && event.alarm.alarm.kind === "members_differ")
  assert.equal(raised.length, 2) // and its end
  const [first] = raised
  assert.ok(first?.kind === "alarm" && first.alarm.alarm.kind === "members_differ")
  const { missing, extra, contact } = first.alarm.alarm
  assert.deepEqual([missing, extra, contact], [[carol.person.chain], [], alice.person.chain])
  assert.equal(world.server.conversations.get(id.slice(7))?.members.length, 3)
  await say(alice, id, "after")
  await world.rest()
  assert.deepEqual(await textsIn(carol, id), ["after"])
  for (const home of [alice, bob, carol]) assert.deepEqual(await home.alarms(), [])
  await world.close()
})

test("a server that says it was told somebody else is an alarm that stays, and makes no commits without end", async () => {
  const { world, alice, bob, dave, id } = await three()
  world.server.lies.deliver = (_uid, delivery) =>
    delivery.members === undefined ? [delivery] : [{ ...delivery, members: [...delivery.members, dave.person.chain] }]
  await alice.engine.groups.rename(id, "watched")
  await world.rest()
  const { alarm } = await bob.alarm("members_differ")
  assert.ok(alarm.kind === "members_differ")
  assert.deepEqual([alarm.missing, alarm.extra], [[], [dave.person.chain]])
  assert.deepEqual(await alice.alarms(), ["members_differ"])
  const commits = world.server.conversations.get(id.slice(7))?.commits.length ?? 0
  assert.ok(commits < 10, String(commits))
  await world.close()
})

/** What goes to somebody's mailbox as a message is held back until it is let go. */
function holdBack({ server }: EngineWorld, { person, device }: Home): () => void {
  const { uid } = server.register(person.chain, device.name)
  const held: Parameters<typeof server.push>[1][] = []
  server.lies.deliver = (to, one) => {
    if (to !== uid || one.kind !== "message") return [one]
    held.push(one)
    return []
  }
  return () => {
    server.lies = {}
    for (const one of held) server.push(uid, one)
  }
}

test("B who asked to leave, left and came back is not removed again by the same request, however late it comes", async () => {
  const { world, alice, bob, carol, id } = await three()
  await alice.engine.groups.setRole(id, bob.person.chain, "owner")
  await world.rest()
  const letGo = holdBack(world, bob)
  await carol.engine.groups.leave(id)
  await world.rest()
  assert.equal((await viewOf(carol, id)).state, "removed")
  await alice.engine.groups.add(id, carol.person.chain)
  await world.rest()
  letGo()
  await world.rest()
  await say(carol, id, "still here")
  await world.rest()
  assert.equal((await viewOf(bob, id)).members.length, 3)
  assert.equal((await viewOf(carol, id)).state, "open")
  assert.ok((await textsIn(bob, id)).includes("still here"))
  await world.close()
})

test("B a device that was revoked neither makes its person leave nor says what became of files, also before the commit that removes it", async () => {
  const { world, alice, bob, carol, id } = await three()
  const phone = await carol.person.addDevice()
  const stolen = await world.homeOf(carol.person, phone)
  world.publish(carol.person)
  await world.rest()
  world.clock.advance(61)
  await world.rest()
  assert.equal((await viewOf(stolen, id)).members.length, 3)
  // Alice's and Bob's clients know that it was revoked, and cannot make their commit.
  await carol.person.append({ op: "revoke_device", keys: [phone.name] })
  world.server.lies.answer = (operation) => (operation === "commit" ? "lose_request" : undefined)
  for (const home of [alice, bob]) home.known.set(carol.person.chain, carol.person.replay)
  await stolen.engine.tellFileState(id, "c".repeat(64), "done")
  await stolen.engine.groups.leave(id)
  await world.rest()
  assert.ok(bob.events.every(({ kind }) => kind !== "file_state"))
  world.server.lies = {}
  for (const home of [alice, bob]) home.onChange(carol.person.chain)
  await world.rest()
  world.clock.advance(61)
  await world.rest()
  await say(alice, id, "after")
  await world.rest()
  const view = await viewOf(alice, id)
  assert.ok(view.members.includes(carol.person.chain))
  assert.ok((await alice.engine.devices(id)).every(({ device }) => device !== phone.name))
  assert.ok((await textsIn(carol, id)).includes("after"))
  await world.close()
})

test("A16 who is blocked leaves when he asks for it, and so does who asks while many changes wait", async () => {
  const { world, alice, bob, carol, id } = await three()
  await alice.engine.contacts.block(bob.person.chain)
  await bob.engine.groups.leave(id)
  await world.rest()
  assert.equal((await viewOf(alice, id)).members.length, 2)
  world.server.lies.answer = (operation) => (operation === "commit" ? "lose_request" : undefined)
  for (let i = 0; i < 64; i++) await alice.engine.groups.rename(id, `name ${i}`)
  await assert.rejects(alice.engine.groups.rename(id, "one too many"), { code: "limit.size" })
  await carol.engine.groups.leave(id)
  await world.rest()
  world.server.lies = {}
  world.clock.advance(61)
  for (let i = 0; i < 4; i++) await world.rest()
  assert.equal((await viewOf(alice, id)).members.length, 1)
  assert.equal((await viewOf(carol, id)).state, "removed")
  await world.close()
})

test("A16 a commit that the server does not take drops no change that is not in it", async () => {
  const { world, alice, bob, id } = await three()
  const request = alice.transport.request.bind(alice.transport)
  let refusals = 0
  alice.transport.request = async (operation, bytes) => {
    if (operation !== "commit" || refusals > 0) return request(operation, bytes)
    refusals++
    // Asked for while the commit, which brings in a device alone, is on its way.
    await alice.engine.groups.rename(id, "kept")
    throw new KezError("chain.unknown", "Cannot do that: nobody knows this chain")
  }
  await world.homeOf(bob.person, await bob.person.addDevice())
  alice.known.set(bob.person.chain, bob.person.replay)
  world.clock.advance(40)
  alice.onChange(bob.person.chain)
  await world.rest()
  for (let i = 0; i < 3; i++) {
    world.clock.advance(61)
    await world.rest()
  }
  assert.equal(refusals, 1)
  assert.ok(alice.events.every(({ kind }) => kind !== "change_refused"))
  assert.equal((await viewOf(alice, id)).name, "kept")
  await world.close()
})
