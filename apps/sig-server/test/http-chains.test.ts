/** Reading and adding to chains over HTTP. SPEC STORE-2 to STORE-10 */
import assert from "node:assert/strict"
import { test } from "node:test"
import {
  envelopeDigest,
  formatChain,
  formatEnvelope,
  parseChain,
  replayChain,
  type SigchainEvent,
  signHead,
} from "@kez/core"
import { add, addDevice, now, revoke } from "../../../packages/core/test/support/chains.ts"
import { keyNamed } from "../../../packages/core/test/support/keys.ts"
import { makeApp, post, problemOf, type TestApp } from "./support/test-app.ts"

const owner = keyNamed("http owner")
const device = keyNamed("http device")
const genesis = add(undefined, "dns:example.org", owner)
const second = add(genesis, "github:somebody", owner)
const third = add(second, "bluesky:name.example", owner)
const id = envelopeDigest(genesis)

async function send(app: TestApp, ...events: readonly SigchainEvent[]) {
  const answers = []
  for (const event of events) answers.push(await post(app.http, `/v1/chains/${id}/events`, formatEnvelope(event)))
  return answers
}

async function filled(...events: readonly SigchainEvent[]): Promise<TestApp> {
  const app = makeApp()
  for (const answer of await send(app, ...events)) assert.equal(answer.statusCode, 201, answer.body)
  return app
}

test("POST events answers 201 with the end, and GET gives the same bytes by chain id and by primary", async () => {
  const { http } = await filled(genesis, second)
  for (const name of [id, owner.key]) {
    const answer = await http.inject({ url: `/v1/chains/${name}` })
    assert.equal(answer.statusCode, 200)
    assert.equal(answer.headers["content-type"], "application/jsonl")
    assert.equal(answer.headers["etag"], `"${envelopeDigest(second)}"`)
    assert.equal(answer.headers["cache-control"], "no-cache")
    assert.equal(answer.headers["kez-chain"], id)
    assert.equal(answer.headers["kez-forks"], "0")
    assert.equal(answer.body, formatChain([genesis, second]))
  }
})

test("POST events says where the event stands and where the chain ends", async () => {
  const app = makeApp()
  const [first, next] = await send(app, genesis, second)
  const digest = envelopeDigest(second)
  assert.deepEqual(first?.json(), { chain: id, seq: 0, digest: id, head: { seq: 0, digest: id }, status: "ok" })
  assert.deepEqual(next?.json(), { chain: id, seq: 1, digest, head: { seq: 1, digest }, status: "ok" })
})

test("G3 POST events answers 200 for an event that is there already", async () => {
  const app = await filled(genesis, second)
  const [again] = await send(app, genesis)
  assert.equal(again?.statusCode, 200)
  assert.deepEqual(again.json().head, { seq: 1, digest: envelopeDigest(second) })
})

test("G1 POST events answers 422 signature.invalid for a forged event", async () => {
  const app = await filled(genesis)
  const forged = { ...second, signature: { ...second.signature, sig: genesis.signature.sig } }
  const answer = await post(app.http, `/v1/chains/${id}/events`, formatEnvelope(forged))
  assert.equal(answer.statusCode, 422)
  assert.equal(problemOf(answer).code, "signature.invalid")
})

test("G2 POST events answers 409 with the end for a gap", async () => {
  const app = await filled(genesis)
  const [answer] = await send(app, third)
  assert.ok(answer)
  assert.equal(answer.statusCode, 409)
  const { code, head, kept } = problemOf(answer)
  assert.equal(code, "chain.gap")
  assert.deepEqual({ head, kept }, { head: { chain: id, seq: 0, digest: id }, kept: false })
})

test("POST events answers 404 for a chain that is not known", async () => {
  const [answer] = await send(makeApp(), second)
  assert.ok(answer)
  assert.equal(answer.statusCode, 404)
  assert.equal(problemOf(answer).code, "chain.unknown")
})

