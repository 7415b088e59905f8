/** An account whose words cannot read its history yet: it works, says so where somebody looks, and `kez account archive` makes up for it. */
import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { openSession } from "../cli/support/pty.ts"
import { skipWithoutNats } from "../support/broker.ts"
import { type Chatter, envOf, makeChatter, makeMember } from "../support/chat-people.ts"
import { type ChatWorld, startChatWorld } from "../support/chat-world.ts"
import { read, restore, wordsOf } from "../support/history.ts"

const ctrl = (letter: string): string => String.fromCharCode(letter.charCodeAt(0) - 96)

describe("history without an archive", { skip: skipWithoutNats }, () => {
  const cleaners: (() => Promise<void> | void)[] = []
  const t = { after: (clean: () => Promise<void> | void) => void cleaners.push(clean) }
  let world: ChatWorld
  before(async () => {
    world = await startChatWorld(t)
    await makeMember(t, world, "bob")
  })
  after(async () => {
    for (const clean of cleaners.toReversed()) await clean()
  })

  test("the agent signs and gives no key away: an account made with it has no archive until somebody unlocks the key", async () => {
    const alice = await makeChatter(t, world)
    const secret = ["--passphrase-file", alice.file("pass", "correct horse battery\n")]
    await alice.ok("identity", "new", "alice", ...secret)
    await alice.ok("identity", "unlock", "alice", ...secret)
    const made = await alice.json(["account", "create", "alice@localhost", "--identity", "alice", "--no-passphrase"])
    assert.deepEqual([made.code, made.data.archive], [0, "off"])
    assert.match(
      made.warnings.join(" "),
      /the words cannot read your messages yet.*kez account archive alice@localhost/,
    )
    await alice.ok("dm", "bob", "before there was an archive")
    const { stdout } = await alice.kez(["account", "show"])
    assert.match(stdout, /history {3}ON THIS DEVICE ALONE\. Your account has no archive key .*: kez account archive\./)
    await saysSoInChat(alice)

    const locked = await alice.json(["account", "archive"])
    assert.deepEqual([locked.code, locked.error.code], [4, "key.locked"])
    const done = await alice.ok("account", "archive", ...secret)
    assert.deepEqual([done.archive, done.archive_reason], ["on", null])
    assert.equal((await alice.ok("account", "show")).archive, "on")
    await alice.ok("identity", "lock")
    // What was said before is in it too.
    const words = await wordsOf(alice, "alice", ...secret)
    const other = await makeChatter(t, world)
    await restore(other, words)
    assert.deepEqual(
      (await read(other, "bob")).map(({ text }) => text),
      ["before there was an archive"],
    )
    assert.ok(!other.keeps(words))
  })
})

/** On the whole screen and in plain lines, where somebody looks. */
async function saysSoInChat(person: Chatter): Promise<void> {
  using screen = openSession(["chat", "bob"], { env: envOf(person) })
  await screen.expect(/◌ history off {2}● online/)
  screen.type(ctrl("g"))
  await screen.expect(/your history is on this device alone/)
  screen.type(ctrl("q"))
  assert.equal(await screen.end(), 0)
  using lines = openSession(["chat", "bob", "--plain"], { env: envOf(person) })
  await lines.expect(/your history is on this device alone\..*kez account archive/s)
  lines.enter("/quit")
  assert.equal(await lines.end(), 0)
}
