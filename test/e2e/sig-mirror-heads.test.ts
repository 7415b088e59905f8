/** C10 D-13 A mirror has the signed heads of the store that it follows, and a store that lies about heads cannot hurt it. SPEC STORE-16 */
import assert from "node:assert/strict"
import type { ServerResponse } from "node:http"
import { type TestContext, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { createChainService } from "../../apps/sig-server/src/chains/service.ts"
import { maxHeadsPerSigner } from "../../apps/sig-server/src/limits.ts"
import { type MirrorOptions, type MirrorReport, startMirror } from "../../apps/sig-server/src/mirror.ts"
import { addTo, headOf, type MadeChain, makeChain, now } from "../../apps/sig-server/test/chain-maker.ts"
import { type FeedRow, rowsOf, startLyingStore } from "../../apps/sig-server/test/lying-store.ts"
import { createMemoryStorage } from "../../apps/sig-server/test/support/memory-storage.ts"
import { makePerson } from "../support/person.ts"
import { type SigServer, startSigServer } from "../support/sig-server.ts"

/** A mirror in this process, without waits, of a store that the test speaks for. */
async function newWorld(t: TestContext) {
  const store = await startLyingStore()
  const storage = createMemoryStorage()
  const clock = { now }
  const service = createChainService({ storage, now: () => clock.now })
  t.after(() => store.close())
  const reports: MirrorReport[] = []
  return {
    store,
    storage,
    service,
    clock,
    reports,
    /** Until heads were asked for twice more than now, so that what was told before is judged. */
    async follow(options: Partial<MirrorOptions> = {}, looks = 2) {
      const mirror = startMirror({
        url: store.url,
        service,
        storage,
        pollMs: 1,
        report: (report) => void reports.push(report),
        ...options,
      })
      const before = store.askedHeads.length
      await until(async () => store.askedHeads.length > before + looks)
      await mirror.close()
    },
    refused: () =>
      reports.flatMap((report) => (report.type === "heads" ? [...report.refused].map(([code]) => code) : [])).sort(),
  }
}

async function until(done: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 15_000
  while (!(await done().catch(() => false))) {
    assert.ok(performance.now() < deadline, "it never happened")
    await sleep(5)
  }
}

async function rowOf(chain: MadeChain, name: string, cursor: number, lifetimeSeconds?: number): Promise<FeedRow> {
  const head = await headOf(chain, name, lifetimeSeconds)
  return { cursor, chain: head.chain, text: head.text }
}

test("startMirror() keeps the heads that the other store shows, asks once for each, and goes on after a restart", async (t) => {
  const { store, service, follow } = await newWorld(t)
  const chain = await makeChain("a", 2)
  store.rows = rowsOf(chain.replay.chain, chain.events, 1)
  const first = await rowOf(chain, "a", 5)
  store.heads = [first]
  await follow()
  assert.deepEqual(await service.heads(first.chain), [first.text])
  const longer = await addTo(chain, "a", "dns:new.example")
  const second = await rowOf(longer, "a", 9)
  store.rows = rowsOf(chain.replay.chain, longer.events, 1)
  store.heads = [second]
  store.askedHeads.length = 0
  await follow()
  // A page of heads is asked for again where the event that one names was not read yet.
  assert.deepEqual([...new Set(store.askedHeads)].slice(0, 2), [5, 9])
  assert.deepEqual(await service.heads(first.chain), [second.text, first.text])
})

test("startMirror() judges a head after the event that it names, however late that is read", async (t) => {
  const { store, service, follow, refused } = await newWorld(t)
  const chain = await makeChain("a", 9)
  const row = await rowOf(chain, "a", 1)
  store.rows = rowsOf(chain.replay.chain, chain.events, 1)
  store.heads = [row]
  // Pages of three: the end of the chain comes long after the first look at heads.
  await follow({ pageEvents: 3 })
  assert.deepEqual(await service.heads(row.chain), [row.text])
  assert.deepEqual(refused(), [])
})

test("C10 heads that are forged, expired, of no key of the chain, or of a chain that is not here are passed over", async (t) => {
  const { store, service, clock, follow, refused } = await newWorld(t)
  const [a, b] = [await makeChain("a", 3), await makeChain("b", 1)]
  const right = await rowOf(a, "a", 9)
  const unseen = await addTo(a, "a", "dns:unseen.example")
  const { text } = await rowOf(a, "a", 1)
  const bad = [
    { ...right, text: text.replace(/"sig":"../, '"sig":"00') },
    { ...right, text: (await rowOf(a, "b", 1)).text },
    await rowOf(b, "b", 1),
    await rowOf(unseen, "a", 1),
    { ...right, text: "{}" },
    { ...right, text: `{"kez":"${"x".repeat(4_010)}"}` },
    await rowOf(a, "a", 1, 1),
  ]
  store.rows = rowsOf(a.replay.chain, a.events, 1)
  store.heads = [...bad, right].map((row, i) => ({ ...row, cursor: i + 1 }))
  clock.now += 1
  await follow()
  assert.deepEqual(await service.heads(right.chain), [right.text])
  for (const code of [
    "head.expired",
    "chain.unknown",
    "chain.withheld",
    "head.not_authorised",
    "limit.size",
    "signature.invalid",
  ])
    assert.ok(
      refused().some((each) => each === code),
      code,
    )
})

test("C10 replayed heads change nothing: the newest of a signer stay, and nothing is told again to those who follow", async (t) => {
  const { store, service, storage, follow } = await newWorld(t)
  const versions: MadeChain[] = []
  for (let i = 0; i < 8; i++) versions.push(await addTo(versions.at(-1), "a", `dns:a${i}.example`))
  const chain = versions.at(-1) ?? assert.fail()
  const rows = await Promise.all(versions.map((version, i) => rowOf(version, "a", i + 1)))
  store.rows = rowsOf(chain.replay.chain, chain.events, 1)
  store.heads = rows
  await follow()
  const kept = await service.heads(chain.replay.chain)
  assert.deepEqual(
    kept,
    rows
      .slice(-maxHeadsPerSigner)
      .reverse()
      .map(({ text }) => text),
  )
  const told = await storage.headsAfter(0, 100, now)
  store.heads = [...rows, ...rows.map((row) => ({ ...row, cursor: row.cursor + 100 }))]
  await follow()
  assert.deepEqual(await service.heads(chain.replay.chain), kept)
  assert.deepEqual(await storage.headsAfter(0, 100, now), told)
})

test("N20 a head feed that never ends, is none or fails keeps nobody from following events, and is asked ever less often", async (t) => {
  const { store, storage, reports, follow } = await newWorld(t)
  const chain = await makeChain("a", 4)
  const bad: readonly ((response: ServerResponse) => void)[] = [
    (response) => void pour(response, "x".repeat(10_000)),
    (response) => void pour(response, "\n"),
    (response) => response.writeHead(404).end(),
    (response) => response.end('{"chain":"x","cursor":1,"head":{}}\n'),
    (response) => response.socket?.destroy(),
  ]
  store.headsInstead = (response) => {
    bad[(store.askedHeads.length - 1) % bad.length]?.(response)
    return true
  }
  store.rows = rowsOf(chain.replay.chain, chain.events.slice(0, 2), 1)
  await follow({ pageMs: 300, random: () => 0 }, bad.length)
  assert.equal(storage.rows.length, 2)
  const waits = reports.flatMap((report) => (report.type === "failed" ? [report.waitMs] : []))
  assert.ok(waits.length >= bad.length)
  for (const [i, wait] of waits.entries()) assert.ok(wait > (waits[i - 1] ?? 0), "longer each time")
  store.rows = rowsOf(chain.replay.chain, chain.events, 1)
  for (let i = 0; i < 50 && storage.rows.length < 4; i++) await follow({ pageMs: 300 }, 0)
  assert.equal(storage.rows.length, 4)
})

test("D-13 endless valid heads are taken a page a look", async (t) => {
  const { store, storage, follow, reports } = await newWorld(t)
  const chain = await makeChain("a", 1)
  store.rows = rowsOf(chain.replay.chain, chain.events, 1)
  store.heads = await Promise.all(Array.from({ length: 60 }, (_, i) => rowOf(chain, "a", i + 1, 100 + i)))
  await follow({ pageEvents: 10 }, 8)
  const pages = reports.flatMap((report) => (report.type === "heads" ? [report.stored + report.known] : []))
  assert.deepEqual(pages.slice(0, 6), [10, 10, 10, 10, 10, 10])
  assert.ok(store.asked.length >= pages.length, "events are looked at between them")
  assert.equal((await storage.loadHeads(chain.replay.chain, now)).length, 1)
})

async function headsOf(server: SigServer, chain: string): Promise<readonly { payload: { seq: number } }[]> {
  return JSON.parse(await (await fetch(`${server.url}/v1/chains/${chain}/head`)).text()).heads
}

test("C10 who asks only a mirror finds the chain fresh, seconds after its head was published elsewhere", async (t) => {
  const source = await startSigServer(t)
  const mirror = await startSigServer(t, { args: ["--mirror", source.url] })
  const owner = await makePerson(t, { holds: "ed25519", stores: [source.url] })
  const reader = await makePerson(t, { stores: [mirror.url] })
  const claim = owner.file("claim.md", "")
  const ok = async (...args: readonly string[]) => {
    const answer = await owner.json(args)
    assert.equal(answer.code, 0, JSON.stringify(answer))
    return answer.data
  }
  await ok("claim", "create", "dns:mira.dev", "--out", claim, "--force")
  await ok("sigchain", "add", "dns:mira.dev")
  const { chain } = await ok("sigchain", "publish")
  const published = performance.now()
  await until(async () => (await headsOf(mirror, chain)).length === 1)
  assert.ok(performance.now() - published < 5_000)
  const verify = async () => {
    const { code, data } = await reader.json(["verify", "file", claim, "--fresh", "--timeout", "3"])
    return [code, data.status, data.chain?.head.seq, data.flags]
  }
  assert.deepEqual(await verify(), [0, "valid", 0, ["unpublished"]])
  await ok("sigchain", "add", "github:mira")
  await ok("sigchain", "publish")
  await until(async () => (await headsOf(mirror, chain))[0]?.payload.seq === 1)
  assert.deepEqual(await verify(), [0, "valid", 1, ["unpublished"]])
  // The mirror died and comes back: what it had is there, and it goes on.
  await mirror.end("SIGKILL")
  await ok("sigchain", "revoke", "dns:mira.dev")
  await ok("sigchain", "publish")
  const args = ["--mirror", source.url, "--port", String(mirror.port)]
  const again = await startSigServer(t, { folder: mirror.folder, args })
  await until(async () => (await headsOf(again, chain))[0]?.payload.seq === 2)
  assert.deepEqual((await verify()).slice(0, 2), [11, "revoked"])
})

test("two stores that follow each other have the same heads, and then nothing to tell each other", async (t) => {
  const first = await startSigServer(t)
  const second = await startSigServer(t, { args: ["--mirror", first.url, "--mirror-posts", "true"] })
  const args = ["--mirror", second.url, "--mirror-posts", "true", "--port", String(first.port)]
  await first.end()
  const back = await startSigServer(t, { folder: first.folder, args })
  const owner = await makePerson(t, { holds: "ed25519", stores: [back.url, second.url] })
  await owner.json(["sigchain", "add", "dns:mira.dev"])
  const { data } = await owner.json(["sigchain", "publish"])
  await until(
    async () => (await headsOf(back, data.chain)).length > 0 && (await headsOf(second, data.chain)).length > 0,
  )
  const list = async () => Promise.all([back, second].map(async ({ url }) => (await fetch(`${url}/v1/heads`)).text()))
  await sleep(2_500)
  const told = await list()
  await sleep(2_500)
  assert.deepEqual(await list(), told)
  assert.deepEqual(await headsOf(back, data.chain), await headsOf(second, data.chain))
})

/** For ever, until the other side goes away. */
function pour(response: ServerResponse, text: string): void {
  while (!response.destroyed && response.write(text));
  if (!response.destroyed) response.once("drain", () => pour(response, text))
}