test("G8 an event that makes a fork is answered 409, kept, and served under /forks", async () => {
  const app = await filled(genesis, second)
  const rival = add(genesis, "dns:rival.example", owner)
  const [answer] = await send(app, rival)
  assert.ok(answer)
  assert.equal(answer.statusCode, 409)
  const { code, kept, head } = problemOf(answer)
  assert.deepEqual({ code, kept, head }, { code: "chain.fork", kept: true, head: { chain: id, seq: 0, digest: id } })
  const forks = await app.http.inject({ url: `/v1/chains/${id}/forks` })
  assert.deepEqual(forks.body.trimEnd().split("\n").sort(), [formatEnvelope(rival), formatEnvelope(second)].sort())
  assert.equal((await app.http.inject({ url: `/v1/chains/${id}` })).headers["kez-forks"], "2")
  assert.equal((await app.http.inject({ url: `/v1/chains/${id}/head` })).json().status, "fork")
})

test("an event on a losing branch is answered 409 chain.repeat and kept", async () => {
  const withDevice = addDevice(undefined, device, owner)
  const app = makeApp()
  const chain = envelopeDigest(withDevice)
  const path = `/v1/chains/${chain}/events`
  const byOwner = add(withDevice, "dns:owner.example", owner)
  for (const event of [withDevice, byOwner]) await post(app.http, path, formatEnvelope(event))
  const answer = await post(app.http, path, formatEnvelope(add(withDevice, "dns:thief.example", device)))
  assert.equal(answer.statusCode, 409)
  const { code, kept, head } = problemOf(answer)
  assert.deepEqual({ code, kept, seq: head?.seq }, { code: "chain.repeat", kept: true, seq: 1 })
})

test("a primary with two geneses is 409 chain.fork naming both; each chain is found by its id", async () => {
  const app = await filled(genesis)
  const other = add(undefined, "dns:other.example", owner)
  await post(app.http, `/v1/chains/${envelopeDigest(other)}/events`, formatEnvelope(other))
  const answer = await app.http.inject({ url: `/v1/chains/${owner.key}` })
  assert.equal(answer.statusCode, 409)
  assert.deepEqual(problemOf(answer).chains, [id, envelopeDigest(other)].sort())
  assert.equal(problemOf(answer).code, "chain.fork")
  assert.equal((await app.http.inject({ url: `/v1/chains/${id}` })).statusCode, 200)
  assert.equal((await post(app.http, `/v1/chains/${owner.key}/events`, formatEnvelope(second))).statusCode, 409)
})

test("GET answers 304 when the reader has the version, in each spelling of If-None-Match", async () => {
  const { http } = await filled(genesis)
  const etag = `"${id}"`
  for (const header of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
    const answer = await http.inject({ url: `/v1/chains/${id}`, headers: { "if-none-match": header } })
    assert.equal(answer.statusCode, 304, header)
    assert.equal(answer.body, "")
    assert.equal(answer.headers["etag"], etag)
  }
  const other = await http.inject({ url: `/v1/chains/${id}`, headers: { "if-none-match": '"other"' } })
  assert.equal(other.statusCode, 200)
})

test("GET ?from= gives the tail from that seq, and nothing beyond the end", async () => {
  const { http } = await filled(genesis, second, third)
  const events = [genesis, second, third]
  for (const from of [0, 1, 2, 3, 4, 99_999]) {
    const answer = await http.inject({ url: `/v1/chains/${id}?from=${from}` })
    assert.equal(answer.statusCode, 200)
    assert.equal(answer.body, formatChain(events.slice(from)))
  }
  for (const from of ["-1", "01", "1e3", "x", "100000", "1&from=2", "%00"]) {
    const answer = await http.inject({ url: `/v1/chains/${id}?from=${from}` })
    assert.equal(answer.statusCode, 400, from)
    assert.equal(problemOf(answer).code, "schema.value")
  }
})

test("HEAD answers as GET does, without the body", async () => {
  const { http } = await filled(genesis)
  const answer = await http.inject({ method: "HEAD", url: `/v1/chains/${id}` })
  assert.equal(answer.statusCode, 200)
  assert.equal(answer.headers["etag"], `"${id}"`)
  assert.equal(answer.body, "")
})

test("GET answers 404 chain.unknown for a chain that nobody stored", async () => {
  for (const path of ["", "/head", "/forks", "/stream"]) {
    const answer = await makeApp().http.inject({ url: `/v1/chains/${id}${path}` })
    assert.equal(answer.statusCode, 404)
    assert.equal(problemOf(answer).code, "chain.unknown")
  }
})

