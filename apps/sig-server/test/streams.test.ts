/** Streams: what each reader is told, what a reader that comes back is told, and who is cut. SPEC STORE-11 */
import assert from "node:assert/strict"
import { EventEmitter } from "node:events"
import type { ServerResponse } from "node:http"
import { test } from "node:test"
import { envelopeDigest, formatEnvelope, type SigchainEvent } from "@kez/core"
import { add, addDevice, now } from "../../../packages/core/test/support/chains.ts"
import { keyNamed } from "../../../packages/core/test/support/keys.ts"
import type { ChainService, ChainView } from "../src/chain-service.ts"
import { maxStreamBacklogBytes } from "../src/http-limits.ts"
import { createMetrics } from "../src/metrics.ts"
import { parsePosition } from "../src/stream-message.ts"
import { createStreamHub, type StreamHub } from "../src/streams.ts"
import { createMemoryStore, type MemoryStore } from "./support/memory-store.ts"
import { makeApp } from "./support/test-app.ts"

const owner = keyNamed("stream owner")
const device = keyNamed("stream device")
const genesis = addDevice(undefined, device, owner)
const id = envelopeDigest(genesis)
const second = add(genesis, "dns:a.example", device)
const third = add(second, "dns:b.example", device)

interface Message {
  readonly id: string
  readonly chain: string
  readonly seq: number
  readonly digest: string
  readonly status: string
  readonly forks: number
  readonly from: number
  readonly events?: readonly unknown[]
}

class FakeReader extends EventEmitter {
  readonly chunks: string[] = []
  writableLength = 0
  isEnded = false
  isCut = false

  write(chunk: string): boolean {
    this.chunks.push(chunk)
    return true
  }

  end(): void {
    this.isEnded = true
  }

  destroy(): void {
    this.isCut = true
  }

  get messages(): readonly Message[] {
    return this.chunks.map((chunk) => {
      const [, position = "", data = ""] = /^id: (.*)\nevent: head\ndata: (.*)\n\n$/.exec(chunk) ?? []
      return { id: position, ...JSON.parse(data) }
    })
  }
}

interface World {
  readonly store: MemoryStore
  readonly hub: StreamHub
  append(...events: readonly SigchainEvent[]): Promise<void>
  view(): Promise<ChainView>
  follow(lastEventId?: string): Promise<FakeReader & { stop(): void }>
}

async function makeWorld(...events: readonly SigchainEvent[]): Promise<World> {
  const store = createMemoryStore(() => now)
  const hub = createStreamHub(
    store.service,
    { total: 3, perIp: 2 },
    createMetrics(() => store.storage.counts()),
  )
  const append = async (...more: readonly SigchainEvent[]): Promise<void> => {
    for (const event of more) await store.service.append(id, formatEnvelope(event))
  }
  const view = async (): Promise<ChainView> => {
    const found = await store.service.find(id)
    if (found.status !== "found") throw new Error(found.status)
    return found.view
  }
  await append(...events)
  return {
    store,
    hub,
    append,
    view,
    async follow(lastEventId) {
      const reader = new FakeReader()
      const last = lastEventId === undefined ? undefined : parsePosition(lastEventId)
      const { start, stop } = hub.open({ chain: id, address: "192.0.2.1", last }, asResponse(reader))
      start(await view())
      return Object.assign(reader, { stop })
    },
  }
}

/** The hub uses no more of it. */
const asResponse = (reader: FakeReader): ServerResponse => reader as unknown as ServerResponse
const asValue = (event: SigchainEvent): unknown => JSON.parse(formatEnvelope(event))

test("a new reader is told where the chain ends, and then what is added", async () => {
  const { append, follow } = await makeWorld(genesis)
  const reader = await follow()
  await append(second)
  const digest = envelopeDigest(second)
  assert.deepEqual(reader.messages, [
    { id: `0-${id}`, chain: id, seq: 0, digest: id, status: "ok", forks: 0, from: 1, events: [] },
    { id: `1-${digest}`, chain: id, seq: 1, digest, status: "ok", forks: 0, from: 1, events: [asValue(second)] },
  ])
})

test("the envelopes of a message are the stored bytes", async () => {
  const { append, follow } = await makeWorld(genesis)
  const reader = await follow()
  await append(second)
  assert.ok(reader.chunks[1]?.includes(`"events":[${formatEnvelope(second)}]`))
})

test("a reader that comes back gets what came after its seq", async () => {
  const { follow } = await makeWorld(genesis, second, third)
  const eventsFor = async (lastEventId: string) => {
    const reader = await follow(lastEventId)
    reader.stop()
    const [{ from, events } = { from: -1, events: [] }] = reader.messages
    return { from, events }
  }
  assert.deepEqual(await eventsFor("0"), { from: 1, events: [asValue(second), asValue(third)] })
  assert.deepEqual(await eventsFor(`1-${envelopeDigest(second)}`), { from: 2, events: [asValue(third)] })
  assert.deepEqual(await eventsFor("2"), { from: 3, events: [] })
  assert.deepEqual(await eventsFor("9"), { from: 3, events: [] })
})

test("a reader that comes back from a losing branch gets the whole path", async () => {
  const rival = add(genesis, "dns:owner.example", owner)
  const { follow } = await makeWorld(genesis, second, rival)
  const reader = await follow(`1-${envelopeDigest(second)}`)
  assert.deepEqual(reader.messages[0]?.from, 0)
  assert.deepEqual(reader.messages[0]?.events, [asValue(genesis), asValue(rival)])
})

