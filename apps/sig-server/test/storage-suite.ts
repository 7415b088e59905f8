/** What every `Storage` must do. The tests of each implementation run this same list against it. */
import assert from "node:assert/strict"
import { type TestContext, test } from "node:test"
import { digestOf } from "@kez/core"
import { maxHeadsPerSigner } from "../src/limits.ts"
import type { NewEvent, Storage, StoredHead } from "../src/storage/storage.ts"

/** An empty place of its own for one test: a file, a database schema. */
export interface StoragePlace {
  /** May be called again, before or after the first one is closed: both see the same data. */
  open(): Promise<Storage>
  /** Called after every storage of the place was closed. */
  remove(): Promise<void>
}

export interface SuiteOptions {
  readonly makePlace: () => Promise<StoragePlace>
  readonly skip?: false | string
}

const now = 1_800_000_000
const chainA = digestOf("chain a")
const chainB = digestOf("chain b")

/** An event as a storage sees it: it judges nothing, so that any text will do. */
export function eventNamed(name: string, more: Partial<NewEvent> = {}): NewEvent {
  const text = more.text ?? JSON.stringify({ name })
  return { digest: digestOf(text), chain: chainA, seq: 0, text, primaries: [], storedAt: now, ...more }
}

function headNamed(name: string, more: Partial<StoredHead> = {}): StoredHead {
  const text = JSON.stringify({ head: name })
  return { chain: chainA, signer: "ed25519:01", seq: 1, digest: digestOf(name), expiresAt: now + 60, text, ...more }
}

