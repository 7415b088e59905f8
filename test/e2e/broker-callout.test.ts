/** Traps of the auth callout, on a real nats-server: what it does not check, what it lets through, and what our responder does about it. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { request } from "node:http"
import { join } from "node:path"
import { after, beforeEach, describe, test } from "node:test"
import type { ConnectAttempt } from "@kez/broker"
import { createConnectToken, inboxPrefixOf } from "@kez/core"
import { connect } from "@nats-io/transport-node"
import { createSeed, parseSeed } from "../../packages/broker/src/nkey.ts"
import {
  audience,
  authenticatorOf,
  connectDevice,
  decideBy,
  makeDevice,
  skipWithoutNats,
  startCallout,
  startTestBroker,
} from "../support/broker.ts"
import { tryConnect } from "../support/raw-nats.ts"

describe("auth callout", { skip: skipWithoutNats }, async () => {
  if (skipWithoutNats !== false) return
  const t = { after }
  const broker = await startTestBroker(t)
  const { port } = broker.settings.client
  const attempts: ConnectAttempt[] = []
  const dropped: string[] = []
  const decide = decideBy()
  await startCallout(broker, {
    decide: (attempt) => {
      attempts.push(attempt)
      return decide(attempt)
    },
    onDropped: (code) => dropped.push(code),
  })
  const alice = await makeDevice("alice")
  const tokenFor = (nonce: string, device = alice) =>
    createConnectToken({ ...device, nonce, nowSeconds: Math.floor(Date.now() / 1000) })
  beforeEach(() => {
    attempts.length = 0
    dropped.length = 0
  })

  test("a registered device is let in over TCP, and the callout is told where it comes from", async () => {
    assert.equal(await tryConnect(port, (nonce) => ({ auth_token: tokenFor(nonce), sig: "-", name: "x" })), "PONG")
    const [attempt] = attempts
    assert.equal(attempt?.client.host, "127.0.0.1")
    assert.equal(attempt?.client.type, "nats")
    assert.match(attempt?.server.id ?? "", /^N/)
  })

  test("A2 trap: a captured CONNECT is sent again -> refused, on any connection", async () => {
    let captured = ""
    assert.equal(
      await tryConnect(port, (nonce) => {
        captured = tokenFor(nonce)
        return { auth_token: captured, sig: "-" }
      }),
      "PONG",
    )
    for (let i = 0; i < 3; i++)
      assert.equal(await tryConnect(port, () => ({ auth_token: captured, sig: "-" })), "refused")
  })

  test("trap: without a signature in CONNECT the callout is told no nonce -> refused", async () => {
    assert.equal(await tryConnect(port, (nonce) => ({ auth_token: tokenFor(nonce) })), "refused")
    assert.equal(attempts[0]?.nonce, undefined)
  })

  test("A2 trap: a token made for another server, relayed with our nonce -> refused", async () => {
    const { sessionSecret, session } = await makeDevice("alice", "phone", "evil.example")
    const relayed = (nonce: string) => ({ auth_token: tokenFor(nonce, { ...alice, sessionSecret, session }), sig: "-" })
    assert.notEqual(session.payload.audience, audience)
    assert.equal(await tryConnect(port, relayed), "refused")
  })

  test("trap: the server passes an nkey with a wrong signature to the callout, unverified -> refused by us", async () => {
    const { publicKey } = parseSeed(createSeed("user"), "user")
    const sig = Buffer.alloc(64, 1).toString("base64url")
    assert.equal(await tryConnect(port, () => ({ nkey: publicKey, sig })), "refused")
    assert.equal(attempts.length, 1)
    assert.ok(attempts[0]?.nonce !== undefined)
  })

  test("trap: the nkey of one of our services with a wrong signature -> refused, never asked about", async () => {
    const sig = Buffer.alloc(64, 1).toString("base64url")
    for (const name of ["auth", "store", "chat", "sys"] as const) {
      assert.equal(await tryConnect(port, () => ({ nkey: broker.keys[name].publicKey, sig })), "refused")
    }
    assert.equal(attempts.length, 0)
  })

  const strangers: ReadonlyArray<readonly [name: string, options: object]> = [
    ["nothing", {}],
    ["user and password", { user: "admin", pass: "admin" }],
    ["a token that is none", { auth_token: "x", sig: "-" }],
    ["a JWT of its own making", { jwt: "e30.e30.e30", nkey: broker.keys.chat.publicKey, sig: "-" }],
    ["a token of 3,900 bytes", { auth_token: "a".repeat(3_900), sig: "-" }],
    ["the name of a service as user", { user: broker.keys.sys.publicKey, pass: "", sig: "-" }],
  ]
  for (const [name, options] of strangers) {
    test(`A1 a client with ${name} -> refused`, async () => {
      assert.equal(await tryConnect(port, () => options), "refused")
    })
  }

  test("a CONNECT of more than 4,096 bytes is cut off before anybody is asked", async () => {
    assert.notEqual(await tryConnect(port, () => ({ auth_token: "a".repeat(5_000), sig: "-" })), "PONG")
    assert.equal(attempts.length, 0)
  })

  test("A10 a 65th subscription -> refused; so is a message of 256 KiB and one byte", async () => {
    const connection = await connectDevice(t, { broker, device: alice })
    const errors: string[] = []
    void (async () => {
      for await (const status of connection.status()) if (status.type === "error") errors.push(status.error.message)
    })()
    for (let i = 0; i < 64; i++) connection.subscribe(`${inboxPrefixOf(alice)}.${i}`)
    await connection.flush()
    assert.deepEqual(errors, [])
    connection.subscribe(`${inboxPrefixOf(alice)}.64`)
    await connection.flush()
    await new Promise((resolve) => setImmediate(resolve))
    assert.match(errors.join(), /subscriptions/i)
    const other = await connectDevice(t, { broker, device: alice })
    assert.equal(other.info?.max_payload, 262_144)
    assert.throws(() => other.publish(`cmd.${alice.uid}.${alice.dev}.send`, new Uint8Array(262_145)))
  })

  test("a page of another origin cannot open a WebSocket, ours can, and neither gets compression", async () => {
    const upgrade = (origin: string) =>
      new Promise<{ readonly status: number; readonly extensions: string }>((resolve, reject) => {
        const headers = {
          connection: "Upgrade",
          upgrade: "websocket",
          "sec-websocket-version": "13",
          "sec-websocket-key": Buffer.alloc(16).toString("base64"),
          "sec-websocket-extensions": "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
          origin,
        }
        const asked = request({ host: "127.0.0.1", port: broker.settings.websocket.port, headers })
        asked.on("upgrade", (response, socket) => {
          socket.destroy()
          resolve({ status: 101, extensions: String(response.headers["sec-websocket-extensions"] ?? "") })
        })
        asked.on("response", (response) => resolve({ status: response.statusCode ?? 0, extensions: "" }))
        asked.on("error", reject)
        asked.end()
      })
    assert.deepEqual(await upgrade("https://chat.example"), { status: 101, extensions: "" })
    assert.equal((await upgrade("https://evil.example")).status, 403)
  })

  test("the log of nats-server holds no token, and the monitor is on loopback alone", async () => {
    let token = ""
    await tryConnect(port, (nonce) => {
      token = tokenFor(nonce)
      return { auth_token: token, sig: "-" }
    })
    const log = readFileSync(join(broker.settings.folder, "nats-server.log"), "utf8")
    for (const part of token.split(".")) assert.ok(!log.includes(part.slice(0, 40)))
    const varz = (await (await fetch(`${broker.monitorUrl}/varz`)).json()) as { readonly http_host: string }
    assert.equal(varz.http_host, "127.0.0.1")
  })

  test("trap: the client signs whatever a server calls a nonce; ours signs nothing but a nonce", async () => {
    const statement = JSON.stringify({ type: "kez.chat.nats_session", version: 1 })
    assert.throws(() => authenticatorOf(alice)(statement), { code: "auth.missing" })
  })

  test("two devices are apart: neither knocks the other out, and both have names of their own in the broker's list", async () => {
    const [one, two] = [await makeDevice("alice"), await makeDevice("alice", "laptop")]
    const connections = await Promise.all([one, two].map((device) => connectDevice(t, { broker, device })))
    const connz = (await (await fetch(`${broker.monitorUrl}/connz?auth=1`)).json()) as {
      readonly connections: ReadonlyArray<{ readonly authorized_user?: string }>
    }
    const names = connz.connections.map(({ authorized_user }) => authorized_user)
    for (const { uid, dev } of [one, two]) assert.ok(names.includes(`${uid}.${dev}`))
    for (const connection of connections) await connection.flush()
  })

  test("a connection of the client library without a token fails at once, not after half a minute", async () => {
    const began = performance.now()
    await assert.rejects(connect({ servers: broker.url, reconnect: false, timeout: 20_000 }), /[Aa]uth/)
    assert.ok(performance.now() - began < 5_000)
  })
})
