/** History where the words were not enough at first: a server that was away, another device that lets one in, an account of an older kez. */
import assert from "node:assert/strict"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { skipWithoutNats } from "../support/broker.ts"
import { type Chatter, makeChatter, makeMember } from "../support/chat-people.ts"
import { type ChatWorld, startChatWorld } from "../support/chat-world.ts"
import { restore, wordsOf } from "../support/history.ts"

describe("history that comes later", { skip: skipWithoutNats }, () => {
  const cleaners: (() => Promise<void> | void)[] = []
  const t = { after: (clean: () => Promise<void> | void) => void cleaners.push(clean) }
  let world: ChatWorld
  let [alice, bob] = [undefined as unknown as Chatter, undefined as unknown as Chatter]
  before(async () => {
    world = await startChatWorld(t)
    bob = await makeMember(t, world, "bob")
  })
  after(async () => {
    for (const clean of cleaners.toReversed()) await clean()
  })

  test("an account without an archive key says so, works, and kez account archive makes up for it", async () => {
    await killBroker(world)
    alice = await makeMember(t, world, "alice")
    forgetArchiveKey(alice)
    await world.restartBroker()
    const words = await wordsOf(alice)
    await alice.ok("dm", "bob", "before there was an archive")
    const shown = await alice.ok("account", "show")
    assert.equal(shown.archive, "off")
    assert.match(shown.archive_reason, /kez account archive/)
    const made = await alice.ok("account", "archive")
    assert.deepEqual([made.archive, made.archive_reason], ["on", null])
    assert.equal((await alice.ok("account", "show")).archive, "on")
    const other = await makeChatter(t, world)
    await restore(other, words)
    assert.deepEqual(await texts(other), ["before there was an archive"])
    assert.ok(!other.keeps(words))
  })

  test("a server that is away while an account is brought here: what to do is said, and the words or another device do it", async () => {
    const words = await wordsOf(alice)
    await killBroker(world)
    const [byWords, byDevice] = [await makeChatter(t, world), await makeChatter(t, world)]
    const restored = await Promise.all([
      restore(byWords, words, "--device-only"),
      restore(byDevice, words, "--device-only"),
    ])
    for (const { warnings, data } of restored) {
      assert.equal(data.archive, "unknown")
      assert.match(warnings.join(" "), /kez account archive alice@localhost.*another device of yours/)
    }
    await world.restartBroker()
    const closed = await byDevice.json(["dm", "bob", "--tail"], { timeoutMs: 40_000 })
    assert.equal(closed.error.code, "store.unknown")
    const shown = await byDevice.ok("account", "show")
    assert.equal(shown.archive, "closed")
    assert.match(shown.archive_reason, /Another device of yours does it/)

    const locked = await byWords.json(["account", "archive"])
    assert.deepEqual([locked.code, locked.error.code], [4, "key.not_held"])
    const wrong = byWords.file("wrong", await wordsOf(bob))
    assert.equal((await byWords.json(["account", "archive", "--mnemonic", `@${wrong}`])).error.code, "key.not_held")
    const file = byWords.file("words", words)
    const opened = await byWords.ok("account", "archive", "--mnemonic", `@${file}`)
    assert.deepEqual([opened.archive, opened.restored_messages], ["on", 1])
    assert.deepEqual(await texts(byWords), ["before there was an archive"])

    await alice.ok("dm", "bob", "who is there lets in", "--wait", "40")
    assert.deepEqual((await texts(byDevice)).slice(0, 1), ["before there was an archive"])
    assert.equal((await byDevice.ok("account", "show")).archive, "on")
  })
})

async function texts(person: Chatter): Promise<readonly string[]> {
  const { messages } = await person.ok("dm", "bob", "--tail")
  return messages.map(({ text }: { readonly text: string }) => text)
}

async function killBroker({ broker }: ChatWorld): Promise<void> {
  broker.child.kill("SIGKILL")
  await broker.ended
}

/** As a kez before this one left it. */
function forgetArchiveKey({ home }: Chatter): void {
  const folder = join(home, "accounts")
  for (const id of readdirSync(folder)) {
    const path = join(folder, id, "account.json")
    if (!/^[0-9a-f]{16}$/.test(id)) continue
    const { archive_key: _, ...record } = JSON.parse(readFileSync(path, "utf8"))
    writeFileSync(path, JSON.stringify(record))
  }
}
