/** Where files go by what somebody types: a group by its name or id, or a person. */
import type { Conversation } from "@kez/chat"
import { KezError } from "@kez/core"
import type { Context } from "../context.ts"
import { printable } from "../output.ts"
import type { OpenChat } from "./open-chat.ts"
import { assertSameHost, findKnown, findPerson } from "./people.ts"

/** Of an id, so many characters name a group. */
const minIdLength = 15

/** Throws `usage` where several are meant, or a group that nothing can be sent to. */
export async function sendTarget(context: Context, chat: OpenChat, typed: string): Promise<Conversation> {
  const group = await groupNamed(chat, typed.trim().replace(/…$/, ""))
  if (group !== undefined) return group
  const contact = await findPerson(context, chat, typed)
  assertSameHost(chat, contact)
  await chat.chains.look(contact.chain)
  return chat.engine.openDirect(contact.chain)
}

async function groupNamed(chat: OpenChat, who: string): Promise<Conversation | undefined> {
  const groups = (await chat.engine.conversations()).filter(({ kind }) => kind === "group")
  const isId = who.startsWith("sha256:") && who.length >= minIdLength
  const named = groups.filter(({ id, name }) => (isId ? id.startsWith(who) : name === who))
  const open = named.filter(({ state }) => state === "open" || state === "opening")
  const [first, second] = open
  const shown = printable(who, 100)
  if (first === undefined) {
    if (named.length === 0) return undefined
    throw named.some(({ state }) => state === "request")
      ? refusal(`somebody who is none of your contacts brought you into ${shown}`, "Look at it first: kez chat")
      : refusal(`you are not in ${shown} any more`)
  }
  if (second !== undefined) throw refusal(`${open.length} groups are called ${shown}`, byIds(open))
  const contact = isId ? undefined : await findKnown(chat, who)
  if (contact === undefined) return first
  const handle = contact.handle ?? contact.chain
  throw refusal(`a group and a contact are called ${shown}`, `The contact: ${handle}. The group: ${first.id}`)
}

function byIds(groups: readonly Conversation[]): string {
  return `Name it by its id: ${groups.map(({ id, members }) => `${id} (${members.length} people)`).join(", ")}`
}

function refusal(found: string, hint?: string): KezError {
  return new KezError("usage", `Cannot write there: ${found}`, hint === undefined ? {} : { hint })
}
