/** `kez contacts accept` and `kez contacts block`. */
import type { Contact } from "@kez/chat"
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
      const after = decision === "accept" ? await acceptContact(context, chat, contact) : await block(chat, contact)
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

/** Whoever wrote first gets his handle looked up and pinned, where his chain names one. */
export async function acceptContact(
  context: Context,
  { engine, chains, account }: OpenChat,
  contact: Contact,
): Promise<Contact> {
  await engine.contacts.accept(contact.chain)
  const replay = chains.known(contact.chain)
  const claimed = contact.handle === undefined && replay !== undefined ? claimedHandle(replay, account.host) : undefined
  try {
    if (claimed !== undefined) await engine.contacts.add(claimed)
  } catch (error) {
    if (!(error instanceof KezError)) throw error
    context.warn(`${printable(claimed ?? "", 120)} could not be looked up: ${error.message} [${error.code}]`)
  }
  return (await engine.contacts.find(contact.chain)) ?? contact
}

async function block({ engine }: OpenChat, contact: Contact): Promise<Contact> {
  await engine.contacts.block(contact.chain)
  return (await engine.contacts.find(contact.chain)) ?? contact
}
