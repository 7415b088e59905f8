/** Guarded WebSockets against hostile places. SPEC §7.2, adversarial cases N2, N4, N5, N8, N11, N14, N19 of C.6. */
import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { Socket } from "node:net"
import { type TestContext, test } from "node:test"
import { createNet, fetchLimits, type MessageSocket, type NetOptions } from "../../packages/channels/src/index.ts"
import { createCertificate, openSslMissing } from "../../packages/channels/test/support/certificates.ts"
import { startRawServer, type TestServer } from "../../packages/channels/test/support/http-server.ts"
import { type SocketServerOptions, startSocketServer } from "../../packages/channels/test/support/socket-server.ts"
import { specialAddresses } from "../../packages/channels/test/support/special-addresses.ts"
import { createFakeResolver, now } from "../../packages/channels/test/support/test-fetch.ts"

type OnSocket = Parameters<typeof startSocketServer>[0]
type Limits = NonNullable<NetOptions["limits"]>

const never = new AbortController().signal
const url = "wss://a.example/relay"

/** A network in which names have these addresses. */
function netAt(addresses: readonly (readonly string[])[], options: Omit<NetOptions, "resolver"> = {}) {
  const resolver = { ...createFakeResolver(...addresses), resolveTxt: () => Promise.reject(new Error("no TXT here")) }
  return { resolver, net: createNet({ ...options, resolver, now: () => now }) }
}

/** Opens a socket to a server that stands for `a.example`. */
async function serve(t: TestContext, onSocket: OnSocket, limits: Limits = {}, options: SocketServerOptions = {}) {
  const server = await startSocketServer(onSocket, options)
  t.after(() => server.close())
  const { net } = netAt([["10.0.0.1"]], { hosts: { "a.example": server.origin }, limits })
  return { server, net, open: () => net.openSocket(url, { signal: never }) }
}

async function readAll(socket: MessageSocket): Promise<readonly string[]> {
  const messages: string[] = []
  for await (const message of socket.messages()) messages.push(message)
  return messages
}

/** How many connections a run makes. */
async function countConnections(run: () => Promise<void>): Promise<number> {
  let count = 0
  const add = () => {
    count += 1
  }
  subscribe("net.client.socket", add)
  try {
    await run()
  } finally {
    unsubscribe("net.client.socket", add)
  }
  return count
}

test("openSocket() sends and receives text in order, without compression, and ends when the other side closes", async (t) => {
  const seen: unknown[] = []
  const { open, server } = await serve(t, (socket, { url: path, headers }) => {
    seen.push(path, headers["user-agent"], headers["sec-websocket-extensions"], headers.origin)
    socket.on("message", (data) => {
      for (const part of [`1 ${data}`, "2", "3"]) socket.send(part)
      socket.close()
    })
  })
  const socket = await open()
  socket.send("kez")
  assert.deepEqual(await readAll(socket), ["1 kez", "2", "3"])
  assert.deepEqual(seen, ["/relay", "kez/0.4", undefined, undefined])
  assert.throws(() => socket.send("late"), { code: "net.refused" })
  await server.allClosed()
})

test("openSocket() destroys the connection when the reader closes it or gives up", async (t) => {
  const { net, open, server } = await serve(t, (socket) => socket.send("1"))
  const closed = await open()
  closed.close()
  await server.allClosed()
  assert.deepEqual(await readAll(closed), [])
  const controller = new AbortController()
  const reason = new Error("gave up")
  const given = await net.openSocket(url, { signal: controller.signal })
  const reading = readAll(given)
  controller.abort(reason)
  await assert.rejects(reading, (error) => error === reason)
  await assert.rejects(net.openSocket(url, { signal: controller.signal }), (error) => error === reason)
  await server.allClosed()
})

test("N2 a relay whose address is special is refused with net.address, and nothing is connected", async () => {
  const connections = await countConnections(async () => {
    for (const [address] of specialAddresses) {
      const { net } = netAt([[address]])
      await assert.rejects(net.openSocket("wss://a.example", { signal: never }), { code: "net.address" }, address)
    }
    const { net } = netAt([["1.1.1.1"]])
    for (const literal of ["127.0.0.1", "169.254.169.254", "[::1]", "[fd00::1]", "127.1", "0x7f.1"]) {
      await assert.rejects(net.openSocket(`wss://${literal}/`, { signal: never }), { code: "net.address" }, literal)
    }
  })
  assert.equal(connections, 0)
})

