/** The SQLite storage: what every storage must do, and what can go wrong with a file. Adversarial D-3, D-4, D-15, G7. */
import assert from "node:assert/strict"
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs"
import { open } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { type TestContext, test } from "node:test"
import { digestOf } from "@kez/core"
import { type Migration, migrations } from "../src/storage/schema.ts"
import { openSqlite } from "../src/storage/sqlite.ts"
import { openSqliteFile } from "../src/storage/sqlite-file.ts"
import { eventNamed, testStorage } from "./storage-suite.ts"

const now = () => 1_800_000_000

testStorage("sqlite", {
  async makePlace() {
    const folder = mkdtempSync(join(tmpdir(), "kez-sqlite-"))
    return {
      open: async () => openSqlite({ path: join(folder, "store.db"), now }),
      remove: async () => rmSync(folder, { recursive: true }),
    }
  },
})

function pathFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "kez-sqlite-"))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, "store.db")
}

/** Changes the file behind the store's back. */
function tamper(path: string, sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}

test("openSqlite() makes the folder, and a file for its owner alone", async (t) => {
  const path = join(pathFor(t), "..", "deep", "er", "store.db")
  const storage = openSqlite({ path, now })
  t.after(() => storage.close())
  await storage.writeMark("a", "1")
  if (process.platform !== "win32") {
    for (const name of ["", "-wal"]) assert.equal(statSync(path + name).mode & 0o077, 0)
  }
})

test("openSqlite() runs with WAL and synchronous = FULL, and refuses a place that does not give them", (t) => {
  const path = pathFor(t)
  const database = openSqliteFile({ path, now })
  assert.equal(database.prepare("PRAGMA journal_mode").get()?.["journal_mode"], "wal")
  assert.equal(database.prepare("PRAGMA synchronous").get()?.["synchronous"], 2)
  database.close()
})

test("D-15 openSqlite() refuses a file of a later version and leaves it as it is", async (t) => {
  const path = pathFor(t)
  await openSqlite({ path, now }).close()
  tamper(path, "PRAGMA user_version = 99")
  assert.throws(() => openSqlite({ path, now }), { code: "store.newer" })
  tamper(path, `PRAGMA user_version = ${migrations.length}`)
  await openSqlite({ path, now }).close()
})

test("openSqlite() refuses a database of another program, and what is no database", async (t) => {
  const path = pathFor(t)
  tamper(path, "CREATE TABLE theirs (a)")
  assert.throws(() => openSqlite({ path, now }), { code: "store.corrupt" })
  tamper(path, "INSERT INTO theirs VALUES (1)")
  const other = `${path}.txt`
  const file = await open(other, "w")
  await file.write("no database at all ".repeat(400))
  await file.close()
  assert.throws(() => openSqlite({ path: other, now }), { code: "store.corrupt" })
  assert.throws(() => openSqlite({ path: join(path, "below-a-file", "x.db"), now }), { code: "store.write" })
})

const addsColumn: Migration = { isAdditive: true, sql: "ALTER TABLE marks ADD COLUMN at INTEGER" }
const dropsTable: Migration = { isAdditive: false, sql: "DROP TABLE heads" }

test("D-15 a migration runs once, and before one that is not additive the file is copied under a date", async (t) => {
  const path = pathFor(t)
  const storage = openSqlite({ path, now })
  await storage.append(eventNamed("kept"), 0)
  await storage.close()
  openSqliteFile({ path, now, steps: [...migrations, addsColumn] }).close()
  const copies = () => readdirSync(join(path, "..")).filter((name) => name.includes("before"))
  assert.deepEqual(copies(), [])
  const steps = [...migrations, addsColumn, dropsTable]
  for (let i = 0; i < 2; i++) openSqliteFile({ path, now, steps }).close()
  assert.deepEqual(copies(), ["store.db.before-20270115T080000Z"])
  const copy = new DatabaseSync(`${path}.before-20270115T080000Z`)
  assert.equal(copy.prepare("SELECT count(*) AS n FROM heads, totals").get()?.["n"], 0)
  assert.equal(copy.prepare("SELECT text FROM events").get()?.["text"], eventNamed("kept").text)
  copy.close()
})

test("D-15 heads of version 1 are brought into an order, and kept", async (t) => {
  const path = pathFor(t)
  openSqliteFile({ path, now, steps: migrations.slice(0, 1) }).close()
  tamper(path, "INSERT INTO heads VALUES ('c', 'k', 1, 'd', 2000, '{}'), ('c', 'k', 2, 'd', 2000, '{}')")
  const storage = openSqlite({ path, now })
  await storage.saveHead({ chain: "c", signer: "k", seq: 3, digest: "d", expiresAt: 2_000, text: "{}" }, 1_000)
  const listed = (await storage.headsAfter(0, 10, 1_000)).map(({ cursor, seq }) => [cursor, seq])
  await storage.close()
  assert.deepEqual(listed, [
    [1, 1],
    [2, 2],
    [1_000_000, 3],
  ])
})

