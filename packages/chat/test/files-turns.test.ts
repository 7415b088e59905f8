/** What begins by itself begins in its turn, ends what it replaces, and does not begin again what is over. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { KezError } from "@kez/core"
import { Pace } from "../src/files/presence-book.ts"
import type { OutRow } from "../src/files/transfer.ts"
import { fileSide, idOf, offeredInGroup } from "./support/file-side.ts"
import { askAlice, sharePair } from "./support/share-world.ts"

async function fetching() {
  const all = await offeredInGroup()
  const b = fileSide(all.bob, "b")
  await all.accept(all.bob, b)
  const end = async (state: "done" | "failed"): Promise<void> => {
    const error = { code: "peer.refused", message: "Cannot go on" }
    const job = b.mover.fetches.at(-1)?.job ?? ""
    b.mover.say({ event: "end", job, state, bytes: 5, ...(state === "failed" ? { error } : {}) })
    await all.world.rest()
  }
  return { ...all, b, end }
}

test("a fetch that is tried again waits for its turn", async () => {
  const { world, b, end } = await fetching()
  await end("failed")
  const { promise, resolve } = Promise.withResolvers<void>()
  const held = b.files.run(() => promise)
  world.clock.advance(1)
  await new Promise(setImmediate)
  await world.rest()
  assert.equal(b.mover.fetches.length, 1)
  resolve()
  await held
  await world.rest()
  assert.equal(b.mover.fetches.length, 2)
  await world.close()
})

test("who quits while what he passes on is hashed goes on with it the next time", async () => {
  const { world, bob, b, end } = await fetching()
  await end("done")
  await b.files.close()
  const again = fileSide(bob, "d")
  const { promise, reject } = Promise.withResolvers<never>()
  again.mover.import = () => promise
  const resuming = again.files.resume()
  await world.rest()
  const closing = again.files.close()
  reject(new KezError("file.program", "Cannot move files: kez-iroh does not run"))
  await Promise.all([resuming, closing])
  const last = fileSide(bob, "e")
  await last.files.resume()
  await world.rest()
  assert.ok(last.mover.sets.has(idOf("f")))
  await world.close()
})

test("what everybody has by now is not offered again", async () => {
  const { world, alice, bob, carol, id, a } = await fetching()
  await a.files.close()
  for (const { engine } of [bob, carol]) await engine.tellFileState(id, idOf("f"), "done")
  await world.rest()
  const again = fileSide(alice, "e")
  await again.files.resume()
  assert.deepEqual([...again.mover.sets.keys()], [])
  assert.equal((await alice.engine.shelf.get<OutRow>(`out/${idOf("f")}`))?.isOver, true)
  await world.close()
})

test("a list that another one replaces while it is fetched leaves nothing on the disk, and is called off", async () => {
  const pair = await sharePair()
  const { a, b, world } = pair
  a.mover.write("/home/alice/note.txt", "a note")
  await a.files.shares.share(["/home/alice/note.txt"], "contacts")
  const { fetch } = b.mover
  const cancelled: string[] = []
  b.mover.cancel = async (job: string) => void cancelled.push(job)
  // The root document is half there when the next list is told.
  b.mover.fetch = async ({ into, files }) => {
    for (const { path } of files) b.mover.disk.set(`${into}/${path}`, new Uint8Array())
    return { total: 1, bytes: 0 }
  }
  await askAlice(pair)
  b.mover.fetch = fetch
  a.mover.write("/home/alice/note.txt", "another note")
  await a.files.shares.renew()
  await world.rest()
  assert.equal(cancelled.length, 1)
  assert.deepEqual([...b.mover.disk.keys()], [])
  assert.equal(b.heard.filter(({ kind }) => kind === "list").length, 1)
  await world.close()
})

test("a device that names new places again and again is answered four times at once, then each five seconds", () => {
  const pace = new Pace()
  const taken = (now: number): number => Array.from({ length: 20 }, () => pace.take(now)).filter(Boolean).length
  assert.deepEqual([taken(1_000), taken(1_004), taken(1_005), taken(1_015), taken(2_000)], [4, 0, 1, 2, 4])
})

test("places beyond that are answered later, not never", async () => {
  const pair = await sharePair()
  const { a, b, world, conversation } = pair
  await a.files.shares.open()
  const told = (): number => b.home.events.filter((event) => event.kind === "shares").length
  for (let at = 0; at < 10; at++) {
    const address = { endpoint: at.toString(16).repeat(64), addresses: [] }
    await b.home.engine.tellPresence(conversation, address, { wish: "shares" })
    await world.rest()
  }
  const atOnce = told()
  assert.ok(atOnce >= 4 && atOnce <= 6, String(atOnce))
  world.clock.advance(6)
  await world.rest()
  assert.equal(told(), atOnce + 1)
  await world.close()
})

test("a run that passes nothing on ends nothing of what another one passes on", async () => {
  const { world, bob, b, end } = await fetching()
  await end("done")
  await b.files.close()
  const serve = fileSide(bob, "d", { passesOn: false })
  await serve.files.resumeOffers()
  assert.deepEqual([...serve.mover.sets.keys()], [])
  await serve.files.close()
  const last = fileSide(bob, "e")
  await last.files.resume()
  await world.rest()
  assert.ok(last.mover.sets.has(idOf("f")))
  await world.close()
})

/** How the mover was told to end. */
function endsOf({ mover }: ReturnType<typeof fileSide>): readonly unknown[] {
  const ends: unknown[] = []
  mover.close = async (how) => void ends.push(how)
  return ends
}

test("who quits waits a few seconds for what is stuck, and then ends the mover", async () => {
  const { world, b } = await fetching()
  const ends = endsOf(b)
  void b.files.run(() => new Promise(() => undefined))
  const closing = b.files.close()
  await new Promise(setImmediate)
  assert.deepEqual(ends, [])
  world.clock.advance(5)
  await closing
  assert.deepEqual(ends, [{ isStuck: true }])
  await world.close()
})

test("who stops fetching waits a few seconds for a mover that does not answer, hears so, and waits once", async () => {
  const { world, b } = await fetching()
  b.mover.pause = () => new Promise(() => undefined)
  const ends = endsOf(b)
  let isPaused: boolean | undefined
  const pausing = b.files.pauseAll().then((answer) => {
    isPaused = answer
  })
  await world.rest()
  assert.equal(isPaused, undefined)
  world.clock.advance(5)
  await pausing
  assert.equal(isPaused, false)
  await b.files.close()
  assert.deepEqual(ends, [{ isStuck: true }])
  await world.close()
})

test("who stops fetching hears that the mover did it, and the mover may end by itself", async () => {
  const { world, b } = await fetching()
  const ends = endsOf(b)
  assert.equal(await b.files.pauseAll(), true)
  await b.files.close()
  assert.deepEqual(ends, [{ isStuck: false }])
  await world.close()
})
