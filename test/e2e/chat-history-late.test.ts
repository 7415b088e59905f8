/** A server that is away while an account is brought to a new computer: what to do is said, and the words, or another device, do it later. */
import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { openSession } from "../cli/support/pty.ts"
import { skipWithoutNats } from "../support/broker.ts"
import { until } from "../support/chat-engines.ts"
import { type Chatter, envOf, makeChatter, startCouple } from "../support/chat-people.ts"
import { ask } from "../support/chat-server.ts"
import type { ChatWorld } from "../support/chat-world.ts"
import { restore, wordsOf } from "../support/history.ts"
import { laterCleaner } from "../support/person.ts"

describe("history that comes later", { skip: skipWithoutNats }, () => {
  const t = laterCleaner(after)
  let world: ChatWorld
  let alice: Chatter
  let bob: Chatter
  before(async () => {
    ;({ world, alice, bob } = await startCouple(t))
  })

  test("a server that is away while an account is brought here: what to do is said, and the words or another device do it", async () => {
    const words = await wordsOf(alice)
    await killBroker(world)
    const [byWords, byDevice] = [await makeChatter(t, world), await makeChatter(t, world)]
    // One after the other: two computers that extend one chain at once would fork it.
    for (const computer of [byWords, byDevice]) {
      const { warnings, data } = await restore(computer, words, "--device-only")
      assert.equal(data.archive, "unknown")
      assert.match(warnings.join(" "), /kez account archive alice@localhost.*another device of yours/)
    }
    await bringBroker(world)
    await until(
      "the new computer was online",
      async () => {
        const { error } = await byDevice.json(["dm", "bob", "--tail"], { timeoutMs: 40_000 })
        assert.equal(error.code, "store.unknown")
        return /cannot read your history yet.*Another device of yours does it/.test(error.hint ?? "")
      },
      40,
    )
    assert.equal((await byDevice.ok("account", "show")).archive, "closed")

    const locked = await byWords.json(["account", "archive"])
    assert.deepEqual([locked.code, locked.error.code], [4, "key.not_held"])
    const wrong = byWords.file("wrong", await wordsOf(bob))
    assert.equal((await byWords.json(["account", "archive", "--mnemonic", `@${wrong}`])).error.code, "key.not_held")
    using session = openSession(["account", "archive"], { env: envOf(byWords) })
    await session.expect(/Type your 12 or 24 recovery words/)
    session.enter(words)
    await session.expect(
      /✓ your words and your devices can read the history of alice@localhost: 1 earlier messages? came/,
    )
    assert.equal(await session.end(), 0)
    assert.ok(!byWords.keeps(words))
    assert.deepEqual(await texts(byWords), ["hello"])

    await alice.ok("dm", "bob", "who is there lets in", "--wait", "40")
    assert.deepEqual((await texts(byDevice)).slice(0, 1), ["hello"])
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

/** Until the chat server has it again. */
async function bringBroker(world: ChatWorld): Promise<void> {
  await world.restartBroker()
  const isReady = async () => (await ask(`${world.server.url}/readyz`)).body?.checks?.broker?.ok === true
  await until("the chat server has its broker", isReady)
}
