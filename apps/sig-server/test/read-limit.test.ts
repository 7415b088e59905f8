/** Reads from one address are limited, whichever way they are answered. SPEC STORE-13 */

import assert from "node:assert/strict"
import type { IncomingMessage } from "node:http"
import { after, test } from "node:test"
import { envelopeDigest, formatEnvelope } from "@kez/core"
import { addressOf, createTrust } from "@kez/server"
import { add } from "../../../packages/core/test/support/chains.ts"
import { keyNamed } from "../../../packages/core/test/support/keys.ts"
import { makeApp, post, problemOf } from "./support/test-app.ts"

const genesis = add(undefined, "dns:reads.example", keyNamed("reader"))
const id = envelopeDigest(genesis)
const path = `/v1/chains/${id}`

test("G5 reads from one address get 429 with when to come back; other addresses, writes and health do not", async () => {
  const app = makeApp({ reads: { burst: 3, perHour: 1_200 } })
  const from = (remoteAddress: string, url = path) => app.http.inject({ url, remoteAddress })
  await post(app.http, `${path}/events`, formatEnvelope(genesis))
  const urls = [path, `${path}/head`, "/v1/events"]
  for (const url of urls) assert.equal((await from("192.0.2.1", url)).statusCode, 200)
  for (const url of [...urls, "/v1/heads", `${path}/forks`, `${path}/stream`, "/v1/chains/x", "/v1/nothing"]) {
    const answer = await from("192.0.2.1", url)
    const { "ratelimit-limit": limit, "ratelimit-remaining": remaining, "ratelimit-reset": reset } = answer.headers
    assert.deepEqual([answer.headers["retry-after"], limit, remaining, reset], ["3", "3", "0", "9"], url)
    assert.equal(answer.headers["access-control-allow-origin"], "*", "a page is told as well")
    assert.equal(problemOf(answer).code, "net.rate_limit")
  }
  for (const url of ["/livez", "/readyz", "/version", "/openapi.json"])
    assert.equal((await from("192.0.2.1", url)).statusCode, 200)
  const again = await app.http.inject({
    method: "POST",
    url: `${path}/events`,
    payload: formatEnvelope(genesis),
    headers: { "content-type": "application/json" },
    remoteAddress: "192.0.2.1",
  })
  assert.equal(again.statusCode, 200)
  assert.equal((await from("192.0.2.2")).statusCode, 200)
  app.wait(3)
  assert.equal((await from("192.0.2.1")).statusCode, 200)
  assert.equal((await from("192.0.2.1")).statusCode, 429)
  assert.match(await app.metrics.text(), /kez_sig_rate_limited_total\{limit="read"\} 9/)
})

test("a read that is answered before the framework costs one token, and so does one that is not", async () => {
  const app = makeApp({ reads: { burst: 6, perHour: 1 } })
  await post(app.http, `${path}/events`, formatEnvelope(genesis))
  const url = await app.http.listen({ host: "127.0.0.1", port: 0 })
  after(() => app.app.close())
  const unknown = `/v1/chains/${envelopeDigest(add(undefined, "dns:none.example", keyNamed("none")))}`
  const statuses: number[] = []
  for (const one of [path, unknown, path, `${path}/head`, unknown, path, path, `${path}/head`])
    statuses.push((await fetch(`${url}${one}`)).status)
  assert.deepEqual(statuses, [200, 404, 200, 200, 404, 200, 429, 429])
})

test("reads are not limited where burst is 0", async () => {
  const app = makeApp({ reads: { burst: 0, perHour: 0 } })
  for (let i = 0; i < 5; i++) {
    const answer = await app.http.inject({ url: "/v1/events" })
    assert.equal(answer.statusCode, 200)
  }
})

function requestFrom(remoteAddress: string, forwarded?: string) {
  const headers = forwarded === undefined ? {} : { "x-forwarded-for": forwarded }
  return { socket: { remoteAddress }, headers } as unknown as IncomingMessage
}

const cases = [
  { trusted: [], from: "192.0.2.1", forwarded: "198.51.100.1", is: "192.0.2.1" },
  { trusted: ["192.0.2.1"], from: "192.0.2.1", forwarded: "198.51.100.1", is: "198.51.100.1" },
  { trusted: ["192.0.2.1"], from: "::ffff:192.0.2.1", forwarded: "198.51.100.1", is: "198.51.100.1" },
  { trusted: ["192.0.2.0/24"], from: "192.0.2.9", forwarded: " 203.0.113.1 , 198.51.100.1", is: "198.51.100.1" },
  { trusted: ["192.0.2.1"], from: "192.0.2.2", forwarded: "198.51.100.1", is: "192.0.2.2" },
  {
    trusted: ["192.0.2.1", "10.0.0.0/8"],
    from: "192.0.2.1",
    forwarded: "6.6.6.6,198.51.100.1,10.1.1.1",
    is: "198.51.100.1",
  },
  { trusted: ["192.0.2.1", "10.0.0.0/8"], from: "192.0.2.1", forwarded: "10.1.1.2,10.1.1.1", is: "10.1.1.2" },
  { trusted: ["2001:db8::/32"], from: "2001:db8::1", forwarded: "2001:db9::1", is: "2001:db9::1" },
  { trusted: ["192.0.2.1"], from: "192.0.2.1", forwarded: "1.1.1.1,unknown", is: "unknown" },
  { trusted: ["192.0.2.1"], from: "192.0.2.1", forwarded: "198.51.100.1,,", is: "198.51.100.1" },
  { trusted: ["192.0.2.1"], from: "192.0.2.1", forwarded: undefined, is: "192.0.2.1" },
] as const

for (const { trusted, from, forwarded, is } of cases) {
  test(`addressOf() of ${from}, X-Forwarded-For ${forwarded}, trusting ${trusted.join(" ") || "nobody"}, is ${is}, and Fastify's too`, async () => {
    assert.equal(addressOf(requestFrom(from, forwarded), createTrust(trusted)), is)
    const { http } = makeApp({ trustProxy: trusted })
    http.get("/ip", async ({ ip }) => ip)
    const headers = forwarded === undefined ? {} : { "x-forwarded-for": forwarded }
    assert.equal((await http.inject({ url: "/ip", remoteAddress: from, headers })).body, is)
  })
}
