/** Backup and restore: what comes back is what was there, or nothing. */
import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type TestContext, test } from "node:test"
import { type BackupSource, backup } from "../src/backup.ts"
import { checkBackup, restore } from "../src/restore.ts"
import { openSqlite } from "../src/storage/sqlite.ts"
import type { Storage } from "../src/storage/storage.ts"
import { addTo, headOf, makeChain, makeFork, now, storeEvents } from "./chain-maker.ts"

interface World {
  readonly dir: string
  readonly file: string
  open(name: string): Storage
}

function newWorld(t: TestContext): World {
  const dir = mkdtempSync(join(tmpdir(), "kez-backup-"))
  const opened: Storage[] = []
  t.after(async () => {
    for (const storage of opened) await storage.close()
    rmSync(dir, { recursive: true, force: true })
  })
  return {
    dir,
    file: join(dir, "backup.jsonl"),
    open(name) {
      const storage = openSqlite({ path: join(dir, name), now: () => now })
      opened.push(storage)
      return storage
    },
  }
}

/** Three chains that grew side by side, one of them a fork, and two heads. */
async function filled(world: World): Promise<Storage> {
  const storage = world.open("one.db")
  const [a, b, fork] = [await makeChain("a", 3), await makeChain("b", 4), await makeFork("c", 1)]
  await storeEvents(storage, { ...a, events: a.events.slice(0, 1) })
  await storeEvents(storage, b)
  await storeEvents(storage, fork)
  await storeEvents(storage, a)
  await storage.saveHead(await headOf(a, "a"), now)
  await storage.saveHead(await headOf(b, "b", 60), now)
  return storage
}

/** The storage as a backup sees it, with something else here and there. */
function but(storage: Storage, changes: Partial<BackupSource>): BackupSource {
  return {
    eventsAfter: (cursor, limit) => storage.eventsAfter(cursor, limit),
    loadChain: (chain) => storage.loadChain(chain),
    loadHeads: (chain, at) => storage.loadHeads(chain, at),
    ...changes,
  }
}

async function contents(storage: Storage) {
  const events = await storage.eventsAfter(0, 1_000)
  const chains = [...new Set(events.map(({ chain }) => chain))]
  const heads = await Promise.all(chains.map((chain) => storage.loadHeads(chain, now)))
  const primaries = await Promise.all(
    events.map(async ({ text }) => storage.chainsOfPrimary(JSON.parse(text).payload.primary)),
  )
  return { events, heads, primaries, counts: await storage.counts() }
}

/** The file with another end that fits what stands before it: what somebody could do who wants to be believed. */
function resealed(lines: readonly string[]): string {
  const body = lines.map((line) => `${line}\n`).join("")
  const count = (start: string): number => lines.filter((line) => line.startsWith(start)).length
  const events = lines.slice(1).filter((line) => line.startsWith('{"cursor"')).length
  const sha256 = createHash("sha256").update(body).digest("hex")
  return `${body}{"events":${events},"heads":${count('{"head"')},"sha256":"${sha256}"}\n`
}

test("restore() brings back the same events, cursors, heads and indexes", async (t) => {
  const world = newWorld(t)
  const from = await filled(world)
  assert.deepEqual(await backup({ storage: from, path: world.file, now }), { events: 11, heads: 2 })
  assert.deepEqual(await checkBackup({ path: world.file, now }), { chains: 3, events: 11, heads: 2, headsLeftOut: 0 })
  const to = world.open("two.db")
  await restore(to, { path: world.file, now })
  assert.deepEqual(await contents(to), await contents(from))
  await storeEvents(to, await addTo(await makeChain("a", 3), "a", "dns:later.example"))
  assert.equal((await to.eventsAfter(11, 10))[0]?.cursor, 12, "it goes on after the last cursor")
})

test("backup() of an empty store is restored as one", async (t) => {
  const world = newWorld(t)
  await backup({ storage: world.open("one.db"), path: world.file, now })
  await restore(world.open("two.db"), { path: world.file, now })
  assert.deepEqual(await world.open("two.db").counts(), { events: 0, chains: 0, bytes: 0 })
})

