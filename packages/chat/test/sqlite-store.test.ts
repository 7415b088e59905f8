/** The engine's store in a file: durable settings, sealed values, one process at a time, and what is said when something is wrong. */
import assert from "node:assert/strict"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { type TestContext, test } from "node:test"
import { createMemoryStore } from "../src/store/memory.ts"
import { openSqliteStore } from "../src/store/sqlite.ts"
import { type EngineStore, under } from "../src/store/store.ts"
import { durableCases, storeCases } from "./support/store-suite.ts"

const key = new Uint8Array(32).fill(5)
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value)

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "kez-chat-store-"))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function open(t: TestContext, folder: string, more: { readonly key?: Uint8Array } = {}): EngineStore {
  const store = openSqliteStore({ folder, key, holder: "kez chat", ...more })
  t.after(() => store.close())
  return store
}

for (const { name, run } of [...storeCases, ...durableCases]) {
  test(`sqlite: ${name}`, async (t) => {
    const folder = folderOf(t)
    await run(async () => open(t, folder))
  })
}

for (const { name, run } of storeCases) {
  test(`memory: ${name}`, async () => {
    const rows = new Map<string, Uint8Array>()
    await run(async () => createMemoryStore(rows))
  })
}

test("the file holds no text, in its log neither, and nobody else can read it", async (t) => {
  const folder = folderOf(t)
  const store = open(t, folder)
  for (let i = 0; i < 100; i++) await store.write([{ put: `k${i}`, value: bytes("canary-5f1c") }])
  for (const name of readdirSync(folder)) {
    assert.ok(!readFileSync(join(folder, name)).includes("canary-5f1c"), name)
  }
  assert.equal(statSync(join(folder, "chat.db")).mode & 0o077, 0)
})

test("what was written is there again; another key opens nothing, and no row stands for another", async (t) => {
  const folder = folderOf(t)
  const first = open(t, folder)
  await first.write([
    { put: "a", value: bytes("1") },
    { put: "b", value: bytes("2") },
  ])
  await first.close()
  const again = open(t, folder)
  assert.equal(text(await again.get("a")), "1")
  await again.close()
  const database = new DatabaseSync(join(folder, "chat.db"))
  database.exec("UPDATE rows SET value = (SELECT value FROM rows WHERE key = 'b') WHERE key = 'a'")
  database.close()
  const swapped = open(t, folder)
  await assert.rejects(swapped.get("a"), { code: "store.corrupt" })
  await swapped.close()
  const other = open(t, folder, { key: new Uint8Array(32).fill(6) })
  await assert.rejects(other.get("b"), { code: "store.corrupt" })
  await other.close()
  assert.throws(() => openSqliteStore({ folder, key: new Uint8Array(16), holder: "" }), { code: "key.encoding" })
})

test("a store that is open is not opened again, and says who has it; nothing has to be cleared away afterwards", async (t) => {
  const folder = folderOf(t)
  const store = open(t, folder)
  assert.throws(() => openSqliteStore({ folder, key, holder: "again" }), {
    code: "store.busy",
    message: new RegExp(`kez chat \\(process ${process.pid}\\)`),
  })
  await store.close()
  await open(t, folder).close()
})

test("files of other programs and of newer versions are left alone", async (t) => {
  const folder = folderOf(t)
  await open(t, folder).close()
  const database = new DatabaseSync(join(folder, "chat.db"))
  database.exec("PRAGMA user_version = 99")
  database.close()
  assert.throws(() => openSqliteStore({ folder, key, holder: "" }), { code: "store.newer" })
  const foreign = folderOf(t)
  writeFileSync(join(foreign, "chat.db"), "this is no database, but a text that somebody put there".repeat(40))
  assert.throws(() => openSqliteStore({ folder: foreign, key, holder: "" }), { code: "store.corrupt" })
  assert.throws(() => openSqliteStore({ folder: join(foreign, "chat.db", "x"), key, holder: "" }), {
    code: "store.write",
  })
})

test("sqlite: rows and lists that are kept in memory are what is in the file", async (t) => {
  const folder = folderOf(t)
  const store = open(t, folder)
  assert.equal(await store.get("a"), undefined)
  await store.write([{ put: "a", value: bytes("one") }])
  assert.equal(text(await store.get("a")), "one")
  await store.write([
    { put: "a", value: bytes("two") },
    { put: "b", value: new Uint8Array(20_000).fill(1) },
  ])
  await store.write([{ delete: "a" }])
  assert.equal(await store.get("a"), undefined)
  assert.equal((await store.get("b"))?.length, 20_000)
  await store.close()
  await assert.rejects(store.get("b"), { code: "store.write" })
  const again = open(t, folder)
  assert.deepEqual([await again.get("a"), (await again.get("b"))?.length], [undefined, 20_000])
  const keysOf = async (prefix: string, limit?: number): Promise<readonly string[]> =>
    (await again.list({ ...under(prefix), ...(limit === undefined ? {} : { limit }) })).map(({ key }) => key)
  assert.deepEqual([await keysOf("x/"), await keysOf("x/1/"), await keysOf("y/")], [[], [], []])
  await again.write([
    { put: "x/1/b", value: bytes("b") },
    { put: "x/1/a", value: bytes("a") },
  ])
  assert.deepEqual(
    [await keysOf("x/"), await keysOf("x/1/", 1), await keysOf("y/")],
    [["x/1/a", "x/1/b"], ["x/1/a"], []],
  )
  await again.write([{ put: "x/1/a", value: bytes("c") }])
  assert.equal(text((await again.list(under("x/1/")))[0]?.value), "c")
  await again.write([{ delete: "x/1/a" }])
  assert.deepEqual([await keysOf("x/"), await keysOf("x/1/", 1)], [["x/1/b"], ["x/1/b"]])
  // All parts: no single change would be found in it.
  assert.deepEqual(await keysOf(""), ["b", "x/1/b"])
  await again.write([{ put: "z", value: bytes("z") }])
  assert.deepEqual(await keysOf(""), ["b", "x/1/b", "z"])
})

test("what was deleted is not in the file any more", async (t) => {
  const folder = folderOf(t)
  const store = openSqliteStore({ folder, key, holder: "kez chat" })
  const names = Array.from({ length: 200 }, (_, i) => `forgotten/${i}`)
  await store.write(names.map((put) => ({ put, value: new Uint8Array(300) })))
  await store.write([{ put: "kept", value: new Uint8Array(1) }])
  await store.write(names.map((name) => ({ delete: name })))
  await store.close()
  const left = readdirSync(folder).map((name) => readFileSync(join(folder, name)).toString("latin1"))
  assert.ok(left.some((one) => one.includes("kept")))
  assert.ok(left.every((one) => !one.includes("forgotten/")))
})
