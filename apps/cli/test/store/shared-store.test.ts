/** One store for many writers of one process. */
import assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"
import { openStore, type Store } from "../../src/store/database.ts"
import { createSharedStore } from "../../src/store/shared-store.ts"
import { temporaryDir } from "../support/people.ts"

const insert = "INSERT INTO sources (chain, url, kind, served_at) VALUES (?, 'b', 'other', 1)"

function chainsIn(path: string): readonly unknown[] {
  const store = openStore(path)
  const rows = store.prepare("SELECT chain FROM sources ORDER BY chain").all()
  store.close()
  return rows.map((row) => row["chain"])
}

test("createSharedStore() keeps what is written at once, and gives each its own result", async (t) => {
  const path = join(temporaryDir(t), "kez.db")
  const shared = createSharedStore(path)
  const write = (name: string) =>
    shared.write((store) => {
      store.prepare(insert).run(name)
      return name
    })
  const first = ["a", "b", "c"].map(write)
  shared.hurry()
  // The first three may be on their way to the disk: on one connection the next has to wait for them.
  const second = ["d", "e"].map(write)
  assert.deepEqual(await Promise.all([...first, ...second]), ["a", "b", "c", "d", "e"])
  const last = write("f")
  await shared.close()
  assert.equal(await last, "f")
  assert.deepEqual(chainsIn(path), ["a", "b", "c", "d", "e", "f"])
})

test("createSharedStore() keeps nothing of a transaction in which one write fails, and the next works", async (t) => {
  const path = join(temporaryDir(t), "kez.db")
  const shared = createSharedStore(path)
  const fail = (_: Store): void => {
    throw new RangeError("no")
  }
  const writes = [shared.write((store) => void store.prepare(insert).run("a")), shared.write(fail)]
  shared.hurry()
  for (const write of writes) await assert.rejects(write, RangeError)
  await shared.write((store) => void store.prepare(insert).run("b"))
  await shared.close()
  assert.deepEqual(chainsIn(path), ["b"])
})
