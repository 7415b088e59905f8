/** `kez contacts show`: one contact, with every proof looked at now, and with --evidence all that was seen. */
import type { Contact } from "@kez/chat"
import { KezError } from "@kez/core"
import { badgeJson, checkBadges, evidenceText, knownBadges } from "../chat/badges.ts"
import { contactJson } from "../chat/chat-json.ts"
import { contactText, safetyWords } from "../chat/contact-view.ts"
import type { OpenChat } from "../chat/open-chat.ts"
import { findKnown, findPerson } from "../chat/people.ts"
import { type ChatOptions, withChat } from "../chat/with-chat.ts"
import type { Context } from "../context.ts"
import type { Handler, Outcome } from "../run.ts"
import { worstExitCode } from "../verdict-order.ts"

export interface ShowOptions extends ChatOptions {
  readonly evidence?: boolean
  readonly offline?: boolean
}

export const run: Handler<ShowOptions> = (context, { args: [who = ""], ...options }) =>
  withChat(context, options, async (chat) => {
    const contact = options.offline === true ? await findKnown(chat, who) : await findPerson(context, chat, who)
    if (contact === undefined) {
      throw new KezError("store.unknown", `Cannot find ${who} among your contacts`, {
        hint: "Without --offline it is looked up.",
      })
    }
    return showContact(context, chat, {
      contact,
      evidence: options.evidence === true,
      isOffline: options.offline === true,
    })
  })

export interface ShowRequest {
  readonly contact: Contact
  readonly evidence: boolean
  readonly isOffline: boolean
}

export async function showContact(
  context: Context,
  chat: OpenChat,
  { contact, evidence, isOffline }: ShowRequest,
): Promise<Outcome> {
  const { color } = context.terminal
  const badges = await (isOffline ? knownBadges : checkBadges)(context, chat, contact.chain)
  const conversations = await chat.engine.conversations()
  const safetyCode = conversations.find((one) => one.contact?.chain === contact.chain)?.safetyCode
  const verdicts = badges.flatMap(({ answer }) => answer?.verdict ?? [])
  return {
    schema: "kez.contact/1",
    data: {
      ...contactJson(chat, contact),
      proofs: badges.map(badgeJson),
      safety_code: safetyCode ?? null,
      safety_words: safetyCode === undefined ? null : safetyWords(safetyCode),
    },
    text: [
      contactText(chat, contact, { badges, safetyCode, color }),
      ...(evidence ? ["", ...(await evidenceText(badges, color))] : []),
    ].join("\n"),
    exitCode: worstExitCode(verdicts),
    ...(evidence || badges.length === 0
      ? {}
      : { next: `the evidence: kez contacts show ${contact.handle ?? contact.chain} --evidence` }),
  }
}
