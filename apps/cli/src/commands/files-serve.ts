/** `kez files serve`: gives what is shared and what was offered, until Ctrl-C. For a computer on which nobody chats. */
import type { Served } from "@kez/chat"
import { listShares } from "@kez/chat"
import { sizeText } from "../chat/message-text.ts"
import { waitOnline } from "../chat/open-chat.ts"
import { type ChatOptions, withChat } from "../chat/with-chat.ts"
import type { Context } from "../context.ts"
import { exitCodes } from "../exit-codes.ts"
import { anchorShares } from "../files/anchor.ts"
import { findIroh } from "../files/find-iroh.ts"
import { type FileOptions, openFiles } from "../files/open-files.ts"
import { shareJson, shownName } from "../files/share-view.ts"
import { pathText } from "../files/transfer-text.ts"
import { readWaitSeconds, waitFor } from "../files/wait.ts"
import { note, writeResult } from "../output.ts"
import type { Handler } from "../run.ts"
import { count } from "../short-text.ts"

const connectMs = 10_000
/** Lines about one who fetches. */
const everyMs = 5_000

export interface ServeOptions extends ChatOptions, FileOptions {
  readonly wait?: string
}

export const run: Handler<ServeOptions> = async (context, { args: _, wait, ...options }) => {
  const seconds = readWaitSeconds(wait)
  findIroh(context)
  return withChat(context, { ...options, holder: "kez files serve", follows: true }, async (chat) => {
    await waitOnline(chat.engine, connectMs)
    const onServed = sayServed(context, ({ chain }) => shownName(chat, chain))
    const open = await openFiles(context, chat, { ...options, tell: () => undefined, listen: { onServed } })
    try {
      const { files } = open
      await files.resumeOffers()
      await files.shares.announce()
      await anchorShares(context, chat, files)
      const shares = await listShares(chat.engine)
      const data = { shares: shares.map((share) => shareJson(chat, share)) }
      if (context.flags.json)
        writeResult(
          { schema: "kez.files_serving/1", data: { event: "ready", ...data }, text: "", warnings: [] },
          context.flags,
        )
      else if (!context.flags.quiet)
        note(`giving ${count(shares.length, "share")} to those who may have them, until Ctrl-C`)
      const end = await waitFor(new Promise<void>(() => undefined), { stopped: open.stopped, seconds })
      return {
        schema: "kez.files_serve/1",
        data,
        text: "",
        exitCode: end === "late" ? exitCodes.ok : exitCodes.interrupted,
      }
    } finally {
      await open.close()
    }
  })
}

function sayServed({ flags }: Context, nameOf: (served: Served) => string): (served: Served) => void {
  const last = new Map<string, number>()
  return (served) => {
    const { chain, bytes, rate, path } = served
    const now = performance.now()
    if (now - (last.get(chain) ?? Number.NEGATIVE_INFINITY) < everyMs) return
    last.set(chain, now)
    const name = nameOf(served)
    if (flags.json) {
      const data = { event: "serving", with: name, chain, bytes, rate, path }
      writeResult({ schema: "kez.files_serving/1", data, text: "", warnings: [] }, flags)
    } else if (!flags.quiet)
      note(`${name} fetches: ${sizeText(bytes)}, ${sizeText(Math.round(rate))}/s, ${pathText(path)}`)
  }
}
