/** Who may have what is offered: current devices of members that said where they are, nobody else, and not a moment longer. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { couple, type EngineWorld, type Home } from "./support/engine-world.ts"
import { type FileSide, fileSide, idOf, offerAt } from "./support/file-side.ts"

async function offering(): Promise<{ world: EngineWorld; alice: Home; bob: Home; a: FileSide; conversation: string }> {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "hello")
  await world.rest()
  const a = fileSide(alice, "a", { passesOn: false })
  const { id: conversation } = await alice.engine.openDirect(bob.person.chain)
  await a.files.offer(conversation, ["/x/photo.jpg"], "photo.jpg")
  await world.rest()
  return { world, alice, bob, a, conversation }
}

async function accept(
  { world, alice, bob }: { world: EngineWorld; alice: Home; bob: Home },
  b: FileSide,
): Promise<void> {
  const { id } = await bob.engine.openDirect(alice.person.chain)
  const message = await offerAt(bob, id)
  await b.files.run(() => b.files.receiving.accept(message, "/in"))
  await world.rest()
}

const allowed = ({ mover }: FileSide): readonly string[] | undefined => mover.sets.get(idOf("f"))

test("nobody may have anything before a member's device said where it is; then that one, and it is told where to fetch", async () => {
  const all = await offering()
  assert.deepEqual(allowed(all.a), [])
  const b = fileSide(all.bob, "b", { passesOn: false })
  await accept(all, b)
  assert.deepEqual(allowed(all.a), [idOf("b")])
  assert.deepEqual(
    b.mover.fetches.map(({ endpoints }) => endpoints),
    [[idOf("a")]],
  )
  await all.world.close()
})

test("a device that its chain revokes loses it at once", async () => {
  const all = await offering()
  await accept(all, fileSide(all.bob, "b", { passesOn: false }))
  await all.bob.person.append({ op: "revoke_device", keys: [all.bob.device.name] })
  all.world.publish(all.bob.person)
  await all.world.rest()
  assert.deepEqual(allowed(all.a), [])
  await all.world.close()
})

test("a contact who is blocked loses it at once, and gets it again when he is accepted", async () => {
  const all = await offering()
  await accept(all, fileSide(all.bob, "b", { passesOn: false }))
  await all.alice.engine.contacts.block(all.bob.person.chain)
  await all.world.rest()
  assert.deepEqual(allowed(all.a), [])
  await all.alice.engine.contacts.accept(all.bob.person.chain)
  await all.world.rest()
  assert.deepEqual(allowed(all.a), [idOf("b")])
  await all.world.close()
})

test("a presence counts ten minutes, and no longer", async () => {
  const all = await offering()
  const b = fileSide(all.bob, "b", { passesOn: false })
  await accept(all, b)
  await b.files.close()
  all.bob.transport.unplug()
  all.world.clock.advance(599)
  await all.world.rest()
  assert.deepEqual(allowed(all.a), [idOf("b")])
  all.world.clock.advance(10)
  await all.world.rest()
  assert.deepEqual(allowed(all.a), [])
  await all.world.close()
})

test("what Bob has is not offered any more; what he declines is told", async () => {
  const all = await offering()
  const b = fileSide(all.bob, "b", { passesOn: false })
  await accept(all, b)
  const [fetch] = b.mover.fetches
  b.mover.say({ event: "end", job: fetch?.job ?? "", state: "done", bytes: 5 })
  await all.world.rest()
  assert.equal(b.views.at(-1)?.state, "done")
  assert.equal(all.a.views.at(-1)?.state, "done")
  assert.equal(allowed(all.a), undefined)
  await all.world.close()
})

test("refused by all is tried again; a full disk pauses and keeps what came", async () => {
  const all = await offering()
  const b = fileSide(all.bob, "b", { passesOn: false })
  await accept(all, b)
  const job = b.mover.fetches[0]?.job ?? ""
  const refused = { code: "peer.refused", message: "Cannot go on" }
  b.mover.say({ event: "end", job, state: "failed", bytes: 2, error: refused })
  await all.world.rest()
  all.world.clock.advance(1)
  await all.world.rest()
  assert.equal(b.mover.fetches.length, 2)
  b.mover.say({ event: "end", job, state: "failed", bytes: 3, error: { code: "disk.full", message: "No room" } })
  await all.world.rest()
  assert.deepEqual([b.views.at(-1)?.state, b.views.at(-1)?.bytes], ["paused", 3])
  const again = await b.files.run(() => b.files.receiving.resume())
  assert.deepEqual(again, [])
  await all.world.close()
})
