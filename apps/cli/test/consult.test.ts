/** Where a verification looks for the chain, whose silence matters, and what it leaves behind. SPEC VER-5 to VER-7, VER-10 */
import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { test } from "node:test"
import type { FetchAnswer, Net } from "@kez/channels"
import { type ChainReplay, encodeProof, formatChain, KezError, type Signer, signClaim, type Verdict } from "@kez/core"
import { chainOfDocument } from "../src/chain-sources.ts"
import { askChain } from "../src/chains/ask-chain.ts"
import { consult, type Question } from "../src/consult.ts"
import { wellKnownOf } from "../src/proof-keys.ts"
import { readStore } from "../src/store/access.ts"
import { loadEvents } from "../src/store/chains.ts"
import { loadMarks } from "../src/store/marks.ts"
import { loadSources } from "../src/store/sources.ts"
import { add, contextAt, grow, now, signerOf, startOf, temporaryDir } from "./support/people.ts"

const owner = signerOf(1)
const domain = "mira.dev"
const subject = `dns:${domain}`
const wellKnown = `https://${domain}/.well-known/kez-sigchain.jsonl`
const hint = "https://store.example/chain"
const listed = { op: "add", subject } as const
const revoked = { op: "revoke", subject } as const

type Place = string | number | (() => Promise<never>)

/** A network of a few places: a text is a body, a number a status; every other URL has no address. */
function netOf(places: Readonly<Record<string, Place>>, asked: string[] = []): Net {
  return {
    now: () => now,
    settings: { relays: [] },
    resolveTxt: () => Promise.reject(new KezError("net.dns", "not here")),
    openSocket: () => Promise.reject(new KezError("net.refused", "not here")),
    openStream: () => Promise.reject(new KezError("net.refused", "not here")),
    async fetch(url): Promise<FetchAnswer> {
      asked.push(url)
      const place = places[url]
      if (place === undefined) throw new KezError("net.dns", `Cannot fetch from ${url}: expected an address, got none`)
      if (typeof place === "function") return place()
      const [status, body] = typeof place === "number" ? [place, ""] : [200, place]
      const sha256 = createHash("sha256").update(body).digest("hex")
      return { url, status, body: Buffer.from(body), headers: {}, sha256, fetchedAt: now }
    },
  }
}

interface Setting {
  readonly dir: string
  readonly places?: Readonly<Record<string, Place>>
  readonly hints?: readonly string[]
  readonly by?: Signer
  readonly question?: Partial<Question>
  readonly asked?: string[]
  readonly time?: number
}

async function verdictOf({
  dir,
  places = {},
  hints = [],
  by = owner,
  question,
  asked,
  time,
}: Setting): Promise<Verdict> {
  const text = encodeProof(await signClaim({ subject, createdAt: now - 60 }, by), "compact")
  const net = netOf(places, asked)
  const { verdict } = await consult(contextAt(dir, time), {
    subject,
    requireChain: false,
    requireFresh: false,
    documents: [],
    timeoutMs: 1_000,
    net: async () => net,
    look: async () => ({ publication: { status: "found", candidates: [{ text, foundAt: "here" }] }, hints }),
    ...question,
  })
  return verdict
}

function jsonl(chain: ChainReplay): string {
  return formatChain(chain.path)
}

test("consult() says no_chain when nobody named a place, whatever the well-known place does", async (t) => {
  for (const place of [404, 500, "<html>not found</html>", "", '{"kez":"sigchain_event"}\n']) {
    const verdict = await verdictOf({ dir: temporaryDir(t), places: { [wellKnown]: place } })
    assert.deepEqual([verdict.status, verdict.flags], ["valid", ["no_chain"]], String(place))
    assert.ok(verdict.evidence.some(({ source }) => source === wellKnown))
  }
})

test("consult() takes a revocation from the well-known place, and remembers the place and the chain", async (t) => {
  const dir = temporaryDir(t)
  const chain = await grow(undefined, owner, listed, revoked)
  assert.equal((await verdictOf({ dir, places: { [wellKnown]: jsonl(chain) } })).reason, "claim.revoked")
  assert.equal((await verdictOf({ dir })).reason, "claim.revoked")
  await readStore(contextAt(dir), undefined, (store) => {
    assert.equal(loadEvents(store, chain.chain).length, 2)
    assert.deepEqual(loadSources(store, chain.chain), [{ url: wellKnown, kind: "other" }])
  })
})

