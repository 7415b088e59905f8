/** Stores of a reader: which are asked about what, what counts as silence, and how they are followed. SPEC VER-5, VER-6, CHAIN-19 */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { FetchAnswer, FetchOptions, Net } from "@kez/channels"
import {
  type ChainReplay,
  encodeProof,
  envelopeDigest,
  formatChain,
  formatEnvelope,
  KezError,
  type Signer,
  signClaim,
  signHead,
} from "@kez/core"
import { storeUrls } from "../src/chains/asking.ts"
import { waitAfter } from "../src/chains/follow-store.ts"
import { freshHead } from "../src/chains/own-head.ts"
import { pushChain } from "../src/chains/push-chain.ts"
import { readServerEvents } from "../src/chains/server-events.ts"
import { readHeads, readLooseEvents, readProblem } from "../src/chains/store-answers.ts"
import { storesOf } from "../src/chains/store-url.ts"
import { consult, type Question } from "../src/consult.ts"
import { readStore, withStore } from "../src/store/access.ts"
import { loadEvents, storeBranch } from "../src/store/chains.ts"
import { inTransaction } from "../src/store/database.ts"
import { loadHeads, saveHead } from "../src/store/heads.ts"
import { saveMark } from "../src/store/marks.ts"
import { loadSources } from "../src/store/sources.ts"
import { add, contextAt, grow, now, signerOf, startOf, temporaryDir } from "./support/people.ts"

const owner = signerOf(1)
const subject = "github:mira"
const listed = { op: "add", subject } as const
const revoked = { op: "revoke", subject } as const
const [first, second] = ["https://one.example", "https://two.example"] as const

type Reply = string | number | readonly [status: number, body: string]

interface World {
  readonly net: Net
  readonly asked: readonly string[]
}

/** A network of a few URLs: a text is a body, a number a status. What is not there is 404 at a store that has anything. */
function worldOf(places: Readonly<Record<string, Reply>>): World {
  const asked: string[] = []
  const net: Net = {
    now: () => now,
    settings: { relays: [] },
    resolveTxt: () => Promise.reject(new KezError("net.dns", "not here")),
    openSocket: () => Promise.reject(new KezError("net.refused", "not here")),
    openStream: () => Promise.reject(new KezError("net.refused", "not here")),
    async fetch(url, { method = "GET", maxBodyBytes = 0 }: FetchOptions): Promise<FetchAnswer> {
      asked.push(`${method} ${url}`)
      const isUp = Object.keys(places).some((place) => new URL(place).host === new URL(url).host)
      const reply = places[url] ?? (isUp ? 404 : undefined)
      if (reply === undefined) throw new KezError("net.refused", `Cannot fetch from ${url}: not in the table`)
      const [status, body] = typeof reply === "number" ? [reply, ""] : typeof reply === "string" ? [200, reply] : reply
      if (body.length > Math.max(1_048_576, maxBodyBytes))
        throw new KezError("limit.body", `Cannot fetch ${url}: too long`)
      return { url, status, body: Buffer.from(body), headers: {}, sha256: body, fetchedAt: now }
    },
  }
  return { net, asked }
}

const at = (store: string, id: string) => `${store}/v1/chains/${id}`
const jsonl = (chain: ChainReplay) => formatChain(chain.path)

interface Asking {
  readonly dir: string
  readonly places: Readonly<Record<string, Reply>>
  readonly stores?: readonly string[]
  readonly by?: Signer
  readonly reference?: string
  readonly question?: Partial<Question>
}

async function verdictOf({ dir, places, stores = [first], by = owner, reference, question }: Asking) {
  const text = reference ?? encodeProof(await signClaim({ subject, createdAt: now - 60 }, by), "compact")
  const { net, asked } = worldOf(places)
  const { verdict, isWhole } = await consult(contextAt(dir), {
    subject,
    requireChain: false,
    requireFresh: false,
    documents: [],
    stores,
    timeoutMs: 1_000,
    net: async () => net,
    look: async () => ({ publication: { status: "found", candidates: [{ text, foundAt: "here" }] }, hints: [] }),
    ...question,
  })
  return { ...verdict, isWhole, asked }
}

