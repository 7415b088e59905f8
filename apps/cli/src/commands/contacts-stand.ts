/** `kez contacts accept` and `kez contacts block`. */
import type { Contact, Engine } from "@kez/chat"
import { KezError } from "@kez/core"
import { contactJson } from "../chat/chat-json.ts"
import type { OpenChat } from "../chat/open-chat.ts"
import { claimedHandle, findKnown } from "../chat/people.ts"
import { type ChatOptions, withChat } from "../chat/with-chat.ts"
import type { Context } from "../context.ts"
import { printable } from "../output.ts"
import type { Handler } from "../run.ts"

export function standWith(decision: "accept" | "block"): Handler<ChatOptions> {
  return (context, { args: [who = ""], ...options }) =>
    withChat(context, options, async (chat) => {
      const contact = await findKnown(chat, who)
      if (contact === undefined) {
        throw new KezError("store.unknown", `Cannot find ${who} among your contacts`, {
          hint: "kez contacts list shows them all.",
        })
      }
      const after =
        decision === "accept" ? await acceptContact(context, chat, contact, who) : await block(chat, contact)
      const data = contactJson(chat, after)
      const text =
        decision === "accept"
          ? `✓ ${printable(data.name)} is one of your contacts`
          : `⊘ ${printable(data.name)} is blocked: nothing is shown, and nothing is sent there`
      return {
        schema: "kez.contact/1",
        data,
        text,
        next:
          decision === "accept"
            ? `kez chat ${data.name.replace("?", "")}`
            : `to take it back: kez contacts accept ${data.chain}`,
      }
    })
}

/**
 * Whoever wrote first gets his handle looked up and pinned, where his chain names one. Whose handle turns out to be somebody else's is not
 * accepted by that name: who means him names the chain. Throws `account.one_sided`.
 */
export async function acceptContact(
  context: Context,
  { engine, chains, account }: OpenChat,
  contact: Contact,
  typed = "",
): Promise<Contact> {
  const replay = chains.known(contact.chain)
  const claimed = contact.handle === undefined && replay !== undefined ? claimedHandle(replay, account.host) : undefined
  if (claimed !== undefined && !typed.startsWith("sha256:")) {
    const owner = await ownerOf(context, engine, claimed)
    const isOwn = claimed === `${account.handle}@${account.host}`
    if (isOwn || (owner !== undefined && owner.chain !== contact.chain)) throw impostor(contact, claimed, isOwn)
  }
  await engine.contacts.accept(contact.chain)
  return (await engine.contacts.find(contact.chain)) ?? contact
}

/** Undefined: nobody can say now. */
async function ownerOf(context: Context, engine: Engine, claimed: string): Promise<Contact | undefined> {
  try {
    return (await engine.contacts.find(claimed)) ?? (await engine.contacts.add(claimed))
  } catch (error) {
    if (!(error instanceof KezError)) throw error
    context.warn(`${printable(claimed, 120)} could not be looked up: ${error.message} [${error.code}]`)
    return undefined
  }
}

function impostor({ chain }: Contact, claimed: string, isOwn: boolean): KezError {
  const whose = isOwn ? "it is yours" : "it is somebody else's, who is one of your contacts now"
  return new KezError("account.one_sided", `Cannot accept this as ${claimed}: ${whose}`, {
    hint: `This may be somebody who wants to pass for them. To accept in spite of it: kez contacts accept ${chain}`,
  })
}

async function block({ engine }: OpenChat, contact: Contact): Promise<Contact> {
  await engine.contacts.block(contact.chain)
  return (await engine.contacts.find(contact.chain)) ?? contact
}
