/** nats-server as a process: keys of a first start, a second one, ports in use, two on one folder, kill -9, and its end. */
import assert from "node:assert/strict"
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:net"
import { join } from "node:path"
import { type TestContext, test } from "node:test"
import { connectService, readBrokerKeys, startBroker } from "@kez/broker"
import { createSeed, parseSeed } from "../../packages/broker/src/nkey.ts"
import { brokerSettings, natsServer, skipWithoutNats, startCallout, startTestBroker } from "../support/broker.ts"

const options = { skip: skipWithoutNats }

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

test("a first start makes keys that only their owner may read, and no seed is anywhere else", options, async (t) => {
  const broker = await startTestBroker(t)
  const { folder } = broker.settings
  await broker.service("store")
  const keyFiles = filesIn(join(folder, "keys"))
  assert.equal(keyFiles.length, 7)
  assert.equal(statSync(join(folder, "keys")).mode & 0o777, 0o700)
  for (const file of keyFiles) assert.equal(statSync(file).mode & 0o777, 0o600, file)
  const secrets = keyFiles.map((file) => readFileSync(file, "utf8").trim())
  assert.equal(new Set(secrets).size, 7)
  const others = filesIn(folder).filter((file) => !keyFiles.includes(file))
  const where = [...others.map((file) => readFileSync(file, "latin1")), broker.child.spawnargs.join(" ")]
  for (const text of where) for (const secret of secrets) assert.ok(!text.includes(secret))
})

test("a second start has the same keys and streams, and takes less than 5 seconds", options, async (t) => {
  const settings = await brokerSettings(t)
  const first = await startTestBroker(t, settings)
  const store = await first.store()
  await store.ensureStreams()
  await store.append({ conversation: "c1", id: "1", data: Buffer.from("kept") })
  await first.stop()
  const began = performance.now()
  const second = await startTestBroker(t, settings)
  assert.ok(performance.now() - began < 5_000)
  assert.equal(second.keys.issuer.publicKey, first.keys.issuer.publicKey)
  const again = await second.store()
  await again.ensureStreams()
  const [message] = (await again.read({ conversation: "c1", kind: "messages", fromSeq: 1 })).messages
  assert.equal(Buffer.from(message?.data ?? []).toString(), "kept")
})

test("each of the three ports in use -> broker.port, naming it, and nothing is left running", options, async (t) => {
  for (const which of ["client", "websocket", "monitor"] as const) {
    const settings = await brokerSettings(t)
    const port = which === "monitor" ? settings.monitorPort : settings[which].port
    const taken = await listen(t, port)
    await assert.rejects(startBroker(natsServer, settings), (error: Error & { code?: string; hint?: string }) => {
      assert.equal(error.code, "broker.port", error.message)
      assert.match(error.message, new RegExp(`:${port}`))
      assert.match(error.hint ?? "", /another port/)
      return true
    })
    await new Promise((resolve) => taken.close(resolve))
    const broker = await startBroker(natsServer, settings)
    await broker.stop()
  }
})

test("a second one on the same folder -> store.busy, with its number; the first goes on", options, async (t) => {
  const broker = await startTestBroker(t)
  const other = await brokerSettings(t)
  await assert.rejects(startBroker(natsServer, { ...other, folder: broker.settings.folder }), {
    code: "store.busy",
    message: new RegExp(`process ${broker.child.pid} `),
  })
  await (await broker.service("store")).flush()
})

test("what kill -9 left behind does not hinder the next start", options, async (t) => {
  const settings = await brokerSettings(t)
  const broker = await startTestBroker(t, settings)
  broker.child.kill("SIGKILL")
  await broker.ended
  assert.ok(existsSync(join(settings.folder, "nats-server.pid")))
  await startTestBroker(t, settings)
})

test("a number left behind that is another process's now does not hinder it either", options, async (t) => {
  const settings = await brokerSettings(t)
  await (await startTestBroker(t, settings)).stop()
  writeFileSync(join(settings.folder, "nats-server.pid"), `${process.pid}`)
  await startTestBroker(t, settings)
})

test("a folder that cannot be written -> broker.start, with the reason and where the log is", options, async (t) => {
  const settings = await brokerSettings(t)
  writeFileSync(join(settings.folder, "streams"), "a file where the folder should be")
  await assert.rejects(startBroker(natsServer, settings), (error: Error & { code?: string; hint?: string }) => {
    assert.equal(error.code, "broker.start")
    assert.match(`${error.message} ${error.hint}`, /streams|nats-server\.log/)
    return true
  })
})

test("a program that is no nats-server -> broker.start", options, async (t) => {
  await assert.rejects(startBroker("/bin/false", await brokerSettings(t)), { code: "broker.start" })
})

test("stop() ends it in order, twice is once, and its pid file is gone", options, async (t) => {
  const broker = await startTestBroker(t)
  await (await broker.store()).ensureStreams()
  const began = performance.now()
  await Promise.all([broker.stop(), broker.stop()])
  assert.ok(performance.now() - began < 5_000)
  assert.equal(broker.child.exitCode ?? 0, 0)
  assert.ok(!existsSync(join(broker.settings.folder, "nats-server.pid")))
})

test("a key of another broker, or another account's, is refused -> broker.refused", options, async (t) => {
  const broker = await startTestBroker(t)
  // A key that the configuration does not name is a question to the callout, as any client's.
  await startCallout(broker)
  const key = parseSeed(createSeed("user"), "user")
  await assert.rejects(connectService({ url: broker.url, key, name: "stranger" }), { code: "broker.refused" })
})

test(
  "keys that others may read -> store.permissions; a missing one -> store.unknown; a cut one -> key.encoding",
  options,
  async (t) => {
    const { settings } = await startTestBroker(t)
    const [folder, file] = [join(settings.folder, "keys"), join(settings.folder, "keys/store.seed")]
    chmodSync(file, 0o644)
    assert.throws(() => readBrokerKeys(folder), { code: "store.permissions" })
    chmodSync(file, 0o600)
    writeFileSync(file, readFileSync(file, "utf8").slice(0, 30))
    assert.throws(() => readBrokerKeys(folder), { code: "key.encoding" })
    rmSync(file)
    assert.throws(() => readBrokerKeys(folder), { code: "store.unknown" })
  },
)

function listen(t: TestContext, port: number): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy()).listen(port, "127.0.0.1", () => resolve(server))
    t.after(() => server.close())
  })
}