test("N4 a relay with one public and one private address is refused with net.address", async () => {
  const { net, resolver } = netAt([["1.1.1.1", "127.0.0.1"]])
  await assert.rejects(net.openSocket(url, { signal: never }), { code: "net.address" })
  assert.deepEqual(resolver.asked, ["a.example"])
})

test("N5 a second, private DNS answer changes nothing: the first is connected to and the resolver asked once", async () => {
  const { net, resolver } = netAt([["1.1.1.1"], ["127.0.0.1"]])
  const controller = new AbortController()
  const connected: unknown[] = []
  const watch = (message: unknown) => {
    const { socket } = message as { socket: unknown }
    assert.ok(socket instanceof Socket)
    // Given up between look-up and connection, so that no packet leaves the machine.
    socket.once("lookup", (_error, address) => {
      connected.push(address)
      controller.abort(new Error("seen"))
    })
  }
  subscribe("net.client.socket", watch)
  try {
    await assert.rejects(net.openSocket(url, { signal: controller.signal }), /seen/)
  } finally {
    unsubscribe("net.client.socket", watch)
  }
  assert.deepEqual(connected, ["1.1.1.1"])
  assert.deepEqual(resolver.asked, ["a.example"])
})

const refused = [
  ["N8", "wss://a.example:22/", "net.port"],
  ["N8", "wss://a.example:4222/", "net.port"],
  ["N8", "wss://a.example:7878/", "net.port"],
  ["N3", "wss://localhost/", "net.host"],
  ["N3", "wss://relay.internal/", "net.host"],
  ["N9", "wss://user:pass@a.example/", "net.url"],
  ["N9", "wss://a.example\\@b.example/", "net.url"],
  ["N9", "ws://a.example/", "net.url"],
  ["N9", "https://a.example/", "net.url"],
  ["N9", "ws+unix:/tmp/socket", "net.url"],
  ["N9", "wss:a.example", "net.url"],
] as const

for (const [number, text, code] of refused) {
  test(`${number} ${text} is refused with ${code}`, async () => {
    const { net, resolver } = netAt([["1.1.1.1"]])
    await assert.rejects(net.openSocket(text, { signal: never }), { code })
    assert.deepEqual(resolver.asked, [])
  })
}

test("openSocket() takes relays that the reader named as they are, and no other URL beside them", async (t) => {
  const { server } = await serve(t, (socket) => socket.send("own"))
  const own = `${server.origin.replace("http", "ws")}/relay`
  const { net } = netAt([["1.1.1.1"]], { settings: { relays: [own] } })
  const socket = await net.openSocket(own, { signal: never })
  for await (const message of socket.messages()) {
    assert.equal(message, "own")
    break
  }
  socket.close()
  for (const other of [`${own}/other`, own.replace("/relay", "/"), own.replace("ws:", "wss:")]) {
    await assert.rejects(net.openSocket(other, { signal: never }), /net\.|Cannot/, other)
  }
  const { net: usual } = netAt([["127.0.0.1"]])
  const [first = ""] = usual.settings.relays
  await assert.rejects(usual.openSocket(first, { signal: never }), { code: "net.address" })
})

test("N6 a redirect is not followed", async (t) => {
  const answer = "HTTP/1.1 302 Found\r\nLocation: wss://b.example/\r\nContent-Length: 0\r\n\r\n"
  const { open, server } = await serve(t, () => {}, {}, { answer })
  await assert.rejects(open(), { code: "net.redirect" })
  await server.allClosed()
  assert.equal(server.connections, 1)
})

const statuses = [
  ["404 Not Found", "net.status", undefined],
  ["503 Service Unavailable", "net.status", undefined],
  ["429 Too Many Requests\r\nRetry-After: 90", "net.rate_limit", 90],
] as const

for (const [status, code, retryAfterSeconds] of statuses) {
  test(`P12 ${status.slice(0, 3)} instead of a WebSocket is ${code}`, async (t) => {
    const answer = `HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`
    const { open, server } = await serve(t, () => {}, {}, { answer })
    const expected = retryAfterSeconds === undefined ? { code } : { code, retryAfterSeconds }
    await assert.rejects(open(), expected)
    await server.allClosed()
  })
}

test("N11 a certificate that is not trusted is net.tls; one that is opens", { skip: openSslMissing }, async (t) => {
  const certificate = createCertificate(["DNS:localhost"])
  const { net, server } = await serve(t, (socket) => socket.close(), {}, { certificate })
  await assert.rejects(net.openSocket(url, { signal: never }), { code: "net.tls" })
  const hosts = { "a.example": server.origin }
  const trusting = netAt([["10.0.0.1"]], { hosts, ca: certificate.cert }).net
  assert.deepEqual(await readAll(await trusting.openSocket(url, { signal: never })), [])
})

