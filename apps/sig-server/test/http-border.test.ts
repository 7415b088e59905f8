/** What the HTTP side lets in: names, bodies, methods, origins, limits. SPEC STORE-2 to STORE-4, STORE-13 */
import assert from "node:assert/strict"
import { test } from "node:test"
import { envelopeDigest, formatEnvelope, KezError } from "@kez/core"
import { add, addDevice } from "../../../packages/core/test/support/chains.ts"
import { keyNamed } from "../../../packages/core/test/support/keys.ts"
import { makeApp, post, problemOf, usualConfig } from "./support/test-app.ts"

const owner = keyNamed("border owner")
const device = keyNamed("border device")
const genesis = addDevice(undefined, device, owner)
const id = envelopeDigest(genesis)
const path = `/v1/chains/${id}/events`
const text = formatEnvelope(genesis)

const badNames = [
  ["..%2f..%2fetc%2fpasswd", "identity.syntax"],
  ["%00", "identity.charset"],
  [`${id}%00`, "identity.syntax"],
  ["'--", "identity.syntax"],
  ["x%27%20OR%201=1--", "identity.charset"],
  [id.slice(0, -1), "schema.value"],
  [id.toUpperCase(), "identity.unsupported"],
  ["sha256:", "schema.value"],
  ["dns:example.org", "schema.value"],
  ["ED25519:00", "key.encoding"],
  ["x".repeat(10_240), "limit.size"],
  ["%F0%9F%92%A9", "identity.charset"],
  ["%zz", "net.http"],
  [`nostr:npub1${"q".repeat(58)}`, "key.encoding"],
] as const

for (const [name, code] of badNames) {
  test(`G9 the name ${JSON.stringify(name.slice(0, 40))} is 400 ${code}, wherever it stands`, async () => {
    const { http } = makeApp()
    for (const rest of ["", "/head", "/forks", "/stream"]) {
      const answer = await http.inject({ url: `/v1/chains/${name}${rest}` })
      assert.equal(answer.statusCode, 400, answer.body)
      // The code of the library; `chainName` of the schema only decides that it is none.
      assert.ok(["identity", "schema", "key", "limit", "net"].includes(problemOf(answer).code.split(".")[0] ?? ""))
      if (name !== `${id}%00`) assert.equal(problemOf(answer).code, code)
    }
    assert.equal((await post(http, `/v1/chains/${name}/events`, text)).statusCode, 400)
  })
}

test("a path that climbs is no route", async () => {
  const answer = await makeApp().http.inject({ url: "/v1/chains/../../etc/passwd" })
  assert.equal(answer.statusCode, 404)
  assert.equal(problemOf(answer).code, "usage")
})

test("a body of another content type, or with a coding, or none is 415", async () => {
  const { http } = makeApp()
  for (const type of ["text/plain", "application/jsonl", "application/x-www-form-urlencoded", "application/jsonx"]) {
    const answer = await post(http, path, text, { "content-type": type })
    assert.equal(answer.statusCode, 415, type)
    assert.equal(problemOf(answer).code, "net.content_type")
  }
  assert.equal((await post(http, path, text, { "content-encoding": "gzip" })).statusCode, 415)
  assert.equal((await http.inject({ method: "POST", url: path })).statusCode, 415)
  assert.equal((await post(http, path, text, { "content-type": "application/json; charset=utf-8" })).statusCode, 201)
})

test("a body above 4000 bytes is 413 limit.size", async () => {
  const { http } = makeApp()
  const answer = await post(http, path, "x".repeat(4_001))
  assert.equal(answer.statusCode, 413)
  assert.equal(problemOf(answer).code, "limit.size")
  assert.equal((await post(http, path, "x".repeat(4_000))).statusCode, 422)
})

const bodies = [
  ["chain.jsonl", "{"],
  ["json.duplicate", '{"kez":"a","kez":"b"}'],
  ["json.number", '{"kez":1.5}'],
  ["limit.depth", "[".repeat(20)],
  ["text.utf8", Buffer.from([0xff, 0xfe])],
  ["text.bom", `\u{feff}${text}`],
  ["envelope.kind", '{"kez":"chain","payload":{},"signature":{}}'],
] as const

