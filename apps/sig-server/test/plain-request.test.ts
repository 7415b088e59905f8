/** What counts as a plain read, and what is left to Node: whatever could end elsewhere than it seems to. adversarial.md G11 */
import assert from "node:assert/strict"
import { test } from "node:test"
import { behindName, isWholeBody, nameIn, postIn, readHeaders } from "../src/plain-request.ts"

const name = `sha256:${"0".repeat(64)}`
const host = "Host: a\r\n"

function read(request: string) {
  const found = nameIn(request)
  return found === undefined ? undefined : readHeaders(behindName(request, found))
}

/** The body of a plain post. */
function bodyOf(request: string): string | undefined {
  const post = postIn(Buffer.from(request, "latin1"))
  const headers = post && readHeaders(post.behind)
  return headers && isWholeBody(headers, post.body) ? post.body.toString() : undefined
}

const none = { ifNoneMatch: undefined, forwardedFor: undefined, contentLength: undefined, contentType: undefined }

const get = (headers: string, path = `/v1/chains/${name}`) => `GET ${path} HTTP/1.1\r\n${headers}\r\n`

test("a plain read is one, with the headers that browsers, wrk, curl, Node and proxies send", () => {
  for (const headers of [
    host,
    "host:a\r\nUser-Agent: curl/8.14.1\r\nAccept: */*\r\n",
    `${host}connection: keep-alive\r\nAccept-Language: *\r\nsec-fetch-mode: cors\r\n`,
    `${host}Connection:  Keep-Alive \r\nCookie: a="b"\r\n`,
    `${host}X-Empty:\r\nX-Tab:\ta\tb\t\r\n`,
  ]) {
    assert.deepEqual(read(get(headers)), none, headers)
  }
  for (const path of [`/v1/chains/ed25519:${"a".repeat(64)}`, `/v1/chains/nostr:npub1${"q".repeat(58)}`])
    assert.ok(read(get(host, path)))
  assert.deepEqual(read(get(`${host}If-None-Match:  "x" \r\nX-FORWARDED-FOR: 1.1.1.1, 2.2.2.2\r\n`)), {
    ...none,
    ifNoneMatch: '"x"',
    forwardedFor: "1.1.1.1, 2.2.2.2",
  })
})

const json = "Content-Type: application/json\r\n"
const post = (headers: string, body: string) => `POST /v1/chains/${name}/events HTTP/1.1\r\n${headers}\r\n${body}`

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
  test(`G11 a request with ${header} is no plain one`, () => {
    assert.equal(read(get(`${host}${header}\r\n`)), undefined)
    assert.equal(read(get(`${header}\r\n${host}`)), undefined)
    assert.equal(bodyOf(post(`${host}${json}Content-Length: 2\r\n${header}\r\n`, "{}")), undefined)
  })
}

test("a length is told: what has a body is no read", () => {
  assert.equal(read(get(`${host}CONTENT-LENGTH: 5\r\n`))?.contentLength, "5")
})

test("a plain post is one, and its body is what came behind the headers", () => {
  assert.equal(bodyOf(post(`${host}${json}Content-Length: 2\r\n`, "{}")), "{}")
  assert.equal(
    bodyOf(post(`content-length:11\r\ncontent-type:application/json\r\n${host}`, "a\r\n\r\nb\r\n\r\nc")),
    "a\r\n\r\nb\r\n\r\nc",
  )
  const posted = postIn(Buffer.from(post(`${host}${json}`, "{}")))
  assert.equal(posted?.name, name)
})

const length = "Content-Length: 2\r\n"
const otherPosts = {
  "no length": post(host + json, "{}"),
  "no type": post(host + length, "{}"),
  "another type": post(`${host}Content-Type: text/plain\r\n${length}`, "{}"),
  "a type with parameters": post(`${host}Content-Type: application/json; charset=utf-8\r\n${length}`, "{}"),
  "a body that is not all there": post(host + json + length, "{"),
  "something behind the body": post(host + json + length, "{}G"),
  "a second request": post(host + json + length, "{}").repeat(2),
  "two lengths": post(host + json + length + length, "{}"),
  "a length with a sign": post(`${host}${json}Content-Length: +2\r\n`, "{}"),
  "a length with a zero before it": post(`${host}${json}Content-Length: 02\r\n`, "{}"),
  "a length in hex": post(`${host}${json}Content-Length: 0x2\r\n`, "{}"),
  "two lengths in one": post(`${host}${json}Content-Length: 2, 2\r\n`, "{}"),
  "no host": post(json + length, "{}"),
  "another method": post(host + json + length, "{}").replace("POST", "PUT"),
  "another path": post(host + json + length, "{}").replace("/events", "/heads"),
  "more of a path": post(host + json + length, "{}").replace("/events", "/events/"),
  "a query": post(host + json + length, "{}").replace("/events", "/events?a"),
  "no name": post(host + json + length, "{}").replace(name, ""),
  "a name that is none": post(host + json + length, "{}").replace(name, "x".repeat(71)),
  "a name with a path in it": post(host + json + length, "{}").replace(name, `${name.slice(0, 60)}/${"0".repeat(10)}`),
  "no end of its headers": `POST /v1/chains/${name}/events HTTP/1.1\r\n${host}`,
  "long headers": post(`${host}${json}${length}A: ${"a".repeat(4_096)}\r\n`, "{}"),
} as const

for (const [what, request] of Object.entries(otherPosts)) {
  test(`G11 a request with ${what} is no plain post`, () => assert.equal(bodyOf(request), undefined))
}

test("a header of only spaces is read in no time", () => {
  const began = performance.now()
  assert.equal(read(get(`${host}A: ${" ".repeat(1_000_000)}\u0001\r\n`)), undefined)
  assert.ok(performance.now() - began < 1_000)
})