test("consult() takes the valid part of a damaged well-known chain, and no fault from it", async (t) => {
  const chain = await grow(undefined, owner, listed, revoked, add("github:a"))
  const damaged = jsonl(chain).replace(/("sig":"[0-9a-f]{126})[0-9a-f]{2}"\}\}\n$/, '$100"}}\n')
  assert.notEqual(damaged, jsonl(chain))
  assert.equal((await verdictOf({ dir: temporaryDir(t), places: { [wellKnown]: damaged } })).reason, "claim.revoked")
  const cut = jsonl(await grow(undefined, owner, listed)).concat("garbage\n")
  const verdict = await verdictOf({ dir: temporaryDir(t), places: { [wellKnown]: cut } })
  assert.deepEqual([verdict.status, verdict.chain?.head.seq], ["valid", 0])
})

test("consult() does not wait long for the well-known place", async (t) => {
  const silent = () =>
    new Promise<never>((_, reject) => setImmediate(() => reject(new KezError("net.timeout", "late"))))
  const verdict = await verdictOf({ dir: temporaryDir(t), places: { [wellKnown]: silent } })
  assert.deepEqual([verdict.status, verdict.flags], ["valid", ["no_chain"]])
})

test("consult() needs an answer from a hint: neither silence nor a 404 passes", async (t) => {
  for (const place of [404, 500, undefined]) {
    const places = place === undefined ? {} : { [hint]: place }
    const verdict = await verdictOf({ dir: temporaryDir(t), hints: [hint], places })
    assert.deepEqual([verdict.status, verdict.reason], ["unreachable", "chain.unreachable"], String(place))
  }
  const verdict = await verdictOf({ dir: temporaryDir(t), hints: [hint], places: { [hint]: "damaged\n" } })
  assert.deepEqual([verdict.status, verdict.reason], ["unreachable", "chain.unreachable"])
})

test("consult() expects a place that served the chain before, and says stale when it is silent", async (t) => {
  const dir = temporaryDir(t)
  const chain = await grow(undefined, owner, listed)
  const first = await verdictOf({ dir, hints: [hint], places: { [hint]: jsonl(chain) } })
  assert.deepEqual([first.status, first.flags], ["valid", ["stale"]])
  const asked: string[] = []
  const later = await verdictOf({ dir, asked, question: { requireFresh: true } })
  assert.ok(asked.includes(hint), "the hint is gone, the place is asked all the same")
  assert.deepEqual([later.status, later.reason], ["unreachable", "chain.stale"])
})

test("consult() holds on to the longer history when a source serves an older one", async (t) => {
  const dir = temporaryDir(t)
  const chain = await grow(undefined, owner, listed, add("github:a"))
  await verdictOf({ dir, hints: [hint], places: { [hint]: jsonl(chain) } })
  const older = await verdictOf({ dir, hints: [hint], places: { [hint]: jsonl(startOf(chain, 1)) } })
  assert.deepEqual([older.status, older.chain?.head.seq], ["valid", 1])
  assert.ok(older.flags.includes("rollback"))
  await readStore(contextAt(dir), undefined, (store) => {
    assert.equal(loadMarks(store, { chains: [chain.chain], primaries: [] })[0]?.seq, 1)
  })
})

test("consult() unites what two places serve, and shows the fork", async (t) => {
  const start = await grow(undefined, owner, listed)
  const [left, right] = [await grow(start, owner, add("github:a")), await grow(start, owner, add("github:b"))]
  const places = { [hint]: jsonl(left), [wellKnown]: jsonl(right) }
  const dir = temporaryDir(t)
  assert.equal((await verdictOf({ dir, hints: [hint], places })).status, "fork")
  assert.equal((await verdictOf({ dir })).status, "fork", "kept as evidence")
})

test("consult() unites what is held of a chain with the rotation that a place serves", async (t) => {
  const dir = temporaryDir(t)
  const next = signerOf(2)
  const before = await grow(undefined, owner, listed, add("github:a"))
  const rotated = await grow(before, owner, { op: "rotate", newPrimary: next })
  await verdictOf({ dir, hints: [hint], places: { [hint]: jsonl(await grow(before, owner, revoked)) } })
  // The claim is by the new key, by which nothing is known here; the chain id leads to what is.
  const verdict = await verdictOf({ dir, by: next, places: { [wellKnown]: jsonl(rotated) } })
  assert.equal(verdict.status, "fork")
})

