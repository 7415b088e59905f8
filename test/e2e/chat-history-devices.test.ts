/** History on several computers of one person, over real servers: added beside each other, and after a rotation of the words. */
import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { skipWithoutNats } from "../support/broker.ts"
import { type Chatter, makeChatter, startCouple } from "../support/chat-people.ts"
import type { ChatWorld } from "../support/chat-world.ts"
import { read, restore, wordsOf } from "../support/history.ts"
import { laterCleaner } from "../support/person.ts"

describe("history on every computer of a person", { skip: skipWithoutNats }, () => {
  const t = laterCleaner(after)
  let world: ChatWorld
  let alice: Chatter
  let bob: Chatter
  let words: string
  before(async () => {
    ;({ world, alice, bob } = await startCouple(t))
    words = await wordsOf(alice)
    await bob.ok("dm", "alice", "hello yourself")
  })

  test("a computer added beside the other one reads what was before, and both have what comes", async () => {
    const history = await read(alice, "bob")
    const laptop = await makeChatter(t, world)
    const { data } = await restore(laptop, words)
    assert.deepEqual([data.archive, data.other_devices.length >= 1], ["on", true])
    assert.deepEqual(await read(laptop, "bob"), history)
    await alice.ok("dm", "bob", "from the first computer", "--wait", "40")
    await bob.ok("dm", "alice", "to both of you")
    for (const computer of [alice, laptop]) assert.equal((await read(computer, "bob")).at(-1)?.text, "to both of you")
    await laptop.ok("dm", "bob", "from the second", "--wait", "40")
    assert.equal((await read(bob, "alice")).at(-1)?.text, "from the second")
    // Nothing came twice.
    const texts = (await read(laptop, "bob")).map(({ text }) => text)
    assert.equal(new Set(texts).size, texts.length)
  })

  test("after a rotation the new words read all of it, and those before bring no account back", async () => {
    await alice.ok("identity", "new", "later", "--no-passphrase")
    const later = await wordsOf(alice, "later")
    await alice.ok("sigchain", "rotate", "later")
    await alice.ok("sigchain", "publish")
    const shown = await alice.ok("account", "show")
    assert.deepEqual([shown.identity, shown.holds_primary], ["later", true])
    await alice.ok("dm", "bob", "after the rotation", "--wait", "40")
    const history = await read(alice, "bob")
    const thief = await makeChatter(t, world)
    const refused = await restore(thief, words)
    assert.deepEqual([refused.code, refused.error.code], [10, "chain.not_authorised"])
    const other = await makeChatter(t, world)
    assert.equal((await restore(other, later)).data.archive, "on")
    assert.deepEqual(
      (await read(other, "bob")).map(({ text }) => text),
      history.map(({ text }) => text),
    )
  })
})
