/** An offer that was taken back while nothing here moved files: the next run gives nothing of it, and fetches nothing of it. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { fileSide, idOf, offerAt, offeredInGroup } from "./support/file-side.ts"

async function offering() {
  const all = await offeredInGroup()
  const takeBack = async (): Promise<void> => {
    await all.alice.engine.send(all.id, { type: "delete", of: (await offerAt(all.alice, all.id)).id })
    await all.world.rest()
  }
  return { ...all, takeBack }
}

test("who offered it does not offer it again, and the same files are a new offer", async () => {
  const { world, alice, id, a, takeBack } = await offering()
  await a.files.close()
  await takeBack()
  const again = fileSide(alice, "b", { id: "9" })
  await again.files.resume()
  await world.rest()
  assert.deepEqual([...again.mover.sets.keys()], [])
  const { isAgain } = await again.files.offer(id, ["/x/photo.jpg"], "photo.jpg")
  assert.equal(isAgain, false)
  assert.deepEqual([...again.mover.sets.keys()], [idOf("9")])
  await world.close()
})

test("the same files offered anew before anything was resumed are a new offer too", async () => {
  const { world, alice, id, a, takeBack } = await offering()
  await a.files.close()
  await takeBack()
  const again = fileSide(alice, "b", { id: "9" })
  assert.equal((await again.files.offer(id, ["/x/photo.jpg"], "photo.jpg")).isAgain, false)
  await world.close()
})

test("who fetched it passes it on no more", async () => {
  const { world, bob, accept, takeBack } = await offering()
  const b = fileSide(bob, "b")
  await accept(bob, b)
  b.mover.say({ event: "end", job: b.mover.fetches[0]?.job ?? "", state: "done", bytes: 5 })
  await world.rest()
  assert.ok(b.mover.sets.has(idOf("f")))
  await b.files.close()
  await takeBack()
  const again = fileSide(bob, "d")
  await again.files.resume()
  await world.rest()
  assert.deepEqual([...again.mover.sets.keys()], [])
  await world.close()
})

test("who was fetching it asks for nothing more, and says why", async () => {
  const { world, bob, accept, takeBack } = await offering()
  const b = fileSide(bob, "b")
  await accept(bob, b)
  await b.files.close()
  await takeBack()
  const again = fileSide(bob, "d")
  await again.files.resume()
  await world.rest()
  assert.deepEqual(again.mover.fetches, [])
  assert.deepEqual([again.views.at(-1)?.state, again.views.at(-1)?.code], ["failed", "file.refused"])
  await world.close()
})
