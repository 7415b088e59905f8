/** Steps that wait in one row each until their rows follow: there after a kill, in their order, and gone from the file once nothing happens. */
import assert from "node:assert/strict"
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { type TestContext, test } from "node:test"
import { KezError } from "@kez/core"
import { createMemoryStore } from "../src/store/memory.ts"
import { createRowSeal } from "../src/store/seal.ts"
import { createSealedStore, type SealedRows } from "../src/store/sealed-store.ts"
import { openSqliteStore } from "../src/store/sqlite.ts"
import { type Change, type EngineStore, under } from "../src/store/store.ts"

const key = new Uint8Array(32).fill(5)
const value = (text: string): Uint8Array => new TextEncoder().encode(text)

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "kez-chat-steps-"))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function openIn(t: TestContext, folder: string): EngineStore {
  const store = openSqliteStore({ folder, key, holder: "kez chat" })
  t.after(() => store.close())
  return store
}

/** The files as a kill at this moment leaves them, in a folder of their own. */
function killed(t: TestContext, folder: string): string {
  const copy = folderOf(t)
  for (const name of ["chat.db", "chat.db-wal"]) {
    if (existsSync(join(folder, name))) copyFileSync(join(folder, name), join(copy, name))
  }
  return copy
}

function keysIn(folder: string): readonly string[] {
  const database = new DatabaseSync(join(folder, "chat.db"))
  try {
    return database
      .prepare("SELECT key FROM rows ORDER BY key")
      .all()
      .map((row) => String(row["key"]))
  } finally {
    database.close()
  }
}

const isStep = (name: string): boolean => name.startsWith("\x7f")

const shown = async (store: EngineStore): Promise<unknown> =>
  (await store.list(under(""))).map(({ key: name, value: found }) => [name, found.length, found[0]])

test("whatever was written is there after a kill, at each place of a long run", async (t) => {
  const folder = folderOf(t)
  const store = openIn(t, folder)
  const plain = createMemoryStore()
  let state = 11
  const draw = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
  const changeOf = (): Change => {
    const name = `${"xy"[draw(2)]}/${draw(20)}`
    // Now and then one that is too large for a step.
    const length = draw(25) === 0 ? 70_000 : 1 + draw(900)
    return draw(3) === 0 ? { delete: name } : { put: name, value: new Uint8Array(length).fill(draw(256)) }
  }
  for (let step = 0; step < 120; step++) {
    const changes = Array.from({ length: 1 + draw(6) }, changeOf)
    await store.write(changes)
    await plain.write(changes)
    if (step % 3 !== 0) continue
    const copy = killed(t, folder)
    const again = openIn(t, copy)
    assert.deepEqual(await shown(again), await shown(plain), `after step ${step}`)
    assert.deepEqual(await shown(store), await shown(plain), `in step ${step}`)
    // It goes on from there.
    await again.write([{ put: "x/more", value: value("more") }])
    await again.close()
    const third = openIn(t, copy)
    assert.equal((await third.get("x/more"))?.length, 4)
    await third.close()
    assert.ok(!keysIn(copy).some(isStep))
  }
})

test("a second after the last write old values have left the rows, and no step is left", async (t) => {
  const folder = folderOf(t)
  const store = openIn(t, folder)
  for (let i = 0; i < 5; i++) await store.write([{ put: "ratchet", value: value(`key ${i}`) }])
  assert.equal(keysIn(killed(t, folder)).filter(isStep).length, 5)
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  assert.deepEqual(keysIn(killed(t, folder)), ["ratchet"])
  assert.equal(new TextDecoder().decode(await store.get("ratchet")), "key 4")
})

test("what a killed process left goes into its rows in the next one too, though that only reads", async (t) => {
  const folder = folderOf(t)
  const store = openIn(t, folder)
  for (let i = 0; i < 5; i++) await store.write([{ put: "ratchet", value: value(`key ${i}`) }])
  const copy = killed(t, folder)
  const again = openIn(t, copy)
  assert.equal(new TextDecoder().decode(await again.get("ratchet")), "key 4")
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  assert.deepEqual(keysIn(killed(t, copy)), ["ratchet"])
  const closing = [again.close(), again.close()]
  await closing[1]
  await openIn(t, copy).close()
  await Promise.all(closing)
})

