/** The guarded fetch leaves hosts alone that asked to wait. SPEC NET-4 */
import assert from "node:assert/strict"
import { test } from "node:test"
import { createRateLimitMemory, RateLimitError } from "../../packages/channels/src/index.ts"
import { createTestFetch, now, serve } from "../../packages/channels/test/support/test-fetch.ts"

const page = "https://a.example/page"

test("a host that answers 429 is asked nothing more until its time, those in line included", async (t) => {
  const server = await serve(t, (_request, response) => response.writeHead(429, { "retry-after": "90" }).end())
  const other = await serve(t, (_request, response) => response.end("kez"))
  let time = now
  const hosts = { "a.example": server.origin, "b.example": other.origin }
  const fetch = createTestFetch({ hosts, limits: { maxRequestsPerHost: 1 }, setup: { now: () => time } })
  const outcomes = await Promise.allSettled([fetch(page), fetch(page), fetch(page)])
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.status === "fulfilled" ? outcome.value.status : outcome.reason.code)),
    [429, "net.rate_limit", "net.rate_limit"],
  )
  time += 30
  await assert.rejects(fetch(page), (error) => {
    assert.ok(error instanceof RateLimitError)
    assert.deepEqual([error.code, error.retryAfterSeconds], ["net.rate_limit", 60])
    return true
  })
  assert.equal(server.connections, 1)
  assert.equal((await fetch("https://b.example/")).status, 200)
  // With credentials it is another account of the platform's.
  assert.equal((await fetch(page, { headers: { authorization: "Bearer a" } })).status, 429)
  time += 60
  assert.equal((await fetch(page)).status, 429)
  assert.equal(server.connections, 3)
})

const waits: Readonly<Record<string, readonly [status: number, Record<string, string>, seconds: number | undefined]>> =
  {
    "429 alone": [429, {}, 60],
    "403 with Retry-After": [403, { "retry-after": "30" }, 30],
    "503 with Retry-After": [503, { "retry-after": "30" }, 30],
    "403 of GitHub": [403, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(now + 600) }, 600],
    "429 of Mastodon": [429, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "2030-01-01T12:05:00.000000Z" }, 300],
    "429 of Bluesky": [429, { "ratelimit-remaining": "0", "ratelimit-reset": String(now + 200) }, 200],
    "429 with seconds left": [429, { "ratelimit-remaining": "0", "ratelimit-reset": "15" }, 15],
    "429 for a year": [429, { "retry-after": "31536000" }, 86_400],
    "403 alone": [403, {}, undefined],
    "403 with requests left": [
      403,
      { "x-ratelimit-remaining": "1", "x-ratelimit-reset": String(now + 600) },
      undefined,
    ],
    "404 with Retry-After": [404, { "retry-after": "30" }, undefined],
    "200 with none left": [200, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(now + 600) }, undefined],
    "429 with Retry-After 0": [429, { "retry-after": "0" }, undefined],
  }

for (const [what, [status, headers, seconds]] of Object.entries(waits)) {
  test(`${what} closes the host for ${seconds ?? "no"} seconds`, async (t) => {
    const server = await serve(t, (_request, response) => response.writeHead(status, headers).end())
    const rateLimits = createRateLimitMemory()
    const fetch = createTestFetch({ hosts: { "a.example": server.origin }, setup: { rateLimits } })
    const answer = await fetch(page)
    if (seconds !== undefined) assert.equal(answer.retryAfterSeconds, seconds)
    const bucket = { host: new URL(server.origin).host, isAuthorized: false }
    assert.equal(await rateLimits.closedUntil(bucket), seconds === undefined ? undefined : now + seconds)
    if (seconds === undefined) assert.equal((await fetch(page)).status, status)
    else await assert.rejects(fetch(page), { code: "net.rate_limit" })
  })
}

test("a redirect to a host that asked to wait is not followed", async (t) => {
  const a = await serve(t, (_request, response) => response.writeHead(302, { location: "https://b.example/" }).end())
  const b = await serve(t, (_request, response) => response.writeHead(429).end())
  const fetch = createTestFetch({ hosts: { "a.example": a.origin, "b.example": b.origin } })
  assert.equal((await fetch(page)).status, 429)
  await assert.rejects(fetch(page), { code: "net.rate_limit" })
  assert.equal(b.connections, 1)
})

test("a time beyond what any host can ask for, as after a clock was set back, closes nothing", async (t) => {
  const server = await serve(t, (_request, response) => response.end("kez"))
  const rateLimits = createRateLimitMemory()
  await rateLimits.close({ host: new URL(server.origin).host, isAuthorized: false }, now + 86_401)
  const fetch = createTestFetch({ hosts: { "a.example": server.origin }, setup: { rateLimits } })
  assert.equal((await fetch(page)).status, 200)
})
