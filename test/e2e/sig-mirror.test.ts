/** D-13 A mirror of a store that lies, fails, or was restored: what it holds is valid, and it is never lost. */
import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import type { ServerResponse } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type TestContext, test } from "node:test"
import { createChainService } from "../../apps/sig-server/src/chains/service.ts"
import { type MirrorOptions, type MirrorReport, startMirror } from "../../apps/sig-server/src/mirror.ts"
import { openSqlite } from "../../apps/sig-server/src/storage/sqlite.ts"
import type { Storage } from "../../apps/sig-server/src/storage/storage.ts"
import { addTo, type MadeChain, makeChain, makeFork, now } from "../../apps/sig-server/test/chain-maker.ts"
import {
  type FeedRow,
  formatRow,
  type LyingStore,
  rowsOf,
  startLyingStore,
} from "../../apps/sig-server/test/lying-store.ts"
import { KezError } from "../../packages/core/src/index.ts"

interface World {
  readonly store: LyingStore
  readonly storage: Storage
  readonly reports: MirrorReport[]
  /** Digests of what the mirror holds, sorted. */
  held(): Promise<readonly string[]>
  /** Follows until it is caught up and has asked once more; then stops. */
  follow(options?: Partial<MirrorOptions>): Promise<void>
}

async function newWorld(t: TestContext): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), "kez-mirror-"))
  const store = await startLyingStore()
  const storage = openSqlite({ path: join(dir, "mirror.db"), now: () => now })
  const service = createChainService({ storage, now: () => now })
  const reports: MirrorReport[] = []
  t.after(async () => {
    await service.close()
    await storage.close()
    await store.close()
    rmSync(dir, { recursive: true, force: true })
  })
  return {
    store,
    storage,
    reports,
    held: async () => (await storage.eventsAfter(0, 10_000)).map(({ digest }) => digest).toSorted(),
    async follow(options = {}) {
      const report = (each: MirrorReport) => void reports.push(each)
      const mirror = startMirror({ url: store.url, service, storage, report, pollMs: 2, pageEvents: 5, ...options })
      try {
        await until(() => mirror.state().isCaughtUp)
        const before = store.asked.length
        await until(() => store.asked.length > before + 1)
      } finally {
        await mirror.close()
      }
    },
  }
}