test("backup() is one state of the store, whatever is appended while it runs", async (t) => {
  const world = newWorld(t)
  const storage = await filled(world)
  const [a, b] = [await addTo(await makeChain("a", 3), "a", "dns:x.example"), await makeChain("late", 2)]
  // Appends before each chain that is read.
  const busy = but(storage, {
    loadChain: async (chain: string) => {
      await storeEvents(storage, a)
      await storeEvents(storage, b)
      return await storage.loadChain(chain)
    },
  })
  assert.equal((await backup({ storage: busy, path: world.file, now })).events, 11)
  assert.equal((await storage.counts()).events, 14)
  assert.equal((await checkBackup({ path: world.file, now })).events, 11)
})

test("backup() replaces an older file only by a whole one, and leaves no other file", async (t) => {
  const world = newWorld(t)
  const storage = await filled(world)
  await backup({ storage, path: world.file, now })
  const before = readFileSync(world.file)
  const broken = but(storage, { loadHeads: () => Promise.reject(new Error("the disk is gone")) })
  await assert.rejects(backup({ storage: broken, path: world.file, now }), /the disk is gone/)
  assert.deepEqual(readFileSync(world.file), before)
  assert.deepEqual(
    readdirSync(world.dir).filter((name) => name.includes(".part")),
    [],
  )
  await assert.rejects(backup({ storage, path: join(world.dir, "missing/backup"), now }), { code: "store.write" })
})

test("D-4 backup() finds a stored event that is damaged", async (t) => {
  const world = newWorld(t)
  const storage = await filled(world)
  const damaged = but(storage, {
    loadChain: async (chain) => {
      const { events = [], size = 0 } = (await storage.loadChain(chain)) ?? {}
      return { events: events.map((event) => ({ ...event, text: event.text.replace("a1", "a7") })), size }
    },
  })
  await assert.rejects(backup({ storage: damaged, path: world.file, now }), { code: "store.corrupt" })
  assert.equal(existsSync(world.file), false)
})

test("restore() refuses a store that is not empty", async (t) => {
  const world = newWorld(t)
  const storage = await filled(world)
  await backup({ storage, path: world.file, now })
  const before = await contents(storage)
  await assert.rejects(restore(storage, { path: world.file, now }), { code: "store.exists" })
  assert.deepEqual(await contents(storage), before)
})

test("D-4 restore() refuses a backup with any bit flipped, or cut anywhere, and leaves the store empty", async (t) => {
  const world = newWorld(t)
  await backup({ storage: await filled(world), path: world.file, now })
  const whole = readFileSync(world.file)
  const target = world.open("two.db")
  const hurt = join(world.dir, "hurt.jsonl")
  for (let i = 0; i < 60; i++) {
    const at = Math.floor((whole.length * i) / 60)
    const flipped = Buffer.from(whole)
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (i % 8))
    for (const bytes of [flipped, whole.subarray(0, at)]) {
      writeFileSync(hurt, bytes)
      await assert.rejects(restore(target, { path: hurt, now }), (error: Error & { code?: string }) => {
        assert.match(error.code ?? "", /^store\.(corrupt|unknown|newer)$/, `${at} of ${whole.length}: ${error.message}`)
        return true
      })
    }
  }
  assert.deepEqual(await target.counts(), { events: 0, chains: 0, bytes: 0 })
  await restore(target, { path: world.file, now })
  assert.equal((await target.counts()).events, 11)
})

