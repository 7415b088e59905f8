/** The socket of the guarded network is handed in like its resolver and its clock: public names, checked on loopback. SPEC §7.2 */
import assert from "node:assert/strict"
import { once } from "node:events"
import { connect } from "node:net"
import { suite, test } from "node:test"
import { WebSocketServer } from "ws"
import { createNet, type Dial } from "../../packages/channels/src/index.ts"
import { createCertificate, openSslMissing } from "../../packages/channels/test/support/certificates.ts"
import { startHttpServer, startHttpsServer } from "../../packages/channels/test/support/http-server.ts"

const now = () => 1_800_000_000
const signal = new AbortController().signal

/** Every name has one public address. */
const resolver = {
  resolveAddresses: async () => ({ status: "found" as const, addresses: ["1.1.1.1"] }),
  resolveTxt: async () => ({ status: "no_name" as const, records: [], server: "none" }),
}

/** Leads every connection to a port on loopback, and notes the addresses that the guard had checked. */
function dialTo(port: number) {
  const checked: unknown[] = []
  const dial: Dial = ({ host, lookup }) => {
    lookup?.(host, { all: true }, (_error, found) => checked.push(found))
    return connect({ port, host: "127.0.0.1" })
  }
  return { dial, checked }
}

const expected = [[{ address: "1.1.1.1", family: 4 }]]

test("createNet() opens the connections of a fetch with the dial that it is given", async (t) => {
  const server = await startHttpServer((request, response) => response.end(request.headers.host))
  t.after(() => server.close())
  const { dial, checked } = dialTo(server.port)
  const answer = await createNet({ resolver, now, dial }).fetch("http://a.example/", { signal })
  assert.equal(Buffer.from(answer.body).toString(), "a.example")
  assert.deepEqual(checked, expected)
  await server.allClosed()
})

suite("over TLS", { skip: openSslMissing }, () => {
  test("createNet() checks certificates over a connection that was dialed", async (t) => {
    const certificate = createCertificate(["DNS:a.example"])
    const server = await startHttpsServer(certificate, (_request, response) => response.end("kez"))
    t.after(() => server.close())
    const { dial, checked } = dialTo(server.port)
    const net = createNet({ resolver, now, dial, ca: certificate.cert })
    assert.equal(Buffer.from((await net.fetch("https://a.example/", { signal })).body).toString(), "kez")
    assert.deepEqual(checked, expected)
    await assert.rejects(net.fetch("https://b.example/", { signal }), { code: "net.tls" })
    await assert.rejects(createNet({ resolver, now, dial }).fetch("https://a.example/", { signal }), {
      code: "net.tls",
    })
  })
})

test("createNet() opens its WebSockets with the dial that it is given", async (t) => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" })
  t.after(() => server.close())
  await once(server, "listening")
  server.on("connection", (socket) => socket.on("message", (text) => socket.send(String(text))))
  const { port } = server.address() as { port: number }
  const { dial } = dialTo(port)
  const url = "ws://relay.example/"
  const net = createNet({ resolver, now, dial, settings: { relays: [url] } })
  const socket = await net.openSocket(url, { signal })
  socket.send("hello")
  for await (const text of socket.messages()) {
    assert.equal(text, "hello")
    break
  }
  socket.close()
})