async function until(done: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!done()) {
    assert.ok(performance.now() < deadline, "expected it within 10 s")
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

function digestsOf(...chains: readonly MadeChain[]): readonly string[] {
  return chains.flatMap(({ events, replay }) => [...new Set(events.map((_, i) => replay.digests[i] ?? ""))]).toSorted()
}

function refusedOf(reports: readonly MirrorReport[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const report of reports) {
    if (report.type !== "page") continue
    for (const [code, count] of report.refused) counts[code] = (counts[code] ?? 0) + count
  }
  return counts
}

/** Two chains of 8 that grew side by side. */
async function twoChains(): Promise<{
  readonly a: MadeChain
  readonly b: MadeChain
  readonly rows: readonly FeedRow[]
}> {
  const [a, b] = [await makeChain("a", 8), await makeChain("b", 8)]
  const [rowsA, rowsB] = [rowsOf(a.replay.chain, a.events, 0), rowsOf(b.replay.chain, b.events, 0)]
  const rows = rowsA.flatMap((row, i) => [row, rowsB[i] ?? row]).map((row, i) => ({ ...row, cursor: 3 * i + 1 }))
  return { a, b, rows }
}

test("startMirror() holds what the other store holds, and goes on where it was", async (t) => {
  const world = await newWorld(t)
  const { a, b, rows } = await twoChains()
  world.store.rows = rows.slice(0, 9)
  await world.follow()
  assert.equal((await world.held()).length, 9)
  world.store.asked.length = 0
  world.store.rows = rows
  await world.follow()
  assert.deepEqual(await world.held(), digestsOf(a, b))
  assert.equal(world.store.asked[0], 24, "one before the last cursor that was seen")
  assert.deepEqual(refusedOf(world.reports), {})
})

test("startMirror() holds both branches of a fork", async (t) => {
  const world = await newWorld(t)
  const fork = await makeFork("f", 2)
  world.store.rows = rowsOf(fork.replay.chain, fork.events, 1)
  await world.follow()
  assert.equal((await world.held()).length, fork.events.length)
})

test("D-13 a forged, a foreign and an unreadable event are passed over, and what is right around them is held", async (t) => {
  const world = await newWorld(t)
  const { a, b, rows } = await twoChains()
  const [row0, row1] = [rows[4], rows[5]]
  assert.ok(row0 !== undefined && row1 !== undefined)
  const forged = [
    { ...row0, text: row0.text.replace("a2.", "z2.") },
    { ...row0, text: row0.text.replace(/"sig":"../, '"sig":"00') },
    { ...row0, chain: row1.chain },
    { ...row0, text: '{"kez":"sigchain_event"}' },
    { ...row0, text: row0.text.replace('"op":"add"', '"op":"of_tomorrow"') },
    { ...row0, text: `{"a":${"[".repeat(300)}${"]".repeat(300)}}` },
    { ...row0, text: row0.text.replace("{", "{ ") },
  ]
  world.store.rows = rows.toSpliced(4, 0, ...forged).map((row, i) => ({ ...row, cursor: i + 1 }))
  await world.follow({ pageEvents: 100 })
  assert.deepEqual(await world.held(), digestsOf(a, b))
  const refused = refusedOf(world.reports)
  assert.equal(
    Object.values(refused).reduce((sum, n) => sum + n, 0),
    forged.length,
  )
  assert.equal(refused["event.op"], 1)
})

test("D-13 reordered events are refused, repeated ones known, dropped ones missing and nothing more", async (t) => {
  const world = await newWorld(t)
  const chain = await makeChain("a", 6)
  const rows = rowsOf(chain.replay.chain, chain.events, 0)
  const order = [0, 2, 1, 1, 0, 3, 5]
  world.store.rows = order.map((n, i) => ({ ...(rows[n] ?? { chain: "", text: "" }), cursor: i + 1 }))
  await world.follow()
  // 2 came before 1, so that 3 and 5 follow nothing either.
  assert.deepEqual(await world.held(), chain.replay.digests.slice(0, 2).toSorted())
  // It tells the truth at last: another history, read from the start.
  world.store.rows = rows.map((row, i) => ({ ...row, cursor: i + 1 }))
  await world.follow()
  assert.deepEqual(await world.held(), digestsOf(chain))
  assert.equal(world.reports.filter(({ type }) => type === "restarted").length, 1)
})

test("C8 a store that was restored from yesterday is read from the start, and nothing held is dropped", async (t) => {
  const world = await newWorld(t)
  const { a, b, rows } = await twoChains()
  world.store.rows = rows
  await world.follow()
  world.store.rows = rows.slice(0, 6)
  await world.follow()
  assert.deepEqual(await world.held(), digestsOf(a, b))
  // The owners post again what is missing. Then it happens once more, and it has grown past the cursor of before by other events.
  world.store.rows = rows
  await world.follow()
  const c = await makeChain("c", 30)
  world.store.rows = [...rows.slice(0, 6), ...rowsOf(c.replay.chain, c.events, 20)]
  await world.follow()
  assert.deepEqual(await world.held(), digestsOf(a, b, c))
  assert.equal(world.reports.filter(({ type }) => type === "restarted").length, 2)
})

test("D-13 what a store holds back is not noticed by the mirror: it holds a valid prefix", async (t) => {
  const world = await newWorld(t)
  const chain = await makeChain("a", 6)
  world.store.rows = rowsOf(chain.replay.chain, chain.events.slice(0, 4), 1)
  await world.follow()
  assert.deepEqual(await world.held(), chain.replay.digests.slice(0, 4).toSorted())
  assert.deepEqual(refusedOf(world.reports), {})
})

test("N20 what is no feed, or too much of one, is refused within bounds, and followed again when it is well", async (t) => {
  const world = await newWorld(t)
  const { a, b, rows } = await twoChains()
  world.store.rows = rows
  const bad: readonly ((response: ServerResponse) => void)[] = [
    (response) => response.writeHead(500).end("oops"),
    (response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
    (response) => response.end("<html>"),
    (response) => response.end("[]\n"),
    (response) => response.end(formatRow(rows[0] ?? { cursor: 1, chain: "", text: "{}" }).trimEnd()),
    (response) => response.end('{"chain":"x","cursor":1,"event":{}}\n'),
    (response) => response.end(`{"chain":"sha256:${"0".repeat(64)}","cursor":1.5,"event":{}}\n`),
    // Cursors that fall, and more than was asked for.
    (response) =>
      response.end(
        [...rows]
          .reverse()
          .map((row) => formatRow(row))
          .join(""),
      ),
    (response) => response.end(rows.map((row) => formatRow(row)).join("")),
    // No end of a line, no end at all.
    (response) => void pour(response, "x".repeat(10_000)),
    (response) => void pour(response, "\n"),
    (response) => response.socket?.destroy(),
    (response) => void response.writeHead(200).write("{"),
  ]
  let served = 0
  world.store.instead = (response) => {
    const answer = bad[served++]
    answer?.(response)
    return answer !== undefined
  }
  await world.follow({ pageMs: 300, random: () => 0, wait: () => new Promise((resolve) => setImmediate(resolve)) })
  const codes = world.reports.flatMap((report) => (report.type === "failed" ? [report.code] : []))
  assert.equal(codes.length, bad.length)
  for (const code of codes) assert.match(code, /^(net|chain|limit)\./)
  assert.deepEqual(await world.held(), digestsOf(a, b))
})

test("startMirror() waits as long as the other store asks, longer after each failure, and never for ever", async (t) => {
  const world = await newWorld(t)
  const waits: number[] = []
  world.store.instead = (response) => {
    if (waits.length === 0) response.writeHead(429, { "retry-after": "7" }).end()
    else if (waits.length === 1) response.writeHead(503, { "retry-after": "99999999" }).end()
    else if (waits.length < 20) response.writeHead(500).end()
    else return false
    return true
  }
  await world.follow({
    pollMs: 1_000,
    random: () => 0.5,
    wait: async (ms) => {
      waits.push(ms)
      await new Promise((resolve) => setImmediate(resolve))
    },
  })
  assert.deepEqual(waits.slice(0, 8), [7_000, 60_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
  assert.deepEqual(waits.slice(19, 21), [60_000, 1_000])
})

test("D-13 pages of noise are read ever more slowly", async (t) => {
  const world = await newWorld(t)
  const noise = Array.from({ length: 40 }, (_, i) => ({ cursor: i + 1, chain: `sha256:${"0".repeat(64)}`, text: "{}" }))
  const { a, b, rows } = await twoChains()
  world.store.rows = [...noise, ...rows.map((row) => ({ ...row, cursor: row.cursor + 40 }))]
  const waits: number[] = []
  await world.follow({
    random: () => 0.5,
    wait: async (ms) => {
      waits.push(ms)
      await new Promise((resolve) => setImmediate(resolve))
    },
  })
  assert.deepEqual(waits.slice(0, 5), [2, 4, 8, 16, 32])
  assert.deepEqual(await world.held(), digestsOf(a, b))
})

test("D-3 a mirror whose own disk is full moves on no further than what it has stored", async (t) => {
  const world = await newWorld(t)
  const { a, b, rows } = await twoChains()
  world.store.rows = rows
  const service = createChainService({ storage: world.storage, now: () => now })
  let calls = 0
  await world.follow({
    service: {
      append: (...args) => {
        // Now and then there is no room.
        if (calls++ % 3 === 0 && calls < 20) return Promise.reject(new KezError("store.full", "no room"))
        return service.append(...args)
      },
      postHead: (...args) => service.postHead(...args),
    },
    wait: () => new Promise((resolve) => setImmediate(resolve)),
  })
  assert.deepEqual(await world.held(), digestsOf(a, b))
  assert.ok(world.reports.some((report) => report.type === "failed" && report.code === "store.full"))
  await service.close()
})

test("startMirror() sees what is added while it follows, and stops at once", async (t) => {
  const world = await newWorld(t)
  const chain = await makeChain("a", 2)
  const longer = await addTo(chain, "a", "dns:new.example")
  world.store.rows = rowsOf(chain.replay.chain, chain.events, 1)
  const service = createChainService({ storage: world.storage, now: () => now })
  const mirror = startMirror({ url: `${world.store.url}/`, service, storage: world.storage, pollMs: 5 })
  await until(() => mirror.state().cursor === 2)
  world.store.rows = rowsOf(chain.replay.chain, longer.events, 1)
  await until(() => mirror.state().cursor === 3)
  world.store.instead = () => true
  const asked = world.store.asked.length
  await until(() => world.store.asked.length > asked)
  const began = performance.now()
  await mirror.close()
  assert.ok(performance.now() - began < 1_000)
  await service.close()
})

test("startMirror() refuses what is no URL of a store", async (t) => {
  const { storage } = await newWorld(t)
  const never = () => Promise.reject(new Error("not to be called"))
  const service = { append: never, postHead: never }
  for (const url of [
    "",
    "store.example",
    "ftp://store.example",
    "https://me:pass@store.example",
    "https://store.example/?a",
    "file:///etc",
  ]) {
    assert.throws(() => startMirror({ url, service, storage }), { code: "usage" }, url)
  }
})

/** For ever, until the other side goes away. */
function pour(response: ServerResponse, text: string): void {
  while (!response.destroyed && response.write(text));
  if (!response.destroyed) response.once("drain", () => pour(response, text))
}
