/** History with the kez command over real servers: a computer is lost, and the 24 words bring all of it to a new one. */
import assert from "node:assert/strict"
import { existsSync, rmSync } from "node:fs"
import { after, before, describe, test } from "node:test"
import { skipWithoutNats } from "../support/broker.ts"
import { type Chatter, makeChatter, makeMember } from "../support/chat-people.ts"
import { type ChatWorld, startChatWorld } from "../support/chat-world.ts"
import { read, restoring, type Shown, wordsOf } from "../support/history.ts"
import { laterCleaner } from "../support/person.ts"

describe("history that the words alone can read", { skip: skipWithoutNats }, () => {
  const t = laterCleaner(after)
  let world: ChatWorld
  let bob: Chatter
  /** Alice's computer, after the first test a new one. */
  let alice: Chatter
  let words: string
  before(async () => {
    world = await startChatWorld(t)
    alice = await makeMember(t, world, "alice")
    bob = await makeMember(t, world, "bob")
    words = await wordsOf(alice)
  })

  test("a lost computer: the words bring back every message and contact to a new one, and she writes on", async () => {
    await alice.ok("dm", "bob", "first")
    await bob.ok("contacts", "add", "alice@localhost")
    for (let i = 0; i < 5; i++) {
      await bob.ok("dm", "alice", `answer ${i}`)
      await alice.ok("dm", "bob", `question ${i}`)
    }
    await changeLast(alice, "bob")
    const carl = await makeMember(t, world, "carl")
    await carl.ok("dm", "alice", "hello from carl")
    await alice.ok("contacts", "add", "carl@localhost")
    const [history, contacts] = [await read(alice, "bob"), (await alice.ok("contacts", "list")).contacts]
    assert.equal(history.length, 11)
    assert.equal((await alice.ok("account", "show")).archive, "on")
    rmSync(alice.home, { recursive: true })
    assert.ok(!existsSync(alice.home))

    alice = await makeChatter(t, world)
    const { code, stdout, stderr } = await alice.kez(restoring(alice, words), { timeoutMs: 60_000 })
    assert.equal(code, 0, stderr)
    assert.match(stderr, /restoring \d+ messages/)
    assert.match(stdout, /history +in your archive[\s\S]*✓ 12 earlier messages came/)
    assert.deepEqual(await read(alice, "bob"), history)
    assert.deepEqual(
      (await read(alice, "carl")).map(({ text }) => text),
      ["hello from carl"],
    )
    assert.deepEqual(namesOf((await alice.ok("contacts", "list")).contacts), namesOf(contacts))
    assert.deepEqual((await alice.ok("contacts", "check")).alarms, [])

    await alice.ok("dm", "bob", "back again", "--wait", "40")
    assert.equal((await read(bob, "alice")).at(-1)?.text, "back again")
    await bob.ok("dm", "alice", "good to see you")
    assert.equal((await read(alice, "bob")).at(-1)?.text, "good to see you")
  })
})

/** Edits the last own message, and reacts to the last of the other. */
async function changeLast(person: Chatter, who: string): Promise<void> {
  const { messages } = await person.ok("dm", who, "--tail", "10")
  const last = (isSelf: boolean) => messages.findLast(({ from }: Shown) => from.is_self === isSelf).message
  const input = [
    { do: "edit", to: who, message: last(true), text: "the last question, better" },
    { do: "react", to: who, message: last(false), emoji: "👍" },
    { do: "quit" },
  ]
  const { code } = await person.kez(["chat", "--json"], {
    input: `${input.map((one) => JSON.stringify(one)).join("\n")}\n`,
    timeoutMs: 40_000,
  })
  assert.equal(code, 0)
}

function namesOf(contacts: readonly { readonly account: string | null; readonly standing: string }[]) {
  return contacts.map(({ account, standing }) => `${account} ${standing}`).toSorted()
}