test("consult() makes no store and asks nobody for a text that its own key did not sign", async (t) => {
  const dir = temporaryDir(t)
  const claim = await signClaim({ subject, createdAt: now }, owner)
  const text = encodeProof(claim, "markdown", { chainHint: hint }).replace(/"sig": "../, '"sig": "00')
  const asked: string[] = []
  const { verdict } = await consult(contextAt(dir), {
    requireChain: false,
    requireFresh: false,
    documents: [],
    timeoutMs: 1_000,
    net: async () => netOf({}, asked),
    look: async () => ({ publication: { status: "unchecked", candidates: [{ text, foundAt: "file" }] }, hints: [] }),
  })
  assert.equal(verdict.reason, "signature.invalid")
  assert.deepEqual(asked, [])
  assert.equal(existsSync(contextAt(dir).paths.database), false)
})

test("consult() without a network calls a hint unreachable, and still reads what it was given", async (t) => {
  const chain = await grow(undefined, owner, listed)
  const offline = { net: undefined }
  const silent = await verdictOf({ dir: temporaryDir(t), hints: [hint], question: offline })
  assert.equal(silent.reason, "chain.unreachable")
  const documents = [chainOfDocument("chain.jsonl", Buffer.from(jsonl(chain)))]
  const given = await verdictOf({ dir: temporaryDir(t), question: { ...offline, documents } })
  assert.deepEqual([given.status, given.flags], ["valid", ["stale"]])
})

test("wellKnownOf() names no place under a name that nobody can own", () => {
  for (const name of ["example.org", "a.example.com", "kez.example", "a.test", "x.invalid"]) {
    assert.equal(wellKnownOf(name), undefined, name)
  }
  for (const name of ["example.dev", "myexample.org", "example.org.uk", "test.dev"]) {
    assert.equal(wellKnownOf(name), `https://${name}/.well-known/kez-sigchain.jsonl`)
  }
})

test("consult() stores only chains that were asked about", async (t) => {
  const dir = temporaryDir(t)
  const other = await grow(undefined, signerOf(9), add("github:a"))
  const verdict = await verdictOf({ dir, places: { [wellKnown]: jsonl(other) } })
  assert.deepEqual([verdict.status, verdict.flags], ["valid", ["no_chain"]])
  await readStore(contextAt(dir), undefined, (store) => assert.deepEqual(loadEvents(store, other.chain), []))
})

test("consult() tells when an account was proven before", async (t) => {
  const dir = temporaryDir(t)
  await verdictOf({ dir })
  const { lastProven } = await consult(contextAt(dir, now + 60), {
    subject,
    requireChain: false,
    requireFresh: false,
    documents: [],
    timeoutMs: 1_000,
    net: undefined,
    look: async () => ({ publication: { status: "unreachable", code: "net.timeout" }, hints: [] }),
  })
  assert.deepEqual([lastProven?.primary, lastProven?.provenAt], [owner.key, now])
})

test("consult() calls an account without a proof revoked where the chain of its last key says so, and else takes no notice", async (t) => {
  const look: Question["look"] = async () => ({ publication: { status: "absent", evidence: [] }, hints: [] })
  const chain = await grow(undefined, owner, listed)
  const documentOf = (replay: ChainReplay) => chainOfDocument("here", Buffer.from(jsonl(replay)))
  const documents = [documentOf(await grow(chain, owner, revoked))]
  const question = { look, documents, lastPrimary: owner.key }
  const gone = await verdictOf({ dir: temporaryDir(t), question })
  assert.deepEqual([gone.status, gone.reason, gone.primary], ["revoked", "claim.revoked", owner.key])
  for (const other of [
    { ...question, documents: [documentOf(chain)] },
    { ...question, documents: [] },
    { ...question, lastPrimary: signerOf(2).key },
    { look, documents },
  ]) {
    const { reason, primary } = await verdictOf({ dir: temporaryDir(t), question: other })
    assert.deepEqual([reason, primary], ["proof.not_found", undefined])
  }
  // A proof that stands there is judged by itself.
  const found = await verdictOf({ dir: temporaryDir(t), by: signerOf(2), question: { lastPrimary: owner.key } })
  assert.deepEqual([found.status, found.primary], ["valid", signerOf(2).key])
})

test("askChain() decodes a document once, however many accounts name it, and each other one anew", async () => {
  const chain = await grow(undefined, owner, listed)
  const longer = await grow(chain, owner, revoked)
  const net = netOf({ [hint]: formatChain(chain.path), [wellKnown]: formatChain(longer.path) })
  const readingAt = async (url: string) => (await askChain(net, url, { timeoutMs: 1_000 })).documents[0]?.reading
  const first = await readingAt(hint)
  const longest = await readingAt(wellKnown)
  assert.equal(await readingAt(hint), first)
  assert.deepEqual([first?.events.length, longest?.events.length], [1, 2])
})
