/** `npm start` where it cannot or must not go on: nothing is started by half, and nothing is deleted that is not its own. */
import assert from "node:assert/strict"
import { once } from "node:events"
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type TestContext, test } from "node:test"
import { openFolder } from "../../scripts/start/folder.ts"
import { skipWithoutNats } from "../support/broker.ts"
import { isFree } from "../support/ports.ts"
import { freePortBase, processesWith, startTrial } from "../support/trial.ts"

const skip = process.platform === "linux" ? skipWithoutNats : "looks into /proc"

function makeFolder(t: TestContext): string {
  const base = mkdtempSync(join(tmpdir(), "kez-start-"))
  t.after(() => rmSync(base, { recursive: true, force: true }))
  return join(base, "trial")
}

async function takePort(t: TestContext, port: number): Promise<void> {
  const server = createServer().listen({ host: "127.0.0.1", port })
  await once(server, "listening")
  t.after(() => server.close())
}

async function run(t: TestContext, args: readonly string[], env = {}): Promise<{ code: number | null; said: string }> {
  const trial = startTrial(t, args, env)
  const code = await trial.ended()
  return { code, said: trial.said() }
}

test("npm start says who has a port that is taken, and starts nothing", { skip }, async (t) => {
  const folder = makeFolder(t)
  const ports = await freePortBase()
  await takePort(t, ports + 2)
  const { code, said } = await run(t, ["--folder", folder], { KEZ_START_PORT_BASE: String(ports) })
  assert.equal(code, 1)
  const wanted = `ports are taken: ${ports + 2} \\(for nats-server\\) by node, process ${process.pid} \\[broker\\.port\\]`
  assert.match(said, new RegExp(wanted))
  assert.match(said, /^hint: Nothing was started\. .*npm start -- --port-base \d+$/m)
  assert.deepEqual(processesWith(folder), [])
  for (const step of [0, 1, 3, 4, 5]) assert.equal(await isFree(ports + step), true)
})

test("npm start stops what it has started when one part cannot be started", { skip }, async (t) => {
  const folder = makeFolder(t)
  openFolder(folder)
  mkdirSync(join(folder, "chat-server"))
  writeFileSync(join(folder, "chat-server/kez-chat.sqlite"), "no database".repeat(1_000))
  const { code, said } = await run(t, ["--folder", folder, "--port-base", String(await freePortBase())])
  assert.equal(code, 1, said)
  assert.match(said, /Cannot start chat-server: it ended at once/)
  assert.match(said, /^ok stopped: .*nats-server/m)
  assert.deepEqual(processesWith(folder), [])
})

test("npm start stops what a killed one left, and Ctrl-C ends it before all is there", { skip }, async (t) => {
  const folder = makeFolder(t)
  const args = ["--folder", folder, "--port-base", String(await freePortBase())]
  const first = startTrial(t, args)
  await first.saying(/^ok chat-server/m)
  first.interrupt("SIGKILL")
  await first.ended()
  assert.notDeepEqual(processesWith(folder), [])
  const second = startTrial(t, args)
  await second.saying(/^ok chat-server/m)
  assert.match(second.said(), /Stopped what an earlier start left: .*chat-server, process \d+/)
  second.interrupt()
  assert.notEqual(await second.ended(), 0)
  assert.match(second.said(), /^ok stopped: /m)
  assert.deepEqual(processesWith(folder), [])
})

test("npm start -- --reset asks first, and deletes nothing where nobody can be asked", { skip }, async (t) => {
  const folder = makeFolder(t)
  openFolder(folder)
  const { code, said } = await run(t, ["--reset", "--folder", folder])
  assert.equal(code, 2)
  assert.match(said, /nobody can be asked \[input\.missing\]/)
  assert.ok(existsSync(join(folder, "kez-trial.json")))
})

test("npm start -- --reset --yes deletes its own folder", { skip }, async (t) => {
  const folder = makeFolder(t)
  openFolder(folder)
  writeFileSync(join(folder, "old"), "")
  const ports = await freePortBase()
  await takePort(t, ports)
  const { said } = await run(t, ["--reset", "--yes", "--folder", folder, "--port-base", String(ports)])
  assert.match(said, /^Deleted /m)
  assert.equal(existsSync(join(folder, "old")), false)
})

test("npm start uses and deletes no folder that it did not make", { skip }, async (t) => {
  const folder = makeFolder(t)
  mkdirSync(folder)
  writeFileSync(join(folder, "thesis.txt"), "years of work")
  for (const flags of [["--reset", "--yes"], []]) {
    const { code, said } = await run(t, [...flags, "--folder", folder])
    assert.equal(code, 1)
    assert.match(said, /was not made by npm start \[store\.exists\]/)
    assert.ok(existsSync(join(folder, "thesis.txt")))
  }
  const own = makeFolder(t)
  openFolder(own)
  symlinkSync(own, `${own}-link`)
  assert.equal((await run(t, ["--reset", "--yes", "--folder", `${own}-link`])).code, 1)
  assert.ok(existsSync(join(own, "kez-trial.json")))
})

test("npm start names a flag that does not exist, and exits 2", { skip }, async (t) => {
  const { code, said } = await run(t, ["--rest"])
  assert.equal(code, 2)
  assert.match(said, /Unknown option '--rest'.* \[usage\]/)
})