test("when another branch wins, readers get the path from where it leaves", async () => {
  const rival = add(genesis, "dns:owner.example", owner)
  const { append, follow } = await makeWorld(genesis, second, third)
  const reader = await follow()
  await append(rival)
  const { seq, from, forks, events } = reader.messages[1] ?? {}
  assert.deepEqual({ seq, from, forks, events }, { seq: 1, from: 1, forks: 2, events: [asValue(rival)] })
})

test("when a fork arises that nothing decides, readers are told that, and that there is evidence", async () => {
  const { append, follow } = await makeWorld(genesis, second)
  const reader = await follow()
  await append(add(genesis, "dns:rival.example", device))
  const { seq, status, forks, events } = reader.messages[1] ?? {}
  assert.deepEqual({ seq, status, forks, events }, { seq: 0, status: "fork", forks: 2, events: [] })
})

test("what changes between the look-up and the first message is not missed", async () => {
  const { hub, append, view } = await makeWorld(genesis)
  const before = await view()
  const reader = new FakeReader()
  const { start } = hub.open({ chain: id, address: "192.0.2.1", last: parsePosition("0") }, asResponse(reader))
  await append(second)
  start(before)
  assert.deepEqual(
    reader.messages.map(({ seq, events }) => ({ seq, events })),
    [{ seq: 1, events: [asValue(second)] }],
  )
  await append(third)
  assert.equal(reader.messages[1]?.seq, 2)
})

test("a later reader that knows more does not make an earlier one miss it", async () => {
  const { store, hub, follow } = await makeWorld(genesis)
  const early = await follow()
  // As with several copies: the look-up is ahead of the news.
  const other = await makeWorld(genesis, second)
  const late = new FakeReader()
  hub.open({ chain: id, address: "192.0.2.2", last: undefined }, asResponse(late)).start(await other.view())
  assert.equal(early.messages[1]?.seq, 1)
  await store.service.append(id, formatEnvelope(second))
  assert.equal(early.messages.length, 2)
})

test("a reader that does not read is cut, and the others are not", async () => {
  const { append, follow } = await makeWorld(genesis)
  const slow = await follow()
  const other = await follow()
  slow.writableLength = maxStreamBacklogBytes + 1
  await append(second)
  assert.deepEqual([slow.isCut, slow.messages.length], [true, 1])
  assert.deepEqual([other.isCut, other.messages.length], [false, 2])
})

test("a reader whose socket has not moved from one heartbeat to the next is cut", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] })
  const { follow } = await makeWorld(genesis)
  const stuck = await follow()
  const other = await follow()
  stuck.writableLength = 10
  t.mock.timers.tick(15_000)
  assert.equal(other.chunks[1], ": \n\n")
  other.writableLength = 0
  t.mock.timers.tick(15_000)
  assert.deepEqual([stuck.isCut, other.isCut], [true, false])
})

test("streams are bounded in all and for one address, and a reader that leaves makes room", async () => {
  const { hub, follow } = await makeWorld(genesis)
  const [first] = [await follow(), await follow()]
  assert.throws(() => hub.assertRoom("192.0.2.1"), { status: 429, code: "net.busy" })
  hub.assertRoom("192.0.2.2")
  const third = hub.open({ chain: id, address: "192.0.2.2", last: undefined }, asResponse(new FakeReader()))
  assert.throws(() => hub.assertRoom("192.0.2.3"), { status: 503, code: "net.busy" })
  third.stop()
  third.stop()
  hub.assertRoom("192.0.2.3")
  first?.stop()
  hub.assertRoom("192.0.2.1")
})

test("a reader that leaves before it is told anything takes no place, and is told nothing later", async () => {
  const { hub, view, append, follow } = await makeWorld(genesis)
  const [stays, leaves] = [await follow(), new FakeReader()]
  const { start, stop } = hub.open({ chain: id, address: "192.0.2.1", last: undefined }, asResponse(leaves))
  stop()
  start(await view())
  await append(second)
  assert.deepEqual([stays.chunks.length, leaves.chunks.length], [2, 0])
})

test("a reader that comes while the process stops is let go", async () => {
  const { hub, view } = await makeWorld(genesis)
  const late = new FakeReader()
  const { start } = hub.open({ chain: id, address: "192.0.2.1", last: undefined }, asResponse(late))
  hub.close()
  start(await view())
  assert.equal(late.isEnded, true)
})

test("a connection that is gone before its chain is found leaves its place to others", async (t) => {
  const { http, store, app, lines } = makeApp({ streams: { total: 1, perIp: 1 } })
  t.after(() => app.close())
  await store.service.append(id, formatEnvelope(genesis))
  const find = store.service.find.bind(store.service)
  const [asked, gone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const slow: ChainService["find"] = async (name) => {
    asked.resolve()
    await gone.promise
    return find(name)
  }
  Object.assign(store.service, { find: slow })
  http.server.once("connection", (socket) => socket.once("close", () => setImmediate(gone.resolve)))
  const url = `${await http.listen({ host: "127.0.0.1", port: 0 })}/v1/chains/${id}/stream`
  const first = new AbortController()
  const left = assert.rejects(fetch(url, { signal: first.signal }))
  await asked.promise
  first.abort()
  await Promise.all([left, gone.promise])
  Object.assign(store.service, { find })
  const second = await fetch(url)
  assert.equal(second.status, 200)
  await second.body?.cancel()
  // It is no defect of the server either, of which the log tells.
  assert.deepEqual(lines, [])
})

test("close() ends every stream", async () => {
  const { hub, follow } = await makeWorld(genesis)
  const reader = await follow()
  hub.close()
  assert.equal(reader.isEnded, true)
})

for (const bad of ["", "-1", "01", "1.5", "x", "1-", "1-sha256:00", `1-${id}x`, "999999"]) {
  test(`the position ${JSON.stringify(bad)} is none`, () => {
    assert.equal(parsePosition(bad), undefined)
  })
}