test("consult() asks a store by the primary, takes its heads, and remembers it by the chain's id", async (t) => {
  const dir = temporaryDir(t)
  const chain = await grow(undefined, owner, listed)
  const head = await signHead(chain, { now }, owner)
  const places = {
    [at(first, owner.key)]: jsonl(chain),
    [`${at(first, owner.key)}/head`]: JSON.stringify({ chain: chain.chain, heads: [head] }),
  }
  const fresh = await verdictOf({ dir, places, question: { requireFresh: true } })
  assert.deepEqual([fresh.status, fresh.flags, fresh.isWhole], ["valid", [], true])
  await readStore(contextAt(dir), undefined, (store) => {
    assert.deepEqual(loadSources(store, chain.chain), [{ url: at(first, chain.chain), kind: "other" }])
    assert.equal(loadHeads(store, chain.chain, now).length, 1)
  })
  // A marked chain is looked up by its id.
  const later = await verdictOf({ dir, places: { [at(first, chain.chain)]: jsonl(chain) } })
  assert.ok(later.asked.every((one) => one.includes(chain.chain)))
})

test("consult() takes a 404 of every store for an answer, and anything else for silence", async (t) => {
  const ok = { [at(first, "x")]: "" }
  for (const [places, expected] of [
    [{ ...ok, [at(second, "x")]: "" }, ["valid", undefined]],
    [{ ...ok, [at(second, owner.key)]: 500 }, ["unreachable", "chain.unreachable"]],
    [{ ...ok, [at(second, owner.key)]: 429 }, ["unreachable", "chain.unreachable"]],
    [{ ...ok, [at(second, owner.key)]: "<html>" }, ["unreachable", "chain.unreachable"]],
    [{ ...ok, [at(second, owner.key)]: "" }, ["unreachable", "chain.unreachable"]],
    [ok, ["unreachable", "chain.unreachable"]],
  ] as const) {
    const { status, reason, flags } = await verdictOf({ dir: temporaryDir(t), places, stores: [first, second] })
    assert.deepEqual([status, reason], expected)
    if (status === "valid") assert.deepEqual(flags, ["no_chain"])
  }
})

test("consult() without a network says chain.unreachable where stores should be asked", async (t) => {
  const { reason } = await verdictOf({ dir: temporaryDir(t), places: {}, question: { net: undefined } })
  assert.equal(reason, "chain.unreachable")
})

test("consult() keeps evidence of forks that a store has, and calls its silence about them stale", async (t) => {
  const dir = temporaryDir(t)
  const start = await grow(undefined, owner, listed)
  const [left, right] = [await grow(start, owner, add("github:a")), await grow(start, owner, add("github:b"))]
  const losing = right.path.slice(1).map((event) => `${formatEnvelope(event)}\n`)
  const url = at(first, owner.key)
  const fork = await verdictOf({ dir, places: { [url]: jsonl(left), [`${url}/forks`]: losing.join("") } })
  assert.equal(fork.status, "fork")
  await readStore(contextAt(dir), undefined, (store) => assert.equal(loadEvents(store, left.chain).length, 3))
  const silent = await verdictOf({ dir: temporaryDir(t), places: { [url]: jsonl(left), [`${url}/forks`]: 500 } })
  assert.deepEqual([silent.status, silent.flags.includes("stale"), silent.isWhole], ["valid", true, false])
  // As much as a store keeps of one chain: who stole a device could otherwise put an end to reading it.
  const many = `\n${losing.join("")}`.padStart(16_777_216, "x".repeat(4_000).concat("\n"))
  const full = await verdictOf({ dir: temporaryDir(t), places: { [url]: jsonl(left), [`${url}/forks`]: many } })
  assert.equal(full.status, "fork")
  const garbage = `${"x".repeat(5_000)}\n{}\n${losing.join("").replace(/"sig":"../, '"sig":"00')}`
  const lying = await verdictOf({ dir: temporaryDir(t), places: { [url]: jsonl(left), [`${url}/forks`]: garbage } })
  assert.deepEqual([lying.status, lying.isWhole], ["valid", true])
})

