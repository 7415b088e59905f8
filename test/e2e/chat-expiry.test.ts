/** A8 a session, and the user JWT with it, ends while somebody writes: what was under way waits in the outbox and arrives once. */
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { deviceSigner } from "@kez/chat"
import { createConnectToken, formatTime, signEnvelope } from "@kez/core"
import { skipWithoutNats } from "../support/broker.ts"
import { until } from "../support/chat-engines.ts"
import { nowSeconds } from "../support/chat-server.ts"
import { startChatWorld, type WorldDevice, type WorldPerson } from "../support/chat-world.ts"
import { createMember, idOf } from "../support/crowd-member.ts"

const sessionSeconds = 3
const messages = 200

const sessionOf = ({ session, keys }: WorldDevice) =>
  signEnvelope(
    "nats_session",
    {
      ...session.payload,
      created_at: formatTime(nowSeconds()),
      expires_at: formatTime(nowSeconds() + sessionSeconds),
    },
    deviceSigner(keys),
  )

test("A8 the JWT ends in mid-publish, again and again: each message is delivered once, in its order", {
  skip: skipWithoutNats,
}, async (t) => {
  const world = await startChatWorld(t)
  const deviceOf = ({ devices: [device] }: WorldPerson) => {
    assert.ok(device)
    return device
  }
  const [alice, bob] = [await world.person("alice"), await world.person("bobby")]
  const device = deviceOf(alice)
  let session = await sessionOf(device)
  const renewing = setInterval(() => {
    void sessionOf(device).then((made) => {
      session = made
    })
  }, 500)
  t.after(() => clearInterval(renewing))
  const broker = world.broker.url
  const token = (nonce: string | undefined) =>
    createConnectToken({ ...device, session, nonce, nowSeconds: nowSeconds() })
  const [a, b] = [createMember({ device, broker, token }), createMember({ device: deviceOf(bob), broker })]
  t.after(() => Promise.all([a.close(), b.close()]))
  a.start()
  b.start()
  await until("both are there", async () => a.isOnline && b.isOnline)
  const conversation = randomBytes(32).toString("hex")
  const members = [alice.chain.chain, bob.chain.chain]
  await b.ask("commit", { conversation, id: idOf("begin"), follows: 0, members }, [Buffer.from("begin")])
  const said = Array.from({ length: messages }, (_, i) => `message ${i}`)
  for (const text of said) {
    a.say(conversation, text)
    await sleep(50)
  }
  await until("all are there", async () => a.waiting === 0 && b.shown.length >= messages, 30)
  assert.ok(a.losses >= 2, `${a.losses}`)
  assert.deepEqual(
    b.shown.map(({ text }) => text),
    said,
  )
  assert.equal(b.losses, 0)
})