test("restore() refuses files that are no backup", async (t) => {
  const world = newWorld(t)
  const target = world.open("two.db")
  await backup({ storage: await filled(world), path: world.file, now })
  const whole = readFileSync(world.file, "utf8")
  const cases: readonly (readonly [string | Buffer, string])[] = [
    ["", "store.unknown"],
    ["\n", "store.unknown"],
    ['{"kez":"claim"}\n', "store.unknown"],
    [readFileSync(join(world.dir, "one.db")), "store.corrupt"],
    ["x".repeat(1_000_000), "store.corrupt"],
    [whole.replace('"version":1}', '"version":2}'), "store.newer"],
    [whole.replaceAll("\n", "\r\n"), "store.unknown"],
    [whole + whole, "store.corrupt"],
    [`${whole}\n`, "store.corrupt"],
  ]
  for (const [bytes, code] of cases) {
    writeFileSync(world.file, bytes)
    await assert.rejects(restore(target, { path: world.file, now }), { code })
  }
  await assert.rejects(restore(target, { path: join(world.dir, "missing"), now }), { code: "input.unreadable" })
  assert.equal((await target.counts()).events, 0)
})

test("restore() believes no backup that was made up: every chain is replayed", async (t) => {
  const world = newWorld(t)
  await backup({ storage: await filled(world), path: world.file, now })
  const lines = readFileSync(world.file, "utf8").trimEnd().split("\n").slice(0, -1)
  const isEvent = (line: string | undefined) => line?.startsWith('{"cursor"') === true && line.includes('"event"')
  const at = lines.findIndex((line) => line.includes('"seq":1'))
  const line = lines[at] ?? ""
  const forged: Readonly<Record<string, readonly string[]>> = {
    "a signature": lines.with(at, line.replace(/"sig":"../, '"sig":"00')),
    "an account": lines.with(at, line.replace("a1.", "b1.")),
    "an event left out": lines.toSpliced(at, 1),
    "an event 0 left out": lines.toSpliced(1, 1),
    "an event of another chain": lines.toSpliced(at, 0, lines.findLast(isEvent) ?? ""),
    "an event twice": lines.toSpliced(at, 0, line),
    "a chain twice": [...lines, ...lines.slice(1)],
    "not canonical": lines.with(at, line.replace('"op":', ' "op":')),
    "a later cursor": lines.with(at, line.replace(/"cursor":\d+/, '"cursor":999')),
    "a cursor twice": lines.with(at, line.replace(/"cursor":\d+/, '"cursor":1')),
    "a head first": lines.toSpliced(1, 0, lines.find((each) => each.startsWith('{"head"')) ?? ""),
  }
  const target = world.open("two.db")
  for (const [what, made] of Object.entries(forged)) {
    writeFileSync(world.file, resealed(made))
    await assert.rejects(restore(target, { path: world.file, now }), { code: "store.corrupt" }, what)
    assert.equal((await target.counts()).events, 0, what)
  }
  writeFileSync(world.file, resealed(lines))
  await restore(target, { path: world.file, now })
  assert.equal((await target.counts()).events, 11)
})

test("a chain with very many heads makes no backup that cannot be restored", async (t) => {
  const world = newWorld(t)
  const storage = await filled(world)
  const chain = await makeChain("d", 2)
  await storeEvents(storage, chain)
  const own = await headOf(chain, "d")
  // Devices that come and go leave theirs behind until they expire.
  const others = Array.from({ length: 1_100 }, (_, i) => ({
    ...own,
    signer: `gone ${i}`,
    seq: 0,
    text: `{"gone":${i}}`,
  }))
  await Promise.all([own, ...others].map((head) => storage.saveHead(head, now)))
  await backup({ storage, path: world.file, now })
  const target = world.open("two.db")
  await restore(target, { path: world.file, now }).catch((error: Error) => assert.fail(error.message))
  assert.equal((await target.loadHeads(own.chain, now))[0]?.text, own.text)
})

test("restore() leaves heads out that count no more", async (t) => {
  const world = newWorld(t)
  await backup({ storage: await filled(world), path: world.file, now })
  const later = now + 120
  const target = world.open("two.db")
  const { heads, headsLeftOut } = await restore(target, { path: world.file, now: later })
  assert.deepEqual([heads, headsLeftOut], [1, 1])
})
