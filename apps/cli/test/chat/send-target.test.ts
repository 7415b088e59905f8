/** `kez send PATH garden`: a group by its name, and never a guess where two are meant. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Contact, Conversation } from "@kez/chat"
import type { OpenChat } from "../../src/chat/open-chat.ts"
import { sendTarget } from "../../src/chat/send-target.ts"
import type { Context } from "../../src/context.ts"

const chain = (digit: string): string => `sha256:${digit.repeat(64)}`
const group = (digit: string, name: string, state: Conversation["state"] = "open"): Conversation => ({
  ...{ id: chain(digit), kind: "group", name, members: [chain("a"), chain("b")], state, unread: 0 },
})
const bob: Contact = { chain: chain("b"), handle: "garden@localhost", standing: "accepted", devices: [] }

function send(groups: readonly Conversation[], typed: string, contacts: readonly Contact[] = []) {
  const chat = {
    account: { handle: "alice", host: "localhost" },
    engine: {
      conversations: async () => groups,
      contacts: {
        list: async () => contacts,
        add: async () => {
          throw new Error("looked up")
        },
      },
    },
  }
  return sendTarget({} as Context, chat as unknown as OpenChat, typed)
}

test("a group by its name, or by its id", async () => {
  const [first, second] = [group("1", "garden"), group("2", "house")]
  assert.equal(await send([first, second], "garden"), first)
  assert.equal(await send([first, second], second.id), second)
  assert.equal(await send([first, second], `${second.id.slice(0, 20)}…`), second)
})

test("several of that name are refused, with their ids", async () => {
  const groups = [group("1", "garden"), group("2", "garden")]
  await assert.rejects(send(groups, "garden"), (error: { code: string; message: string; hint: string }) => {
    assert.deepEqual([error.code, error.message], ["usage", "Cannot write there: 2 groups are called garden"])
    return groups.every(({ id }) => error.hint.includes(id))
  })
})

test("a name that a contact has too is refused; by the id it is the group", async () => {
  const garden = group("1", "garden")
  await assert.rejects(send([garden], "garden", [bob]), { code: "usage", message: /a group and a contact/ })
  assert.equal(await send([garden], garden.id, [bob]), garden)
})

test("a group that we are not in any more, or did not accept, is refused", async () => {
  await assert.rejects(send([group("1", "garden", "removed")], "garden"), { message: /not in garden any more/ })
  await assert.rejects(send([group("1", "garden", "request")], "garden"), { message: /none of your contacts/ })
})

test("what is no group is a person", async () => {
  await assert.rejects(send([group("1", "garden")], "gardener"), /looked up/)
})
