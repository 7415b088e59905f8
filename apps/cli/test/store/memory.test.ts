/** What the store remembers beside events: marks, heads, sources, claims, and when an account was last proven. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { type ChainMark, signClaim, signHead } from "@kez/core"
import { loadClaims, saveClaim } from "../../src/store/claims.ts"
import { openStore, type Store } from "../../src/store/database.ts"
import { loadHeads, saveHead } from "../../src/store/heads.ts"
import { loadMark, loadMarks, saveMark } from "../../src/store/marks.ts"
import { loadSources, rememberSource } from "../../src/store/sources.ts"
import { loadProven, saveProven } from "../../src/store/verdicts.ts"
import { add, contextAt, grow, now, signerOf, temporaryDir } from "../support/people.ts"

const chain = `sha256:${"a".repeat(64)}`
const owner = signerOf(1)

function storeAt(t: { after(clean: () => void): void }): Store {
  const store = openStore(contextAt(temporaryDir(t)).paths.database)
  t.after(() => store.close())
  return store
}

function markAt(seq: number, digit = String(seq)): ChainMark {
  return { chain, seq, digest: `sha256:${digit.repeat(64)}`, primaries: [owner.key] }
}

test("saveMark() raises a mark, and finds it by the chain and by its primaries", (t) => {
  const store = storeAt(t)
  assert.equal(saveMark(store, markAt(1), undefined), true)
  assert.equal(saveMark(store, markAt(3), markAt(1)), true)
  assert.deepEqual(loadMark(store, chain), markAt(3))
  assert.deepEqual(loadMarks(store, { chains: [], primaries: [owner.key] }), [markAt(3)])
  assert.deepEqual(loadMarks(store, { chains: [chain], primaries: [] }), [markAt(3)])
  assert.deepEqual(loadMarks(store, { chains: [], primaries: [signerOf(2).key] }), [])
})

test("saveMark() replaces the mark that was judged lost, even by a shorter branch", (t) => {
  const store = storeAt(t)
  saveMark(store, markAt(5), undefined)
  assert.equal(saveMark(store, markAt(2), markAt(5)), true)
  assert.deepEqual(loadMark(store, chain), markAt(2))
})

test("saveMark() never lowers a mark that another process has moved meanwhile", (t) => {
  const store = storeAt(t)
  saveMark(store, markAt(1), undefined)
  saveMark(store, markAt(6), markAt(1))
  assert.equal(saveMark(store, markAt(4), markAt(1)), false)
  assert.equal(saveMark(store, markAt(6, "e"), markAt(1)), false)
  assert.deepEqual(loadMark(store, chain), markAt(6))
  assert.equal(saveMark(store, markAt(7), markAt(1)), true)
})

test("saveHead() keeps heads until they expire, each once", async (t) => {
  const store = storeAt(t)
  const own = await grow(undefined, owner, add("github:a"))
  const short = await signHead(own, { now, lifetimeSeconds: 60 }, owner)
  const long = await signHead(own, { now, lifetimeSeconds: 600 }, owner)
  for (const head of [long, short]) saveHead(store, head, now)
  assert.deepEqual(
    loadHeads(store, own.chain, now).map((head) => head.payload.expires_at),
    [long.payload.expires_at],
  )
  assert.equal(loadHeads(store, own.chain, now + 600).length, 0)
})

test("rememberSource() keeps the eight that served last", (t) => {
  const store = storeAt(t)
  for (let at = 0; at < 12; at++) {
    rememberSource(store, chain, { url: `https://a${at}.example/`, kind: "hint", now: now + at })
  }
  rememberSource(store, chain, { url: "https://a11.example/", kind: "other", now: now + 20 })
  const known = loadSources(store, chain)
  assert.equal(known.length, 8)
  assert.deepEqual(
    known.find(({ url }) => url === "https://a11.example/"),
    { url: "https://a11.example/", kind: "other" },
  )
  assert.equal(
    known.some(({ url }) => url === "https://a3.example/"),
    false,
  )
})

test("loadClaims() gives the newest first, by subject and key", async (t) => {
  const store = storeAt(t)
  const old = await signClaim({ subject: "dns:a.example", createdAt: now - 60 }, owner)
  const newer = await signClaim({ subject: "dns:a.example", createdAt: now, expiresAt: now + 60 }, owner)
  const other = await signClaim({ subject: "dns:a.example", createdAt: now }, signerOf(2))
  for (const claim of [newer, old, other, old]) saveClaim(store, claim)
  const found = loadClaims(store, { subject: "dns:a.example", keys: [owner.key] })
  assert.deepEqual(
    found.map(({ createdAt, expiresAt }) => [createdAt, expiresAt]),
    [
      [now, now + 60],
      [now - 60, undefined],
    ],
  )
  assert.equal(loadClaims(store).length, 3)
  assert.deepEqual(loadClaims(store, { subject: "dns:b.example" }), [])
})

test("saveProven() keeps the last time, and the number of the account", (t) => {
  const store = storeAt(t)
  const proven = { subject: "github:a", primary: owner.key, chain: undefined, accountId: undefined, provenAt: now }
  saveProven(store, proven)
  saveProven(store, { ...proven, chain, accountId: "42", provenAt: now + 5 })
  saveProven(store, { ...proven, provenAt: now - 5 })
  assert.deepEqual(loadProven(store, "github:a"), { ...proven, chain, accountId: "42", provenAt: now + 5 })
  assert.equal(loadProven(store, "github:b"), undefined)
})
