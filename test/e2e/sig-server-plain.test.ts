/** Plain requests, which are answered before Node's HTTP, and everything else that comes on their connections. SPEC STORE-5, STORE-8, STORE-13 */
import assert from "node:assert/strict"
import type { AddressInfo } from "node:net"
import { type TestContext, test } from "node:test"
import { setTimeout } from "node:timers/promises"
import { envelopeDigest, formatEnvelope, KezError } from "@kez/core"
import type { HttpConfig } from "../../apps/sig-server/src/app.ts"
import { makeApp, post, usualConfig } from "../../apps/sig-server/test/support/test-app.ts"
import { add } from "../../packages/core/test/support/chains.ts"
import { keyNamed } from "../../packages/core/test/support/keys.ts"
import { openSocket, sendRaw } from "../support/raw-http.ts"

const owner = keyNamed("plain owner")
const genesis = add(undefined, "dns:plain.example", owner)
const id = envelopeDigest(genesis)
const path = `/v1/chains/${id}`
const etag = `"${id}"`
const get = (headers = "", of = path) => `GET ${of} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`

async function start(t: TestContext, changes: Partial<HttpConfig> = {}) {
  const app = makeApp(changes)
  await post(app.http, `${path}/events`, formatEnvelope(genesis))
  await app.http.listen({ host: "127.0.0.1", port: 0 })
  t.after(() => app.app.close())
  const { port } = app.http.server.address() as AddressInfo
  const answers = async (bytes: string | Buffer): Promise<readonly string[]> =>
    answersIn((await sendRaw(port, bytes, 200)).text)
  return { ...app, port, answers }
}

/** Without what is another at each time. The body of a chain has no status line. */
function answersIn(text: string): readonly string[] {
  const [, ...answers] = text.split("HTTP/1.1 ")
  return answers.map((answer) => answer.replace(/^Date: .*\r\n/m, "").replace(/^x-request-id: .*\r\n/m, ""))
}

const statusesOf = (answers: readonly string[]) => answers.map((answer) => answer.slice(0, 3))

test("a plain read and the framework answer alike, to the byte, and so does a 304", async (t) => {
  const { answers } = await start(t)
  for (const name of [id, owner.key]) {
    for (const header of ["", `If-None-Match: ${etag}\r\n`, 'If-None-Match: "other"\r\n', "If-None-Match: *\r\n"]) {
      const plain = await answers(get(header, `/v1/chains/${name}`))
      const framework = await answers(get(header, `/v1/chains/${name}?`))
      assert.equal(plain.length, 1)
      assert.deepEqual(plain, framework, header)
    }
  }
})

