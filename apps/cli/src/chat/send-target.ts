/** Where files and messages go by what somebody types: a group by its name or id, or a person. */
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
  const group = await groupNamed(context, chat, { typed, doing: "write there" })
  if (group !== undefined) return group
  const contact = await findPerson(context, chat, typed)
  assertSameHost(chat, contact)
  await chat.chains.look(contact.chain)
  return chat.engine.openDirect(contact.chain)
}

export interface GroupWish {
  readonly typed: string
  /** What cannot be done where it is refused. */
  readonly doing: string
}

/** What names a person with a place is never a group's name: whoever makes a group, or may rename it, chooses that. */
export function mayNameGroup(typed: string): boolean {
  return isGroupId(typed.trim()) || !/[@:]/.test(typed)
}

function isGroupId(who: string): boolean {
  return who.startsWith("sha256:") && who.length >= minIdLength
}

/** Undefined: no group is meant. Throws `usage` where several are, or one that nothing can be done in. */
export async function groupNamed(
  context: Context,
  chat: OpenChat,
  { typed, doing }: GroupWish,
): Promise<Conversation | undefined> {
  const who = typed.trim().replace(/…$/, "")
  if (!mayNameGroup(who)) return undefined
  const refusal = (found: string, hint?: string): KezError =>
    new KezError("usage", `Cannot ${doing}: ${found}`, hint === undefined ? {} : { hint })
  const twoMeant = (person: string, { id }: Conversation): KezError =>
    refusal(`a group and a person are called ${printable(who, 100)}`, `The person: ${person}. The group: ${id}`)
  const isId = isGroupId(who)
  const groups = (await chat.engine.conversations()).filter(({ kind }) => kind === "group")
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
  if (contact !== undefined) throw twoMeant(contact.handle ?? contact.chain, first)
  const other = isId ? undefined : await otherCalled(context, chat, { group: first, who })
  if (other !== undefined) throw twoMeant(other, first)
  return first
}

/** Where somebody else chose the group's name: whom the server knows by it, who may be meant. */
async function otherCalled(
  context: Context,
  chat: OpenChat,
  { group, who }: { readonly group: Conversation; readonly who: string },
): Promise<string | undefined> {
  const handle = who.toLowerCase()
  if (!isHandle(handle) || group.namedBy === chat.engine.chain) return undefined
  const { host } = chat.account
  context.terminal.progress(`looking whether somebody is called ${handle}@${host}`)
  const found = await askHandle(await chat.demands.net(), { handle, host }, chat.demands.timeoutMs).catch(
    (error: unknown) => {
      if (!(error instanceof KezError)) throw error
      const hint = `${error.message}\nThe group by its id: ${group.id}`
      throw new KezError(error.code, `Cannot tell whether the group or a person is meant by ${who}`, { hint })
    },
  )
  return found.state === "taken" ? `${handle}@${host}` : undefined
}

function byIds(groups: readonly Conversation[]): string {
  return `Name it by its id: ${groups.map(({ id, members }) => `${id} (${members.length} people)`).join(", ")}`
}
