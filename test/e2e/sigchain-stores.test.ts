/** `kez sigchain publish`, `fetch`, `sync` and what readers see of stores, honest ones and others. SPEC §6, §8 */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { type TestContext, test } from "node:test"
import { type ChainStore, send, startChainStore } from "../support/chain-store.ts"
import { makePerson, type Person, type PersonSetup } from "../support/person.ts"

const domain = "dns:mira.dev"

/** An owner with a claim and a chain of two events, in the stores of the setup. */
async function setUp(t: TestContext, count = 1, setup: PersonSetup = {}) {
  const stores = await Promise.all(Array.from({ length: count }, () => startChainStore(t)))
  const urls = stores.map(({ url }) => url)
  const owner = await makePerson(t, { holds: "ed25519", stores: urls, ...setup })
  const claim = owner.file("claim.md", "")
  await ok(owner, "claim", "create", domain, "--out", claim, "--force")
  await ok(owner, "sigchain", "add", domain)
  await ok(owner, "sigchain", "add", "github:mira")
  const [first] = stores
  assert.ok(first)
  const reader = (readerSetup: PersonSetup = {}) => makePerson(t, { stores: urls, ...readerSetup })
  return { store: first, stores, owner, claim, reader }
}

async function ok(person: Person, ...args: readonly string[]) {
  const answer = await person.json(args)
  assert.equal(answer.code, 0, JSON.stringify(answer))
  return answer.data
}

const verify = (reader: Person, claim: string, ...more: readonly string[]) =>
  reader.json(["verify", "file", claim, "--timeout", "2", ...more])

function only(store: ChainStore) {
  const [entry] = store.chains
  assert.ok(entry)
  return { id: entry[0], events: entry[1] }
}

test("publish gives a store what it lacks, with a signed head, and a second time nothing", async (t) => {
  const { store, owner, claim, reader } = await setUp(t)
  const first = await ok(owner, "sigchain", "publish")
  assert.deepEqual([first.places[0].state, first.places[0].sent, first.places[0].missing], ["whole", 2, 0])
  assert.ok(first.places[0].head_until)
  assert.equal(only(store).events.length, 2)
  const again = await ok(owner, "sigchain", "publish")
  assert.equal(again.places[0].sent, 0)
  assert.equal(store.asked.filter((one) => one.startsWith("POST") && one.endsWith("/events")).length, 2)
  assert.equal(store.heads.length, 1)
  const { code, data } = await verify(await reader(), claim, "--fresh")
  assert.deepEqual([code, data.status, data.chain.head.seq], [0, "valid", 1], JSON.stringify(data))
  await ok(owner, "sigchain", "revoke", domain)
  await ok(owner, "sigchain", "publish")
  assert.deepEqual((await verify(await reader(), claim)).code, 11)
})

test("publish to three stores with one down: the others have it, and the exit code says 0; with all down 5", async (t) => {
  const { stores, owner } = await setUp(t, 3)
  await stores[1]?.close()
  const { places } = await ok(owner, "sigchain", "publish", "--timeout", "2")
  assert.deepEqual(
    places.map(({ state, code }: Record<string, unknown>) => [state, code]),
    [
      ["whole", null],
      ["failed", "net.refused"],
      ["whole", null],
    ],
  )
  await Promise.all([stores[0]?.close(), stores[2]?.close()])
  const none = await owner.json(["sigchain", "publish", "--timeout", "2"])
  assert.equal(none.code, 5)
})

test("G10 sync heals a store that was restored from yesterday, and brings what another computer published", async (t) => {
  const { stores, owner, reader, claim } = await setUp(t, 2)
  await ok(owner, "sigchain", "publish")
  const seen = await reader()
  assert.equal((await verify(seen, claim)).code, 0)
  const [first] = stores
  assert.ok(first)
  const { id, events } = only(first)
  first.chains.set(id, events.slice(0, 1))
  // C8: the reader holds on to what it saw, and says so.
  const back = await verify(seen, claim)
  assert.deepEqual(
    [back.data.status, back.data.chain.head.seq, back.data.flags.includes("rollback")],
    ["valid", 1, true],
  )
  const { places } = await ok(owner, "sigchain", "sync")
  assert.deepEqual([places[0].sent, places[1].sent], [1, 0])
  assert.equal(only(first).events.length, 2)
  assert.equal((await verify(seen, claim)).data.flags.includes("rollback"), false)
})

test("C10 a withheld revocation: stale while no head says otherwise, chain.stale where freshness is asked, chain.withheld with a head", async (t) => {
  const { store, owner, claim, reader } = await setUp(t)
  await ok(owner, "sigchain", "publish")
  const { id, events } = only(store)
  await ok(owner, "sigchain", "revoke", domain)
  await ok(owner, "sigchain", "publish")
  store.shown.set(id, events)
  const newest = store.heads.splice(0)
  const stale = await verify(await reader(), claim)
  assert.deepEqual([stale.data.status, stale.data.flags], ["valid", ["stale", "unpublished"]])
  const fresh = await verify(await reader(), claim, "--fresh")
  assert.deepEqual([fresh.code, fresh.data.reason], [5, "chain.stale"])
  store.heads.push(...newest)
  const withheld = await verify(await reader(), claim)
  assert.deepEqual([withheld.data.status, withheld.data.reason], ["unreachable", "chain.withheld"])
})