test("N13 a message above the limit, many small ones, and a flood of pings are limit.body", async (t) => {
  const limits = { maxMessageBytes: 1_000, maxSocketBytes: 10_000 }
  const floods: readonly OnSocket[] = [
    (socket) => socket.send("k".repeat(1_001)),
    (socket) => {
      for (let sent = 0; sent < 20; sent += 1) socket.send("k".repeat(900))
    },
    (socket) => {
      for (let sent = 0; sent < 200; sent += 1) socket.ping("k".repeat(100))
    },
  ]
  for (const flood of floods) {
    const { open, server } = await serve(t, flood, limits)
    await assert.rejects(open().then(readAll), { code: "limit.body" })
    await server.allClosed()
  }
})

test("N13 compression is refused, as is a binary message", async (t) => {
  const { open } = await serve(t, (socket) => socket.send(Buffer.from("kez")))
  await assert.rejects(open().then(readAll), { code: "net.http" })
})

const quick = { totalMs: 5_000, idleMs: 100 }

test("N14 silence before and after the opening is net.timeout after the idle time, and the socket is destroyed", async (t) => {
  const { open, server } = await serve(t, () => {}, quick)
  await assert.rejects(open().then(readAll), { code: "net.timeout", message: /within 100 ms/ })
  await server.allClosed()
  for (const onSocket of [() => {}, (socket: Socket) => socket.write("HTTP/1.1 101 Switching")]) {
    const raw = await startRawServer(onSocket)
    t.after(() => raw.close())
    const { net } = netAt([["10.0.0.1"]], { hosts: { "a.example": raw.origin }, limits: quick })
    await assert.rejects(net.openSocket(url, { signal: never }), { code: "net.timeout", message: /within 100 ms/ })
    await raw.allClosed()
  }
})

test("N14 a drip of messages or pings is net.timeout at the total time, and the socket is destroyed", async (t) => {
  for (const verb of ["send", "ping"] as const) {
    const drip: OnSocket = (socket) => {
      const timer = setInterval(() => socket[verb]("k"), 20)
      socket.on("close", () => clearInterval(timer))
    }
    const { open, server } = await serve(t, drip, { totalMs: 300, idleMs: 200 })
    await assert.rejects(open().then(readAll), { code: "net.timeout", message: /within 300 ms/ })
    await server.allClosed()
  }
})

test("N14 a relay that says goodbye without ending the connection is let go at once", async (t) => {
  const server = await startRawServer((socket) => {
    socket.once("data", (request: Buffer) => {
      const key = /sec-websocket-key: (.+)\r\n/i.exec(request.toString())?.[1] ?? ""
      const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64")
      const upgrade = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      socket.write(`${upgrade}Sec-WebSocket-Accept: ${accept}\r\n\r\n`)
      // One message, then a close frame. RFC 6455 §5.5.1
      socket.write(Buffer.from([0x81, 1, 0x31, 0x88, 0]))
    })
  })
  t.after(() => server.close())
  const { net } = netAt([["10.0.0.1"]], { hosts: { "a.example": server.origin }, limits: quick })
  assert.deepEqual(await readAll(await net.openSocket(url, { signal: never })), ["1"])
  await server.allClosed()
})

test("N19 sockets and requests share two places at a host; a full line is net.busy", async (t) => {
  let most = 0
  let open = 0
  const countOpen = () => {
    open += 1
    most = Math.max(most, open)
  }
  const server: TestServer = await startSocketServer((socket) => {
    countOpen()
    socket.on("close", () => {
      open -= 1
    })
    setTimeout(() => socket.close(), 10)
  })
  t.after(() => server.close())
  const { net } = netAt([["10.0.0.1"]], { hosts: { "a.example": server.origin } })
  const talk = () => net.openSocket(url, { signal: never }).then(readAll)
  const calls = await Promise.allSettled(Array.from({ length: 200 }, talk))
  const busy = calls.filter((call) => call.status === "rejected" && call.reason.code === "net.busy").length
  assert.equal(busy, 200 - 2 - fetchLimits.maxQueuedPerHost)
  assert.equal(server.connections, 2 + fetchLimits.maxQueuedPerHost)
  assert.equal(most, 2)
})

test("N19 a fetch waits while two sockets are open at its host", async (t) => {
  const { net, open } = await serve(t, () => {}, { totalMs: 300 })
  const sockets = await Promise.all([open(), open()])
  await assert.rejects(net.fetch("https://a.example/", { signal: never }), { code: "net.timeout" })
  for (const socket of sockets) socket.close()
})
