/** `kez send` and `kez receive` that are killed on the way: nothing starts over, and nothing is offered twice. F7 of adversarial.md. */
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { skipWithoutNats } from "../support/broker.ts"
import { type Chatter, makeMember } from "../support/chat-people.ts"
import { type ChatWorld, startChatWorld } from "../support/chat-world.ts"
import { buildIroh, folderOf, startKez } from "../support/files-people.ts"
import { skipWithoutIroh } from "../support/iroh.ts"

describe("files that break off", { skip: skipWithoutNats || skipWithoutIroh() }, () => {
  const cleaners: (() => Promise<void> | void)[] = []
  const t = { after: (clean: () => Promise<void> | void) => void cleaners.push(clean) }
  let world: ChatWorld
  let alice: Chatter
  let bob: Chatter
  let env: { readonly KEZ_IROH: string }
  before(async () => {
    env = buildIroh()
    world = await startChatWorld(t)
    alice = await makeMember(t, world, "alice")
    bob = await makeMember(t, world, "bob")
    await alice.ok("dm", "bob", "hello")
    await bob.ok("contacts", "add", "alice")
  })
  after(async () => {
    for (const clean of cleaners.toReversed()) await clean()
  })

  test("a receiver that is killed goes on where it was; then a sender that is killed does", async () => {
    const path = join(folderOf(alice, "out"), "large.bin")
    const bytes = randomBytes(9_000_000)
    writeFileSync(path, bytes)
    const into = folderOf(bob, "in3")
    const slow = ["receive", "--dir", into, "--yes", "--limit-rate", "1500000"]
    const sending = startKez(t, alice, { args: ["send", path, "bob"], env })
    const first = startKez(t, bob, { args: slow, env })
    await first.until((line) => line.data.bytes > 3_000_000)
    first.child.kill("SIGKILL")
    const second = startKez(t, bob, { args: slow, env })
    const resumed = await second.until((line) => line.data.note === "resumed")
    assert.ok(resumed.data.bytes > 2_000_000, String(resumed.data.bytes))
    await second.until((line) => line.data.bytes > 6_000_000)
    sending.child.kill("SIGKILL")
    const again = startKez(t, alice, { args: ["send", path, "bob"], env })
    const done = await second.until((line) => line.schema === "kez.receive/1")
    assert.equal(done.data.transfers[0].state, "done")
    assert.equal((await again.until((line) => line.schema === "kez.send/1")).data.state, "done")
    assert.deepEqual(readFileSync(join(into, "large.bin")), bytes)
    const { messages } = await bob.ok("dm", "alice", "--tail", "10")
    const offers = messages.filter((one: { readonly file_offer: object | null }) => one.file_offer !== null)
    assert.equal(offers.length, 1)
  })
})