test("C7 C9 a fork served to two readers is seen by both once they meet", async (t) => {
  const [left, right] = await Promise.all([startChainStore(t), startChainStore(t)])
  const owner = await makePerson(t, { holds: "ed25519" })
  const twin = await makePerson(t)
  const claim = owner.file("claim.md", "")
  await ok(owner, "claim", "create", domain, "--out", claim, "--force")
  await ok(owner, "sigchain", "add", domain)
  const start = owner.file("start.jsonl", (await ok(owner, "sigchain", "export")).text)
  // A thief of the key goes on from the same event elsewhere.
  const key = join(owner.home, "keys", "me.key")
  await ok(twin, "sigchain", "import", start)
  const stolen = ["--key-file", twin.file("stolen", readFileSync(key, "utf8"))]
  await ok(twin, "sigchain", "add", "github:thief", ...stolen)
  await ok(twin, "sigchain", "publish", "--store", right.url, ...stolen)
  await ok(owner, "sigchain", "add", "github:mira")
  await ok(owner, "sigchain", "publish", "--store", left.url)
  const [a, b] = [await makePerson(t, { stores: [left.url] }), await makePerson(t, { stores: [right.url] })]
  assert.equal((await verify(a, claim)).data.status, "valid")
  assert.equal((await verify(b, claim)).data.status, "valid")
  const handed = b.file("handed.jsonl", (await ok(a, "sigchain", "export", owner.key)).text)
  assert.equal((await b.json(["sigchain", "import", handed])).data.status, "fork")
  assert.deepEqual([(await verify(b, claim)).code, (await verify(a, claim)).code], [13, 0])
  // And the other way: what B holds is evidence for A, whichever store A asks.
  assert.equal((await verify(a, claim, "--store", right.url)).code, 13)
  // Once a store has seen both branches, whoever asks it alone sees the fork.
  await owner.json(["sigchain", "sync", "--store", left.url, "--store", right.url])
  assert.equal((await verify(await makePerson(t, { stores: [left.url] }), claim)).code, 13)
})

test("a store that answers nothing, garbage, too much or too slowly is silent, and never a pass", async (t) => {
  const { store, claim, owner, reader } = await setUp(t)
  await ok(owner, "sigchain", "publish")
  const huge = Buffer.alloc(1_048_576, 0x20)
  const lies: ReadonlyArray<readonly [string, Parameters<ChainStore["lies"]["set"]>[1], string]> = [
    ["500", (_, response) => send(response, 500, ""), "chain.unreachable"],
    ["503", (_, response) => send(response, 503, ""), "chain.unreachable"],
    ["garbage", (_, response) => send(response, 200, "<html>"), "chain.unreachable"],
    ["N21 a line without an end", (_, response) => pour(response, huge, 64), "chain.unreachable"],
    [
      "N20 a chain without an end",
      (_, response) => pour(response, Buffer.concat([huge, Buffer.from("\n")]), 64),
      "chain.unreachable",
    ],
    ["N22 one byte a second", (_, response) => drip(response), "chain.unreachable"],
    ["silence", () => {}, "chain.unreachable"],
  ]
  for (const [name, lie, reason] of lies) {
    store.lies.set("", lie)
    const { code, data } = await verify(await reader(), claim)
    assert.deepEqual([code, data.status, data.reason], [5, "unreachable", reason], name)
  }
  store.lies.set("", (_, response) => send(response, 404, ""))
  const absent = await verify(await reader(), claim)
  assert.deepEqual([absent.code, absent.data.flags], [0, ["no_chain", "unpublished"]])
  assert.equal((await verify(await reader(), claim, "--require-chain")).data.reason, "chain.required")
})

test("a lying store cannot hide what an honest one serves; it only makes it stale", async (t) => {
  const { stores, owner, claim, reader } = await setUp(t, 2)
  await ok(owner, "sigchain", "revoke", domain)
  await ok(owner, "sigchain", "publish")
  const [liar] = stores
  liar?.lies.set("", (_, response) => send(response, 404, ""))
  assert.equal((await verify(await reader(), claim)).code, 11)
  liar?.lies.set("", (_, response) => send(response, 500, ""))
  const { code, data } = await verify(await reader(), claim)
  assert.deepEqual([code, data.flags.includes("stale")], [11, true])
})

function pour(response: Parameters<typeof send>[0], chunk: Buffer, times: number): void {
  response.writeHead(200)
  const next = (left: number): void => {
    if (left === 0) response.end()
    else response.write(chunk, () => next(left - 1))
  }
  next(times)
}

function drip(response: Parameters<typeof send>[0]): void {
  response.writeHead(200)
  const timer = setInterval(() => response.write(" "), 500)
  response.on("close", () => clearInterval(timer))
}