test("a connection may ask plainly and otherwise in any order, in one piece or in many", async (t) => {
  const { answers, port } = await start(t)
  const body = formatEnvelope(add(genesis, "dns:next.example", owner))
  const posted = `POST ${path}/events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  const requests = [
    get(),
    get(),
    get("", "/livez"),
    get(),
    posted,
    get("X-Request-Id: a\r\n"),
    get(),
    get("", `${path}/head`),
  ]
  const statuses = ["200", "200", "200", "200", "201", "200", "200", "200"]
  const whole = requests.join("")
  assert.deepEqual(statusesOf(await answers(whole)), statuses, "pipelined")
  const socket = openSocket(port)
  let text = ""
  socket.setEncoding("latin1").on("data", (part: string) => (text += part))
  for (const request of requests) {
    const count = answersIn(text).length
    socket.write(request)
    for (let i = 0; i < 200 && answersIn(text).length === count; i++) await setTimeout(5)
  }
  assert.deepEqual(statusesOf(answersIn(text)), statuses.with(4, "200"), "one after the other")
  text = ""
  for (let at = 0; at < whole.length; at += 17) {
    socket.write(whole.slice(at, at + 17))
    if (at % 5 === 0) await setTimeout(1)
  }
  for (let i = 0; i < 200 && answersIn(text).length < requests.length; i++) await setTimeout(5)
  assert.deepEqual(statusesOf(answersIn(text)), statuses.with(4, "200"), "in pieces")
  socket.destroy()
})

test("a first plain read in two pieces, at each place, is answered once", async (t) => {
  const { port } = await start(t, { maxConnections: 1_000 })
  const request = get()
  await Promise.all(
    Array.from(request, async (_, at) => {
      if (at === 0) return
      const socket = openSocket(port).setNoDelay()
      let text = ""
      socket.setEncoding("latin1").on("data", (part: string) => (text += part))
      socket.write(request.slice(0, at))
      await setTimeout(50)
      socket.write(request.slice(at))
      for (let i = 0; i < 200 && !text.endsWith("}}\n"); i++) await setTimeout(5)
      socket.destroy()
      assert.deepEqual(statusesOf(answersIn(text)), ["200"], `${at}`)
    }),
  )
})

test("who asks to be the last is told so, and the connection ends", async (t) => {
  const { port } = await start(t)
  for (const request of [get("Connection: close\r\n"), get().replace("HTTP/1.1", "HTTP/1.0")]) {
    const { head, isClosed } = await sendRaw(port, request)
    assert.match(head, /connection: close/i)
    assert.equal(isClosed, true)
  }
})

test("a reader that has said all it wants to say gets its answer, and the connection ends", async (t) => {
  const { port } = await start(t)
  const socket = openSocket(port)
  let text = ""
  socket.setEncoding("latin1").on("data", (part: string) => (text += part))
  const closed = new Promise((resolve) => socket.once("close", resolve))
  socket.end(get())
  await closed
  assert.deepEqual(statusesOf(answersIn(text)), ["200"])
})

/** Ends its side with the request, and waits for the other. */
async function halfClosed(port: number, request: string): Promise<readonly string[]> {
  const socket = openSocket(port)
  let text = ""
  socket.setEncoding("latin1").on("data", (part: string) => (text += part))
  const closed = new Promise((resolve) => socket.once("close", resolve))
  socket.end(request)
  await closed
  return answersIn(text)
}

test("so does one whose answer takes a while, above all where an event was kept", async (t) => {
  const { port, store } = await start(t)
  const { find, append } = store.service
  store.service.find = async (name) => {
    await setTimeout(50)
    return find.call(store.service, name)
  }
  store.service.append = async (...args) => {
    await setTimeout(50)
    return append.apply(store.service, args)
  }
  for (const [status, request] of [
    ["200", get()],
    ["201", postOf(formatEnvelope(second))],
  ] as const) {
    const [answer = "", ...more] = await halfClosed(port, request)
    assert.equal(answer.slice(0, 3), status)
    assert.match(answer, /^Connection: close\r$/m)
    assert.deepEqual(more, [])
  }
  assert.deepEqual(await halfClosed(port, get("", `/v1/chains/sha256:${"0".repeat(64)}`)), [])
  assert.equal((await sendRaw(port, get())).status, 200)
})

test("G5 plain reads are limited by address, one token each, 304 too, and the last is refused by the framework", async (t) => {
  const { answers, wait, port } = await start(t, {
    reads: { burst: 3, perHour: 3_600 },
    trustProxy: ["127.0.0.1"],
  })
  const from = (address: string, more = "") => get(`X-Forwarded-For: ${address}\r\n${more}`)
  const known = `If-None-Match: ${etag}\r\n`
  const [a, b] = ["192.0.2.1", "192.0.2.2"]
  const statuses: string[] = []
  for (const request of [from(a), from(a, known), from(b), from(a), from(a), from(b)])
    statuses.push(...statusesOf(await answers(request)))
  assert.deepEqual(statuses, ["200", "304", "200", "200", "429", "200"])
  wait(1)
  // On one connection the same header is read once, and another one anew.
  const socket = openSocket(port)
  let text = ""
  socket.setEncoding("latin1").on("data", (part: string) => (text += part))
  for (const request of [from(a), from(b), from("192.0.2.3"), from(b), from(a)]) {
    const count = answersIn(text).length
    socket.write(request)
    for (let i = 0; i < 200 && answersIn(text).length === count; i++) await setTimeout(5)
  }
  socket.destroy()
  assert.deepEqual(statusesOf(answersIn(text)), ["200", "200", "200", "200", "429"])
})

test("a chain that is not in memory is looked up, and a reader that leaves meanwhile harms nothing", async (t) => {
  const { store, port, answers } = await start(t)
  const find = store.service.find.bind(store.service)
  let isSlow = true
  store.service.find = async (name) => {
    if (isSlow) await setTimeout(100)
    return find(name)
  }
  for (const leave of ["destroy", "resetAndDestroy", "end"] as const) {
    const socket = openSocket(port)
    socket.write(get())
    await setTimeout(20)
    socket[leave]()
  }
  assert.deepEqual(statusesOf(await answers(get())), ["200"])
  isSlow = false
  assert.deepEqual(statusesOf(await answers(get("", `/v1/chains/sha256:${"0".repeat(64)}`))), ["404"])
  store.service.find = () => Promise.reject(new Error("no disk"))
  assert.deepEqual(statusesOf(await answers(get("", `/v1/chains/sha256:${"0".repeat(64)}`))), ["500"])
})

test("reads are counted, whoever answers them", async (t) => {
  const { answers, metrics } = await start(t)
  for (const request of [get(), get(), get("", `${path}?`), get(`If-None-Match: ${etag}\r\n`)]) await answers(request)
  const figures = await metrics.text()
  const label = 'method="GET",route="/v1/chains/:id"'
  assert.ok(figures.includes(`kez_sig_http_requests_total{${label},status="200"} 3\n`))
  assert.ok(figures.includes(`kez_sig_http_requests_total{${label},status="304"} 1\n`))
})

test("the time to look a chain up counts, whoever answers", async (t) => {
  const { answers, metrics, store } = await start(t)
  const { find } = store.service
  store.service.find = async (name) => {
    await setTimeout(120)
    return find.call(store.service, name)
  }
  const seconds = async (): Promise<number> =>
    Number(/_seconds_sum\{method="GET",route="\/v1\/chains\/:id"\} (\S+)/.exec(await metrics.text())?.[1] ?? 0)
  await answers(get())
  const plain = await seconds()
  assert.ok(plain > 0.1, `${plain} s`)
  // Of the other name nothing is known yet; what is told of the connection makes it Node's.
  await answers(get("Connection: keep-alive, x\r\n", `/v1/chains/${owner.key}`))
  assert.ok((await seconds()) - plain > 0.1)
})

test("where requests are logged, plain reads are too", async (t) => {
  const { answers, lines } = await start(t, { logRequests: true })
  assert.deepEqual(statusesOf(await answers(get())), ["200"])
  assert.match(lines.join(""), /"method":"GET","route":"\/v1\/chains\/:id","status":200/)
})

test("to stop ends connections that have asked plainly and those that never did, at once", async (t) => {
  const { port, app } = await start(t)
  const sockets = [openSocket(port), openSocket(port)]
  sockets[0]?.write(get())
  await setTimeout(100)
  const closed = sockets.map((socket) => new Promise((resolve) => socket.resume().once("close", resolve)))
  const began = performance.now()
  await app.close()
  await Promise.all(closed)
  assert.ok(performance.now() - began < 1_000)
})

test("to stop waits for a chain that is looked up, and answers", async (t) => {
  const { port, app, store } = await start(t)
  const find = store.service.find.bind(store.service)
  store.service.find = async (name) => {
    await setTimeout(200)
    return find(name)
  }
  const answer = sendRaw(port, get())
  await setTimeout(50)
  await app.close()
  const { status, head, isClosed } = await answer
  assert.deepEqual([status, isClosed], [200, true])
  assert.match(head, /connection: close/i)
})

const json = "Content-Type: application/json\r\n"
/** The same to the framework: its type has a parameter. */
const jsonToo = "Content-Type: application/json; charset=utf-8\r\n"
const postOf = (body: string, type = json, of = id) =>
  `POST /v1/chains/${of}/events HTTP/1.1\r\nHost: a\r\n${type}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

const second = add(genesis, "dns:second.example", owner)
const rival = add(genesis, "dns:rival.example", owner)
const posts = [
  ["201", second, id],
  ["200", second, id],
  ["200", genesis, owner.key],
  ["409", rival, id],
  ["409", add(add(rival, "dns:a.example", owner), "dns:b.example", owner), id],
  ["404", add(second, "dns:c.example", owner), `sha256:${"0".repeat(64)}`],
  ["422", "{", id],
  ["422", "\u00e4", id],
  ["400", second, `nostr:npub1${"q".repeat(58)}`],
  ["413", "x".repeat(4_001), id],
  ["422", "x".repeat(4_000), id],
] as const

test("a plain post and the framework answer alike, whatever becomes of the event", async (t) => {
  const [plain, framework] = [await start(t), await start(t)]
  const sorted = (answers: readonly string[]) => answers.map((answer) => answer.split("\r\n").sort())
  for (const [status, event, name] of posts) {
    const body = typeof event === "string" ? event : formatEnvelope(event)
    const answers = await plain.answers(postOf(body, json, name))
    assert.deepEqual(statusesOf(answers), [status], body.slice(0, 200))
    assert.deepEqual(sorted(answers), sorted(await framework.answers(postOf(body, jsonToo, name))))
  }
  const figures = async ({ metrics }: typeof plain) =>
    (await metrics.text())
      .split("\n")
      .filter((line) => /^kez_sig_(?:appends|refusals|http_requests|stored)/.test(line))
      .sort()
  assert.deepEqual(await figures(plain), await figures(framework))
})

test("G5 G7 limits, a full disk and a defect are told alike, and only defects are logged", async (t) => {
  const writes = { ...usualConfig.writes, ip: { burst: 6, perHour: 60 }, chain: { burst: 2, perHour: 1 } }
  const [plain, framework] = [await start(t, { writes }), await start(t, { writes })]
  const statuses: string[] = []
  let end = genesis
  for (const fault of [undefined, "store.full", "store.busy", "store.corrupt", undefined, undefined] as const) {
    for (const { store } of [plain, framework])
      store.fault = fault && new KezError(fault, "Cannot use /var/lib/secret.sqlite", { hint: "See /etc/secret." })
    const event = add(end, `dns:n${statuses.length}.example`, owner)
    const body = formatEnvelope(event)
    const [answer = ""] = await plain.answers(postOf(body))
    statuses.push(answer.slice(0, 3))
    const [other = ""] = await framework.answers(postOf(body, jsonToo))
    assert.deepEqual(answer.split("\r\n").sort(), other.split("\r\n").sort())
    if (fault === "store.corrupt") assert.doesNotMatch(answer, /secret/)
    if (fault === undefined) end = event
  }
  assert.deepEqual(statuses, ["201", "507", "503", "500", "201", "429"])
  const named = (lines: readonly string[]) => lines.map((line) => line.replaceAll(/"(?:request|time)":"[^"]*"/g, ""))
  assert.match(plain.lines.join(""), /secret\.sqlite/)
  assert.deepEqual(named(plain.lines).length, named(framework.lines).length)
})

test("each post has a request of its own name", async (t) => {
  const { port } = await start(t)
  const names = new Set<string>()
  for (let i = 0; i < 3; i++) {
    const { head } = await sendRaw(port, postOf(formatEnvelope(genesis)), 100)
    names.add(/^x-request-id: (\S+)$/im.exec(head)?.[1] ?? "")
  }
  assert.equal(names.size, 3)
  assert.ok(!names.has(""))
})

test("G11 what a post has behind its body is the next request, and nothing else", async (t) => {
  const { answers } = await start(t)
  const body = formatEnvelope(second)
  const livez = get("", "/livez")
  assert.deepEqual(statusesOf(await answers(postOf(body) + livez)), ["201", "200"])
  // The body is shorter than what came, and longer.
  const shorter = postOf(body).replace(/Content-Length: \d+/, "Content-Length: 2")
  const refused = statusesOf(await answers(shorter))
  assert.equal(refused.at(-1), "400")
  assert.ok(refused.every((status) => status.startsWith("4")))
  const longer = postOf(body).replace(/Content-Length: \d+/, `Content-Length: ${body.length + livez.length}`)
  assert.deepEqual(statusesOf(await answers(longer + livez)), ["422"])
})

test("a mirror takes no posts, plain ones neither", async (t) => {
  const app = makeApp({ takesPosts: false })
  await app.http.listen({ host: "127.0.0.1", port: 0 })
  t.after(() => app.app.close())
  const { port } = app.http.server.address() as AddressInfo
  assert.equal((await sendRaw(port, postOf(formatEnvelope(genesis)))).status, 405)
})

test("to stop waits for an append under way, says that it was the last, and takes no other", async (t) => {
  const { port, app, store } = await start(t)
  const append = store.service.append.bind(store.service)
  store.service.append = async (...args) => {
    await setTimeout(200)
    return append(...args)
  }
  const answer = sendRaw(port, postOf(formatEnvelope(second)))
  await setTimeout(50)
  await app.close()
  const { status, head, isClosed } = await answer
  assert.deepEqual([status, isClosed], [201, true])
  assert.match(head, /connection: close/i)
})

test("to stop can be cut short where an append hangs", async (t) => {
  const { port, app, store } = await start(t)
  let go = (): void => undefined
  const hanging = new Promise<void>((resolve) => {
    go = resolve
  })
  const append = store.service.append.bind(store.service)
  store.service.append = async (...args) => {
    await hanging
    return append(...args)
  }
  const socket = openSocket(port)
  const closed = new Promise((resolve) => socket.resume().once("close", resolve))
  socket.write(postOf(formatEnvelope(second)))
  await setTimeout(100)
  const stopped = app.close()
  assert.equal(await Promise.race([stopped.then(() => "stopped"), setTimeout(200, "waits")]), "waits")
  app.cut()
  await Promise.all([stopped, closed])
  go()
})
