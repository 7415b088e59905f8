/** `kez files list`: what this account shares from this device, and with whom. Nobody is asked. */
import { listShares } from "@kez/chat"
import { type ChatOptions, withChat } from "../chat/with-chat.ts"
import { groupNamesOf, shareJson, shareLines } from "../files/share-view.ts"
import type { Handler } from "../run.ts"

export const run: Handler<ChatOptions> = (context, { args: _, ...options }) =>
  withChat(context, options, async (chat) => {
    const shares = await listShares(chat.engine)
    return {
      schema: "kez.files_list/1",
      data: { shares: shares.map((share) => shareJson(chat, share)) },
      text: shares.length === 0 ? "nothing is shared" : shareLines(chat, shares, await groupNamesOf(chat, shares)),
      next:
        shares.length === 0
          ? "kez files share PATH --with WHO"
          : "kez files serve, or kez chat: they get it while one of them runs",
    }
  })
