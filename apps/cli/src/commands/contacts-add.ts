/** `kez contacts add`: by handle, or by an account that the person proved. The chain is pinned: another one later is a hard stop. */

import { findPerson } from "../chat/people.ts"
import { type ChatOptions, withChat } from "../chat/with-chat.ts"
import { exitCodes } from "../exit-codes.ts"
import type { Handler } from "../run.ts"
import { showContact } from "./contacts-show.ts"

export const run: Handler<ChatOptions> = (context, { args: [who = ""], ...options }) =>
  withChat(context, options, async (chat) => {
    const contact = await findPerson(context, chat, who)
    const outcome = await showContact(context, chat, { contact, evidence: false, isOffline: false })
    return {
      ...outcome,
      text: `✓ ${outcome.text}`,
      exitCode: exitCodes.ok,
      next: `kez dm ${contact.handle ?? contact.chain} "hello"`,
    }
  })
