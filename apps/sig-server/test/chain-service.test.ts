/** What the store does with chains. SPEC §5, §8; adversarial C.4 and C.8. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { type Digest, envelopeDigest, formatChain, formatEnvelope, KezError, type SigchainEvent } from "@kez/core"
import {
  add,
  addDevice,
  eventAfter,
  headOf,
  now,
  revoke,
  revokeDevice,
  rotate,
  setNext,
  settle,
} from "../../../packages/core/test/support/chains.ts"
import { keyNamed, type TestKey } from "../../../packages/core/test/support/keys.ts"
import type { Appended, ChainService, ChainView } from "../src/chain-service.ts"
import { createChainService } from "../src/chains/service.ts"
import { createMemoryStorage, createPlace } from "./support/memory-storage.ts"

const alice = keyNamed("alice")
const phone = keyNamed("phone")
const laptop = keyNamed("laptop")
const thief = keyNamed("thief")
const second = keyNamed("second")
const third = keyNamed("third")

const e0 = add(undefined, "dns:alice.example", alice)
const e1 = addDevice(e0, phone, alice)
const e2 = addDevice(e1, laptop, alice)
const base = [e0, e1, e2]
const chain = envelopeDigest(e0)
const step = (previous: SigchainEvent, name: string, by: TestKey = alice) => add(previous, `github:${name}`, by)

function start(at = now) {
  const clock = { now: at }
  const storage = createMemoryStorage()
  const service = createChainService({ storage, now: () => clock.now })
  return { clock, storage, service }
}

const post = (service: ChainService, event: SigchainEvent, id: string = chain) =>
  service.append(id, formatEnvelope(event))

async function postAll(service: ChainService, events: readonly SigchainEvent[]): Promise<readonly string[]> {
  const said: string[] = []
  for (const event of events) said.push(saying(await post(service, event)))
  return said
}

function saying(appended: Appended): string {
  return "refusal" in appended ? `${appended.status} ${appended.refusal.code}` : appended.status
}

async function viewOf(service: ChainService, id: string = chain): Promise<ChainView> {
  const found = await service.find(id)
  return found.status === "found" ? found.view : assert.fail(found.status)
}

async function forksOf(service: ChainService, id: Digest = chain): Promise<string> {
  return Buffer.from((await service.forks(id)) ?? assert.fail("no such chain")).toString()
}

test("append() begins a chain under its id or its primary, and find() serves the posted bytes", async () => {
  for (const id of [chain, alice.key]) {
    const { service } = start()
    assert.equal((await service.find(id)).status, "none")
    assert.equal(saying(await post(service, e0, id)), "stored")
    assert.equal(saying(await post(service, e1, id)), "stored")
    assert.equal(saying(await service.append(chain, Buffer.from(formatEnvelope(e2)))), "stored")
    for (const each of [chain, alice.key]) {
      const view = await viewOf(service, each)
      assert.equal(Buffer.from(view.document).toString(), formatChain(base))
      assert.deepEqual([view.chain, view.size, view.replay.head.seq], [chain, 3, 2])
    }
    assert.equal(await forksOf(service), "")
  }
})

test("find() and forks() know nothing of ids that nobody posted", async () => {
  const { service } = start()
  for (const id of [chain, alice.key, "", "sha256:", "'--", "\0"]) assert.equal((await service.find(id)).status, "none")
  assert.equal(await service.forks(chain), undefined)
  assert.deepEqual(await service.heads(chain), [])
  await assert.rejects(service.postHead(chain, formatEnvelope(headOf(e0, { chain, by: alice }))), {
    code: "chain.unknown",
  })
})

test("a new process finds the same, and checks each row against its digest", async () => {
  const place = createPlace()
  const first = createChainService({ storage: createMemoryStorage(place), now: () => now })
  await postAll(first, [...base, step(e2, "left", phone), step(e2, "right")])
  const again = createChainService({ storage: createMemoryStorage(place), now: () => now })
  assert.deepEqual((await viewOf(again)).document, (await viewOf(first)).document)
  assert.equal(await forksOf(again), await forksOf(first))
})

test("D-4 a damaged row, and a missing one, are store.corrupt; other chains are served", async () => {
  const other = add(undefined, "dns:other.example", second)
  for (const damage of ["bit", "spaces", "swap", "gone"]) {
    const place = createPlace()
    const storage = createMemoryStorage(place)
    const writer = createChainService({ storage, now: () => now })
    await postAll(writer, [...base, step(e2, "more")])
    await post(writer, other, envelopeDigest(other))
    const row = storage.rows[1] ?? assert.fail()
    if (damage === "bit") storage.rows[1] = { ...row, text: row.text.replace("2026", "2027") }
    if (damage === "spaces") storage.rows[1] = { ...row, text: `${row.text} ` }
    if (damage === "swap") storage.rows[1] = { ...row, text: formatEnvelope(e0) }
    if (damage === "gone") storage.rows.splice(1, 1)
    const reader = createChainService({ storage: createMemoryStorage(place), now: () => now })
    await assert.rejects(reader.find(chain), { code: "store.corrupt" }, damage)
    await assert.rejects(post(reader, step(e2, "x")), { code: "store.corrupt" }, damage)
    assert.equal((await reader.find(envelopeDigest(other))).status, "found")
  }
})

test("G3 the same event again is known, wherever it stands", async () => {
  const { service, storage } = start()
  const left = step(e2, "left", phone)
  await postAll(service, [...base, step(e2, "right"), left])
  for (const event of [e0, e2, left]) assert.equal(saying(await post(service, event)), "known")
  assert.equal(saying(await post(service, e0, alice.key)), "known")
  assert.equal(storage.rows.length, 5)
})

test("G2 an event that does not follow the end is behind, and comes with the head", async () => {
  const { service, storage } = start()
  await postAll(service, base)
  const elsewhere = add(undefined, "dns:elsewhere.example", alice)
  const e3 = step(e2, "3")
  const wrongPlace = eventAfter(e1, { op: "revoke", payload: { subject: "github:x" }, by: alice, changes: { seq: 3 } })
  const cases = [
    [step(e3, "4"), "behind chain.gap"],
    [addDevice(step(elsewhere, "1"), phone, alice), "behind chain.repeat"],
    [
      eventAfter(e2, {
        op: "revoke",
        payload: { subject: "github:x" },
        by: alice,
        changes: { prev: "sha256:".padEnd(71, "0") },
      }),
      "behind chain.prev",
    ],
    [wrongPlace, "behind chain.gap"],
  ] as const
  for (const [event, expected] of cases) {
    const appended = await post(service, event)
    assert.equal(saying(appended), expected)
    assert.equal("view" in appended && appended.view.replay.head.digest, envelopeDigest(e2))
  }
  assert.equal(storage.rows.length, 3)
})

test("C6 C24 an event of another chain is not taken in, whichever id it is posted to", async () => {
  const { service } = start()
  const other = add(undefined, "dns:other.example", alice)
  await postAll(service, [e0])
  assert.equal(saying(await post(service, other, chain)), "refused chain.genesis")
  assert.equal(saying(await post(service, e0, second.key)), "refused chain.genesis")
  assert.equal(saying(await post(service, e0, chain.slice(0, 20))), "refused chain.genesis")
  assert.equal(saying(await post(service, step(other, "x"), chain)), "behind chain.prev")
  assert.equal(saying(await post(service, step(other, "x"), envelopeDigest(other))), "refused chain.unknown")
  assert.equal(saying(await post(service, e1, second.key)), "refused chain.unknown")
})

test("CHAIN-19 two geneses of a primary: a look-up by it names both, each is whole by its id, events find theirs", async () => {
  const { service } = start()
  const other = add(undefined, "dns:other.example", alice)
  assert.equal(saying(await post(service, e0, alice.key)), "stored")
  assert.equal(saying(await post(service, other, alice.key)), "stored")
  assert.deepEqual(await service.find(alice.key), {
    status: "several",
    chains: [chain, envelopeDigest(other)].toSorted(),
  })
  assert.equal(saying(await post(service, e1, alice.key)), "stored")
  assert.equal(saying(await post(service, step(e2, "x"), alice.key)), "refused chain.unknown")
  assert.equal((await viewOf(service, envelopeDigest(other))).size, 1)
  assert.equal((await viewOf(service)).size, 2)
})

test("find() knows every primary that a chain ever had, on losing branches too", async () => {
  const { service } = start()
  const e3 = setNext(e2, second, alice)
  await postAll(service, [...base, e3, rotate(e3, second, second), rotate(e2, third, alice)])
  for (const { key } of [alice, second, third]) assert.equal((await viewOf(service, key)).chain, chain)
  assert.equal((await service.find(phone.key)).status, "none")
})

test("C7 devices against each other, or one key twice: lost, the chain is a fork, both are kept", async () => {
  for (const [left, right] of [
    [step(e2, "left", phone), step(e2, "right", laptop)],
    [step(e2, "left", phone), step(e2, "right", phone)],
    [step(e2, "left"), step(e2, "right")],
  ] as const) {
    const { service } = start()
    assert.deepEqual(await postAll(service, [...base, left, right]), ["stored", "stored", "stored", "stored", "lost"])
    const view = await viewOf(service)
    assert.equal(view.replay.status, "fork")
    assert.equal(Buffer.from(view.document).toString(), formatChain(base))
    const both = [left, right].toSorted((a, b) => (envelopeDigest(a) < envelopeDigest(b) ? -1 : 1))
    assert.equal(await forksOf(service), formatChain(both))
  }
})

test("C19 a higher rank switches the branch, a lower one is lost; nothing of the other branch goes", async () => {
  const e3 = setNext(e2, second, alice)
  const [device, primary, recovery] = [step(e3, "device", phone), step(e3, "primary"), rotate(e3, second, second)]
  const rising = start().service
  assert.deepEqual((await postAll(rising, [...base, e3, device, primary, recovery])).slice(4), [
    "stored",
    "stored",
    "stored",
  ])
  const falling = start().service
  assert.deepEqual((await postAll(falling, [...base, e3, recovery, primary, device])).slice(4), [
    "stored",
    "lost",
    "lost",
  ])
  for (const service of [rising, falling]) {
    const view = await viewOf(service)
    assert.equal(view.replay.head.digest, envelopeDigest(recovery))
    assert.equal(view.replay.contested, true)
    assert.equal(Buffer.from(view.document).toString(), formatChain([...base, e3, recovery]))
  }
  assert.equal(await forksOf(rising), await forksOf(falling))
})

test("C19 a device's branch may grow, and is switched to when the primary signs in it", async () => {
  const { service } = start()
  const [left, right] = [step(e2, "left", phone), step(e2, "right", laptop)]
  const longer = step(left, "more", phone)
  const signed = step(longer, "owner")
  assert.deepEqual((await postAll(service, [...base, left, right, longer, signed])).slice(3), [
    "stored",
    "lost",
    "lost",
    "stored",
  ])
  assert.equal(Buffer.from((await viewOf(service)).document).toString(), formatChain([...base, left, longer, signed]))
  assert.equal(await forksOf(service), formatChain([right]))
  // And goes on from there.
  assert.equal(saying(await post(service, step(signed, "on", phone))), "stored")
})

test("FORK-3 the owner settles a fork with one event", async () => {
  const { service } = start()
  const [left, right] = [step(e2, "left"), step(e2, "right")]
  assert.deepEqual((await postAll(service, [...base, left, right, settle(left, [right], alice)])).slice(3), [
    "stored",
    "lost",
    "stored",
  ])
  const { status, contested } = (await viewOf(service)).replay
  assert.deepEqual([status, contested], ["ok", true])
})

test("C30 a stolen phone: the owner's one event brings back the state before, and the thief's events stay as evidence", async () => {
  const { service } = start()
  const added = addDevice(e2, thief, phone)
  const revoked = revokeDevice(added, [laptop], thief)
  const owners = revokeDevice(e2, [phone], alice)
  assert.deepEqual((await postAll(service, [...base, added, revoked, owners])).slice(3), ["stored", "stored", "stored"])
  const { state } = (await viewOf(service)).replay
  assert.deepEqual(
    state.devices.map(({ key, suspended }) => [key, suspended]),
    [[laptop.key, false]],
  )
  assert.equal(await forksOf(service), formatChain([added, revoked]))
})

test("8 losing branches of equal rank are kept beside the one that wins; a higher rank always finds room", async () => {
  const { service, storage } = start()
  await postAll(service, base)
  const said = await postAll(
    service,
    Array.from({ length: 12 }, (_, i) => step(e2, `s${i}`, phone)),
  )
  assert.deepEqual(said, ["stored", ...Array(8).fill("lost"), ...Array(3).fill("refused limit.chain")])
  assert.equal(storage.rows.length, 12)
  const owner = step(e2, "owner")
  assert.equal(saying(await post(service, owner)), "stored")
  assert.equal((await viewOf(service)).replay.head.digest, envelopeDigest(owner))
})

test("G8 100 parallel appends to one chain: one winner per seq, the losers kept as evidence", async () => {
  const { service } = start()
  await postAll(service, base)
  // The owner's event among those of devices, at two places in a row.
  const owner = step(e2, "owner")
  const next = step(owner, "next")
  const rivals = Array.from({ length: 100 }, (_, i) =>
    i === 40 ? owner : i === 80 ? next : step(i < 60 ? e2 : owner, `r${i}`, i % 2 ? phone : laptop),
  )
  const results = await Promise.all(rivals.map((event) => post(service, event)))
  const said = results.map(saying)
  const view = await viewOf(service)
  assert.equal(Buffer.from(view.document).toString(), formatChain([...base, owner, next]))
  assert.deepEqual([said[40], said[80]], ["stored", "stored"])
  const evidence = (await forksOf(service)).split("\n").slice(0, -1)
  assert.equal(view.size, 5 + evidence.length)
  assert.equal(evidence.length, 18, "nine at each place")
  for (const [i, event] of rivals.entries()) {
    const isKept = evidence.includes(formatEnvelope(event)) || event === owner || event === next
    assert.equal(isKept, said[i] === "stored" || said[i] === "lost", said[i])
  }
})

test("G8 100 parallel posts of one event write it once", async () => {
  const { service, storage } = start()
  const said = (await Promise.all(Array.from({ length: 100 }, () => post(service, e0)))).map(saying)
  assert.deepEqual([said.filter((s) => s === "stored").length, said.filter((s) => s === "known").length], [1, 99])
  assert.equal(storage.rows.length, 1)
})

test("G1 a refused event leaves no trace: the next one is taken", async () => {
  const { service } = start()
  await postAll(service, base)
  const good = step(e2, "good")
  const forged = formatEnvelope(good).replace(/"sig":"../, (sig) => (sig.endsWith("00") ? '"sig":"11' : '"sig":"00'))
  const appended = await service.append(chain, forged)
  assert.equal(saying(appended), "refused signature.invalid")
  assert.equal(saying(await post(service, step(e2, "x", thief))), "refused chain.not_authorised")
  assert.equal(saying(await post(service, step(e1, "x", thief))), "refused chain.not_authorised")
  assert.equal(saying(await post(service, good)), "stored")
  const start0 = formatEnvelope(add(undefined, "dns:new.example", second)).replace(/"sig":"../, '"sig":"zz')
  assert.equal(saying(await service.append(second.key, start0)), "refused signature.encoding")
})

test("a write that fails changes nothing that is served, and the same event is taken later", async () => {
  const { service, storage } = start()
  await postAll(service, base)
  const e3 = step(e2, "3")
  storage.failure = new KezError("store.full", "Cannot write")
  await assert.rejects(post(service, e3), { code: "store.full" })
  await assert.rejects(post(service, add(undefined, "dns:x.example", second), second.key), { code: "store.full" })
  assert.equal((await viewOf(service)).size, 3)
  assert.equal((await service.find(second.key)).status, "none")
  storage.failure = undefined
  assert.equal(saying(await post(service, e3)), "stored")
  assert.equal(Buffer.from((await viewOf(service)).document).toString(), formatChain([...base, e3]))
})

test("set_shared_files: at most one a day by the store's clock; a history posted at once is taken, a copy is not asked", async () => {
  const share = (previous: SigchainEvent, at: number) =>
    eventAfter(previous, {
      op: "set_shared_files",
      payload: { manifest: chain, size: at },
      by: phone,
      changes: { created_at: new Date(at * 1000).toISOString().replace(".000", "") },
    })
  const day = 86_400
  const { service, clock } = start()
  await postAll(service, base)
  const old = share(e2, now - 9 * day)
  const newer = share(old, now - 8 * day)
  const today = share(newer, now)
  assert.deepEqual(await postAll(service, [old, newer, today]), ["stored", "stored", "stored"])
  clock.now += 600
  const soon = share(today, now + 600)
  const refused = await post(service, soon)
  assert.deepEqual("refusal" in refused && refused.refusal, {
    code: "net.rate_limit",
    message: "Cannot accept the event: expected at most one set_shared_files a day",
    retryAfterSeconds: day - 600,
  })
  assert.equal(
    saying(await post(service, share(today, now + 2 * day))),
    "refused net.rate_limit",
    "a date in the future",
  )
  assert.equal(saying(await post(service, step(today, "else", phone))), "stored")
  assert.equal(saying(await service.append(chain, formatEnvelope(soon), { isCopy: true })), "lost")
  clock.now = now + day
  const tomorrow = share(step(today, "else", phone), now + day)
  assert.equal(saying(await post(service, tomorrow)), "lost", "on the fork that the copy made")
})

test("watch() tells of every change after it is written, and nobody suffers from a listener that throws", async () => {
  const errors: unknown[] = []
  const storage = createMemoryStorage()
  const service = createChainService({ storage, now: () => now, onListenerError: (error) => errors.push(error) })
  const seen: string[] = []
  service.watch(() => {
    throw new Error("a listener")
  })
  const stop = service.watch(({ size, replay }) => seen.push(`${storage.rows.length} ${size} ${replay.head.seq}`))
  await postAll(service, [...base, e2, step(e2, "a", phone), step(e2, "b", phone), step(e2, "bad", thief)])
  assert.deepEqual(seen, ["1 1 0", "2 2 1", "3 3 2", "4 4 3", "5 5 2"])
  assert.equal(errors.length, 5)
  stop()
  await post(service, step(e2, "owner"))
  assert.equal(seen.length, 5)
  await service.close()
})

test("views that were handed out stay as they were", async () => {
  const { service } = start()
  await postAll(service, base)
  const before = await viewOf(service)
  const bytes = Buffer.from(before.document)
  const [left, owner] = [step(e2, "left", phone), step(e2, "owner")]
  await post(service, left)
  const between = await viewOf(service)
  const later = Buffer.from(between.document)
  await postAll(service, [owner, step(owner, "on")])
  assert.deepEqual(Buffer.from(before.document), bytes)
  assert.deepEqual(Buffer.from(between.document), later)
  assert.deepEqual([before.size, before.replay.head.seq, between.replay.head.seq], [3, 2, 3])
})

test("two services on one storage that is shared see each other's events, and lose no race unseen", async () => {
  const place = createPlace()
  const services = [0, 1].map(() =>
    createChainService({ storage: createMemoryStorage(place, "postgres"), now: () => now }),
  )
  const [one, other] = services
  if (one === undefined || other === undefined) assert.fail()
  await postAll(one, base)
  assert.equal((await viewOf(other)).size, 3)
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      post(i % 2 ? one : other, revoke(e2, `github:s${i}`, i === 7 ? alice : phone)),
    ),
  )
  assert.equal(results.filter(({ status }) => status === "refused").length, 10)
  assert.deepEqual((await viewOf(one)).document, (await viewOf(other)).document)
  assert.equal((await viewOf(one)).size, 13)
})

test("G10 a database that lost its newest event under a running copy: nothing is built on it, and it can be posted again", async () => {
  const place = createPlace()
  const [one, other] = [0, 1].map(() =>
    createChainService({ storage: createMemoryStorage(place, "postgres"), now: () => now }),
  )
  if (one === undefined || other === undefined) assert.fail()
  const [lost, instead] = [step(e2, "lost"), step(e2, "instead", phone)]
  await postAll(one, [...base, lost])
  // A failover to a copy of the database that had not heard of it, and a write through another copy of the store.
  place.rows.pop()
  place.chains.delete(envelopeDigest(lost))
  place.sizes.set(chain, 3)
  await postAll(other, [instead])
  assert.equal((await post(one, step(lost, "next"))).status, "behind")
  assert.equal((await post(one, lost)).status, "stored")
  assert.equal((await post(one, step(lost, "next"))).status, "stored")
  assert.equal((await viewOf(other)).size, 6)
})

test("G10 an event that the database lost is not called known", async () => {
  const place = createPlace()
  const [one, other] = [0, 1].map(() =>
    createChainService({ storage: createMemoryStorage(place, "postgres"), now: () => now }),
  )
  if (one === undefined || other === undefined) assert.fail()
  const lost = step(e2, "lost")
  await postAll(one, [...base, lost])
  place.rows.pop()
  place.chains.delete(envelopeDigest(lost))
  place.sizes.set(chain, 3)
  await postAll(other, [step(e2, "instead", phone)])
  assert.equal((await post(one, lost)).status, "stored")
  assert.equal((await viewOf(other)).size, 5)
})
