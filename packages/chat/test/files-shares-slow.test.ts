/** Hashing may take an hour: who may have what does not wait for it, and nobody hears meanwhile that nothing is shared. F2 of adversarial.md. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { keptLists, unitedFiles } from "../src/files/their-lists.ts"
import { hashOf } from "./support/model-net.ts"
import { askAlice, type SharePair, sharePair } from "./support/share-world.ts"

const [note, photo, large] = ["/home/alice/note.txt", "/home/alice/photo.jpg", "/home/alice/large.bin"]
const hash = (text: string): string => hashOf(new TextEncoder().encode(text))

/** From now on an import of `path` ends only when what is returned is called. */
function holdImports({ a: { mover } }: SharePair, path: string): () => void {
  const { promise, resolve } = Promise.withResolvers<void>()
  const real = mover.import.bind(mover)
  mover.import = async (paths) => {
    if (paths.includes(path)) await promise
    return real(paths)
  }
  return resolve
}

async function served(): Promise<SharePair & { readonly given: (text: string) => boolean }> {
  const pair = await sharePair()
  const { a, b } = pair
  for (const [path, text] of [[note, "a note"] as const, [photo, "a photo"] as const, [large, "large"] as const])
    a.mover.write(path, text)
  await a.files.shares.share([note, photo], "contacts")
  await askAlice(pair)
  const given = (text: string): boolean => a.mover.give(hash(text), b.mover.endpoint) !== undefined
  assert.deepEqual([given("a note"), given("a photo")], [true, true])
  return { ...pair, given }
}

const pathsOf = async ({ a, b }: SharePair): Promise<readonly string[]> =>
  unitedFiles(await keptLists(b.home.engine, a.home.person.chain)).map(({ path }) => path)

test("F2: a device that is revoked while something is hashed loses what is shared at once", async () => {
  const pair = await served()
  const { a, b, world, given } = pair
  const release = holdImports(pair, large)
  const sharing = a.files.shares.share([large], "contacts")
  await b.home.person.append({ op: "revoke_device", keys: [b.home.device.name] })
  world.publish(b.home.person)
  await world.rest()
  assert.deepEqual([given("a note"), given("a photo")], [false, false])
  release()
  await sharing
  await world.close()
})

test("F2: what is unshared while the disk is looked at is given to nobody from then on, and the look changes nothing of it", async () => {
  const pair = await served()
  const { a, world, given } = pair
  const release = holdImports(pair, note)
  world.clock.advance(61)
  await world.rest()
  await a.files.shares.unshare(["note.txt"])
  assert.deepEqual([given("a note"), given("a photo")], [false, true])
  await world.rest()
  assert.deepEqual(await pathsOf(pair), ["photo.jpg"])
  release()
  await world.rest()
  assert.deepEqual([given("a note"), given("a photo")], [false, true])
  assert.equal((await a.files.shares.current())?.seq, 1)
  await world.close()
})

test("F2: who is not to have it any more loses it before it is hashed anew", async () => {
  const pair = await served()
  const { a, b, world, given } = pair
  const release = holdImports(pair, note)
  const sharing = a.files.shares.share([note], [`sha256:${"e".repeat(64)}`])
  await world.rest()
  assert.deepEqual([given("a note"), given("a photo")], [false, true])
  release()
  await sharing
  await world.rest()
  assert.deepEqual([given("a note"), given("a photo")], [false, true])
  assert.deepEqual(await pathsOf(pair), ["photo.jpg"])
  const back = a.files.shares.share([note], [b.home.person.chain])
  await back
  assert.equal(given("a note"), true)
  await world.close()
})

test("F11: who asks while this run has not looked yet hears nothing, and then the list", async () => {
  const pair = await sharePair()
  const { a, b, world, conversation } = pair
  a.mover.write(note, "a note")
  await a.files.shares.share([note], "contacts")
  const release = holdImports(pair, note)
  const opening = a.files.shares.open()
  await b.files.run(() => b.files.browsing.ask(conversation))
  await world.rest()
  assert.deepEqual(b.heard, [])
  release()
  await opening
  await world.rest()
  assert.deepEqual(await pathsOf(pair), ["note.txt"])
  await world.close()
})

test("F2: what is unshared while it is hashed is not shared when that is done, neither a new one nor one that was shared before", async () => {
  const pair = await served()
  const { a, world, given } = pair
  for (const [path, name, text] of [[large, "large.bin", "large"] as const, [note, "note.txt", "a note"] as const]) {
    const release = holdImports(pair, path)
    const sharing = a.files.shares.share([path], "contacts", { isMore: true })
    await world.rest()
    assert.deepEqual(
      (await a.files.shares.unshare([name])).map((row) => row.path),
      [path],
    )
    release()
    await assert.rejects(sharing, { code: "usage" })
    await world.rest()
    assert.equal(given(text), false)
    await assert.rejects(a.files.shares.unshare([name]), { code: "store.unknown" })
  }
  await a.files.shares.share([large], "contacts")
  assert.equal(given("large"), true)
  await world.close()
})

test("one path that is shared from two conversations at once is shared with the people of both", async () => {
  const pair = await served()
  const { a, b, world, given } = pair
  const release = holdImports(pair, large)
  const isMore = true
  const first = a.files.shares.share([large], [b.home.person.chain], { isMore })
  const second = a.files.shares.share([large], [`sha256:${"e".repeat(64)}`], { isMore })
  await world.rest()
  release()
  await Promise.all([first, second])
  assert.equal((await a.files.shares.list()).find(({ path }) => path === large)?.audience.length, 2)
  assert.equal(given("large"), true)
  await world.close()
})

test("where it cannot be read any more it is said with whom it is shared now", async () => {
  const { a, b, world, given } = await served()
  await a.files.shares.share([note], [b.home.person.chain])
  a.mover.disk.delete(note)
  const sharing = a.files.shares.share([note], [`sha256:${"e".repeat(64)}`])
  await assert.rejects(sharing, {
    code: "input.unreadable",
    hint: "note.txt is shared with nobody now. Share it again.",
  })
  assert.equal(given("a note"), false)
  await world.close()
})

test("one circle of people too many is refused before anything is kept, and what is given stays given", async () => {
  const { a, b, world, given } = await served()
  const who = (at: number): string => `sha256:${at.toString(16).padStart(64, "0")}`
  const paths = Array.from({ length: 31 }, (_, at) => `/home/alice/of-${at}.txt`)
  for (const [at, path] of paths.entries()) {
    a.mover.write(path, path)
    await a.files.shares.share([path], [who(at), who(100)])
  }
  // Shared anew with one of them: a circle of its own while it is read, and with another one afterwards.
  await assert.rejects(a.files.shares.share([note], [who(0), b.home.person.chain]), { code: "limit.entries" })
  assert.deepEqual((await a.files.shares.list()).find(({ path }) => path === note)?.audience, "contacts")
  await a.files.shares.renew()
  assert.deepEqual([given("a note"), given("a photo")], [true, true])
  await world.close()
})
