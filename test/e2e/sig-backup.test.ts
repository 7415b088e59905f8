/** Backups between SQLite and a real PostgreSQL, and a restore that is killed in the middle. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { backup } from "../../apps/sig-server/src/backup.ts"
import { restore } from "../../apps/sig-server/src/restore.ts"
import { openPostgres } from "../../apps/sig-server/src/storage/postgres.ts"
import { openSqlite } from "../../apps/sig-server/src/storage/sqlite.ts"
import type { Storage } from "../../apps/sig-server/src/storage/storage.ts"
import { addTo, headOf, makeChain, makeFork, now, storeEvents } from "../../apps/sig-server/test/chain-maker.ts"
import { postgresMissing, startPostgres } from "../support/postgres.ts"

const skip = postgresMissing
const server = skip === false ? await startPostgres() : undefined
const dir = mkdtempSync(join(tmpdir(), "kez-backup-"))
after(async () => {
  await server?.close()
  rmSync(dir, { recursive: true, force: true })
})
let files = 0

function newFile(): string {
  return join(dir, String(++files))
}

async function newDatabase(): Promise<string> {
  if (server === undefined) throw new Error("unreachable: the test is skipped without a server")
  return await server.createDatabase()
}

function open(place: string): Storage | Promise<Storage> {
  return place.startsWith("postgres:") ? openPostgres(place) : openSqlite({ path: place, now: () => now })
}

async function using<T>(place: string, work: (storage: Storage) => Promise<T>): Promise<T> {
  const storage = await open(place)
  try {
    return await work(storage)
  } finally {
    await storage.close()
  }
}

/** Chains that grew side by side, one a fork, one with a head. */
async function fillWith(storage: Storage, chains: number): Promise<void> {
  const fork = await makeFork("fork", 1)
  for (let i = 0; i < chains; i++) {
    const chain = await makeChain(`c${i}`, 3)
    await storeEvents(storage, { ...chain, events: chain.events.slice(0, 1) })
    await storeEvents(storage, { ...fork, events: fork.events.slice(0, i + 1) })
    await storeEvents(storage, chain)
    if (i === 1) await storage.saveHead(await headOf(chain, `c${i}`), now)
  }
}

test("restore() moves a store from SQLite to PostgreSQL and back, to the same bytes", { skip }, async () => {
  const [one, two, three] = [newFile(), newFile(), newFile()]
  const [from, to, url] = [newFile(), newFile(), await newDatabase()]
  await using(from, async (storage) => {
    await fillWith(storage, 30)
    await backup({ storage, path: one, now })
  })
  await using(url, async (storage) => {
    const result = await restore(storage, { path: one, now })
    assert.deepEqual(result, { chains: 31, events: 94, heads: 1, headsLeftOut: 0 })
    await backup({ storage, path: two, now })
    await assert.rejects(restore(storage, { path: one, now }), { code: "store.exists" })
    const { events, chains } = await storage.counts()
    assert.deepEqual([events, chains], [94, 31])
    // It goes on after what it got.
    await storeEvents(storage, await addTo(await makeChain("c0", 3), "c0", "dns:later.example"))
    assert.equal((await storage.eventsAfter(94, 10))[0]?.cursor, 95)
  })
  await using(to, async (storage) => {
    await restore(storage, { path: two, now })
    await backup({ storage, path: three, now })
  })
  assert.deepEqual(readFileSync(two), readFileSync(one))
  assert.deepEqual(readFileSync(three), readFileSync(one))
})

test("D-4 restore() of a damaged backup leaves PostgreSQL empty", { skip }, async () => {
  const [from, path, url] = [newFile(), newFile(), await newDatabase()]
  await using(from, async (storage) => {
    await fillWith(storage, 300)
    await backup({ storage, path, now })
  })
  const whole = readFileSync(path)
  await using(url, async (storage) => {
    for (const at of [0.3, 0.8, 0.999]) {
      const hurt = Buffer.from(whole)
      const place = Math.floor(at * whole.length)
      hurt[place] = (hurt[place] ?? 0) ^ 1
      writeFileSync(path, hurt)
      await assert.rejects(restore(storage, { path, now }), { code: "store.corrupt" })
      assert.deepEqual(await storage.counts(), { events: 0, chains: 0, bytes: 0 })
      assert.deepEqual(await storage.eventsAfter(0, 10), [])
    }
    writeFileSync(path, whole)
    await restore(storage, { path, now })
  })
})

test("D-1 kill -9 in the middle of a restore leaves an empty store, which the next restore fills", {
  skip,
}, async () => {
  const [from, path] = [newFile(), newFile()]
  const chains = 250
  await using(from, async (storage) => {
    await fillWith(storage, chains)
    await backup({ storage, path, now })
  })
  for (const place of [newFile(), await newDatabase()]) {
    for (const killAt of [1, 120, 250]) {
      await restoreAndKill(path, place, killAt)
      await using(place, async (storage) => {
        assert.deepEqual(await storage.counts(), { events: 0, chains: 0, bytes: 0 })
        assert.deepEqual(await storage.eventsAfter(0, 1), [])
      })
    }
    await using(place, async (storage) => {
      assert.equal((await restore(storage, { path, now })).chains, chains + 1)
    })
  }
})

async function restoreAndKill(path: string, place: string, atChain: number): Promise<void> {
  const script = join(import.meta.dirname, "../support/restore-process.ts")
  const child = spawn(process.execPath, [script, path, place, String(atChain)], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  const exited = once(child, "exit")
  await Promise.race([once(child.stdout, "data"), exited])
  child.kill("SIGKILL")
  const [, signal] = await exited
  assert.equal(signal, "SIGKILL", "it was killed before it was done")
}
