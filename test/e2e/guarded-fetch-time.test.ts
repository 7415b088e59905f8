/** The guarded fetch against slow servers and many requests. SPEC §7.2, adversarial cases N14, N19, N22. */
import assert from "node:assert/strict"
import type { Socket } from "node:net"
import { test } from "node:test"
import { createFetch, fetchLimits } from "../../packages/channels/src/index.ts"
import { startRawServer } from "../../packages/channels/test/support/http-server.ts"
import { createTestFetch, fetchFrom, now } from "../../packages/channels/test/support/test-fetch.ts"

test("N19 a thousand requests for one slow host use 2 sockets; some wait, the rest are refused with net.busy", async (t) => {
  const held: (() => void)[] = []
  let release = false
  let most = 0
  const { server, fetch, page } = await fetchFrom(t, (_request, response) => {
    most = Math.max(most, server.open)
    if (release) response.end("kez")
    else held.push(() => response.end("kez"))
    if (held.length === 2 && !release) {
      release = true
      for (const answer of held) answer()
    }
  })
  const calls = await Promise.allSettled(Array.from({ length: 1_000 }, () => fetch(page)))
  const busy = calls.filter((call) => call.status === "rejected" && call.reason.code === "net.busy").length
  assert.equal(busy, 1_000 - 2 - fetchLimits.maxQueuedPerHost)
  assert.equal(calls.filter((call) => call.status === "fulfilled").length, 2 + fetchLimits.maxQueuedPerHost)
  assert.equal(server.connections, 2 + fetchLimits.maxQueuedPerHost)
  assert.ok(most <= 3, `${most} sockets at once`)
})

const quick = { totalMs: 5_000, idleMs: 100 }

const silences: readonly (readonly [title: string, scheme: string, onSocket: (socket: Socket) => void])[] = [
  ["a server that never answers", "http", () => {}],
  ["a server that never completes the TLS handshake", "https", () => {}],
  ["a stall inside the headers", "http", (socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-")],
  ["a stall after the headers", "http", (socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n")],
  ["a stall inside the body", "http", (socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nkez")],
]

for (const [title, scheme, onSocket] of silences) {
  test(`N14 ${title} is net.timeout after the idle time, and the socket is destroyed`, async (t) => {
    const server = await startRawServer(onSocket, scheme)
    t.after(() => server.close())
    const fetch = createTestFetch({ hosts: { "a.example": server.origin }, limits: quick })
    const started = performance.now()
    await assert.rejects(fetch("https://a.example/"), { code: "net.timeout", message: /within 100 ms/ })
    assert.ok(performance.now() - started < 2_000)
    await server.allClosed()
  })
}

test("N14 N22 one byte at a time is net.timeout at the total time, and the socket is destroyed", async (t) => {
  const server = await startRawServer((socket) => {
    socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    const drip = setInterval(() => socket.write("1\r\nk\r\n"), 20)
    socket.on("close", () => clearInterval(drip))
  })
  t.after(() => server.close())
  const fetch = createTestFetch({ hosts: { "a.example": server.origin }, limits: { totalMs: 300, idleMs: 200 } })
  await assert.rejects(fetch("https://a.example/"), { code: "net.timeout", message: /within 300 ms/ })
  await server.allClosed()
})

test("N14 waiting in line counts: the total time covers queue, look-up and redirects", async (t) => {
  const { fetch, page } = await fetchFrom(t, () => {}, { totalMs: 200, maxRequestsPerHost: 1 })
  const calls = [fetch(page), fetch(page)]
  for (const call of calls) await assert.rejects(call, { code: "net.timeout" })
  const resolver = { resolveAddresses: () => new Promise<never>(() => {}) }
  const waiting = createFetch({ resolver, now: () => now, limits: { totalMs: 50 } })
  await assert.rejects(waiting("https://a.example/"), { code: "net.timeout" })
})

test("fetch() throws the caller's reason and destroys the socket when the caller gives up", async (t) => {
  const controller = new AbortController()
  const reason = new Error("gave up")
  const { server, fetch, page } = await fetchFrom(t, () => controller.abort(reason))
  await assert.rejects(fetch(page, { signal: controller.signal }), (error) => error === reason)
  await server.allClosed()
  await assert.rejects(fetch(page, { signal: controller.signal }), (error) => error === reason)
  assert.equal(server.connections, 1)
})
