/** An open chat for one command, closed whatever happens. */
import { readyAccount } from "../account/records.ts"
import type { Context } from "../context.ts"
import { rememberNames } from "./chat-json.ts"
import { type OpenChat, openChat, type ReachOptions } from "./open-chat.ts"

export interface ChatOptions extends ReachOptions {
  readonly account?: string
}

export async function withChat<T>(
  context: Context,
  options: ChatOptions,
  work: (chat: OpenChat) => Promise<T>,
): Promise<T> {
  const account = await readyAccount(context, options.account)
  const chat = await openChat(context, account, options)
  try {
    rememberNames(chat, await chat.engine.contacts.list())
    return await work(chat)
  } finally {
    await chat.close()
  }
}
