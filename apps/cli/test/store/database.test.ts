/** The store as a file: who may read it, what is refused, and what a failed write leaves behind. */
import assert from "node:assert/strict"
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { test } from "node:test"
import { guard, inTransaction, openStore } from "../../src/store/database.ts"
import { temporaryDir } from "../support/people.ts"

function rowsOf(path: string): number {
  const store = openStore(path)
  const { count } = store.prepare("SELECT count(*) AS count FROM sources").get() ?? {}
  store.close()
  return Number(count)
}

const insert = "INSERT INTO sources (chain, url, kind, served_at) VALUES ('a', 'b', 'other', 1)"

test("openStore() makes a file and a folder for their owner alone, with a journal and full synchronisation", (t) => {
  const path = join(temporaryDir(t), "data", "kez.db")
  const store = openStore(path)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(statSync(join(path, "..")).mode & 0o777, 0o700)
  assert.equal(statSync(`${path}-wal`).mode & 0o777, 0o600)
  assert.equal(store.prepare("PRAGMA journal_mode").get()?.["journal_mode"], "wal")
  assert.equal(store.prepare("PRAGMA synchronous").get()?.["synchronous"], 2)
  store.close()
})

test("openStore() opens what it made, and closes a file that others could read", (t) => {
  const path = join(temporaryDir(t), "kez.db")
  writeFileSync(path, "", { mode: 0o644 })
  openStore(path).close()
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(rowsOf(path), 0)
})

test("openStore() refuses a store of a later version and leaves it as it is", (t) => {
  const path = join(temporaryDir(t), "kez.db")
  const later = new DatabaseSync(path)
  later.exec("PRAGMA user_version = 999")
  later.close()
  assert.throws(() => openStore(path), { code: "store.newer" })
  const again = new DatabaseSync(path)
  assert.equal(again.prepare("PRAGMA user_version").get()?.["user_version"], 999)
  again.close()
})

test("openStore() refuses a file that is no database, and keeps it", (t) => {
  const path = join(temporaryDir(t), "kez.db")
  writeFileSync(path, "not a database".repeat(500))
  assert.throws(() => openStore(path), { code: "store.corrupt", message: /kez\.db/ })
  assert.equal(readFileSync(path, "utf8").startsWith("not a database"), true)
})

test("a damaged page is store.corrupt when it is read", (t) => {
  const path = join(temporaryDir(t), "kez.db")
  openStore(path).close()
  const bytes = readFileSync(path)
  bytes.fill(0xff, 4_096)
  writeFileSync(path, bytes)
  assert.throws(
    () => {
      const store = openStore(path)
      try {
        guard(path, () => store.prepare("SELECT * FROM events").all())
      } finally {
        store.close()
      }
    },
    { code: "store.corrupt" },
  )
})

test("openStore() says store.write where no file can be", (t) => {
  const path = join(temporaryDir(t), "kez.db")
  mkdirSync(path)
  assert.throws(() => openStore(path), { code: "store.write" })
  writeFileSync(join(path, "file"), "")
  assert.throws(() => openStore(join(path, "file", "kez.db")), { code: "store.write" })
})

test("inTransaction() keeps all of the work or nothing", async (t) => {
  const path = join(temporaryDir(t), "kez.db")
  const store = openStore(path)
  await assert.rejects(
    inTransaction(store, async () => {
      store.exec(insert)
      await Promise.resolve()
      throw new Error("stop")
    }),
    /stop/,
  )
  assert.equal(rowsOf(path), 0)
  await inTransaction(store, () => store.exec(insert))
  assert.equal(rowsOf(path), 1)
  store.close()
})

test("inTransaction() says store.write on a full disk, and what was there stays", async (t) => {
  const path = join(temporaryDir(t), "kez.db")
  const store = openStore(path)
  await inTransaction(store, () => store.exec(insert))
  const { page_count: pages } = store.prepare("PRAGMA page_count").get() ?? {}
  store.exec(`PRAGMA max_page_count = ${Number(pages)}`)
  const big = "x".repeat(100_000)
  const fill = () => store.prepare("INSERT INTO sources VALUES (?, 'u', 'other', 1)").run(big)
  await assert.rejects(inTransaction(store, fill), { code: "store.write" })
  store.close()
  assert.equal(rowsOf(path), 1)
})

test("inTransaction() says store.busy while another process writes", async (t) => {
  const path = join(temporaryDir(t), "kez.db")
  const first = openStore(path)
  const second = openStore(path, { busyMs: 10 })
  await inTransaction(first, async () => {
    await assert.rejects(
      inTransaction(second, () => undefined),
      { code: "store.busy" },
    )
  })
  await inTransaction(second, () => second.exec(insert))
  first.close()
  second.close()
  assert.equal(rowsOf(path), 1)
})
