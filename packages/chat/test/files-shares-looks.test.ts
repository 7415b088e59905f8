/** When the disk is looked at again: soon where something was left out for a moment, and never all the time. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { KezError } from "@kez/core"
import { LookPace } from "../src/files/look-pace.ts"
import { keptLists, unitedFiles } from "../src/files/their-lists.ts"
import { askAlice, sharePair, shareSide } from "./support/share-world.ts"

const [note, photos] = ["/home/alice/note.txt", "/home/alice/photos"]

/** Another run of Alice's, in which something writes into the folder that she shares. */
async function writtenInto() {
  const pair = await sharePair()
  const { world, net, b } = pair
  const { home, files } = pair.a
  pair.a.mover.write(note, "a note")
  pair.a.mover.write(`${photos}/one.jpg`, "1")
  await files.shares.share([note, photos], "contacts")
  await files.close()
  const a = shareSide(net, home, "c")
  a.mover.write(note, "a note")
  a.mover.write(`${photos}/one.jpg`, "1")
  const begunAt = world.clock.now()
  const looks: number[] = []
  const state = { isWritten: true }
  const real = a.mover.import.bind(a.mover)
  a.mover.import = async (paths) => {
    if (!paths.includes(photos)) return real(paths)
    looks.push(world.clock.now() - begunAt)
    if (state.isWritten) throw new KezError("file.changed", "Cannot offer it: it changed while it was read")
    return real(paths)
  }
  const pass = async (seconds: number): Promise<void> => {
    for (let at = 0; at < seconds; at += 5) {
      world.clock.advance(5)
      await world.rest()
    }
  }
  const paths = async (): Promise<readonly string[]> =>
    unitedFiles(await keptLists(b.home.engine, home.person.chain)).map(({ path }) => path)
  await askAlice({ ...pair, a })
  return { world, looks, state, pass, paths }
}

test("a folder that is written into at the first look of a run is listed seconds after that ends", async () => {
  const { world, state, pass, paths } = await writtenInto()
  assert.deepEqual(await paths(), ["note.txt"])
  state.isWritten = false
  await pass(5)
  assert.deepEqual(await paths(), ["note.txt", "photos/one.jpg"])
  await world.close()
})

test("one that is written into all the time is looked at seldomer and seldomer, and at last as often as everything", async () => {
  const { world, looks, state, pass, paths } = await writtenInto()
  await pass(200)
  assert.deepEqual(looks, [0, 5, 15, 35, 75, 135, 195])
  state.isWritten = false
  await pass(60)
  assert.deepEqual(await paths(), ["note.txt", "photos/one.jpg"])
  await world.close()
})

test("LookPace is not due while a look is under way, and at once where something changed meanwhile", () => {
  const pace = new LookPace()
  pace.begin()
  pace.noteStale()
  assert.equal(pace.isDue(1_000), false)
  pace.end(1_000, true)
  assert.equal(pace.isDue(1_000), true)
  pace.begin()
  pace.end(1_000, true)
  assert.deepEqual([pace.isDue(1_059), pace.isDue(1_060)], [false, true])
})
