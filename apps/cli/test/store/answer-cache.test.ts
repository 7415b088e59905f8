/** What is kept of platforms' answers between commands, and that no damage of it is ever an error. SPEC NET-3, NET-4 */
import assert from "node:assert/strict"
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { test } from "node:test"
import { type AnswerCacheLimits, maxClosedHosts } from "@kez/channels"
import { openNetMemory } from "../../src/store/answer-cache.ts"
import { now, temporaryDir } from "../support/people.ts"

const page = { url: "https://a.example/page", isAuthorized: false, variant: "application/json\n" }
const kez = { headers: { etag: '"1"', "content-type": "application/json" }, body: new TextEncoder().encode("kez") }

type Test = Parameters<typeof temporaryDir>[0]

/** Opens the same file again and again, as commands do. */
function fileOf(t: Test, limits?: AnswerCacheLimits) {
  const path = join(temporaryDir(t), "cache", "answers.db")
  const open = (time = now) => openNetMemory(path, { now: () => time, ...(limits === undefined ? {} : { limits }) })
  return { path, open }
}

test("an answer is there for the next command, byte for byte, and for its own question only", async (t) => {
  const { open } = fileOf(t)
  await open().cache.set(page, kez)
  const { cache } = open()
  assert.deepEqual(await cache.get(page), kez)
  for (const other of [
    { ...page, url: "https://a.example/page/" },
    { ...page, url: "https://b.example/page" },
    { ...page, isAuthorized: true },
    { ...page, variant: "text/html\n" },
  ]) {
    assert.equal(await cache.get(other), undefined, JSON.stringify(other))
  }
})

test("nothing is made by asking, and the file is for its owner alone", {
  skip: process.platform === "win32",
}, async (t) => {
  const { path, open } = fileOf(t)
  const { cache, rateLimits } = open()
  assert.equal(await cache.get(page), undefined)
  assert.equal(await rateLimits.closedUntil({ host: "a.example", isAuthorized: false }), 0)
  assert.equal(existsSync(path), false)
  await cache.set(page, kez)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(statSync(join(path, "..")).mode & 0o777, 0o700)
})

test("an answer is forgotten after seven days", async (t) => {
  const { open } = fileOf(t)
  await open().cache.set(page, kez)
  assert.deepEqual(await open(now + 7 * 86_400).cache.get(page), kez)
  assert.equal(await open(now + 7 * 86_400 + 1).cache.get(page), undefined)
})

test("the oldest answers go when there are too many of them, or too many bytes", async (t) => {
  const { open } = fileOf(t, { maxEntries: 3, maxBytes: 7, maxEntryBytes: 5 })
  const at = (name: string) => ({ ...page, url: `https://a.example/${name}` })
  const sized = (bytes: number) => ({ ...kez, body: new Uint8Array(bytes) })
  const { cache } = open()
  const kept = async () => {
    const names = ["a", "b", "c", "d", "e"]
    const found = await Promise.all(names.map((name) => cache.get(at(name))))
    return names.filter((_, i) => found[i] !== undefined).join("")
  }
  for (const name of ["a", "b", "c", "d"]) await cache.set(at(name), sized(1))
  assert.equal(await kept(), "bcd")
  await cache.set(at("e"), sized(5))
  assert.equal(await kept(), "cde")
  await cache.set(at("c"), sized(2))
  assert.equal(await kept(), "ce")
  await cache.set(at("a"), sized(6))
  assert.equal(await kept(), "ce")
  await cache.set(at("c"), sized(6))
  assert.equal(await kept(), "e")
})

test("a host that asked to wait is known to the next command, with and without credentials apart", async (t) => {
  const { open } = fileOf(t)
  const host = { host: "a.example", isAuthorized: false }
  await open().rateLimits.close(host, now + 60)
  assert.equal(await open().rateLimits.closedUntil(host), now + 60)
  assert.equal(await open().rateLimits.closedUntil({ ...host, isAuthorized: true }), 0)
})

test("hosts that asked to wait are bounded, and those that open first go first", async (t) => {
  const { path, open } = fileOf(t)
  const { rateLimits } = open()
  const host = (i: number) => ({ host: `${i}.example`, isAuthorized: false })
  for (let i = 0; i <= maxClosedHosts; i++) await rateLimits.close(host(i), now + 100 + i)
  const next = open().rateLimits
  assert.equal(await next.closedUntil(host(0)), 0)
  assert.equal(await next.closedUntil(host(1)), now + 101)
  await open(now + 10_000).rateLimits.close(host(0), now + 10_001)
  const database = new DatabaseSync(path)
  assert.deepEqual({ ...database.prepare("SELECT count(*) AS count FROM closed").get() }, { count: 1 })
  database.close()
})

const damages: Readonly<Record<string, (path: string) => void>> = {
  "text that is no database": (path) => writeFileSync(path, "kez ".repeat(5_000)),
  "zeros in the middle": (path) => {
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.fill(0, 40, bytes.length - 100))
  },
  "half a file": (path) => writeFileSync(path, readFileSync(path).subarray(0, 5_000)),
  "one changed byte of a body": (path) => change(path, "UPDATE answers SET body = x'6b657a7a'"),
  "another URL over the same body": (path) => change(path, "UPDATE answers SET url = url || '2'"),
  "headers that are no table": (path) => change(path, "UPDATE answers SET headers = 'null'"),
  "the tables of another version": (path) => change(path, "PRAGMA user_version = 99"),
  "no tables": (path) => change(path, "DROP TABLE answers; DROP TABLE closed"),
}

for (const [what, damage] of Object.entries(damages)) {
  test(`a file with ${what} is thrown away, and the command after that keeps answers again`, async (t) => {
    const { path, open } = fileOf(t)
    await open().cache.set(page, kez)
    damage(path)
    const { cache, rateLimits } = open()
    assert.equal(await cache.get(page), undefined)
    assert.equal(await cache.get({ ...page, url: `${page.url}2` }), undefined)
    await cache.set(page, kez)
    await rateLimits.close({ host: "a.example", isAuthorized: false }, now + 60)
    assert.equal(await rateLimits.closedUntil({ host: "a.example", isAuthorized: false }), now + 60)
    const next = open().cache
    await next.set(page, kez)
    assert.deepEqual(await open().cache.get(page), kez)
  })
}

function change(path: string, sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}

test("a place that cannot be written keeps nothing and breaks nothing", async (t) => {
  const dir = temporaryDir(t)
  writeFileSync(join(dir, "cache"), "a file where the folder should be")
  const blocked = openNetMemory(join(dir, "cache", "answers.db"), { now: () => now })
  await blocked.cache.set(page, kez)
  assert.equal(await blocked.cache.get(page), undefined)
  mkdirSync(join(dir, "other", "answers.db"), { recursive: true })
  const folder = openNetMemory(join(dir, "other", "answers.db"), { now: () => now })
  await folder.cache.set(page, kez)
  assert.equal(await folder.cache.get(page), undefined)
})

test("a file that another command writes to at this moment is left alone", async (t) => {
  const { path, open } = fileOf(t)
  await open().cache.set(page, kez)
  const other = new DatabaseSync(path)
  other.exec("BEGIN EXCLUSIVE")
  const { cache } = open()
  assert.equal(await cache.get(page), undefined)
  await cache.set(page, kez)
  other.exec("COMMIT")
  other.close()
  assert.deepEqual(await cache.get(page), kez)
})