test("keys that would not come back as they are, and a list beside a write that is too large for a step", async (t) => {
  const folder = folderOf(t)
  const store = openIn(t, folder)
  await store.write([{ put: "\ufeffx", value: value("1") }])
  await store.write([{ put: "y", value: value("old") }])
  const writing = store.write([
    { put: "y", value: value("new") },
    { put: "z", value: new Uint8Array(70_000) },
  ])
  const seen = new Set<string>()
  for (let i = 0; i < 20; i++) {
    const rows = await store.list({ from: "y", to: "z\x7f", limit: 9 + i })
    seen.add(
      rows
        .map((row) => `${row.key} ${row.value.length === 3 ? new TextDecoder().decode(row.value) : "long"}`)
        .join(", "),
    )
  }
  await writing
  assert.deepEqual(
    [...seen].filter((rows) => rows !== "y old" && rows !== "y new, z long"),
    [],
  )
  const again = openIn(t, killed(t, folder))
  assert.equal(new TextDecoder().decode(await again.get("\ufeffx")), "1")
  assert.equal(new TextDecoder().decode(await again.get("y")), "new")
})

test("a step that stands in the place of another, or was altered, is not taken", async (t) => {
  const folder = folderOf(t)
  const store = openIn(t, folder)
  await store.write([{ put: "a", value: value("1") }])
  await store.write([{ put: "a", value: value("2") }])
  const copy = killed(t, folder)
  const database = new DatabaseSync(join(copy, "chat.db"))
  database.exec("UPDATE rows SET value = (SELECT value FROM rows ORDER BY key LIMIT 1)")
  database.close()
  const swapped = openIn(t, copy)
  await assert.rejects(swapped.get("a"), { code: "store.corrupt" })
  await assert.rejects(swapped.write([{ put: "b", value: value("3") }]), { code: "store.corrupt" })
  await assert.rejects(swapped.list(under("")), { code: "store.corrupt" })
})

test("a file of before is opened, and left alone by who knows no steps", async (t) => {
  const folder = folderOf(t)
  await openIn(t, folder).close()
  const path = join(folder, "chat.db")
  const versionOf = (change = ""): unknown => {
    const database = new DatabaseSync(path)
    if (change !== "") database.exec(change)
    const row = database.prepare("PRAGMA user_version").get()
    database.close()
    return row?.["user_version"]
  }
  assert.equal(versionOf("PRAGMA user_version = 1"), 1)
  const store = openIn(t, folder)
  await store.write([{ put: "a", value: value("1") }])
  await store.close()
  assert.equal(versionOf(), 2)
})

test("rows that cannot follow now follow later; what was written stands meanwhile, for a process that comes after it too", async () => {
  const plain = new Map<string, Uint8Array>()
  const inner = createMemoryStore(plain)
  let isFull = true
  const rows: SealedRows = {
    ...inner,
    assertOpen: () => undefined,
    write(changes) {
      if (isFull && changes.length > 1)
        throw new KezError("store.full", "Cannot write to the chat's store: the disk is full")
      return inner.write(changes)
    },
  }
  const due: (() => void)[] = []
  const openWith = (after: (ms: number, run: () => void) => void): EngineStore =>
    createSealedStore(rows, createRowSeal(key), { after })
  // Of a process that comes after it, looked into and left.
  const later = (): EngineStore => openWith(() => undefined)
  const store = openWith((_, run) => void due.push(run))
  for (let i = 0; i < 20; i++) await store.write([{ put: `k/${i % 3}`, value: value(`${i}`) }, { delete: "k/2" }])
  for (const run of due.splice(0)) run()
  const texts = async (of: EngineStore): Promise<readonly string[]> =>
    (await of.list(under("k/"))).map(({ value: found }) => new TextDecoder().decode(found))
  assert.deepEqual(await texts(store), ["18", "19"])
  assert.deepEqual(await texts(later()), ["18", "19"])
  isFull = false
  await store.write([{ put: "k/0", value: value("20") }])
  for (const run of due.splice(0)) run()
  await store.close()
  assert.deepEqual([...plain.keys()].sort(), ["k/0", "k/1"])
  assert.deepEqual(await texts(later()), ["20", "19"])
})
