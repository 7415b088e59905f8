/** `kez files unshare NAME…`: nobody sees it or gets it any more. What was fetched before is theirs. */
import { resolve } from "node:path"
import { type ChatOptions, withChat } from "../chat/with-chat.ts"
import { anchorShares } from "../files/anchor.ts"
import { findIroh } from "../files/find-iroh.ts"
import { openFiles } from "../files/open-files.ts"
import { shareJson } from "../files/share-view.ts"
import { printable } from "../output.ts"
import type { Handler } from "../run.ts"

export const run: Handler<ChatOptions> = async (context, { args, ...options }) => {
  findIroh(context)
  return withChat(context, { ...options, holder: "kez files unshare" }, async (chat) => {
    const open = await openFiles(context, chat, { tell: () => undefined })
    try {
      const { files } = open
      // As it stands in the list, or where it lies.
      const gone = await files.shares.unshare(args, (given) => resolve(given))
      await anchorShares(context, chat, files)
      return {
        schema: "kez.files_unshare/1",
        data: { shares: gone.map((share) => shareJson(chat, share)) },
        text: gone
          .map(({ name, path }) => `✓ ${printable(name, 200)} is not shared any more: ${printable(path, 300)}`)
          .join("\n"),
      }
    } finally {
      await open.close()
    }
  })
}
