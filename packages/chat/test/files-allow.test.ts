/** Who may have what is offered: current devices of members that said where they are, nobody else, and not a moment longer. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { Files } from "../src/files/files.ts"
import type { TransferView } from "../src/files/transfer.ts"
import { couple, type EngineWorld, type Home } from "./support/engine-world.ts"
import { type ModelMover, modelDisk, modelMover } from "./support/model-mover.ts"

const hash = "c".repeat(64)
const id = (digit: string): string => digit.repeat(64)
const offered = [{ path: "photo.jpg", size: 5, hash }]

interface Side {
  readonly mover: ModelMover
  readonly files: Files
  readonly views: TransferView[]
}

function sideOf({ engine, clock }: Home, digit: string): Side {
  const mover = modelMover(id(digit), offered)
  const views: TransferView[] = []
  const ports = { engine, mover, disk: modelDisk, clock, newId: () => id("f") }
  const files = new Files(
    ports,
    (view) => void views.push(view),
    () => undefined,
  )
  files.start()
  return { mover, files, views }
}

async function offering(): Promise<{ world: EngineWorld; alice: Home; bob: Home; a: Side; conversation: string }> {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "hello")
  await world.rest()
  const a = sideOf(alice, "a")
  const { id: conversation } = await alice.engine.openDirect(bob.person.chain)
  await a.files.offer(conversation, ["/x/photo.jpg"], "photo.jpg")
  await world.rest()
  return { world, alice, bob, a, conversation }
}

async function accept({ world, alice, bob }: { world: EngineWorld; alice: Home; bob: Home }, b: Side): Promise<void> {
  const message = (await bob.messages(alice)).find(({ type }) => type === "file_offer")
  if (message === undefined) throw new Error("no offer came")
  await b.files.run(() => b.files.receiving.accept(message, "/in"))
  await world.rest()
}

const allowed = ({ mover }: Side): readonly string[] | undefined => mover.sets.get(id("f"))

test("nobody may have anything before a member's device said where it is; then that one, and it is told where to fetch", async () => {
  const all = await offering()
  assert.deepEqual(allowed(all.a), [])
  const b = sideOf(all.bob, "b")
  await accept(all, b)
  assert.deepEqual(allowed(all.a), [id("b")])
  assert.deepEqual(
    b.mover.fetches.map(({ endpoints }) => endpoints),
    [[id("a")]],
  )
  await all.world.close()
})

test("a device that its chain revokes loses it at once", async () => {
  const all = await offering()
  await accept(all, sideOf(all.bob, "b"))
  await all.bob.person.append({ op: "revoke_device", keys: [all.bob.device.name] })
  all.world.publish(all.bob.person)
  await all.world.rest()
  assert.deepEqual(allowed(all.a), [])
  await all.world.close()
})

test("a contact who is blocked loses it at once, and gets it again when he is accepted", async () => {
  const all = await offering()
  await accept(all, sideOf(all.bob, "b"))
  await all.alice.engine.contacts.block(all.bob.person.chain)
  await all.world.rest()
  assert.deepEqual(allowed(all.a), [])
  await all.alice.engine.contacts.accept(all.bob.person.chain)
  await all.world.rest()
  assert.deepEqual(allowed(all.a), [id("b")])
  await all.world.close()
})

test("a presence counts ten minutes, and no longer", async () => {
  const all = await offering()
  const b = sideOf(all.bob, "b")
  await accept(all, b)
  await b.files.close()
  all.bob.transport.unplug()
  all.world.clock.advance(599)
  await all.world.rest()
  assert.deepEqual(allowed(all.a), [id("b")])
  all.world.clock.advance(10)
  await all.world.rest()
  assert.deepEqual(allowed(all.a), [])
  await all.world.close()
})

test("what Bob has is not offered any more; what he declines is told", async () => {
  const all = await offering()
  const b = sideOf(all.bob, "b")
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
  const b = sideOf(all.bob, "b")
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