test("CHAIN-19 consult() sees the two chains of a primary that a store names, and none where the reader holds a mark", async (t) => {
  const [mine, other] = [await grow(undefined, owner, listed), await grow(undefined, owner, add("github:b"))]
  const problem = JSON.stringify({ code: "chain.fork", chains: [mine.chain, other.chain] })
  const places = {
    [at(first, owner.key)]: [409, problem] as const,
    [at(first, mine.chain)]: jsonl(mine),
    [at(first, other.chain)]: jsonl(other),
  }
  assert.equal((await verdictOf({ dir: temporaryDir(t), places })).status, "fork")
  const dir = temporaryDir(t)
  await verdictOf({ dir, places: { [at(first, owner.key)]: jsonl(mine) } })
  assert.equal((await verdictOf({ dir, places })).status, "valid")
  // VER-6: without one of the chains that it names it did not answer.
  for (const reply of [404, 503]) {
    const half = await verdictOf({ dir: temporaryDir(t), places: { ...places, [at(first, other.chain)]: reply } })
    assert.deepEqual([half.status, half.isWhole], ["valid", false], String(reply))
  }
  // A store that only says so is silent.
  const said = { [at(first, owner.key)]: [409, JSON.stringify({ code: "chain.fork", chains: [] })] as const }
  assert.equal((await verdictOf({ dir: temporaryDir(t), places: said })).reason, "chain.unreachable")
})

test("CHAIN-19 consult() asks for the chains that a store names, and for none that it names in their place", async (t) => {
  const id = (name: number) => `sha256:${name.toString(16).padStart(64, "0")}`
  const names = (...chains: readonly string[]) => [409, JSON.stringify({ code: "chain.fork", chains })] as const
  const more = Array.from({ length: 12 }, (_, i) => [at(first, id(i)), names(id(i + 1), id(i + 2))] as const)
  const places = { [at(first, owner.key)]: names(id(0), id(1)), ...Object.fromEntries(more) }
  const { status, reason, asked } = await verdictOf({ dir: temporaryDir(t), places })
  assert.deepEqual([status, reason], ["unreachable", "chain.unreachable"])
  assert.equal(asked.length, 9)
})

test("REF-1 consult() asks the host that a reference names, and needs its answer", async (t) => {
  const chain = await grow(undefined, owner, listed)
  const reference = encodeProof({ chain: chain.chain, host: "sig.example" }, "reference")
  const url = at("https://sig.example", chain.chain)
  const options = { reference, stores: [] }
  const found = await verdictOf({ ...options, dir: temporaryDir(t), places: { [url]: jsonl(chain) } })
  assert.deepEqual([found.status, found.primary], ["valid", owner.key])
  for (const reply of [404, 500, "<html>"]) {
    const { reason } = await verdictOf({ ...options, dir: temporaryDir(t), places: { [url]: reply } })
    assert.equal(reason, "chain.unreachable", String(reply))
  }
})

test("consult() says rollback for a store that lost the newest events, and goes by what it holds", async (t) => {
  const dir = temporaryDir(t)
  const chain = await grow(undefined, owner, listed, add("github:a"))
  await verdictOf({ dir, places: { [at(first, owner.key)]: jsonl(chain) } })
  const back = await verdictOf({ dir, places: { [at(first, chain.chain)]: jsonl(startOf(chain, 1)) } })
  assert.deepEqual([back.status, back.chain?.head.seq, back.flags.includes("rollback")], ["valid", 1, true])
})

