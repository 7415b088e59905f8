/** The guarded fetch asks whether kept answers still hold, without mixing anybody's up. SPEC NET-3 */
import assert from "node:assert/strict"
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http"
import { test } from "node:test"
import { exchange } from "../../packages/channels/src/exchange.ts"
import { type AnswerCache, createMemoryCache, fetchLimits } from "../../packages/channels/src/index.ts"
import { createTestFetch, now, serve } from "../../packages/channels/test/support/test-fetch.ts"

const page = "https://a.example/page"

/** A page with a tag, as a server that knows about conditions gives it. */
function tagged(body: () => string): RequestListener {
  return (request, response) => {
    const etag = `"${body()}"`
    response.setHeader("etag", etag)
    if (request.headers["if-none-match"] === etag) response.writeHead(304).end()
    else response.writeHead(200, { "content-type": "text/plain" }).end(body())
  }
}

/** The requests that a server saw, as their method, path and condition. */
function noting(seen: string[], listener: RequestListener): RequestListener {
  return (request: IncomingMessage, response: ServerResponse & { req: IncomingMessage }) => {
    const { "if-none-match": tag, "if-modified-since": since } = request.headers
    seen.push([request.method, request.url, tag ?? since].filter((part) => part !== undefined).join(" "))
    listener(request, response)
  }
}

test("a second fetch asks whether the answer still holds, and gives it as a 200 of now", async (t) => {
  let body = "one"
  const seen: string[] = []
  const server = await serve(
    t,
    noting(
      seen,
      tagged(() => body),
    ),
  )
  let time = now
  const setup = { cache: createMemoryCache(), now: () => time }
  const fetch = createTestFetch({ hosts: { "a.example": server.origin }, setup })
  const first = await fetch(page)
  assert.equal(first.revalidated, undefined)
  time += 60
  const second = await fetch(page)
  assert.deepEqual(second, { ...first, headers: second.headers, fetchedAt: now + 60, revalidated: true })
  assert.equal(second.headers["content-type"], "text/plain")
  body = "two"
  const third = await fetch(page)
  assert.deepEqual([Buffer.from(third.body).toString(), third.revalidated], ["two", undefined])
  assert.equal((await fetch(page)).revalidated, true)
  assert.deepEqual(seen, ["GET /page", 'GET /page "one"', 'GET /page "one"', 'GET /page "two"'])
})

test("an answer with a date alone is asked again with If-Modified-Since", async (t) => {
  const date = "Tue, 01 Jan 2030 00:00:00 GMT"
  const seen: string[] = []
  const listener: RequestListener = (request, response) => {
    response.setHeader("last-modified", date)
    response.writeHead(request.headers["if-modified-since"] === date ? 304 : 200).end("kez")
  }
  const server = await serve(t, noting(seen, listener))
  const fetch = createTestFetch({ hosts: { "a.example": server.origin }, setup: { cache: createMemoryCache() } })
  await fetch(page)
  assert.equal(Buffer.from((await fetch(page)).body).toString(), "kez")
  assert.deepEqual(seen, ["GET /page", `GET /page ${date}`])
})

test("what is kept for one host, URL, type or caller is never asked about for another", async (t) => {
  const seen: string[] = []
  // The same tag everywhere, and "unchanged" to everybody who names it: the worst that a server can do.
  const a = await serve(
    t,
    noting(
      seen,
      tagged(() => "same"),
    ),
  )
  const b = await serve(
    t,
    noting(
      seen,
      tagged(() => "same"),
    ),
  )
  const hosts = { "a.example": a.origin, "b.example": b.origin }
  const fetch = createTestFetch({ hosts, setup: { cache: createMemoryCache() } })
  await fetch(page)
  await fetch("https://b.example/page")
  await fetch(`${page}?x`)
  await fetch(page, { accept: ["text/plain"] })
  await fetch(page, { headers: { authorization: "Bearer a" } })
  await fetch(page, { headers: { authorization: "Bearer b" } })
  await fetch(page, { headers: { "x-other": "1" } })
  await fetch(page, { headers: { "x-other": "1" } })
  await fetch(page, { method: "POST", body: new Uint8Array(1) })
  assert.ok(!seen.some((request) => request.includes('"same"')), seen.join(", "))
})

test("a host that is mapped elsewhere tomorrow is not asked about yesterday's answer", async (t) => {
  const seen: string[] = []
  const forge = await serve(
    t,
    tagged(() => "same"),
  )
  const other = await serve(
    t,
    noting(
      seen,
      tagged(() => "same"),
    ),
  )
  const cache = createMemoryCache()
  await createTestFetch({ hosts: { "a.example": forge.origin }, setup: { cache } })(page)
  await createTestFetch({ hosts: { "a.example": other.origin }, setup: { cache } })(page)
  assert.deepEqual(seen, ["GET /page"])
})

