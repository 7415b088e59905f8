/** `kez send` and `kez receive` between two people over real servers and the real kez-iroh. */
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { skipWithoutNats } from "../support/broker.ts"
import { type Chatter, startCouple } from "../support/chat-people.ts"
import { buildIroh, folderOf } from "../support/files-people.ts"
import { skipWithoutIroh } from "../support/iroh.ts"
import { laterCleaner } from "../support/person.ts"

const timeoutMs = 50_000

describe("files with the kez command", { skip: skipWithoutNats || skipWithoutIroh() }, () => {
  const t = laterCleaner(after)
  let alice: Chatter
  let bob: Chatter
  let env: { readonly KEZ_IROH: string }
  before(async () => {
    env = await buildIroh()
    ;({ alice, bob } = await startCouple(t))
  })

  test("a file that is offered is fetched, and both sides say so", async () => {
    const path = join(folderOf(alice, "out"), "photo.jpg")
    const bytes = randomBytes(3_000_000)
    writeFileSync(path, bytes)
    const into = folderOf(bob, "in")
    writeFileSync(join(into, "photo.jpg"), "mine")
    const sending = alice.kez(["send", path, "bob", "--wait", "40"], { env, timeoutMs })
    const received = await bob.kez(["receive", "alice", "--dir", into, "--yes", "--wait", "40"], { env, timeoutMs })
    const sent = await sending
    assert.equal(received.code, 0, received.stderr + received.stdout + sent.stderr)
    assert.equal(sent.code, 0, sent.stderr + sent.stdout)
    assert.match(received.stdout, /✓ .*photo \(2\)\.jpg, 3\.0 MB/)
    assert.match(received.stderr, /alice@localhost is connected, direct/)
    assert.match(sent.stderr, /offered photo\.jpg, 3\.0 MB\. Waiting for bob@localhost/)
    assert.match(sent.stdout, /✓ bob@localhost has photo\.jpg, 3\.0 MB/)
    assert.deepEqual(readFileSync(join(into, "photo (2).jpg")), bytes)
    assert.equal(readFileSync(join(into, "photo.jpg"), "utf8"), "mine")
  })

  test("a folder arrives whole, its names made safe, with --json as lines", async () => {
    const folder = folderOf(alice, "holiday")
    mkdirSync(join(folder, "day one"))
    for (let at = 0; at < 50; at++) writeFileSync(join(folder, "day one", `${at}.txt`), `file ${at}`)
    writeFileSync(join(folder, "CON"), "a device elsewhere")
    writeFileSync(join(folder, "empty"), "")
    const into = folderOf(bob, "in2")
    const sending = alice.kez(["send", folder, "bob", "--json", "--wait", "40"], { env, timeoutMs })
    const received = await bob.kez(["receive", "--dir", into, "--yes", "--json", "--wait", "40"], { env, timeoutMs })
    const sent = await sending
    assert.equal(received.code, 0, received.stderr + received.stdout + sent.stderr + sent.stdout)
    assert.equal(sent.code, 0, sent.stderr + sent.stdout)
    const lines = received.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line))
    assert.equal(lines.at(-1).schema, "kez.receive/1")
    assert.equal(lines.at(-1).data.transfers[0].state, "done")
    assert.equal(readdirSync(join(into, "holiday", "day one")).length, 50)
    assert.equal(readFileSync(join(into, "holiday", "day one", "7.txt"), "utf8"), "file 7")
    assert.equal(readFileSync(join(into, "holiday", "_CON"), "utf8"), "a device elsewhere")
    assert.equal(readFileSync(join(into, "holiday", "empty"), "utf8"), "")
  })

  test("without kez-iroh the commands say what is missing, and messages go on", async () => {
    const none = { env: { KEZ_IROH: undefined } }
    const path = alice.file("a.txt", "a")
    const sent = await alice.json(["send", path, "bob"], none)
    assert.deepEqual([sent.code, sent.error.code], [1, "file.program"])
    assert.match(sent.error.hint ?? "", /scripts\/iroh\.sh/)
    assert.equal((await bob.json(["receive"], none)).error.code, "file.program")
    assert.match((await alice.ok("dm", "bob", "still here")).delivered.state, /^(?:sent|delivered)$/)
    assert.equal(existsSync(join(bob.dir, "a.txt")), false)
  })
})
