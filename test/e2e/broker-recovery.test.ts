/** Connections that end and come back: expiry, a cut, a callout that is down, slow or late, many clients at once, a restarted nats-server. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { type ConnectAttempt, connectionsOf, cutDevice, watchConnections } from "@kez/broker"
import { liveSubjectOf } from "@kez/core"
import type { NatsConnection } from "@nats-io/transport-node"
import {
  connectDevice,
  decideBy,
  makeDevice,
  skipWithoutNats,
  startCallout,
  startTestBroker,
  type TestBroker,
  type TestDevice,
} from "../support/broker.ts"

const options = { skip: skipWithoutNats }
/** What a client of ours sets: it never gives up, and *Authorization Violation* means try again. */
const patient = {
  // Less than the server's 30 s: whoever knocks in the moment between the start of the server and the return of the responder is never answered.
  timeout: 5_000,
  reconnect: true,
  maxReconnectAttempts: -1,
  ignoreAuthErrorAbort: true,
  reconnectDelayHandler: () => 50 + Math.random() * 200,
}
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function eventually(what: string, isSo: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const until = Date.now() + timeoutMs
  while (!(await isSo())) {
    if (Date.now() > until) assert.fail(`not within ${timeoutMs} ms: ${what}`)
    await wait(20)
  }
}

function hears(connection: NatsConnection, device: TestDevice): { readonly count: () => number } {
  let count = 0
  connection.subscribe(`live.${device.uid}.>`, {
    callback: () => {
      count += 1
    },
  })
  return { count: () => count }
}

/** The chat server says something live; repeated until it is heard, since nothing of it is stored. */
async function isReached(
  broker: TestBroker,
  device: TestDevice,
  ears: { readonly count: () => number },
): Promise<void> {
  const chat = await broker.service("chat")
  const before = ears.count()
  await eventually("a live message is heard", async () => {
    chat.publish(liveSubjectOf(device.uid, "typing"), "x")
    await chat.flush()
    return ears.count() > before
  })
}

test("trap: a user JWT expires -> the connection is looked at anew and goes on, nobody notices", options, async (t) => {
  const broker = await startTestBroker(t)
  const decisions: ConnectAttempt[] = []
  const decide = decideBy()
  await startCallout(broker, {
    decide(attempt) {
      decisions.push(attempt)
      const decision = decide(attempt)
      const expiresAtSeconds = Math.floor(Date.now() / 1000) + 2
      return "admit" in decision ? { admit: { ...decision.admit, expiresAtSeconds } } : decision
    },
  })
  const alice = await makeDevice("alice")
  const connection = await connectDevice(t, { broker, device: alice, options: patient })
  const ears = hears(connection, alice)
  await eventually("the callout is asked a second time", () => decisions.length >= 2)
  await isReached(broker, alice, ears)
  assert.equal(connection.isClosed(), false)
  assert.equal(new Set(decisions.map(({ nonce }) => nonce)).size, decisions.length)
})

test(
  "A7 a revoked device is cut off at once and stays out; a cut one that is not revoked comes back",
  options,
  async (t) => {
    const broker = await startTestBroker(t)
    const revoked = new Set<string>()
    await startCallout(broker, { decide: decideBy(revoked) })
    const sys = await broker.service("sys")
    const [alice, bob] = [await makeDevice("alice"), await makeDevice("bob")]
    const aliceConnection = await connectDevice(t, { broker, device: alice, options: patient })
    const bobConnection = await connectDevice(t, { broker, device: bob, options: patient })
    assert.equal((await connectionsOf(sys, alice)).length, 1)

    const ears = hears(bobConnection, bob)
    await bobConnection.flush()
    assert.equal(await cutDevice(sys, bob), 1)
    await isReached(broker, bob, ears)

    revoked.add(alice.dev)
    const began = performance.now()
    assert.equal(await cutDevice(sys, alice), 1)
    await eventually("she is out", async () => (await connectionsOf(sys, alice)).length === 0, 5_000)
    assert.ok(performance.now() - began < 5_000)
    await wait(1_000)
    assert.equal((await connectionsOf(sys, alice)).length, 0)
    // Refused is not closed: should it be a mistake, she is back as soon as it is put right.
    assert.equal(aliceConnection.isClosed(), false)
    revoked.clear()
    await eventually("she is back", async () => (await connectionsOf(sys, alice)).length === 1)
  },
)

test("watchConnections() tells who comes and goes, by the names of our JWT", options, async (t) => {
  const broker = await startTestBroker(t)
  await startCallout(broker)
  const sys = await broker.service("sys")
  const alice = await makeDevice("alice")
  const seen: string[] = []
  const watch = watchConnections(sys, ({ type, name }) => {
    if (name === `${alice.uid}.${alice.dev}`) seen.push(type)
  })
  await sys.flush()
  const connection = await connectDevice(t, { broker, device: alice })
  await eventually("she came", () => seen.length === 1)
  await connection.close()
  await eventually("she went", () => seen.length === 2)
  assert.deepEqual(seen, ["connected", "disconnected"])
  watch.stop()
})

