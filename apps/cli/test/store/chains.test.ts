/** Chains in the store: a set of valid events, losing branches included, that noise can neither enter nor fill. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { commitmentTo, decodeEnvelope, envelopeDigest, formatEnvelope, type SigchainEvent } from "@kez/core"
import { chainsByPrefix, chainsOfKey, loadChain, loadEvents, storeBranch } from "../../src/store/chains.ts"
import { openStore, type Store } from "../../src/store/database.ts"
import { add, contextAt, grow, now, signerOf, temporaryDir } from "../support/people.ts"

const [owner, device, stranger] = [signerOf(1), signerOf(2), signerOf(3)]

function storeAt(t: { after(clean: () => void): void }): Store {
  const store = openStore(contextAt(temporaryDir(t)).paths.database)
  t.after(() => store.close())
  return store
}

function tampered(event: SigchainEvent): SigchainEvent {
  const text = formatEnvelope(event).replace(/"sig":"../, '"sig":"00')
  return decodeEnvelope(text, "sigchain_event")
}

test("storeBranch() stores each event once, and finds the chain by its keys and by its id", async (t) => {
  const store = storeAt(t)
  const chain = await grow(undefined, owner, add("dns:example.org"), { op: "add_device", device })
  assert.equal(storeBranch(store, chain.path.slice(0, 1), now).added, 1)
  assert.deepEqual(storeBranch(store, chain.path, now), { chain: chain.chain, added: 1, refused: [] })
  assert.equal(storeBranch(store, chain.path, now).added, 0)
  assert.deepEqual(loadEvents(store, chain.chain).map(envelopeDigest), chain.digests)
  assert.deepEqual(chainsOfKey(store, owner.key), [chain.chain])
  assert.deepEqual(chainsOfKey(store, device.key, "device"), [chain.chain])
  assert.deepEqual(chainsOfKey(store, device.key, "primary"), [])
  assert.deepEqual(chainsOfKey(store, stranger.key), [])
  assert.deepEqual(chainsByPrefix(store, chain.chain.slice(0, 15)), [chain.chain])
  assert.equal(loadChain(store, chain.chain)?.head.seq, 1)
})

test("storeBranch() stores what comes before a bad event, and says why the rest is refused", async (t) => {
  const store = storeAt(t)
  const { path } = await grow(undefined, owner, add("github:a"), add("github:b"), add("github:c"))
  const [zero, one, two] = path
  assert.ok(zero !== undefined && one !== undefined && two !== undefined)
  const { added, refused } = storeBranch(store, [zero, tampered(one), two], now)
  assert.equal(added, 1)
  assert.deepEqual(
    refused.map(({ seq, code }) => [seq, code]),
    [[1, "signature.invalid"]],
  )
  const nothing = storeBranch(store, [tampered(zero)], now)
  assert.deepEqual([nothing.added, nothing.refused[0]?.code], [0, "chain.genesis"])
})

test("storeBranch() says of events that are known what it says of new ones", async (t) => {
  const store = storeAt(t)
  const { path } = await grow(undefined, owner, add("github:a"), add("github:b"), add("github:c"))
  const [zero, one, two] = path
  assert.ok(zero !== undefined && one !== undefined && two !== undefined)
  const codesOf = (events: readonly SigchainEvent[]) => storeBranch(store, events, now).refused.map(({ code }) => code)
  const documents = [path, [zero, tampered(one), two], [zero, two], [zero, one]]
  const fresh = documents.map((events) => storeBranch(storeAt(t), events, now).refused.map(({ code }) => code))
  storeBranch(store, path, now)
  assert.deepEqual(documents.map(codesOf), fresh)
})

test("loadEvents() decodes a chain once, and again when another process has added to it", async (t) => {
  const dir = temporaryDir(t)
  const [store, other] = [1, 2].map(() => openStore(contextAt(dir).paths.database))
  assert.ok(store !== undefined && other !== undefined)
  t.after(() => [store, other].map((one) => one.close()))
  const chain = await grow(undefined, owner, add("github:a"))
  storeBranch(store, chain.path, now)
  const first = loadEvents(store, chain.chain)
  assert.equal(loadEvents(store, chain.chain), first)
  storeBranch(other, (await grow(chain, owner, add("github:b"))).path, now)
  assert.equal(loadEvents(store, chain.chain).length, 2)
})

test("storeBranch() keeps the branches of a fork, whichever came first", async (t) => {
  const start = await grow(undefined, owner, add("github:a"))
  const [left, right] = [await grow(start, owner, add("github:b")), await grow(start, owner, add("github:c"))]
  for (const order of [
    [left, right],
    [right, left],
  ]) {
    const store = storeAt(t)
    for (const branch of order) storeBranch(store, branch.path, now)
    assert.equal(loadChain(store, start.chain)?.status, "fork")
    assert.equal(loadEvents(store, start.chain).length, 3)
  }
})

test("storeBranch() keeps nine branches of devices at one place, and always one of the primary", async (t) => {
  const store = storeAt(t)
  const start = await grow(undefined, owner, { op: "add_device", device }, add("github:a"))
  storeBranch(store, start.path, now)
  for (let at = 0; at < 9; at++) {
    assert.equal(storeBranch(store, (await grow(start, device, add(`github:n${at}`))).path, now).added, 1)
  }
  const tenth = await grow(start, device, add("github:n9"))
  assert.deepEqual(
    storeBranch(store, tenth.path, now).refused.map(({ code }) => code),
    ["limit.chain"],
  )
  const answer = await grow(start, owner, { op: "revoke_device", keys: [device.key] })
  assert.equal(storeBranch(store, answer.path, now).added, 1)
  assert.equal(loadChain(store, start.chain)?.head.digest, answer.head.digest)
  // A branch that is known may grow.
  const longer = await grow(await grow(start, device, add("github:n0")), device, add("github:more"))
  assert.equal(storeBranch(store, longer.path, now).added, 1)
})

test("storeBranch() lets the committed key answer nine branches of a stolen primary", async (t) => {
  const store = storeAt(t)
  const next = commitmentTo(stranger.key)
  const start = await grow(undefined, owner, { op: "set_next", next })
  for (let at = 0; at < 9; at++) storeBranch(store, (await grow(start, owner, add(`github:n${at}`))).path, now)
  assert.equal(storeBranch(store, (await grow(start, owner, add("github:n9"))).path, now).added, 0)
  const answer = await grow(start, stranger, { op: "rotate", newPrimary: stranger })
  assert.equal(storeBranch(store, answer.path, now).added, 1)
  assert.equal(loadChain(store, start.chain)?.state.primary, stranger.key)
  assert.deepEqual(chainsOfKey(store, stranger.key, "primary"), [start.chain])
})

test("storeBranch() makes room for a settlement by the owner among nine branches of his own key", async (t) => {
  const store = storeAt(t)
  const start = await grow(undefined, owner, add("github:a"))
  const branches = await Promise.all(Array.from({ length: 9 }, (_, at) => grow(start, owner, add(`github:n${at}`))))
  for (const branch of branches) storeBranch(store, branch.path, now)
  const reject = branches.map(({ head }) => head.digest)
  const settled = await grow(await grow(start, owner, add("github:mine")), owner, { op: "settle", reject })
  assert.equal(storeBranch(store, settled.path, now).added, 2)
  assert.equal(loadChain(store, start.chain)?.status, "ok")
})

test("loadEvents() refuses what was changed in the file", async (t) => {
  const store = storeAt(t)
  const chain = await grow(undefined, owner, add("github:a"))
  storeBranch(store, chain.path, now)
  const [event] = chain.path
  assert.ok(event !== undefined)
  for (const damaged of ["{}", formatEnvelope(tampered(event))]) {
    store.prepare("UPDATE events SET envelope = ?").run(damaged)
    assert.throws(() => loadEvents(store, chain.chain), { code: "store.corrupt" })
  }
})
