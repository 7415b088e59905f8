/** `kez contacts list`: who is pinned, who wrote first, with what was seen of their proofs. Nobody is asked. */
import { badgeJson, knownBadges } from "../chat/badges.ts"
import { contactJson } from "../chat/chat-json.ts"
import { contactLine } from "../chat/contact-view.ts"
import { type ChatOptions, withChat } from "../chat/with-chat.ts"
import type { Handler } from "../run.ts"

export const run: Handler<ChatOptions> = (context, { args: _, ...options }) =>
  withChat(context, options, async (chat) => {
    const { color } = context.terminal
    const contacts = await chat.engine.contacts.list()
    const rows = await Promise.all(
      contacts.map(async (contact) => ({ contact, badges: await knownBadges(context, chat, contact.chain) })),
    )
    return {
      schema: "kez.contacts/1",
      data: {
        contacts: rows.map(({ contact, badges }) => ({ ...contactJson(chat, contact), proofs: badges.map(badgeJson) })),
      },
      text:
        rows.length === 0
          ? "no contacts yet"
          : rows.map(({ contact, badges }) => contactLine(chat, contact, { badges, color })).join("\n"),
      ...(rows.length === 0 ? { next: "kez contacts add HANDLE@HOST, or github:NAME" } : {}),
    }
  })
