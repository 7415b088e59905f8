/** What counts as a plain read, and what is left to Node: whatever could end elsewhere than it seems to. adversarial.md G11 */
import assert from "node:assert/strict"
import { test } from "node:test"
import { behindName, nameIn, readHeaders } from "../src/plain-request.ts"

const name = `sha256:${"0".repeat(64)}`
const host = "Host: a\r\n"

function read(request: string) {
  const found = nameIn(request)
  return found === undefined ? undefined : readHeaders(behindName(request, found))
}

const get = (headers: string, path = `/v1/chains/${name}`) => `GET ${path} HTTP/1.1\r\n${headers}\r\n`

test("a plain read is one, with the headers that browsers, wrk, curl, Node and proxies send", () => {
  for (const headers of [
    host,
    "host:a\r\nUser-Agent: curl/8.14.1\r\nAccept: */*\r\n",
    `${host}connection: keep-alive\r\nAccept-Language: *\r\nsec-fetch-mode: cors\r\n`,
    `${host}Connection:  Keep-Alive \r\nCookie: a="b"\r\n`,
    `${host}X-Empty:\r\nX-Tab:\ta\tb\t\r\n`,
  ]) {
    assert.deepEqual(read(get(headers)), { ifNoneMatch: undefined, forwardedFor: undefined }, headers)
  }
  for (const path of [`/v1/chains/ed25519:${"a".repeat(64)}`, `/v1/chains/nostr:npub1${"q".repeat(58)}`])
    assert.ok(read(get(host, path)))
  assert.deepEqual(read(get(`${host}If-None-Match:  "x" \r\nX-FORWARDED-FOR: 1.1.1.1, 2.2.2.2\r\n`)), {
    ifNoneMatch: '"x"',
    forwardedFor: "1.1.1.1, 2.2.2.2",
  })
})

const others = {
  "another method": get(host).replace("GET", "HEAD"),
  "a method in small letters": get(host).replace("GET", "get"),
  "HTTP/1.0": get(host).replace("HTTP/1.1", "HTTP/1.0"),
  "a query": get(host, `/v1/chains/${name}?from=0`),
  "a part of a chain": get(host, `/v1/chains/${name}/head`),
  "another path": get(host, `/v1/events?after=${"0".repeat(80)}`),
  "a whole URL": get(host, `http://a/v1/chains/${name}`),
  "two spaces": get(host).replace(" HTTP", "  HTTP"),
  "no end": get(host).slice(0, -1),
  "no end of the line": `GET /v1/chains/${name} HTTP/1.1`,
  "only a name": `GET /v1/chains/${name}`,
  "a second request": get(host) + get(host),
  "bytes behind it": `${get(host)}x`,
  "an empty line more": `${get(host)}\r\n`,
  "no host": get("A: b\r\n"),
  "no header at all": get(""),
  "two hosts": get(host + host),
  "a header that comes twice": get(`${host}A: b\r\na: c\r\n`),
  "a folded header": get(`${host}A: b\r\n c\r\n`),
  "a space before the colon": get(`${host}Content-Length : 5\r\n`),
  "a header without a name": get(`${host}: b\r\n`),
  "a header without a colon": get(`${host}A\r\n`),
  "LF alone": get(`${host}A: b\nContent-Length: 5\r\n`),
  "CR alone": get(`${host}A: b\rContent-Length: 5\r\n`),
  "a zero byte": get(`${host}A: b\u0000\r\n`),
  "what is not ASCII": get(`${host}A: \u00e4\r\n`),
  "a name that is not ASCII": get(`${host}\u017fA: b\r\n`),
} as const

for (const [what, request] of Object.entries(others)) {
  test(`G11 a request with ${what} is no plain read`, () => assert.equal(read(request), undefined))
}

for (const header of [
  "Content-Length: 0",
  "CONTENT-LENGTH: 5",
  "Transfer-Encoding: chunked",
  "transfer-encoding: identity",
  "Content-Encoding: gzip",
  "Expect: 100-continue",
  "Upgrade: h2c",
  "HTTP2-Settings: x",
  "Trailer: a",
  "Connection: close",
  "Connection: keep-alive, upgrade",
  "Connection:",
  "Proxy-Connection: close",
  "X-Request-Id: a",
]) {
  test(`G11 a request with ${header} is no plain read`, () => {
    assert.equal(read(get(`${host}${header}\r\n`)), undefined)
    assert.equal(read(get(`${header}\r\n${host}`)), undefined)
  })
}

test("a header of only spaces is read in no time", () => {
  const began = performance.now()
  assert.equal(read(get(`${host}A: ${" ".repeat(1_000_000)}\u0001\r\n`)), undefined)
  assert.ok(performance.now() - began < 1_000)
})