for (const [code, body] of bodies) {
  test(`G4 a body that is ${code} for the library is 422 ${code}`, async () => {
    const { http } = makeApp()
    const headers = { "content-type": "application/json" }
    const answer = await http.inject({ method: "POST", url: path, payload: body, headers })
    assert.equal(answer.statusCode, 422)
    assert.equal(problemOf(answer).code, code)
  })
}

test("another method is 405 and says which ones there are; a prototype's members are no routes", async () => {
  const { http } = makeApp()
  const answer = await http.inject({ method: "DELETE", url: `/v1/chains/${id}` })
  assert.equal(answer.statusCode, 405)
  assert.equal(answer.headers["allow"], "GET, HEAD")
  const read = await http.inject({ url: path })
  assert.deepEqual([read.statusCode, read.headers["allow"]], [405, "POST"])
  for (const url of ["/", "/__proto__", "/v1/constructor", "/v1/chains/"]) {
    const { statusCode } = await http.inject({ url })
    assert.ok(statusCode === 404 || statusCode === 400, url)
  }
})

test("G12 other origins may read and may not post", async () => {
  const { http } = makeApp()
  await post(http, path, text)
  const origin = { origin: "https://elsewhere.example" }
  const read = await http.inject({ url: `/v1/chains/${id}`, headers: origin })
  assert.equal(read.headers["access-control-allow-origin"], "*")
  assert.match(String(read.headers["access-control-expose-headers"]), /ETag/)
  assert.equal(
    (await http.inject({ url: "/v1/chains/x", headers: origin })).headers["access-control-allow-origin"],
    "*",
  )
  const written = await post(http, path, text, origin)
  assert.equal(written.headers["access-control-allow-origin"], undefined)
  const asked = await http.inject({
    method: "OPTIONS",
    url: path,
    headers: { ...origin, "access-control-request-method": "POST" },
  })
  assert.equal(asked.headers["access-control-allow-methods"], "GET, HEAD")
  assert.equal(asked.headers["access-control-allow-credentials"], undefined)
})

test("G5 a chain has 60 events at once, then 20 an hour; the answer says when", async () => {
  const app = makeApp()
  const statuses: number[] = []
  let last = genesis
  await post(app.http, path, text)
  for (let i = 0; i < 62; i++) {
    const next = add(last, `dns:n${i}.example`, device)
    const answer = await post(app.http, path, formatEnvelope(next))
    statuses.push(answer.statusCode)
    if (answer.statusCode === 201) last = next
    if (answer.statusCode === 429) {
      assert.equal(answer.headers["retry-after"], "180")
      assert.equal(answer.headers["ratelimit-limit"], "60")
      assert.equal(answer.headers["ratelimit-remaining"], "0")
      assert.equal(answer.headers["ratelimit-reset"], String(3 * 3_600))
      assert.equal(problemOf(answer).code, "net.rate_limit")
    }
  }
  assert.deepEqual(statuses.slice(58), [201, 201, 429, 429])
  app.wait(180)
  assert.equal((await post(app.http, path, formatEnvelope(add(last, "dns:later.example", device)))).statusCode, 201)
  assert.equal((await post(app.http, path, formatEnvelope(add(last, "dns:no.example", device)))).statusCode, 429)
  // Whoever stole the device has emptied its bucket, not the owner's.
  const { head } = (await app.http.inject({ url: `/v1/chains/${id}/head` })).json()
  assert.equal(head, undefined)
  assert.equal((await post(app.http, path, formatEnvelope(add(genesis, "dns:owner.example", owner)))).statusCode, 201)
})

