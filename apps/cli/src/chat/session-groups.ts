/** Groups as somebody types them: made, somebody added or removed, left. Who may do what is the engine's to say. */
import { KezError } from "@kez/core"
import type { Context } from "../context.ts"
import { printable } from "../output.ts"
import { rememberNames } from "./chat-json.ts"
import type { OpenChat } from "./open-chat.ts"
import { assertSameHost, findKnown, findPerson, nameOfContact } from "./people.ts"
import type { ChatSession } from "./session.ts"

/** People of this server, looked up where they are not known. */
export async function chainsOf(context: Context, chat: OpenChat, who: readonly string[]): Promise<readonly string[]> {
  const chains: string[] = []
  for (const one of who) {
    const contact = await findPerson(context, chat, one)
    assertSameHost(chat, contact)
    chains.push(contact.chain)
  }
  return chains
}

/** A member of a group, who need not be a contact: by handle, by what the chain says (`carol?`), or by the chain. Asks nobody. */
export async function memberNamed(chat: OpenChat, conversation: string, who: string): Promise<string> {
  const members = (await chat.engine.conversation(conversation))?.members ?? []
  const contact = await findKnown(chat, who)
  if (contact !== undefined && members.includes(contact.chain)) return contact.chain
  const bare = who.replace(/\?$/, "")
  const full = bare.includes("@") ? bare : `${bare}@${chat.account.host}`
  const found = members.filter((chain) => chain === who || nameOfContact(chat, { chain }) === `${full}?`)
  const [only] = found
  if (only !== undefined && found.length === 1) return only
  throw new KezError("usage", "Cannot do that: nobody of that name is in the group", { hint: "/members lists them." })
}

/** Makes a group and opens it. */
export async function makeGroup(session: ChatSession, name: string, who: readonly string[]): Promise<void> {
  const { context, chat } = session
  const people = await chainsOf(context, chat, who)
  rememberNames(chat, await chat.engine.contacts.list())
  await session.show(await chat.engine.groups.create(name, people))
}

export async function changeGroup(session: ChatSession, what: "add" | "remove", who: string): Promise<void> {
  const { context, chat } = session
  const { id } = session.here()
  const { groups } = chat.engine
  if (what === "remove") return groups.remove(id, await memberNamed(chat, id, who))
  for (const chain of await chainsOf(context, chat, [who])) await groups.add(id, chain)
}

/** Who is in the conversation that is open, with what they may do. */
export function membersText(session: ChatSession): string {
  const { members, roles = [] } = session.here()
  const named = members.map((chain) => {
    const name = chain === session.chat.engine.chain ? "you" : printable(session.nameOfChain(chain), 120)
    const role = roles.find((one) => one.chain === chain)?.role ?? "member"
    return role === "member" ? name : `${name} (${role})`
  })
  return named.join(", ")
}
