/** Where files go by what somebody types: a group by its name or id, or a person. */
import type { Conversation } from "@kez/chat"
import { isHandle, KezError } from "@kez/core"
import { askHandle } from "../account/chat-host.ts"
import type { Context } from "../context.ts"
import { printable } from "../output.ts"
import type { OpenChat } from "./open-chat.ts"
import { assertSameHost, findKnown, findPerson } from "./people.ts"

/** Of an id, so many characters name a group. */
const minIdLength = 15

/** Throws `usage` where several are meant, or a group that nothing can be sent to. */
export async function sendTarget(context: Context, chat: OpenChat, typed: string): Promise<Conversation> {
  const group = await groupNamed(context, chat, typed.trim().replace(/…$/, ""))
  if (group !== undefined) return group
  const contact = await findPerson(context, chat, typed)
  assertSameHost(chat, contact)
  await chat.chains.look(contact.chain)
  return chat.engine.openDirect(contact.chain)
}

async function groupNamed(context: Context, chat: OpenChat, who: string): Promise<Conversation | undefined> {
  const groups = (await chat.engine.conversations()).filter(({ kind }) => kind === "group")
  const isId = who.startsWith("sha256:") && who.length >= minIdLength
  // What names a person with a place is never a group's name: whoever makes a group, or may rename it, chooses that.
  if (!isId && /[@:]/.test(who)) return undefined
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
  const contact = await findKnown(chat, who)
  if (contact !== undefined) throw twoMeant(shown, contact.handle ?? contact.chain, first)
  if (!isId) await assertNobodyElse(context, chat, first, who)
  return first
}

/** Where somebody else chose the group's name: that the server knows nobody by it, who may be meant. */
async function assertNobodyElse(context: Context, chat: OpenChat, group: Conversation, who: string): Promise<void> {
  const handle = who.toLowerCase()
  if (!isHandle(handle) || isNamedHere(chat, group)) return
  const { host } = chat.account
  context.terminal.progress(`looking whether somebody is called ${handle}@${host}`)
  const found = await askHandle(await chat.demands.net(), { handle, host }, chat.demands.timeoutMs).catch(
    (error: unknown) => {
      if (!(error instanceof KezError)) throw error
      const hint = `${error.message}\nThe group by its id: ${group.id}`
      throw new KezError(error.code, `Cannot tell whether the group or a person is meant by ${who}`, { hint })
    },
  )
  if (found.state === "taken") throw twoMeant(who, `${handle}@${host}`, group)
}

/** We made it, and nobody else may rename it. */
function isNamedHere({ engine }: OpenChat, { addedBy, roles = [] }: Conversation): boolean {
  return addedBy === undefined && roles.every(({ chain, role }) => chain === engine.chain || role === "member")
}

function twoMeant(shown: string, person: string, { id }: Conversation): KezError {
  return refusal(`a group and a person are called ${shown}`, `The person: ${person}. The group: ${id}`)
}

function byIds(groups: readonly Conversation[]): string {
  return `Name it by its id: ${groups.map(({ id, members }) => `${id} (${members.length} people)`).join(", ")}`
}

function refusal(found: string, hint?: string): KezError {
  return new KezError("usage", `Cannot write there: ${found}`, hint === undefined ? {} : { hint })
}