test("what is refused takes nothing from the chain: nobody can keep its owner from revoking", async () => {
  const app = makeApp({ writes: { ...usualConfig.writes, chain: { burst: 2, perHour: 1 } } })
  await post(app.http, path, text)
  const first = add(genesis, "dns:a.example", device)
  const forged = text.replace(/"sig":"[0-9a-f]{128}"\}\}$/, `"sig":"${"0".repeat(128)}"}}`)
  for (let i = 0; i < 10; i++) await post(app.http, path, forged)
  assert.equal((await post(app.http, path, formatEnvelope(first))).statusCode, 201)
})

test("posts from one address are limited, refused ones too, and heads of other addresses are not", async () => {
  const app = makeApp({ writes: { ...usualConfig.writes, ip: { burst: 3, perHour: 60 } } })
  const from = (remoteAddress: string) =>
    app.http.inject({
      method: "POST",
      url: path,
      payload: "{",
      headers: { "content-type": "application/json" },
      remoteAddress,
    })
  for (let i = 0; i < 3; i++) assert.equal((await from("192.0.2.1")).statusCode, 422)
  assert.equal((await from("192.0.2.1")).statusCode, 429)
  assert.equal((await from("::ffff:192.0.2.1")).statusCode, 429)
  assert.equal((await from("192.0.2.2")).statusCode, 422)
  for (let i = 0; i < 3; i++) await from(`2001:db8:1:2::${i}`)
  assert.equal((await from("2001:db8:1:2:ffff::1")).statusCode, 429)
  assert.equal((await from("2001:db8:1:3::1")).statusCode, 422)
  app.wait(60)
  assert.equal((await from("192.0.2.1")).statusCode, 422)
})

test("G6 new chains from one address are limited", async () => {
  const app = makeApp({ writes: { ...usualConfig.writes, genesis: { burst: 5, perHour: 10 } } })
  const statuses: number[] = []
  for (let i = 0; i < 8; i++) {
    const event = add(undefined, `dns:g${i}.example`, owner)
    const answer = await post(app.http, `/v1/chains/${envelopeDigest(event)}/events`, formatEnvelope(event))
    statuses.push(answer.statusCode)
    if (answer.statusCode === 429) assert.equal(answer.headers["retry-after"], "360")
  }
  assert.deepEqual(statuses, [201, 201, 201, 201, 201, 429, 429, 429])
})

test("X-Forwarded-For counts only from a proxy that is trusted", async () => {
  const writes = { ...usualConfig.writes, ip: { burst: 1, perHour: 1 } }
  const statusesOf = async (trustProxy: readonly string[]) => {
    const { http } = makeApp({ writes, trustProxy })
    const answers = []
    for (const client of ["198.51.100.1", "198.51.100.2"]) {
      answers.push((await post(http, path, "{", { "x-forwarded-for": client })).statusCode)
    }
    return answers
  }
  assert.deepEqual(await statusesOf([]), [422, 429])
  assert.deepEqual(await statusesOf(["127.0.0.1"]), [422, 422])
})

test("G7 a full storage is 507 store.full, and reading goes on", async () => {
  const app = makeApp()
  await post(app.http, path, text)
  app.store.fault = new KezError("store.full", "Cannot store the event: the disk is full")
  const answer = await post(app.http, path, formatEnvelope(add(genesis, "dns:a.example", owner)))
  assert.equal(answer.statusCode, 507)
  assert.equal(problemOf(answer).code, "store.full")
  assert.equal((await app.http.inject({ url: `/v1/chains/${id}` })).statusCode, 200)
  const ready = await app.http.inject({ url: "/readyz" })
  assert.deepEqual([ready.statusCode, ready.json().checks.storage], [503, { ok: false, code: "store.full" }])
  app.store.fault = undefined
  app.wait(2)
  assert.equal((await app.http.inject({ url: "/readyz" })).statusCode, 200)
})

test("a fault of the storage is told without what it was, and logged", async () => {
  const app = makeApp()
  const defect = new TypeError("secret place /var/lib/x")
  app.store.service.find = () => Promise.reject(defect)
  const answer = await app.http.inject({ url: `/v1/chains/${id}` })
  assert.equal(answer.statusCode, 500)
  assert.equal(problemOf(answer).code, "internal")
  assert.doesNotMatch(answer.body, /secret/)
  assert.match(app.lines.join(""), /a request failed/)
})

