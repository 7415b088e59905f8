/** `kez files get WHO PATH…`: fetches out of what somebody shares, like `kez receive` out of what was offered. */
import { resolve } from "node:path"
import { pickFiles, type TransferListener, type TransferView, unitedFiles } from "@kez/chat"
import { KezError } from "@kez/core"
import type { OpenChat } from "../chat/open-chat.ts"
import { type ChatOptions, withChat } from "../chat/with-chat.ts"
import { exitCodeOf, exitCodes } from "../exit-codes.ts"
import { findIroh } from "../files/find-iroh.ts"
import { type FileOptions, type OpenFiles, openFiles, pauseFetches } from "../files/open-files.ts"
import { createProgress } from "../files/progress.ts"
import { shownName } from "../files/share-view.ts"
import { Answers, askSharer, findSharer, knownLists, type Sharer } from "../files/their-shares.ts"
import { stateText, transferJson } from "../files/transfer-text.ts"
import { readWaitSeconds, type WaitEnd, waitFor } from "../files/wait.ts"
import { note, printable } from "../output.ts"
import type { Handler, Outcome } from "../run.ts"

export interface GetOptions extends ChatOptions, FileOptions {
  readonly to?: string
  readonly wait?: string
}

export const run: Handler<GetOptions> = async (context, { args, to = ".", wait, ...options }) => {
  const [who = "", ...paths] = args
  const seconds = readWaitSeconds(wait)
  const into = resolve(to)
  findIroh(context)
  return withChat(context, { ...options, holder: "kez files get", follows: true }, async (chat) => {
    const sharer = await findSharer(context, chat, who)
    const name = shownName(chat, sharer.chain)
    const answers = new Answers()
    const progress = createProgress(context, () => ({ who: name, nameOf: (chain) => shownName(chat, chain) }))
    const views = new Views(progress.tell)
    const listen = { onBrowsing: answers.take }
    const open = await openFiles(context, chat, { ...options, tell: views.tell, listen })
    try {
      if (!context.flags.quiet && !context.flags.json) note(`asking ${name}, or waiting for ${name} to come online`)
      const work = (async () => {
        await askSharer(open, sharer, answers)
        await begin(chat, open, { sharer, name, paths, into, views })
        await views.over()
      })()
      const end = await waitFor(work, { stopped: open.stopped, seconds })
      if (end !== "over") await pauseFetches(context, open.files)
      return outcomeOf(views.all(), end, name)
    } finally {
      progress.end()
      await open.close()
    }
  })
}

interface Fetching {
  readonly sharer: Sharer
  readonly name: string
  readonly paths: readonly string[]
  readonly into: string
  readonly views: Views
}

/** All of them, or none: a path that is not shared is told before anything is fetched. */
async function begin(
  chat: OpenChat,
  { files }: OpenFiles,
  { sharer, name, paths, into, views }: Fetching,
): Promise<void> {
  const all = unitedFiles(await knownLists(chat, sharer))
  const wanted = paths.map((path) => ({ path, picked: pickFiles(all, path) }))
  const missing = wanted.find(({ picked }) => picked.length === 0)
  if (missing !== undefined)
    throw new KezError(
      "file.refused",
      `Cannot fetch ${printable(missing.path, 200)}: ${name} does not share it with you`,
      {
        hint: `What is shared: kez files browse ${name}`,
      },
    )
  const { conversation, chain } = sharer
  for (const { picked } of wanted) {
    const wish = { conversation, sender: chain, files: picked, into }
    views.add(await files.run(() => files.receiving.fetchShared(wish)))
  }
}

/** The transfers of this command, of all that are told. */
class Views {
  readonly #views = new Map<string, TransferView>()
  readonly #mine = new Set<string>()
  readonly #tell: TransferListener
  #changed: () => void = () => undefined

  constructor(tell: TransferListener) {
    this.#tell = tell
  }

  readonly tell: TransferListener = (view, what) => {
    if (view.direction !== "in") return
    this.#views.set(view.id, view)
    this.#tell(view, what)
    this.#changed()
  }

  add(view: TransferView): void {
    this.#mine.add(view.id)
    this.#views.set(view.id, this.#views.get(view.id) ?? view)
  }

  all(): readonly TransferView[] {
    return [...this.#mine].flatMap((id) => this.#views.get(id) ?? [])
  }

  over(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = () => {
        if (this.all().every(isOver)) resolve()
      }
      this.#changed()
    })
  }
}

function outcomeOf(views: readonly TransferView[], end: WaitEnd, name: string): Outcome {
  const failed = views.find(({ state }) => state === "failed" || state === "paused")
  const waited = end === "interrupted" ? exitCodes.interrupted : end === "late" ? exitCodes.unreachable : exitCodes.ok
  const mark = ({ state }: TransferView): string => (state === "done" ? "✓" : state === "failed" ? "✕" : "◌")
  const isOpen = end !== "over" || views.some((view) => !isOver(view))
  return {
    schema: "kez.files_get/1",
    data: { transfers: views.map((view) => transferJson(view, name)) },
    text:
      views.length === 0
        ? `◌ ${name} did not come online`
        : views.map((view) => `${mark(view)} ${stateText(view, name)}`).join("\n"),
    exitCode: end === "over" && failed !== undefined ? exitCodeOf(failed.code ?? "internal") : waited,
    ...(isOpen ? { next: "what is here is kept: the same command goes on with it" } : {}),
  }
}

function isOver({ state }: TransferView): boolean {
  return state !== "waiting" && state !== "running"
}