test("GET forks is empty where there are none, and answers 304", async () => {
  const { http } = await filled(genesis)
  const answer = await http.inject({ url: `/v1/chains/${id}/forks` })
  assert.equal(answer.statusCode, 200)
  assert.equal(answer.body, "")
  const headers = { "if-none-match": String(answer.headers["etag"]) }
  assert.equal((await http.inject({ url: `/v1/chains/${id}/forks`, headers })).statusCode, 304)
})

test("a signed head is kept, and served with the end", async () => {
  const { http } = await filled(genesis)
  const head = await signHead(replayChain([genesis]), { now }, owner.signer)
  const posted = await post(http, `/v1/chains/${id}/heads`, formatEnvelope(head))
  assert.equal(posted.statusCode, 204)
  const answer = await http.inject({ url: `/v1/chains/${id}/head` })
  assert.deepEqual(answer.json(), {
    chain: id,
    seq: 0,
    digest: id,
    status: "ok",
    contested: false,
    forks: 0,
    heads: [JSON.parse(formatEnvelope(head))],
  })
})

test("a head is refused with the code by which a reader would refuse it", async () => {
  const { http } = await filled(genesis)
  const replay = replayChain([genesis])
  const cases = [
    ["head.expired", await signHead(replay, { now: now - 9 * 86_400 }, owner.signer)],
    ["time.future", await signHead(replay, { now: now + 3_600 }, owner.signer)],
    ["head.not_authorised", await signHead(replay, { now }, device.signer)],
  ] as const
  for (const [code, head] of cases) {
    const answer = await post(http, `/v1/chains/${id}/heads`, formatEnvelope(head))
    assert.equal(answer.statusCode, 422)
    assert.equal(problemOf(answer).code, code)
  }
})

test("a revocation is read with the next GET", async () => {
  const app = await filled(genesis)
  await send(app, revoke(genesis, "dns:example.org", owner))
  const { body } = await app.http.inject({ url: `/v1/chains/${id}` })
  assert.equal(replayChain(parseChain(body)).state.subjects.get("dns:example.org")?.status, "revoked")
})

test("GET /v1/events gives lines with cursors, in the order of storing, from a cursor on", async () => {
  const { http } = await filled(genesis, second, third)
  const linesOf = async (query: string) => {
    const answer = await http.inject({ url: `/v1/events${query}` })
    assert.equal(answer.headers["content-type"], "application/jsonl")
    return answer.body.split("\n").filter((line) => line !== "")
  }
  const all = await linesOf("")
  assert.deepEqual(
    all.map((line) => JSON.parse(line).cursor),
    [1, 2, 3],
  )
  assert.equal(all[1], `{"chain":"${id}","cursor":2,"event":${formatEnvelope(second)}}`)
  assert.deepEqual(await linesOf("?after=1&limit=1"), all.slice(1, 2))
  assert.deepEqual(await linesOf("?after=3"), [])
  for (const query of ["?after=-1", "?after=x", "?limit=0", "?limit=1001", "?limit=10000", "?after=1&after=2"]) {
    assert.equal((await http.inject({ url: `/v1/events${query}` })).statusCode, 400, query)
  }
})

test("a store that only mirrors others takes no posts, says so in its document, and reads as ever", async () => {
  const { http, store } = makeApp({ takesPosts: false })
  const genesis = add(undefined, "dns:mirrored.example", keyNamed("mirrored"))
  const id = envelopeDigest(genesis)
  await store.service.append(id, formatEnvelope(genesis))
  for (const end of ["events", "heads"]) {
    const answer = await post(http, `/v1/chains/${id}/${end}`, formatEnvelope(genesis))
    assert.deepEqual(
      [problemOf(answer).code, answer.statusCode, answer.headers["allow"]],
      ["publish.refused", 405, "GET, HEAD"],
    )
  }
  const { paths } = (await http.inject({ url: "/openapi.json" })).json()
  assert.ok("405" in paths["/v1/chains/{id}/events"].post.responses)
  assert.equal((await http.inject({ url: `/v1/chains/${id}` })).statusCode, 200)
})