test("a damaged storage is told without where it lies, and logged with it", async () => {
  for (const code of ["store.corrupt", "store.write", "store.newer"] as const) {
    const app = makeApp()
    app.store.fault = new KezError(code, "Cannot use /var/lib/secret.sqlite", { hint: "See /etc/secret." })
    const answer = await post(app.http, path, text)
    assert.deepEqual([answer.statusCode, problemOf(answer).code], [500, code])
    assert.doesNotMatch(answer.body, /secret/)
    assert.match(app.lines.join(""), /secret\.sqlite/)
  }
})

test("a busy storage is 503 with Retry-After", async () => {
  const app = makeApp()
  app.store.fault = new KezError("store.busy", "Cannot store the event: another process is writing")
  const answer = await post(app.http, path, text)
  assert.deepEqual([answer.statusCode, answer.headers["retry-after"]], [503, "1"])
})

test("readyz is 503 while the process stops; livez stays", async () => {
  const app = makeApp()
  assert.equal((await app.http.inject({ url: "/readyz" })).statusCode, 200)
  app.drain()
  const answer = await app.http.inject({ url: "/readyz" })
  assert.deepEqual([answer.statusCode, answer.json().checks.running], [503, { ok: false }])
  assert.equal((await app.http.inject({ url: "/livez" })).statusCode, 200)
})

test("X-Request-Id goes out as it came in, unless it could harm a log", async () => {
  const { http } = makeApp()
  const idOf = async (given: string) =>
    (await http.inject({ url: "/livez", headers: { "x-request-id": given } })).headers["x-request-id"]
  assert.equal(await idOf("abc-123._Z"), "abc-123._Z")
  for (const bad of ['a"b', "a b", "x".repeat(65), "{}"]) assert.notEqual(await idOf(bad), bad)
})

test("every answer tells browsers not to guess", async () => {
  const { http } = makeApp()
  for (const url of ["/livez", "/nowhere", `/v1/chains/${id}`, "/v1/chains/%zz"]) {
    const { headers } = await http.inject({ url })
    assert.equal(headers["x-content-type-options"], "nosniff", url)
    assert.ok(headers["x-request-id"])
  }
})

test("the log holds no address, chain, key or header, with every request logged", async () => {
  const app = makeApp({ logRequests: true })
  const headers = { authorization: "Bearer hunter2", cookie: "a=hunter2", "user-agent": "hunter2" }
  await post(app.http, path, text, headers)
  await app.http.inject({ url: `/v1/chains/${owner.key}?from=0`, headers })
  await post(app.http, path, "{", headers)
  const log = app.lines.join("")
  assert.match(log, /"route":"\/v1\/chains\/:id\/events"/)
  for (const secret of ["hunter2", id.slice(7), owner.key.slice(8), "127.0.0.1"])
    assert.ok(!log.includes(secret), secret)
})

test("metrics count answers, appends and refusals, and name no chain or key", async () => {
  const app = makeApp()
  await post(app.http, path, text)
  await post(app.http, path, text)
  await post(app.http, path, "{")
  await app.http.inject({ url: `/v1/chains/${id}?from=0` })
  const figures = await app.metrics.text()
  assert.match(figures, /^kez_sig_appends_total\{result="stored"\} 1$/m)
  assert.match(figures, /^kez_sig_appends_total\{result="known"\} 1$/m)
  assert.match(figures, /^kez_sig_refusals_total\{code="chain.jsonl"\} 1$/m)
  const route = 'method="POST",route="/v1/chains/:id/events"'
  assert.ok(figures.includes(`kez_sig_http_requests_total{${route},status="201"} 1\n`))
  assert.ok(figures.includes(`kez_sig_http_request_seconds_count{${route}} 3\n`))
  assert.match(figures, /^kez_sig_stored_events 1$/m)
  assert.doesNotMatch(figures, new RegExp(`${id.slice(7)}|${owner.key.slice(8)}`))
})
