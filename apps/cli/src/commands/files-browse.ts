/** `kez files browse WHO [PATH]`: what somebody shares with you. Where nobody of his is there: what was seen last, with its age. Nothing is fetched but the list. */
import { pickFiles, type TheirList, unitedFiles } from "@kez/chat"
import { KezError } from "@kez/core"
import { sizeText } from "../chat/message-text.ts"
import { type ChatOptions, withChat } from "../chat/with-chat.ts"
import { exitCodes } from "../exit-codes.ts"
import { findIroh } from "../files/find-iroh.ts"
import { type FileOptions, openFiles } from "../files/open-files.ts"
import { fileLines, proofText, shownName, theirJson } from "../files/share-view.ts"
import { Answers, askSharer, findSharer, knownLists } from "../files/their-shares.ts"
import { readWaitSeconds, waitFor } from "../files/wait.ts"
import type { Handler, Outcome } from "../run.ts"
import { count } from "../short-text.ts"

const defaultWaitSeconds = 15

export interface BrowseOptions extends ChatOptions, FileOptions {
  readonly wait?: string
  readonly offline?: boolean
}

export const run: Handler<BrowseOptions> = async (context, { args, wait, offline, ...options }) => {
  const [who = "", path] = args
  const seconds = readWaitSeconds(wait) ?? defaultWaitSeconds
  if (offline !== true) findIroh(context)
  return withChat(context, { ...options, holder: "kez files browse", follows: offline !== true }, async (chat) => {
    const sharer = await findSharer(context, chat, who)
    const name = shownName(chat, sharer.chain)
    const answers = new Answers()
    let isThere = false
    if (offline !== true) {
      const listen = { onBrowsing: answers.take }
      const open = await openFiles(context, chat, { ...options, tell: () => undefined, listen })
      try {
        context.terminal.progress(`asking ${name}`)
        const end = await waitFor(askSharer(open, sharer, answers), { stopped: open.stopped, seconds })
        if (end === "interrupted") return interrupted
        isThere = end === "over"
      } finally {
        await open.close()
      }
    }
    const kept = await knownLists(chat, sharer)
    const lists = kept.length > 0 ? kept : answers.lists
    if (lists.length === 0) throw awayAndUnknown(name)
    return shown(lists, { name, path, isThere, now: context.now(), chain: sharer.chain })
  })
}

const interrupted: Outcome = { schema: "kez.files_browse/1", data: null, text: "", exitCode: exitCodes.interrupted }

interface Showing {
  readonly name: string
  readonly path: string | undefined
  readonly isThere: boolean
  readonly now: number
  readonly chain: string
}

function shown(lists: readonly TheirList[], { name, path, isThere, now, chain }: Showing): Outcome {
  const all = unitedFiles(lists)
  const below =
    path === undefined
      ? all
      : all.filter(({ path: one }) => pickFiles([{ path: one, size: 0, hash: "", media_type: "" }], path).length > 0)
  const size = below.reduce((sum, file) => sum + file.size, 0)
  const head =
    below.length === 0
      ? `${name} shares nothing${path === undefined ? " with you" : " there"}`
      : `${name} shares ${count(below.length, "file")}, ${sizeText(size)}`
  const away = isThere ? [] : [`◌ ${name} is not there now: this is what was seen last`]
  const proofs = lists.map((list) => `  ${proofText(list, now)}`)
  return {
    schema: "kez.files_browse/1",
    data: { with: name, chain, is_there: isThere, lists: lists.map(theirJson), files: below },
    text: [head, ...away, ...proofs, ...(below.length === 0 ? [] : [fileLines(below)])].join("\n"),
    ...(below.length === 0 ? {} : { next: `kez files get ${name.replace(/@localhost$/, "")} PATH` }),
  }
}

function awayAndUnknown(name: string): KezError {
  return new KezError(
    "file.refused",
    `Cannot tell what ${name} shares: no device is there, and no list was seen before`,
    {
      hint: "It answers while one of these runs there: kez files serve, kez chat. Longer: --wait 600",
    },
  )
}
