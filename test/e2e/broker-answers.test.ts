/** What nats-server makes of answers to the callout: the holes that our answers must never use, and answers that it refuses. */
import assert from "node:assert/strict"
import { after, describe, test } from "node:test"
import { connect } from "@nats-io/transport-node"
import { encodeJwt } from "../../packages/broker/src/callout/jwt.ts"
import type { CalloutRequest } from "../../packages/broker/src/callout/request.ts"
import { createSeed, parseSeed } from "../../packages/broker/src/nkey.ts"
import { skipWithoutNats, startTestBroker } from "../support/broker.ts"
import { type CarelessAnswer, type CarelessUser, startCarelessCallout } from "../support/careless-callout.ts"
import { tryConnect } from "../support/raw-nats.ts"

describe("answers to nats-server", { skip: skipWithoutNats }, async () => {
  if (skipWithoutNats !== false) return
  const t = { after }
  const broker = await startTestBroker(t)
  const { port } = broker.settings.client
  let answer: (request: CalloutRequest) => CarelessAnswer = () => ({ error: "none" })
  await startCarelessCallout(broker, (request) => answer(request))
  const user: CarelessUser = { aud: "CHAT", name: "careless", pub: { allow: ["x"] }, sub: { allow: ["x"] } }
  const stranger = parseSeed(createSeed("account"), "account")
  const outcome = () => tryConnect(port, () => ({ auth_token: "x", sig: "-" }))

  /** What a user may do, by the server's own account of it. */
  const mayPublish = async (subject: string, count = 1, size = 1): Promise<boolean> => {
    const connection = await connect({ servers: broker.url, token: "x", reconnect: false })
    const errors: unknown[] = []
    void (async () => {
      for await (const status of connection.status()) if (status.type === "error") errors.push(status.error)
    })()
    for (let i = 0; i < count; i++) connection.publish(subject, new Uint8Array(size))
    await connection.flush()
    await new Promise((resolve) => setImmediate(resolve))
    await connection.close()
    return errors.length === 0
  }

  test("an ordinary answer lets in, with its permissions", async () => {
    answer = () => ({ user })
    assert.equal(await outcome(), "PONG")
    assert.equal(await mayPublish("x"), true)
    assert.equal(await mayPublish("y"), false)
  })

  test("trap: an empty list of permissions, or none, allows everything", async () => {
    answer = () => ({ user: { ...user, pub: { allow: [] } } })
    assert.equal(await mayPublish("anything.at.all"), true)
    answer = () => ({ user: { aud: "CHAT", name: "careless" } })
    assert.equal(await mayPublish("anything.at.all"), true)
    answer = () => ({ user: { ...user, pub: { deny: [">"] } } })
    assert.equal(await mayPublish("anything.at.all"), false)
  })

  test("trap: limits and kinds of connection in a user JWT are not enforced; those of the configuration are", async () => {
    answer = () => ({
      user: {
        ...user,
        more: { subs: 1, data: 10, payload: 10, allowed_connection_types: ["WEBSOCKET"], src: ["192.0.2.0/24"] },
      },
    })
    assert.equal(await mayPublish("x", 5, 100), true)
  })

  test("trap: an answer can put a user into the system account, so ours is hard-coded", async () => {
    answer = () => ({ user: { aud: "SYS", name: "careless", pub: { allow: [">"] }, sub: { allow: [">"] } } })
    const connection = await connect({ servers: broker.url, token: "x", reconnect: false })
    assert.match((await connection.request("$SYS.REQ.SERVER.PING")).string(), /"jetstream":true/)
    await connection.close()
  })

  test("trap: an answer in the clear is taken, although xkey is set", async () => {
    answer = () => ({ user, isSealed: false })
    assert.equal(await outcome(), "PONG")
  })

  const refused: ReadonlyArray<readonly [name: string, answer: (request: CalloutRequest) => CarelessAnswer]> = [
    ["an error", () => ({ error: "no" })],
    ["a user of an account that is not there", () => ({ user: { ...user, aud: "NONE" } })],
    ["a user that has expired", () => ({ user: { ...user, exp: Math.floor(Date.now() / 1000) - 5 } })],
    ["an answer for another connection", () => ({ user, subject: parseSeed(createSeed("user"), "user").publicKey })],
    [
      "an answer for another server",
      () => ({ user, response: { aud: parseSeed(createSeed("server"), "server").publicKey } }),
    ],
    ["A9 garbage", () => ({ raw: Buffer.from("garbage") })],
    ["A9 nothing", () => ({ raw: new Uint8Array() })],
    ["A9 an answer of another issuer", (request) => ({ raw: Buffer.from(byStranger(request)) })],
  ]
  for (const [name, given] of refused) {
    test(`refused: ${name}`, async () => {
      answer = given
      assert.notEqual(await outcome(), "PONG")
    })
  }

  function byStranger(request: CalloutRequest): string {
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      sub: request.userKey,
      aud: "CHAT",
      name: "x",
      nats: { type: "user", version: 2, subs: -1, data: -1, payload: -1 },
    }
    const nats = { type: "authorization_response", version: 2, jwt: encodeJwt(claims, stranger, now) }
    return encodeJwt({ sub: request.userKey, aud: request.server.id, nats }, stranger, now)
  }
})