test("consult() takes a head of a revoked device for none, and one of events that nobody served for withheld", async (t) => {
  const device = signerOf(2)
  const withDevice = await grow(undefined, owner, listed, { op: "add_device", device })
  const after = await grow(withDevice, owner, { op: "revoke_device", keys: [device.key] })
  const url = at(first, owner.key)
  const headOf = async (chain: ChainReplay, by: Signer) =>
    JSON.stringify({ heads: [formatEnvelope(await signHead(chain, { now }, by))] })
  const dead = { [url]: jsonl(after), [`${url}/head`]: await headOf(after, device) }
  const notFresh = await verdictOf({ dir: temporaryDir(t), places: dead, question: { requireFresh: true } })
  assert.equal(notFresh.reason, "chain.stale")
  assert.ok(notFresh.evidence.some(({ code }) => code === "head.not_authorised"))
  const hidden = { [url]: jsonl(withDevice), [`${url}/head`]: await headOf(after, owner) }
  assert.equal((await verdictOf({ dir: temporaryDir(t), places: hidden })).reason, "chain.withheld")
})

test("storeUrls() asks by the marked chain instead of its primary, and says when there are too many", () => {
  const chain = `sha256:${"0".repeat(64)}`
  const mark = { chain, seq: 0, digest: chain, primaries: ["a"] }
  const few = storeUrls([first], { primaries: ["a", "b"], chains: [chain], marks: [mark] })
  assert.deepEqual(few, { urls: [at(first, chain), at(first, "b")], isCut: false })
  const many = storeUrls([first], { primaries: Array.from({ length: 9 }, (_, i) => `k${i}`), chains: [], marks: [] })
  assert.deepEqual([many.urls.length, many.isCut], [8, true])
})

test("storesOf() joins flags and settings, each once, and throws usage for what is no URL or too many", () => {
  const settings = { stores: { value: [`${first}/`, second], origin: "config.toml" } } as never
  assert.deepEqual(storesOf({ settings }, [first]), [first, second])
  for (const wrong of ["sig.example", "ftp://a.example", "https://a.example/?x", "https://u:p@a.example"]) {
    assert.throws(() => storesOf({ settings }, [wrong]), { code: "usage" }, wrong)
  }
  const many = Array.from({ length: 8 }, (_, i) => `https://s${i}.example`)
  assert.throws(() => storesOf({ settings }, many), { code: "usage" })
})

test("pushChain() sends what a store lacks in order, evidence too, and stops where it is told to", async () => {
  const start = await grow(undefined, owner, listed)
  const [left, right] = [await grow(start, owner, revoked, add("github:a")), await grow(start, owner, add("github:b"))]
  const whole = { chain: start.chain, path: left.path, losing: right.path.slice(1), head: undefined }
  const url = at(first, start.chain)
  const before = {
    url,
    outcome: "found",
    documents: [{ name: url, reading: { events: start.path, fault: undefined }, evidence: {} as never }],
    evidence: { kind: "chain", source: url } as const,
    forks: [],
    heads: [],
  } as const
  const push = (reply: Reply) =>
    pushChain(worldOf({ [`${url}/events`]: reply }).net, first, { whole, before, timeoutMs: 1_000 })
  const stored = await push(201)
  assert.deepEqual([stored.state, stored.sent, stored.missing, stored.untold], ["whole", 3, 0, 0])
  const kept = await push([409, JSON.stringify({ code: "chain.repeat", kept: true })])
  assert.deepEqual([kept.state, kept.sent], ["whole", 3])
  for (const [reply, code] of [
    [[409, JSON.stringify({ code: "chain.gap", kept: false })], "chain.gap"],
    [[422, JSON.stringify({ code: "signature.invalid" })], "signature.invalid"],
    [[507, JSON.stringify({ code: "store.full" })], "store.full"],
    [429, "net.rate_limit"],
    [500, "net.status"],
  ] as const) {
    const outcome = await push(reply)
    assert.deepEqual([outcome.state, outcome.sent, outcome.missing, outcome.code], ["part", 0, 2, code])
  }
  const down = await pushChain(worldOf({}).net, first, { whole, before, timeoutMs: 1_000 })
  assert.deepEqual([down.state, down.code], ["part", "net.refused"])
})

