/** Where the messages of a device stand, as it is written: a small row for each message, and the older ids beside it. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { type Digest, digestOf } from "@kez/core"
import { encodeRow, keys } from "../src/engine/row.ts"
import { type DeviceSequence, placeIn, putSequence, sequenceOf } from "../src/engine/sequence-rows.ts"
import { Unit } from "../src/engine/unit.ts"
import { createMemoryStore } from "../src/store/memory.ts"
import { sequenceFrom } from "../src/wire/sequence.ts"

const group = digestOf(new Uint8Array([1]))
const device = "ed25519:x"
const idOf = (n: number): Digest => digestOf(new TextEncoder().encode(`id ${n}`))
const messageAt = (n: number) => ({ counter: n, id: idOf(n), ...(n === 0 ? {} : { prev: idOf(n - 1) }) })

async function step(rows: Map<string, Uint8Array>, change: (before: DeviceSequence, unit: Unit) => void) {
  const unit = new Unit(createMemoryStore(rows))
  change(await sequenceOf(unit, group, device), unit)
  await unit.write()
  return sequenceOf(new Unit(createMemoryStore(rows)), group, device)
}

const take = (rows: Map<string, Uint8Array>, n: number) =>
  step(rows, (before, unit) => putSequence(unit, group, placeIn(before, messageAt(n), n + 1).after))

test("putSequence() keeps the last 128 ids at least, in rows of which the one written each time stays small", async () => {
  const rows = new Map<string, Uint8Array>()
  let olderWrites = 0
  for (let n = 0; n < 400; n++) {
    const older = rows.get(keys.olderIds(group, device))
    const after = await take(rows, n)
    if (rows.get(keys.olderIds(group, device)) !== older) olderWrites++
    const { recent, next, last } = after.sequence
    assert.deepEqual([next, last], [n + 1, idOf(n)])
    assert.ok(recent.length >= Math.min(n + 1, 128) && recent.length <= 144, `${recent.length} at ${n}`)
    assert.deepEqual(
      recent,
      Array.from(recent, (_, i) => idOf(n + 1 - recent.length + i)),
    )
    assert.ok((rows.get(keys.sequence(group, device))?.length ?? 0) < 2_300)
  }
  assert.ok(olderWrites > 10 && olderWrites < 30, `${olderWrites}`)
  const after = await sequenceOf(new Unit(createMemoryStore(rows)), group, device)
  assert.equal(placeIn(after, messageAt(300), 301).arrival.kind, "repeat")
  assert.equal(placeIn(after, { ...messageAt(300), id: idOf(9_999) }, 301).arrival.kind, "fork")
})

test("putSequence() takes over a row of before, with all ids in it", async () => {
  const recent = Array.from({ length: 128 }, (_, i) => idOf(i))
  const row = { next: 128, last: idOf(127), recent, held: [], lastSeq: 128 }
  const rows = new Map([[keys.sequence(group, device), encodeRow(row)]])
  const after = await take(rows, 128)
  assert.deepEqual(after.sequence.recent.slice(-128), [...recent.slice(1), idOf(128)])
  assert.ok((rows.get(keys.sequence(group, device))?.length ?? 0) < 2_300)
})

test("putSequence() leaves nothing of what stood there where a device begins anew", async () => {
  const rows = new Map<string, Uint8Array>()
  for (let n = 0; n < 60; n++) await take(rows, n)
  const sequence = sequenceFrom(500, idOf(499))
  const after = await step(rows, (before, unit) => putSequence(unit, group, { ...before, sequence }))
  assert.deepEqual(after.sequence.recent, [idOf(499)])
  assert.equal(rows.has(keys.olderIds(group, device)), false)
  const fresh = { device, sequence: sequenceFrom(7, undefined), places: new Map(), lastSeq: 0 }
  assert.deepEqual((await step(rows, (_, unit) => putSequence(unit, group, fresh))).sequence.recent, [])
})

test("a value that was put is what comes back after a restart: members that are undefined are none", async () => {
  const rows = new Map<string, Uint8Array>()
  const unit = new Unit(createMemoryStore(rows))
  const value = { text: "x", code: undefined, list: [{ a: 1, b: undefined }, "c"], none: null, same: { d: [1] } }
  unit.put("a", value)
  const kept = await unit.get<object>("a")
  await unit.write()
  const afterwards = await new Unit(createMemoryStore(rows)).get<object>("a")
  const restarted = new Map([...rows].map(([key, row]) => [key, row.slice()] as const))
  const again = await new Unit(createMemoryStore(restarted)).get<object>("a")
  assert.deepEqual(again, { text: "x", list: [{ a: 1 }, "c"], none: null, same: { d: [1] } })
  assert.deepEqual([kept, afterwards], [again, again])
  assert.equal((kept as typeof value).same, value.same)
})
