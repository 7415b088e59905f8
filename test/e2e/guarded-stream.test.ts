/** Guarded streams of lines against hostile places. SPEC NET-7, adversarial cases N2, N14, N20 to N22 of C.6. */
import assert from "node:assert/strict"
import type { RequestListener } from "node:http"
import { type TestContext, test } from "node:test"
import { createNet, type LineStream, type NetOptions } from "../../packages/channels/src/index.ts"
import { startHttpServer } from "../../packages/channels/test/support/http-server.ts"
import { streamCases } from "../../packages/channels/test/support/stream-cases.ts"
import { createFakeResolver, now } from "../../packages/channels/test/support/test-fetch.ts"

const never = new AbortController().signal
const url = "https://a.example/stream"

function netAt(addresses: readonly string[], options: Omit<NetOptions, "resolver"> = {}) {
  const resolver = { ...createFakeResolver(addresses), resolveTxt: () => Promise.reject(new Error("no TXT here")) }
  return createNet({ ...options, resolver, now: () => now })
}

/** A network in which `a.example` is a server of the test. */
async function serve(t: TestContext, listener: RequestListener, limits: NonNullable<NetOptions["limits"]> = {}) {
  const server = await startHttpServer(listener)
  t.after(() => server.close())
  const net = netAt(["10.0.0.1"], { hosts: { "a.example": server.origin }, limits })
  return { server, net, open: (signal = never) => net.openStream(url, { signal, accept: ["text/event-stream"] }) }
}

const events = { "content-type": "text/event-stream; charset=utf-8" }

async function readAll(stream: LineStream): Promise<readonly string[]> {
  const lines: string[] = []
  for await (const line of stream.lines()) lines.push(line)
  return lines
}

test("openStream() gives lines as they come, whatever the chunks, and ends when the other side does", async (t) => {
  const { open, server } = await serve(t, (_, response) => {
    response.writeHead(200, events)
    for (const part of ["a\r\nb", "b\n", "\n", "ü".slice(0), "\nrest without an end"]) response.write(part)
    response.end()
  })
  assert.deepEqual(await readAll(await open()), ["a", "bb", "", "ü"])
  await server.allClosed()
})

test("openStream() has no limit of time, and one of silence", async (t) => {
  const { open } = await serve(
    t,
    (_, response) => {
      response.writeHead(200, events)
      let left = 6
      const beat = setInterval(() => {
        left -= 1
        if (left === 0) clearInterval(beat)
        else response.write(": beat\n")
      }, 100)
      response.on("close", () => clearInterval(beat))
    },
    { totalMs: 200, openMs: 5_000, quietMs: 400 },
  )
  const lines: string[] = []
  const stream = await open()
  await assert.rejects(
    async () => {
      for await (const line of stream.lines()) lines.push(line)
    },
    { code: "net.timeout" },
  )
  assert.equal(lines.length, 5)
})

test("N22 openStream() gives up on a head that does not come", async (t) => {
  const { open, server } = await serve(t, () => {}, { openMs: 200 })
  await assert.rejects(open(), { code: "net.timeout" })
  await server.allClosed()
})

test("N21 N20 openStream() takes no line without an end, and no flood", async (t) => {
  const long = await serve(t, (_, response) => response.writeHead(200, events).write("x".repeat(4_000)), {
    maxLineBytes: 1_000,
  })
  await assert.rejects(readAll(await long.open()), { code: "limit.body" })
  await long.server.allClosed()
  const flood = await serve(t, (_, response) => response.writeHead(200, events).write("x\n".repeat(4_000)), {
    maxBytesPerMinute: 1_000,
  })
  await assert.rejects(readAll(await flood.open()), { code: "limit.body" })
  await flood.server.allClosed()
})

test("openStream() refuses pages, compressed streams, redirects and bytes that are no text", async (t) => {
  const answers: ReadonlyArray<readonly [RequestListener, string]> = [
    [(_, response) => response.writeHead(200, { "content-type": "text/html" }).end("x\n"), "net.content_type"],
    [(_, response) => response.writeHead(200, { ...events, "content-encoding": "gzip" }).end("x\n"), "net.http"],
    [(_, response) => response.writeHead(302, { location: "https://a.example/x" }).end(), "net.redirect"],
    [(_, response) => response.writeHead(200, events).end(Buffer.from([0xff, 0x0a])), "text.utf8"],
  ]
  for (const [listener, code] of answers) {
    const { open, server } = await serve(t, listener)
    await assert.rejects(async () => readAll(await open()), { code })
    await server.allClosed()
  }
})

test("openStream() reports another status, reads nothing of it, and honours the time that it names", async (t) => {
  const { open, net, server } = await serve(t, (_, response) =>
    response.writeHead(429, { "retry-after": "30" }).end("x\n"),
  )
  const stream = await open()
  assert.deepEqual([stream.status, stream.retryAfterSeconds, await readAll(stream)], [429, 30, []])
  await server.allClosed()
  await assert.rejects(net.fetch("https://a.example/", {}), { code: "net.rate_limit" })
})

test("N2 openStream() and fetch() reach a private place only for a request by which the reader named it", async (t) => {
  const server = await startHttpServer((_, response) => response.writeHead(200, events).end("x\n"))
  t.after(() => server.close())
  const net = netAt(["10.0.0.1"])
  const own = `${server.origin}/stream`
  await assert.rejects(net.openStream(own, { signal: never }), { code: "net.port" })
  await assert.rejects(net.fetch(own, {}), { code: "net.port" })
  assert.deepEqual(await readAll(await net.openStream(own, { signal: never, isChosen: true })), ["x"])
  assert.equal((await net.fetch(own, { isChosen: true })).status, 200)
  // A name is looked up like any other, and may not turn out to be private.
  await assert.rejects(net.fetch("https://b.example/", { isChosen: true }), { code: "net.address" })
})

test("openStream() ends with its signal, with close(), and when nobody reads on; the place at the host is free then", async (t) => {
  const { open, server } = await serve(t, (_, response) => void response.writeHead(200, events).write("x\n"))
  const stop = new AbortController()
  const reading = readAll(await open(stop.signal))
  stop.abort(new Error("enough"))
  await assert.rejects(reading, /enough/)
  const closed = await open()
  closed.close()
  assert.deepEqual(await readAll(closed).catch(() => []), [])
  for await (const line of (await open()).lines()) {
    assert.equal(line, "x")
    break
  }
  await server.allClosed()
  const both = await Promise.all([open(), open()])
  for (const stream of both) stream.close()
  await server.allClosed()
})

for (const { id, why, input, expect } of streamCases().heads) {
  test(`streams.json ${id}: ${why}`, async (t) => {
    const { open } = await serve(t, (_, response) => {
      response.writeHead(input.answer.status, input.answer.headers).end("a\n")
    })
    if (expect.code === null) assert.deepEqual(await readAll(await open()), ["a"])
    else await assert.rejects(open(), { code: expect.code })
  })
}