export function testStorage(name: string, { makePlace, skip = false }: SuiteOptions): void {
  /** Runs a test with a place of its own; every storage that it opens is closed after it. */
  function withPlace(title: string, body: (open: () => Promise<Storage>) => Promise<void>): void {
    test(`${name} ${title}`, { skip }, async (t: TestContext) => {
      const place = await makePlace()
      const opened: Storage[] = []
      t.after(async () => {
        for (const storage of opened) await storage.close()
        await place.remove()
      })
      await body(async () => {
        const storage = await place.open()
        opened.push(storage)
        return storage
      })
    })
  }

  withPlace("knows nothing at first", async (open) => {
    const storage = await open()
    assert.equal(await storage.loadChain(chainA), undefined)
    assert.equal(await storage.sizeOf(chainA), 0)
    assert.deepEqual(await storage.chainsOfPrimary("ed25519:01"), [])
    assert.equal(await storage.chainOfEvent(chainA), undefined)
    assert.deepEqual(await storage.loadHeads(chainA, now), [])
    assert.deepEqual(await storage.eventsAfter(0, 10), [])
    assert.equal(await storage.readMark("mirror"), undefined)
    assert.deepEqual(await storage.counts(), { events: 0, chains: 0, bytes: 0 })
    await storage.assertWritable()
  })

  withPlace("gives back the same bytes, by seq and then digest, now and after it was opened again", async (open) => {
    const storage = await open()
    const texts = ["zero", `quotes " \\ ' ; -- $1 ?`, "ünïcödé 😀 \u2028", "x".repeat(3_990)]
    const events = [
      eventNamed("", { text: texts[0] ?? "", seq: 0, storedAt: now }),
      eventNamed("", { text: texts[1] ?? "", seq: 1, storedAt: now + 1 }),
      eventNamed("", { text: texts[3] ?? "", seq: 2, storedAt: now + 2 }),
      eventNamed("", { text: texts[2] ?? "", seq: 1, storedAt: now + 3 }),
    ]
    for (const [size, event] of events.entries()) assert.equal((await storage.append(event, size)).status, "stored")
    const expected = events
      .toSorted((a, b) => a.seq - b.seq || (a.digest < b.digest ? -1 : 1))
      .map(({ digest, chain, seq, text, storedAt }) => ({ digest, chain, seq, text, storedAt }))
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
    for (const each of [storage, await open()]) {
      const loaded = await each.loadChain(chainA)
      assert.equal(loaded?.size, 4)
      assert.deepEqual(
        loaded?.events.map(({ cursor: _, ...event }) => event),
        expected,
      )
      assert.equal(await each.sizeOf(chainA), 4)
      assert.equal(await each.chainOfEvent(events[2]?.digest ?? ""), chainA)
      assert.deepEqual(await each.counts(), { events: 4, chains: 1, bytes })
    }
  })

  withPlace("writes nothing when the chain has another size", async (open) => {
    const storage = await open()
    const [first, second, third] = [eventNamed("1"), eventNamed("2", { seq: 1 }), eventNamed("3", { seq: 1 })]
    assert.equal((await storage.append(second, 1)).status, "raced")
    assert.equal(await storage.loadChain(chainA), undefined)
    assert.equal((await storage.append(first, 0)).status, "stored")
    assert.equal((await storage.append(second, 0)).status, "raced")
    assert.equal((await storage.append(second, 1)).status, "stored")
    assert.equal((await storage.append({ ...third, primaries: ["ed25519:09"] }, 1)).status, "raced")
    assert.deepEqual(await storage.chainsOfPrimary("ed25519:09"), [])
    assert.deepEqual(
      (await storage.loadChain(chainA))?.events.map(({ text }) => text),
      [first.text, second.text],
    )
    assert.equal((await storage.counts()).events, 2)
  })

  withPlace("never writes an event twice, nor into two chains", async (open) => {
    const storage = await open()
    const event = eventNamed("once")
    assert.equal((await storage.append(event, 0)).status, "stored")
    assert.equal((await storage.append(event, 1)).status, "raced")
    assert.equal((await storage.append({ ...event, chain: chainB }, 0)).status, "raced")
    assert.equal(await storage.chainOfEvent(event.digest), chainA)
    assert.equal(await storage.sizeOf(chainB), 0)
    assert.deepEqual(await storage.counts(), { events: 1, chains: 1, bytes: event.text.length })
  })

  withPlace("stores one of 100 appends at once to one place in a chain", async (open) => {
    const storage = await open()
    await storage.append(eventNamed("first"), 0)
    const racing = Array.from({ length: 100 }, (_, i) => storage.append(eventNamed(`racer ${i}`, { seq: 1 }), 1))
    const results = await Promise.all(racing)
    assert.equal(results.filter(({ status }) => status === "stored").length, 1)
    assert.equal(await storage.sizeOf(chainA), 2)
  })

  withPlace("holds the comparison between two that are open at once", async (open) => {
    const [one, other] = [await open(), await open()]
    await one.append(eventNamed("first"), 0)
    const racing = Array.from({ length: 20 }, (_, i) =>
      (i % 2 === 0 ? one : other).append(eventNamed(`racer ${i}`, { seq: 1 }), 1),
    )
    const results = await Promise.all(racing)
    assert.equal(results.filter(({ status }) => status === "stored").length, 1)
    for (const each of [one, other]) assert.equal((await each.loadChain(chainA))?.events.length, 2)
  })

  withPlace("keeps 100 appends at once to as many chains, one that raced among them", async (open) => {
    const storage = await open()
    const chains = Array.from({ length: 100 }, (_, i) => digestOf(`chain ${i}`))
    const results = await Promise.all(
      chains.map((chain, i) => storage.append(eventNamed(`event ${i}`, { chain }), i === 50 ? 7 : 0)),
    )
    const cursors = results.map((result) => (result.status === "stored" ? result.cursor : undefined))
    assert.equal(cursors.indexOf(undefined), 50)
    assert.equal(new Set(cursors).size, 100)
    const again = await open()
    for (const [i, chain] of chains.entries()) assert.equal(await again.sizeOf(chain), i === 50 ? 0 : 1)
  })

  withPlace("finds chains by every primary that an event names, sorted", async (open) => {
    const storage = await open()
    const [low, high] = [chainA, chainB].toSorted()
    await storage.append(eventNamed("h", { chain: high ?? "", primaries: ["ed25519:01"] }), 0)
    await storage.append(eventNamed("l", { chain: low ?? "", primaries: ["ed25519:01", "ed25519:02"] }), 0)
    await storage.append(eventNamed("r", { chain: low ?? "", seq: 1, primaries: ["ed25519:02", "ed25519:03"] }), 1)
    assert.deepEqual(await storage.chainsOfPrimary("ed25519:01"), [low, high])
    assert.deepEqual(await storage.chainsOfPrimary("ed25519:02"), [low])
    assert.deepEqual(await storage.chainsOfPrimary("ed25519:03"), [low])
    assert.deepEqual(await storage.chainsOfPrimary("ed25519:0"), [])
  })

  withPlace("lists all events in the order in which they came", async (open) => {
    const storage = await open()
    const events = Array.from({ length: 25 }, (_, i) =>
      eventNamed(`e${i}`, { chain: i % 2 ? chainA : chainB, seq: i >> 1 }),
    )
    for (const [i, event] of events.entries()) await storage.append(event, i >> 1)
    const seen: string[] = []
    let cursor = 0
    for (let page = await storage.eventsAfter(cursor, 10); page.length > 0; ) {
      assert.ok(page.length <= 10)
      for (const event of page) {
        assert.ok(event.cursor > cursor)
        cursor = event.cursor
        seen.push(event.text)
      }
      page = await storage.eventsAfter(cursor, 10)
    }
    assert.deepEqual(
      seen,
      events.map(({ text }) => text),
    )
  })

  withPlace("keeps heads newest first, and no expired ones", async (open) => {
    const storage = await open()
    await storage.append(eventNamed("first"), 0)
    await storage.saveHead(headNamed("old", { seq: 1 }), now)
    await storage.saveHead(headNamed("new", { seq: 3 }), now)
    await storage.saveHead(headNamed("other", { seq: 2, signer: "ed25519:02", expiresAt: now + 10 }), now)
    const texts = async (at: number) => (await storage.loadHeads(chainA, at)).map(({ seq }) => seq)
    assert.deepEqual(await texts(now), [3, 2, 1])
    assert.deepEqual(await texts(now + 10), [3, 1], "at expires_at a head has expired")
    assert.deepEqual(await texts(now + 60), [])
    assert.deepEqual((await (await open()).loadHeads(chainA, now))[0], headNamed("new", { seq: 3 }))
    assert.deepEqual(await storage.loadHeads(chainB, now), [])
  })

  withPlace("keeps the head that lasts longer of two for one position", async (open) => {
    const storage = await open()
    await storage.append(eventNamed("first"), 0)
    for (const expiresAt of [now + 10, now + 90, now + 50]) await storage.saveHead(headNamed("p", { expiresAt }), now)
    assert.deepEqual(
      (await storage.loadHeads(chainA, now)).map(({ expiresAt }) => expiresAt),
      [now + 90],
    )
  })

  withPlace("keeps a few heads of each signer, the newest positions", async (open) => {
    const storage = await open()
    await storage.append(eventNamed("first"), 0)
    for (let seq = 1; seq <= 20; seq++) await storage.saveHead(headNamed(`s${seq}`, { seq }), now)
    await storage.saveHead(headNamed("late", { seq: 2, digest: digestOf("elsewhere") }), now)
    await storage.saveHead(headNamed("o", { seq: 1, signer: "ed25519:02" }), now)
    const heads = await storage.loadHeads(chainA, now)
    assert.deepEqual(
      heads.filter(({ signer }) => signer === "ed25519:01").map(({ seq }) => seq),
      Array.from({ length: maxHeadsPerSigner }, (_, i) => 20 - i),
    )
    assert.equal(heads.length, maxHeadsPerSigner + 1)
  })

  withPlace("lists heads in the order in which they were kept, and a known one where it was", async (open) => {
    const storage = await open()
    await storage.append(eventNamed("first"), 0)
    const list = async (after: number, limit = 10, at = now) =>
      (await storage.headsAfter(after, limit, at)).map(({ cursor, seq, expiresAt }) => [cursor, seq, expiresAt])
    const first = now * 1_000
    await storage.saveHead(headNamed("a", { seq: 9 }), now)
    await storage.saveHead(headNamed("b", { seq: 8 }), now)
    await storage.saveHead(headNamed("a", { seq: 9 }), now + 1)
    const before = [
      [first, 9, now + 60],
      [first + 1, 8, now + 60],
    ]
    assert.deepEqual(await list(0), before)
    assert.deepEqual(await list(0, 1), before.slice(0, 1))
    assert.deepEqual(await list(first), before.slice(1))
    assert.deepEqual(await list(0, 10, now + 60), [], "expired ones are not told")
    // One that lasts longer takes the place of the other, and is told again; a clock that was set back changes no order.
    await storage.saveHead(headNamed("a", { seq: 9, expiresAt: now + 90 }), now - 100)
    const after = [
      [first + 1, 8, now + 60],
      [first + 2, 9, now + 90],
    ]
    assert.deepEqual(await list(0), after)
    // What is dropped at once, as one of too many, is not told.
    for (const seq of [12, 11, 10]) await storage.saveHead(headNamed(`${seq}`, { seq }), now + 1)
    await storage.saveHead(headNamed("replayed", { seq: 1 }), now + 1)
    assert.deepEqual(
      (await list(first + 2)).map(([cursor, seq]) => [cursor, seq]),
      [
        [first + 1_000, 12],
        [first + 1_001, 11],
        [first + 1_002, 10],
      ],
    )
    assert.equal((await (await open()).headsAfter(0, 10, now)).length, maxHeadsPerSigner)
  })

  withPlace("keeps marks", async (open) => {
    const storage = await open()
    await storage.writeMark("mirror https://a.example", "17")
    await storage.writeMark("mirror https://a.example", "18")
    await storage.writeMark("other", "")
    const again = await open()
    assert.equal(await again.readMark("mirror https://a.example"), "18")
    assert.equal(await again.readMark("other"), "")
  })

  withPlace("is writable more than once, and closes twice", async (open) => {
    const storage = await open()
    for (let i = 0; i < 3; i++) await storage.assertWritable()
    assert.deepEqual(await storage.counts(), { events: 0, chains: 0, bytes: 0 })
    await storage.close()
    await storage.close()
  })
}