test("D-15 a migration that fails changes nothing", async (t) => {
  const path = pathFor(t)
  await openSqlite({ path, now }).close()
  const broken: Migration = { isAdditive: true, sql: "CREATE TABLE half (a); CREATE TABLE half (b)" }
  assert.throws(() => openSqliteFile({ path, now, steps: [...migrations, broken] }))
  const database = new DatabaseSync(path)
  assert.equal(database.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'half'").get()?.["n"], 0)
  assert.equal(database.prepare("PRAGMA user_version").get()?.["user_version"], migrations.length)
  database.close()
})

test("D-3 G7 a full store refuses, goes on reading, and takes writes again without being opened again", async (t) => {
  const path = pathFor(t)
  const quotaBytes = 200_000
  const storage = openSqlite({ path, now, quotaBytes })
  t.after(() => storage.close())
  const event = (i: number) => eventNamed("", { chain: digestOf(`c${i}`), text: `${i}`.padEnd(3_900, "x") })
  for (let i = 0; i < 5; i++) await storage.writeMark(`${i}`, "y".repeat(10_000))
  const results = await Promise.allSettled(Array.from({ length: 100 }, (_, i) => storage.append(event(i), 0)))
  const stored = results.flatMap((result, i) => (result.status === "fulfilled" ? [i] : []))
  const codes = results.flatMap((result) => (result.status === "rejected" ? [result.reason.code] : []))
  assert.ok(stored.length > 10 && codes.length > 10, `${stored.length} stored`)
  assert.deepEqual(new Set(codes), new Set(["store.full"]))
  await assert.rejects(storage.assertWritable(), { code: "store.full" })
  assert.ok(statSync(path).size <= quotaBytes)
  // What was acknowledged is there, what was refused is not.
  for (let i = 0; i < 100; i++) assert.equal(await storage.sizeOf(digestOf(`c${i}`)), stored.includes(i) ? 1 : 0)
  assert.equal((await storage.counts()).events, stored.length)
  tamper(path, "DELETE FROM marks")
  await storage.assertWritable()
  assert.equal((await storage.append(event(99), 0)).status, "stored")
})

test("a write waits for another process, and says so when that takes too long; the next one succeeds", async (t) => {
  const path = pathFor(t)
  const storage = openSqlite({ path, now, busyMs: 1 })
  t.after(() => storage.close())
  const other = new DatabaseSync(path)
  other.exec("BEGIN IMMEDIATE")
  await assert.rejects(storage.append(eventNamed("a"), 0), { code: "store.busy" })
  assert.equal(await storage.loadChain(digestOf("chain a")), undefined)
  other.exec("ROLLBACK")
  other.close()
  assert.equal((await storage.append(eventNamed("a"), 0)).status, "stored")
})

test("D-4 a damaged page is store.corrupt", async (t) => {
  const path = pathFor(t)
  const storage = openSqlite({ path, now })
  for (let i = 0; i < 50; i++) await storage.append(eventNamed(`${i}`.padEnd(900, "x"), { seq: i }), i)
  await storage.close()
  const file = await open(path, "r+")
  const { size } = await file.stat()
  // All pages but the first, which holds the schema.
  await file.write(Buffer.alloc(size - 4_096, 0xa5), 0, size - 4_096, 4_096)
  await file.close()
  const damaged = openSqlite({ path, now })
  t.after(() => damaged.close())
  await assert.rejects(damaged.loadChain(digestOf("chain a")), { code: "store.corrupt" })
})

test("close() commits what still waits, and refuses later writes", async (t) => {
  const path = pathFor(t)
  const storage = openSqlite({ path, now })
  const writing = storage.append(eventNamed("late"), 0)
  await storage.close()
  assert.equal((await writing).status, "stored")
  await assert.rejects(storage.append(eventNamed("later"), 1), { code: "store.write" })
  const again = openSqlite({ path, now })
  assert.equal(await again.sizeOf(digestOf("chain a")), 1)
  await again.close()
})

test("backupTo() makes a whole copy while writing goes on, and never replaces a file", async (t) => {
  const path = pathFor(t)
  const storage = openSqlite({ path, now })
  t.after(() => storage.close())
  for (let i = 0; i < 20; i++) await storage.append(eventNamed(`${i}`, { seq: i }), i)
  const copying = storage.backupTo(`${path}.copy`)
  const last = storage.append(eventNamed("meanwhile", { seq: 20 }), 20)
  await Promise.all([copying, last])
  const copy = openSqlite({ path: `${path}.copy`, now })
  assert.ok((await copy.sizeOf(digestOf("chain a"))) >= 20)
  await copy.close()
  const { mtimeMs } = statSync(`${path}.copy`)
  await assert.rejects(storage.backupTo(`${path}.copy`), { code: "store.exists" })
  assert.equal(statSync(`${path}.copy`).mtimeMs, mtimeMs)
  await assert.rejects(storage.backupTo(join(path, "no", "folder")), { code: "store.write" })
  assert.equal(existsSync(`${path}.copy.partial`), false)
})
