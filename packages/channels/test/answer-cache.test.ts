/** What is kept in memory of answers and of hosts that asked to wait, and its bounds. SPEC NET-3, NET-4 */
import assert from "node:assert/strict"
import { test } from "node:test"
import { createMemoryCache, createRateLimitMemory } from "../src/index.ts"

const keyAt = (path: string) => ({ url: `https://a.example/${path}`, isAuthorized: false, variant: "" })
const sized = (bytes: number) => ({ headers: { etag: '"1"' }, body: new Uint8Array(bytes).fill(1) })

test("createMemoryCache() drops the oldest beyond its entries and bytes, and takes no larger answer", async () => {
  const cache = createMemoryCache({ maxEntries: 3, maxBytes: 7, maxEntryBytes: 5 })
  const kept = async () => {
    const found = await Promise.all([..."abcde"].map((path) => cache.get(keyAt(path))))
    return [..."abcde"].filter((_, i) => found[i] !== undefined).join("")
  }
  for (const path of "abcd") await cache.set(keyAt(path), sized(1))
  assert.equal(await kept(), "bcd")
  await cache.set(keyAt("e"), sized(5))
  assert.equal(await kept(), "cde")
  await cache.set(keyAt("c"), sized(2))
  assert.equal(await kept(), "ce")
  // The answer before it is out of date, even where the new one is too large to keep.
  await cache.set(keyAt("c"), sized(6))
  assert.equal(await kept(), "e")
})

test("createMemoryCache() gives each caller bytes of its own", async () => {
  const cache = createMemoryCache()
  const mine = sized(3)
  await cache.set(keyAt("a"), mine)
  mine.body.fill(0)
  const first = await cache.get(keyAt("a"))
  first?.body.fill(9)
  assert.deepEqual((await cache.get(keyAt("a")))?.body, new Uint8Array(3).fill(1))
})

test("createMemoryCache() tells apart keys whose parts run together", async () => {
  const cache = createMemoryCache()
  await cache.set({ url: "https://a.example/", isAuthorized: false, variant: "x" }, sized(1))
  assert.equal(await cache.get({ url: "https://a.example/x", isAuthorized: false, variant: "" }), undefined)
  assert.equal(await cache.get({ url: "https://a.example/", isAuthorized: true, variant: "x" }), undefined)
})

test("createRateLimitMemory() forgets the host that opens first when there are too many", async () => {
  const memory = createRateLimitMemory(2)
  const bucket = (host: string) => ({ host, isAuthorized: false })
  await memory.close(bucket("a"), 300)
  await memory.close(bucket("b"), 100)
  await memory.close(bucket("c"), 200)
  assert.equal(await memory.closedUntil(bucket("b")), undefined)
  assert.equal(await memory.closedUntil(bucket("a")), 300)
  assert.equal(await memory.closedUntil({ host: "a", isAuthorized: true }), undefined)
})