test("what a store says beside a chain is read within bounds, and nonsense is nothing", async () => {
  const chain = await grow(undefined, owner, listed)
  const bytes = (text: string) => Buffer.from(text)
  assert.deepEqual(readLooseEvents(bytes(`x\n${jsonl(chain)}{}\n`)).map(envelopeDigest), chain.digests)
  for (const nonsense of ["", "x", "[]", '{"heads":{}}', `{"heads":${"[".repeat(100_000)}`, '{"heads":[1,{}]}']) {
    assert.deepEqual(readHeads(bytes(nonsense)), [], nonsense.slice(0, 20))
  }
  const head = formatEnvelope(await signHead(chain, { now }, owner))
  assert.equal(readHeads(bytes(`{"heads":[${Array.from({ length: 20 }, () => head).join(",")}]}`)).length, 16)
  assert.deepEqual(readProblem({ body: bytes('{"code":"chain.gap","kept":false,"chains":["x"]}') }), {
    code: "chain.gap",
    isKept: false,
    chains: [],
  })
  assert.deepEqual(readProblem({ body: bytes('{"code":"made.up"}') }).code, undefined)
})

test("readServerEvents() reads names and ids, passes over comments, and takes no id that fits in no header", async () => {
  async function* lines() {
    yield* [": beat", "", "event: head", "data: {}", "id: 7-a", "", "data:x", "", "event: none", "", "id: a\u0001b"]
    yield* ["retry: 5", "data", "event:head", "", "data: cut off"]
  }
  const events: unknown[] = []
  for await (const event of readServerEvents(lines())) events.push(event)
  assert.deepEqual(events, [
    { event: "head", id: "7-a" },
    { event: "message", id: "7-a" },
    { event: "head", id: "7-a" },
  ])
})

test("waitAfter() doubles from a second to a minute, spread out", () => {
  assert.deepEqual(
    [1, 2, 3, 7, 100].map((failures) => waitAfter(failures, 0.5)),
    [1_000, 2_000, 4_000, 60_000, 60_000],
  )
  assert.deepEqual([waitAfter(0, 0), waitAfter(1, 1)], [750, 1_250])
})

test("freshHead() signs anew once half of a head's life is over, not before, and never for a chain that lost events", async (t) => {
  const chain = await grow(undefined, owner, listed)
  const day = 86_400
  await withStore(contextAt(temporaryDir(t)), (store) =>
    inTransaction(store, async () => {
      storeBranch(store, chain.path, now)
      const old = await signHead(chain, { now }, owner)
      saveHead(store, old, now)
      const at = (time: number, signer: Signer | undefined = owner) =>
        freshHead(store, chain, { now: time, signer: async () => signer })
      const issued = async (time: number) => (await at(time))?.payload.issued_at
      assert.equal(await issued(now + 3 * day), old.payload.issued_at)
      const locked = await freshHead(store, chain, { now: now + 4 * day, signer: async () => undefined })
      assert.equal(locked?.payload.issued_at, old.payload.issued_at, "without a key the old one serves")
      const lost = { chain: chain.chain, seq: 5, digest: `sha256:${"0".repeat(64)}`, primaries: [owner.key] }
      saveMark(store, lost, undefined)
      assert.equal(await issued(now + 4 * day), old.payload.issued_at, "an event is missing")
      saveMark(store, { ...lost, ...chain.head }, lost)
      assert.notEqual(await issued(now + 4 * day), old.payload.issued_at)
    }),
  )
})