test("a kept answer does not survive a redirect to another place", async (t) => {
  let moved = false
  const seen: string[] = []
  const a = await serve(t, (request, response) => {
    if (moved) response.writeHead(302, { location: "https://b.example/page" }).end()
    else tagged(() => "mine")(request, response)
  })
  const b = await serve(
    t,
    noting(
      seen,
      tagged(() => "theirs"),
    ),
  )
  const hosts = { "a.example": a.origin, "b.example": b.origin }
  const fetch = createTestFetch({ hosts, setup: { cache: createMemoryCache() } })
  await fetch(page)
  moved = true
  for (const revalidated of [undefined, true] as const) {
    const answer = await fetch(page)
    assert.deepEqual([answer.url, Buffer.from(answer.body).toString()], ["https://b.example/page", "theirs"])
    assert.equal(answer.revalidated, revalidated)
  }
  moved = false
  assert.equal(Buffer.from((await fetch(page)).body).toString(), "mine")
  assert.deepEqual(seen, ["GET /page", 'GET /page "theirs"'])
})

test("nothing is kept over plain http, where a stranger could leave his page under the honest one's tag", async (t) => {
  const asked: string[] = []
  const cache: AnswerCache = {
    async get({ url }) {
      asked.push(url)
      return undefined
    },
    async set() {},
  }
  const never = { resolveAddresses: () => Promise.reject(new Error("no network in this test")) }
  const fetch = createTestFetch({ setup: { cache, resolver: never } })
  await assert.rejects(fetch("http://a.example/"))
  assert.deepEqual(asked, [])
  await assert.rejects(fetch("https://a.example/"))
  assert.deepEqual(asked, ["https://a.example/"])
  const server = await serve(
    t,
    tagged(() => "kez"),
  )
  const mapped = createTestFetch({ hosts: { "a.example": server.origin }, setup: { cache } })
  await mapped(page)
  assert.equal(asked.at(-1), `${server.origin}/page`)
})

const unkept: Readonly<Record<string, readonly [status: number, headers: Readonly<Record<string, string>>]>> = {
  "no tag and no date": [200, {}],
  "no-store": [200, { etag: '"1"', "cache-control": "private, No-Store" }],
  "Vary: *": [200, { etag: '"1"', vary: "*" }],
  "a tag that is no tag": [200, { etag: "1" }],
  "a tag of 300 bytes": [200, { etag: `"${"1".repeat(300)}"` }],
  "a date that is none": [200, { "last-modified": "yesterday" }],
  "a 404": [404, { etag: '"1"' }],
  "a 206": [206, { etag: '"1"' }],
}

for (const [what, [status, headers]] of Object.entries(unkept)) {
  test(`an answer with ${what} is not kept`, async (t) => {
    const seen: string[] = []
    const server = await serve(
      t,
      noting(seen, (_request, response) => response.writeHead(status, headers).end("kez")),
    )
    const fetch = createTestFetch({ hosts: { "a.example": server.origin }, setup: { cache: createMemoryCache() } })
    await fetch(page)
    await fetch(page)
    assert.deepEqual(seen, ["GET /page", "GET /page"])
  })
}

test("a 304 that nobody asked for stays a 304", async (t) => {
  const server = await serve(t, (_request, response) => response.writeHead(304).end())
  const fetch = createTestFetch({ hosts: { "a.example": server.origin }, setup: { cache: createMemoryCache() } })
  assert.equal((await fetch(page)).status, 304)
})

test("a kept answer is judged like a new one: its type, and the size that this caller takes", async (t) => {
  const seen: string[] = []
  const server = await serve(
    t,
    noting(
      seen,
      tagged(() => "0123456789"),
    ),
  )
  const fetch = createTestFetch({ hosts: { "a.example": server.origin }, setup: { cache: createMemoryCache() } })
  await fetch(page)
  await assert.rejects(fetch(page, { maxBodyBytes: 9 }), { code: "limit.body" })
  assert.deepEqual(seen, ["GET /page", "GET /page"])
  const accept = { accept: ["application/json"] }
  for (let i = 0; i < 2; i++) await assert.rejects(fetch(page, accept), { code: "net.content_type" })
})

test("exchange() takes a 304 as it comes: the cache, not the connection, knows what was asked", async (t) => {
  const server = await serve(
    t,
    tagged(() => "kez"),
  )
  const headers = { "if-none-match": '"kez"' }
  const request = { url: new URL(server.origin), method: "GET", headers, limits: fetchLimits } as const
  const answer = await exchange(request, new AbortController().signal)
  assert.deepEqual([answer.status, answer.wireBody.length], [304, 0])
})
