/** `kez send PATH garden`: a group by its name, and never a guess where two are meant. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Contact, Conversation } from "@kez/chat"
import { KezError } from "@kez/core"
import type { OpenChat } from "../../src/chat/open-chat.ts"
import { mayNameGroup, sendTarget } from "../../src/chat/send-target.ts"
import type { Context } from "../../src/context.ts"

const chain = (digit: string): string => `sha256:${digit.repeat(64)}`
const group = (digit: string, name: string, state: Conversation["state"] = "open"): Conversation => ({
  ...{ id: chain(digit), kind: "group", name, members: [chain("a"), chain("b")], state, unread: 0 },
  namedBy: chain("a"),
})
const bob: Contact = { chain: chain("b"), handle: "garden@localhost", standing: "accepted", devices: [] }

/** `taken`: handles that the server knows; null: it does not answer. */
function send(
  groups: readonly Conversation[],
  typed: string,
  contacts: readonly Contact[] = [],
  taken: readonly string[] | null = [],
) {
  const fetch = async (url: string) => {
    if (taken === null) throw new KezError("net.refused", "no answer")
    const isTaken = taken.some((handle) => url.endsWith(`/${handle}`))
    return { status: isTaken ? 200 : 404, body: new TextEncoder().encode("{}") }
  }
  const chat = {
    account: { handle: "alice", host: "localhost" },
    demands: { net: async () => ({ fetch }), timeoutMs: 1_000 },
    engine: {
      chain: chain("a"),
      conversations: async () => groups,
      contacts: {
        list: async () => contacts,
        add: async () => {
          throw new Error("looked up")
        },
      },
    },
  }
  return sendTarget(
    { terminal: { progress: () => undefined } } as unknown as Context,
    chat as unknown as OpenChat,
    typed,
  )
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
  await assert.rejects(send([garden], "garden", [bob]), { code: "usage", message: /a group and a person/ })
  assert.equal(await send([garden], garden.id, [bob]), garden)
})

test("a group that we are not in any more, or did not accept, is refused", async () => {
  await assert.rejects(send([group("1", "garden", "removed")], "garden"), { message: /not in garden any more/ })
  await assert.rejects(send([group("1", "garden", "request")], "garden"), { message: /none of your contacts/ })
})

test("what is no group is a person", async () => {
  await assert.rejects(send([group("1", "garden")], "gardener"), /looked up/)
})

const strange = (name: string): Conversation => ({ ...group("3", name), namedBy: chain("d") })

for (const name of ["carol@localhost", "github:carol", "@carol", "kez:carol@localhost"])
  test(`a group that somebody called ${name} gets nothing that is meant for Carol, and keeps nothing from her`, async () => {
    if (name === "github:carol") await assert.rejects(send([strange(name)], name), (e) => !(e instanceof KezError))
    else await assert.rejects(send([strange(name)], name), /looked up/)
  })

test("a group of somebody else with the name of a person of the server is refused, also where that person is no contact", async () => {
  const hint = `The person: carol@localhost. The group: ${chain("3")}`
  const refused = { code: "usage", message: /a group and a person are called carol/i, hint }
  await assert.rejects(send([strange("carol")], "carol", [], ["carol"]), refused)
  await assert.rejects(send([strange("Carol")], "Carol", [], ["carol"]), refused)
  assert.equal((await send([strange("carol")], "carol")).id, chain("3"))
})

test("a group of ours that somebody renamed while he was an admin is no more ours by its name", async () => {
  const roles = [
    { chain: chain("a"), role: "owner" as const },
    { chain: chain("b"), role: "member" as const },
  ]
  const renamed: Conversation = { ...group("3", "carol"), roles, namedBy: chain("b") }
  await assert.rejects(send([renamed], "carol", [], ["carol"]), { code: "usage", message: /a group and a person/ })
  await assert.rejects(send([renamed], "carol", [], null), { code: "net.refused", hint: new RegExp(chain("3")) })
  const { namedBy: _, ...unknown } = renamed
  await assert.rejects(send([unknown], "carol", [], ["carol"]), { code: "usage" })
  const ours: Conversation = { ...renamed, namedBy: chain("a") }
  assert.equal(await send([ours], "carol", [], ["carol"]), ours)
})

test("where the server does not answer a group of somebody else is named by its id", async () => {
  const send_ = send([strange("garden")], "garden", [], null)
  await assert.rejects(send_, { code: "net.refused", hint: new RegExp(chain("3")) })
  assert.equal((await send([strange("garden")], chain("3"), [], null)).id, chain("3"))
  assert.equal((await send([group("1", "garden")], "garden", [], null)).id, chain("1"))
})

test("an id that a group and a contact begin with is refused", async () => {
  const alike: Contact = { ...bob, chain: `sha256:${"1".repeat(8)}${"2".repeat(56)}` }
  await assert.rejects(send([group("1", "garden")], `sha256:${"1".repeat(8)}`, [alike]), { code: "usage" })
})

test("mayNameGroup() says yes to bare names and to ids", () => {
  const all = [
    "garden",
    "the garden",
    `sha256:${"1".repeat(8)}`,
    "carol@localhost",
    "@carol",
    "github:carol",
    "sha256:1",
  ]
  assert.deepEqual(all.map(mayNameGroup), [true, true, true, false, false, false, false])
})