test(
  "trap: turned away twice, the stock client closes for good; one with our settings comes back",
  options,
  async (t) => {
    const broker = await startTestBroker(t)
    let isDown = false
    const decide = decideBy()
    await startCallout(broker, {
      decide(attempt) {
        if (isDown) throw new Error("the database is down")
        return decide(attempt)
      },
    })
    const sys = await broker.service("sys")
    const [alice, bob] = [await makeDevice("alice"), await makeDevice("bob")]
    const { ignoreAuthErrorAbort: _, ...stock } = patient
    const stockConnection = await connectDevice(t, { broker, device: alice, options: stock })
    const ours = await connectDevice(t, { broker, device: bob, options: patient })
    const ears = hears(ours, bob)
    isDown = true
    await cutDevice(sys, alice)
    await cutDevice(sys, bob)
    await eventually("the stock client has given up", () => stockConnection.isClosed())
    assert.equal(ours.isClosed(), false)
    isDown = false
    await isReached(broker, bob, ears)
  },
)

test("trap: no responder at all: who is connected stays, who knocks gets in when one is back", options, async (t) => {
  const broker = await startTestBroker(t)
  const { connection } = await startCallout(broker)
  const [alice, bob] = [await makeDevice("alice"), await makeDevice("bob")]
  const aliceConnection = await connectDevice(t, { broker, device: alice, options: patient })
  await connection.close()
  const ears = hears(aliceConnection, alice)
  await isReached(broker, alice, ears)
  // The first attempt is never answered. A client that waits for less than the server does asks again.
  const knocking = connectDevice(t, {
    broker,
    device: bob,
    options: { ...patient, timeout: 1_500, waitOnFirstConnect: true },
  })
  await wait(2_000)
  await startCallout(broker)
  await (await knocking).flush()
  assert.equal(aliceConnection.isClosed(), false)
})

test(
  "A9 trap: with a callout that takes 3 s, 200 clients that come at once are all in at their first attempt",
  options,
  async (t) => {
    const broker = await startTestBroker(t)
    const decide = decideBy()
    let asked = 0
    let release: (() => void) | undefined
    const until = new Promise<void>((resolve) => {
      release = resolve
    })
    setTimeout(() => release?.(), 3_000)
    await startCallout(broker, {
      async decide(attempt) {
        asked += 1
        await until
        return decide(attempt)
      },
    })
    const device = await makeDevice("alice")
    const connections = await Promise.all(Array.from({ length: 200 }, () => connectDevice(t, { broker, device })))
    assert.equal(connections.length, 200)
    assert.equal(asked, 200)
  },
)

test("a question that is too old is dropped, so that younger ones are answered in time", options, async (t) => {
  const broker = await startTestBroker(t)
  const dropped: string[] = []
  let offset = 31
  const { responder } = await startCallout(broker, {
    nowSeconds: () => Math.floor(Date.now() / 1000) + offset,
    onDropped: (code) => dropped.push(code),
  })
  const device = await makeDevice("alice")
  await assert.rejects(connectDevice(t, { broker, device, options: { timeout: 500 } }))
  assert.deepEqual(dropped, ["auth.time"])
  assert.equal(responder.waiting, 0)
  offset = 0
  await connectDevice(t, { broker, device })
})

test("two responders share the work, and one that stops is not missed", options, async (t) => {
  const broker = await startTestBroker(t)
  const counts = [0, 0]
  const responders = []
  for (const index of [0, 1]) {
    const decide = decideBy()
    responders.push(
      await startCallout(broker, {
        decide(attempt) {
          counts[index] = (counts[index] ?? 0) + 1
          return decide(attempt)
        },
      }),
    )
  }
  const device = await makeDevice("alice")
  for (let i = 0; i < 30; i++) await (await connectDevice(t, { broker, device })).close()
  assert.ok(
    counts.every((count) => count > 0),
    counts.join(),
  )
  await responders[0]?.responder.stop()
  for (let i = 0; i < 10; i++) await (await connectDevice(t, { broker, device })).close()
  assert.ok((counts[1] ?? 0) >= 10)
})

test(
  "A11 nats-server is killed and started again: 300 clients are all back, nobody is logged out",
  options,
  async (t) => {
    const broker = await startTestBroker(t)
    const { responder } = await startCallout(broker)
    const devices = await Promise.all(Array.from({ length: 300 }, (_, i) => makeDevice(`person ${i}`)))
    const connections = await Promise.all(
      devices.map((device) => connectDevice(t, { broker, device, options: { ...patient, waitOnFirstConnect: true } })),
    )
    broker.child.kill("SIGKILL")
    await broker.ended
    const began = performance.now()
    await startTestBroker(t, broker.settings)
    // A flush fails with each attempt to connect that fails: what counts is that one succeeds.
    const isBack = (connection: NatsConnection) =>
      connection.flush().then(
        () => true,
        () => false,
      )
    await Promise.all(connections.map((connection) => eventually("it is back", () => isBack(connection), 30_000)))
    assert.ok(performance.now() - began < 30_000)
    assert.ok(connections.every((connection) => !connection.isClosed()))
    assert.equal(responder.waiting, 0)
  },
)
