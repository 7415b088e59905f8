/** A group with the kez command, over real servers: by typed commands on one side, by a program on the other. */
import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { openSession } from "../cli/support/pty.ts"
import { Bot } from "../support/bot.ts"
import { skipWithoutNats } from "../support/broker.ts"
import { type Chatter, envOf, startCouple } from "../support/chat-people.ts"
import { laterCleaner } from "../support/person.ts"

describe("a group with the kez command", { skip: skipWithoutNats }, () => {
  const t = laterCleaner(after)
  let alice: Chatter
  let bob: Chatter
  before(async () => {
    ;({ alice, bob } = await startCouple(t))
  })

  test("a group by typed commands and by a program: made, written to, left by who is removed", async () => {
    const b = new Bot(bob, {})
    t.after(() => b.kill())
    using a = openSession(["chat", "--plain"], { env: envOf(alice) })
    await a.expect(/online/)
    a.enter("/group garden bob")
    await a.expect(/with garden: .*you \(owner\)/)
    const made = await b.find(
      ({ data }) => data?.kind === "conversation" && data.title === "garden" && data.state === "open",
    )
    const { conversation } = made.data
    a.enter("hello garden")
    await b.find(
      ({ data }) => data?.kind === "message" && data.text === "hello garden" && data.conversation === conversation,
    )
    const refused = await b.ask({ do: "group_remove", conversation, who: "alice" })
    assert.equal(refused.ok, false)
    a.enter("/remove carol")
    await a.expect(/nobody of that name is in the group/)
    a.enter("/remove bob")
    await b.find(({ data }) => data?.conversation === conversation && data.state === "removed")
    a.enter("/members")
    await a.expect(/\nyou \(owner\)/)
    a.enter("/quit")
    assert.deepEqual([await a.end(), await b.quit()], [0, 0])
  })
})
