/** An identity that is unlocked: an agent gives no device authority, so making an account takes the passphrase, and its words read the history then. */
import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { skipWithoutNats } from "../support/broker.ts"
import { makeChatter, makeMember } from "../support/chat-people.ts"
import { type ChatWorld, startChatWorld } from "../support/chat-world.ts"
import { read, restore, wordsOf } from "../support/history.ts"
import { laterCleaner } from "../support/person.ts"

describe("history of an account whose key is unlocked", { skip: skipWithoutNats }, () => {
  const t = laterCleaner(after)
  let world: ChatWorld
  before(async () => {
    world = await startChatWorld(t)
    await makeMember(t, world, "bob")
  })

  test("an agent adds no device: an account is made with the passphrase, and its words bring back what was said", async () => {
    const alice = await makeChatter(t, world)
    const secret = ["--passphrase-file", alice.file("pass", "correct horse battery\n")]
    await alice.ok("identity", "new", "alice", ...secret)
    await alice.ok("identity", "unlock", "alice", ...secret)
    const create = ["account", "create", "alice@localhost", "--identity", "alice", "--no-passphrase"]
    const locked = await alice.json(create)
    assert.deepEqual([locked.code, locked.error.code], [4, "key.locked"])
    const made = await alice.json([...create, ...secret])
    assert.deepEqual([made.code, made.data.archive], [0, "on"])
    await alice.ok("dm", "bob", "before the computer was lost")
    await alice.ok("identity", "lock")
    const words = await wordsOf(alice, "alice", ...secret)
    const other = await makeChatter(t, world)
    await restore(other, words)
    assert.deepEqual(
      (await read(other, "bob")).map(({ text }) => text),
      ["before the computer was lost"],
    )
    assert.ok(!other.keeps(words))
  })
})
