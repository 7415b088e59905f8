/** An offer that was taken back while nothing here moved files: the next run gives nothing of it, and fetches nothing of it. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { Files } from "../src/files/files.ts"
import type { TransferView } from "../src/files/transfer.ts"
import type { Home } from "./support/engine-world.ts"
import { three } from "./support/group-world.ts"
import { type ModelMover, modelDisk, modelMover } from "./support/model-mover.ts"

const endpoint = (digit: string): string => digit.repeat(64)
const offered = [{ path: "photo.jpg", size: 5, hash: "c".repeat(64) }]

interface Side {
  readonly mover: ModelMover
  readonly files: Files
  readonly views: TransferView[]
}

function sideOf({ engine, clock }: Home, digit: string, id = "f"): Side {
  const mover = modelMover(endpoint(digit), offered)
  const views: TransferView[] = []
  const ports = { engine, mover, disk: modelDisk, clock, newId: () => endpoint(id), passesOn: true }
  const files = new Files(
    ports,
    (view) => void views.push(view),
    () => undefined,
  )
  files.start()
  return { mover, files, views }
}

async function offering() {
  const all = await three()
  const a = sideOf(all.alice, "a")
  await a.files.offer(all.id, ["/x/photo.jpg"], "photo.jpg")
  await all.world.rest()
  const offerAt = async ({ engine }: Home) => {
    const message = (await engine.messages(all.id)).find(({ type }) => type === "file_offer")
    if (message === undefined) throw new Error("no offer came")
    return message
  }
  const accept = async (home: Home, { files }: Side): Promise<void> => {
    const message = await offerAt(home)
    await files.run(() => files.receiving.accept(message, "/in"))
    await all.world.rest()
  }
  const takeBack = async (): Promise<void> => {
    await all.alice.engine.send(all.id, { type: "delete", of: (await offerAt(all.alice)).id })
    await all.world.rest()
  }
  return { ...all, a, accept, takeBack }
}

test("who offered it does not offer it again, and the same files are a new offer", async () => {
  const { world, alice, id, a, takeBack } = await offering()
  await a.files.close()
  await takeBack()
  const again = sideOf(alice, "b", "9")
  await again.files.resume()
  await world.rest()
  assert.deepEqual([...again.mover.sets.keys()], [])
  const { isAgain } = await again.files.offer(id, ["/x/photo.jpg"], "photo.jpg")
  assert.equal(isAgain, false)
  assert.deepEqual([...again.mover.sets.keys()], [endpoint("9")])
  await world.close()
})

test("the same files offered anew before anything was resumed are a new offer too", async () => {
  const { world, alice, id, a, takeBack } = await offering()
  await a.files.close()
  await takeBack()
  const again = sideOf(alice, "b", "9")
  assert.equal((await again.files.offer(id, ["/x/photo.jpg"], "photo.jpg")).isAgain, false)
  await world.close()
})

test("who fetched it passes it on no more", async () => {
  const { world, bob, accept, takeBack } = await offering()
  const b = sideOf(bob, "b")
  await accept(bob, b)
  b.mover.say({ event: "end", job: b.mover.fetches[0]?.job ?? "", state: "done", bytes: 5 })
  await world.rest()
  assert.ok(b.mover.sets.has(endpoint("f")))
  await b.files.close()
  await takeBack()
  const again = sideOf(bob, "d")
  await again.files.resume()
  await world.rest()
  assert.deepEqual([...again.mover.sets.keys()], [])
  await world.close()
})

test("who was fetching it asks for nothing more, and says why", async () => {
  const { world, bob, accept, takeBack } = await offering()
  const b = sideOf(bob, "b")
  await accept(bob, b)
  await b.files.close()
  await takeBack()
  const again = sideOf(bob, "d")
  await again.files.resume()
  await world.rest()
  assert.deepEqual(again.mover.fetches, [])
  assert.deepEqual([again.views.at(-1)?.state, again.views.at(-1)?.code], ["failed", "file.refused"])
  await world.close()
})
