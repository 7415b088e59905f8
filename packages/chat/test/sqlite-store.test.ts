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

for (const [name, make] of [
  ["sqlite", (t: TestContext) => open(t, folderOf(t))],
  ["memory", () => createMemoryStore()],
] as const) {
  test(`${name}: rows in the order of their keys, ranges, limits, from the end`, async (t) => {
    const store = make(t)
    await store.write(["b/2", "a/1", "b/1", "b/10", "c"].map((put) => ({ put, value: bytes(put) })))
    const keys = async (options: Parameters<EngineStore["list"]>[0]) =>
      (await store.list(options)).map((row) => row.key)
    assert.deepEqual(await keys(under("b/")), ["b/1", "b/10", "b/2"])
    assert.deepEqual(await keys({ ...under("b/"), limit: 2 }), ["b/1", "b/10"])
    assert.deepEqual(await keys({ ...under("b/"), limit: 1, reverse: true }), ["b/2"])
    await store.write([{ delete: "b/1" }, { put: "a/1", value: bytes("changed") }, { delete: "nothing" }])
    assert.deepEqual([text(await store.get("a/1")), await store.get("b/1")], ["changed", undefined])
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

test("a write whose last change fails changes nothing", async (t) => {
  const store = open(t, folderOf(t))
  await store.write([{ put: "a", value: bytes("1") }])
  const broken = [
    { put: "a", value: bytes("2") },
    { put: null as unknown as string, value: bytes("3") },
  ]
  await assert.rejects(store.write(broken))
  assert.equal(text(await store.get("a")), "1")
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

test("sqlite: whatever is written, lists are those of a store that keeps nothing in memory", async (t) => {
  const store = open(t, folderOf(t))
  const plain = createMemoryStore()
  let state = 7
  const draw = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
  for (let step = 0; step < 300; step++) {
    const changes = Array.from({ length: 1 + draw(3) }, () => {
      const key = `${"xy"[draw(2)]}/${draw(3)}/${draw(12)}`
      return draw(3) === 0 ? { delete: key } : { put: key, value: Uint8Array.of(draw(256)) }
    })
    await store.write(changes)
    await plain.write(changes)
    const prefix = ["", "x/", "y/", "x/1/", "y/2/", "x/1/1"][draw(6)] ?? ""
    const limit = [undefined, 1, 2, 5][draw(4)]
    const options = { ...under(prefix), ...(limit === undefined ? {} : { limit }), reverse: draw(4) === 0 }
    const [found, wanted] = [await store.list(options), await plain.list(options)]
    assert.deepEqual(
      found.map(({ key, value }) => [key, value[0]]),
      wanted.map(({ key, value }) => [key, value[0]]),
      `step ${step}: ${JSON.stringify(options)}`,
    )
  }
})
