/** Connections that stand still while they are answered: no timer runs for a read that is over at once, and none may stay for ever. */
import assert from "node:assert/strict"
import { once } from "node:events"
import { createServer, type RequestListener, type Server } from "node:http"
import { type AddressInfo, connect, type Socket } from "node:net"
import { type TestContext, test } from "node:test"
import { setTimeout } from "node:timers/promises"
import { createHotRead, type HotReadOptions } from "../../apps/sig-server/src/hot-read.ts"
import { boundedBy } from "../../apps/sig-server/src/idle-bound.ts"
import { createMetrics } from "../../apps/sig-server/src/metrics.ts"
import { answerPlainRequests } from "../../apps/sig-server/src/plain-connections.ts"
import { ReadLimit } from "../../apps/sig-server/src/read-limit.ts"
import { makeChain } from "../../apps/sig-server/test/chain-maker.ts"

const idleMs = 300
const { replay } = await makeChain("idle", 1)
const { chain } = replay

function hotRead(bytes: number): RequestListener {
  return createHotRead({ ...sources(bytes), idleMs, otherwise: boundedBy(idleMs, () => undefined) })
}

function sources(bytes: number): Pick<HotReadOptions, "views" | "metrics" | "reads"> {
  const view = { chain, replay, document: new Uint8Array(bytes), size: 1 }
  const views = { get: () => view, find: async () => ({ status: "found", view }) as const }
  const metrics = createMetrics(async () => ({ events: 0, chains: 0, bytes: 0 }))
  const reads = new ReadLimit({
    plan: { burst: 0, perHour: 0 },
    nowMs: Date.now,
    isTrusted: undefined,
    onRefusal: () => undefined,
  })
  return { views, metrics, reads }
}

async function open(
  t: TestContext,
  listener: RequestListener,
  prepare: (server: Server) => void = () => undefined,
): Promise<{ socket: Socket; closed: () => boolean }> {
  const server = createServer({ keepAliveTimeout: 60_000 }, listener)
  prepare(server)
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  let closed = false
  server.on("connection", (socket) => socket.on("close", () => (closed = true)))
  const socket = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" })
  socket.on("error", () => undefined)
  t.after(() => {
    socket.destroy()
    server.close()
  })
  await once(socket, "connect")
  return { socket, closed: () => closed }
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`

async function within(ms: number, isDone: () => boolean): Promise<boolean> {
  for (let waitedMs = 0; !isDone() && waitedMs < ms; waitedMs += 20) await setTimeout(20)
  return isDone()
}

test("D-10 a reader that leaves its answer untaken is cut", async (t) => {
  const { socket, closed } = await open(t, hotRead(32_000_000))
  socket.pause()
  socket.write(get(`/v1/chains/${chain}`))
  assert.ok(await within(10 * idleMs, closed))
})

test("D-10 so is one that asks for a thousand answers and takes none", async (t) => {
  const { socket, closed } = await open(t, hotRead(16_000))
  socket.pause()
  socket.write(get(`/v1/chains/${chain}`).repeat(1_000))
  assert.ok(await within(10 * idleMs, closed))
})

test("D-10 a slow reader that goes on reading is served to the end, and its connection stays", async (t) => {
  const bytes = 8_000_000
  const { socket, closed } = await open(t, hotRead(bytes))
  let received = 0
  socket.write(get(`/v1/chains/${chain}`))
  socket.on("data", (part) => {
    received += part.length
    socket.pause()
    void setTimeout(5).then(() => socket.resume())
  })
  assert.ok(await within(20_000, () => received > bytes))
  // Between requests another bound holds.
  await setTimeout(2 * idleMs)
  assert.equal(closed(), false)
  const before = received
  socket.write(get(`/v1/chains/${chain}`))
  assert.ok(await within(20_000, () => received > before + bytes))
})

test("an answer that never comes is not waited for", async (t) => {
  const { socket, closed } = await open(t, hotRead(1))
  socket.write(get("/elsewhere"))
  assert.ok(await within(10 * idleMs, closed))
})

/** Connections before Node's HTTP has them: one that has asked nothing may wait for 300 ms, others twice as long. */
const plainReads = (bytes: number) => (server: Server) => {
  const quiet = { firstMs: 300, nextMs: 600, busyMs: 600, checkMs: 50 }
  const plain = answerPlainRequests(server, { ...sources(bytes), isTrusted: undefined, posts: undefined, quiet })
  server.on("close", () => plain.close())
}

test("a connection that asks nothing is ended, and one that has asked something later", async (t) => {
  const listener = hotRead(1_000)
  const silent = await open(t, listener, plainReads(1_000))
  const asking = await open(t, listener, plainReads(1_000))
  for (let i = 0; i < 5; i++) {
    asking.socket.resume().write(get(`/v1/chains/${chain}`))
    await setTimeout(150)
  }
  assert.equal(silent.closed(), true)
  await setTimeout(300)
  assert.equal(asking.closed(), false)
  assert.ok(await within(20 * idleMs, asking.closed))
})

test("what an answer took is not counted as quiet after it", async (t) => {
  const { views, ...others } = sources(1_000)
  const { find } = views
  const slow: typeof views = { get: () => undefined, find: (name) => setTimeout(400).then(() => find(name)) }
  const { socket, closed } = await open(t, hotRead(1_000), (server) => {
    const quiet = { firstMs: 600, nextMs: 600, busyMs: 5_000, checkMs: 50 }
    const options = { ...others, views: slow, isTrusted: undefined, posts: undefined, quiet }
    const plain = answerPlainRequests(server, options)
    server.on("close", () => plain.close())
  })
  socket.write(get(`/v1/chains/${chain}`))
  await once(socket, "data")
  await setTimeout(400)
  assert.equal(closed(), false)
  assert.ok(await within(20 * idleMs, closed))
})

test("a connection that comes after the order to stop, and before listening has ended, is ended", async (t) => {
  const { closed } = await open(t, hotRead(1_000), (server) => {
    const options = { ...sources(1_000), isTrusted: undefined, posts: undefined }
    answerPlainRequests(server, options).close()
  })
  assert.ok(await within(10 * idleMs, closed))
})

test("answerPlainRequests() throws when it would leave somebody else who listens without connections", () => {
  const options = { ...sources(1_000), isTrusted: undefined, posts: undefined }
  assert.throws(() =>
    answerPlainRequests(
      createServer().on("connection", () => undefined),
      options,
    ),
  )
  assert.throws(() => answerPlainRequests(createServer().removeAllListeners("connection"), options))
})

test("D-10 a reader that asks plainly a thousand times and takes nothing is cut, whatever its pace", async (t) => {
  const { socket, closed } = await open(t, hotRead(16_000), plainReads(16_000))
  socket.pause()
  for (let i = 0; i < 1_000 && !closed(); i++) {
    socket.write(get(`/v1/chains/${chain}`))
    if (i % 10 === 0) await setTimeout(1)
  }
  assert.ok(await within(20 * idleMs, closed))
})
