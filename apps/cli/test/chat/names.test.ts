/** How people are called, and that nobody is called by the handle of somebody else. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Contact } from "@kez/chat"
import { KezError } from "@kez/core"
import { rememberNames } from "../../src/chat/names.ts"
import type { OpenChat } from "../../src/chat/open-chat.ts"
import { nameOfContact } from "../../src/chat/people.ts"
import { withoutOwnHost } from "../../src/chat/screen/message-rows.ts"
import type { ChatSession } from "../../src/chat/session.ts"
import { acceptContact } from "../../src/commands/contacts-stand.ts"
import type { Context } from "../../src/context.ts"

const chainOf = (digit: string): Contact["chain"] => `sha256:${digit.repeat(64)}`
const contact = (digit: string, handle?: string): Contact => ({
  chain: chainOf(digit),
  standing: handle === undefined ? "request" : "accepted",
  devices: [],
  ...(handle === undefined ? {} : { handle }),
})

/** Alice's chat; `claims` is what chains say of themselves, `owners` what the server's directory proves. */
function chatWith(claims: Readonly<Record<string, string>>, owners: Readonly<Record<string, Contact>> = {}) {
  const accepted: string[] = []
  const engine = {
    contacts: {
      find: async (who: string) => Object.values(owners).find(({ chain }) => chain === who),
      add: async (handle: string) => owners[handle] ?? Promise.reject(new KezError("store.unknown", "nobody")),
      accept: async (chain: string) => void accepted.push(chain),
    },
  }
  const known = (chain: string) => {
    const subject = claims[chain]
    const subjects = new Map(subject === undefined ? [] : [[subject, { subject, status: "active" }]])
    return { state: { subjects } }
  }
  const account = { handle: "alice", host: "chat.example", chain: chainOf("a") }
  return { chat: { account, chains: { known }, engine } as unknown as OpenChat, accepted }
}

const claims = { [chainOf("e")]: "kez:bob@chat.example", [chainOf("f")]: "kez:alice@chat.example" }

test("nameOfContact() marks what only a chain says, and calls nobody by a handle that is another's", () => {
  const { chat } = chatWith(claims)
  assert.equal(nameOfContact(chat, contact("e")), "bob@chat.example?")
  assert.match(nameOfContact(chat, contact("f")), /^sha256:ffff/)
  rememberNames(chat, [contact("b", "bob@chat.example")])
  assert.match(nameOfContact(chat, contact("e")), /^sha256:eeee/)
  assert.equal(nameOfContact(chat, contact("b", "bob@chat.example")), "bob@chat.example")
})

test("acceptContact() accepts nobody under a handle that the server proves to be another's, nor under one's own", async () => {
  const { chat, accepted } = chatWith(claims, { "bob@chat.example": contact("b", "bob@chat.example") })
  const context = { warn: () => undefined } as unknown as Context
  await assert.rejects(acceptContact(context, chat, contact("e")), { code: "account.one_sided" })
  await assert.rejects(acceptContact(context, chat, contact("f")), { code: "account.one_sided" })
  assert.deepEqual(accepted, [])
  await acceptContact(context, chat, contact("e"), chainOf("e"))
  assert.deepEqual(accepted, [chainOf("e")])
})

test("acceptContact() goes on without a look-up where the server does not answer, and says so", async () => {
  const { chat, accepted } = chatWith(claims)
  const warnings: string[] = []
  await acceptContact({ warn: (text: string) => warnings.push(text) } as unknown as Context, chat, contact("e"))
  assert.deepEqual(accepted, [chainOf("e")])
  assert.match(warnings[0] ?? "", /could not be looked up/)
})

test("withoutOwnHost() shortens names of the own host alone", () => {
  const session = { chat: { account: { host: "chat.example" } } } as unknown as ChatSession
  assert.equal(withoutOwnHost(session, "bob@chat.example"), "bob")
  assert.equal(withoutOwnHost(session, "bob@chat.example?"), "bob?")
  assert.equal(withoutOwnHost(session, "bob@chat.example.net"), "bob@chat.example.net")
  assert.equal(withoutOwnHost(session, "bob@chat.example-2?"), "bob@chat.example-2?")
  assert.equal(withoutOwnHost(session, "sha256:0123"), "sha256:0123")
})
