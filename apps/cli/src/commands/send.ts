/** `kez send PATH… WHO|GROUP`: offers files or folders in the conversation, and serves them until they are there. */
import type { TransferListener, TransferView } from "@kez/chat"
import { KezError } from "@kez/core"
import { nameOfChain, nameOfConversation } from "../chat/chat-json.ts"
import { type OpenChat, waitOnline } from "../chat/open-chat.ts"
import { sendTarget } from "../chat/send-target.ts"
import { type ChatOptions, withChat } from "../chat/with-chat.ts"
import { exitCodes } from "../exit-codes.ts"
import { findIroh } from "../files/find-iroh.ts"
import { assertFileOptions, type FileOptions, openFiles, sayWhatToType } from "../files/open-files.ts"
import { createProgress } from "../files/progress.ts"
import { nameOfPaths, readablePath, skipText } from "../files/sendable.ts"
import { stateText, transferJson } from "../files/transfer-text.ts"
import { readWaitSeconds, type WaitEnd, waitFor } from "../files/wait.ts"
import { printable } from "../output.ts"
import type { Handler, Outcome } from "../run.ts"

const connectMs = 10_000
const sendMs = 10_000

export interface SendOptions extends ChatOptions, FileOptions {
  readonly wait?: string
}

export const run: Handler<SendOptions> = async (context, { args, wait, ...options }) => {
  const [who, ...given] = args.toReversed()
  const seconds = readWaitSeconds(wait)
  if (who === undefined || given.length === 0)
    throw new KezError("usage", "Cannot send: expected a file or folder, then a person or a group", {
      hint: "kez send photo.jpg bob",
    })
  const paths = await Promise.all(given.toReversed().map(readablePath))
  assertFileOptions(context, options)
  findIroh(context)
  const work = async (chat: OpenChat): Promise<Outcome> => {
    const conversation = await sendTarget(context, chat, who)
    const name = printable(nameOfConversation(chat, conversation), 120)
    await waitOnline(chat.engine, connectMs)
    const progress = createProgress(context, () => ({ who: name, nameOf: (chain) => nameOfChain(chat, chain) }))
    const [over, tell] = untilOver(progress.tell)
    const { files, stopped, close } = await openFiles(context, chat, { ...options, tell })
    try {
      context.terminal.progress("reading what is to be sent")
      const offering = await files.offer(conversation.id, paths, nameOfPaths(paths))
      for (const { path, why } of offering.skipped) context.warn(`left out ${printable(path, 200)}: ${skipText(why)}`)
      const end = await waitFor(over, { stopped, seconds })
      progress.end()
      const [view = offering.view] = files.sharing.views().filter(({ id }) => id === offering.view.id)
      await chat.engine.settled(end === "over" ? 0 : sendMs)
      return outcomeOf(view, end, name)
    } finally {
      progress.end()
      await close()
    }
  }
  const typed = `/to ${who}, then /send ${paths.map((path) => printable(path, 200)).join(", then /send ")}`
  return withChat(context, { ...options, holder: "kez send", follows: true }, work).catch((error: unknown) =>
    sayWhatToType(error, typed),
  )
}

function outcomeOf(view: TransferView, end: WaitEnd, who: string): Outcome {
  const data = transferJson(view, who)
  if (end === "over") {
    const mark = view.state === "done" ? "✓" : "✕"
    const exitCode = view.state === "done" ? exitCodes.ok : exitCodes.failure
    return { schema: "kez.send/1", data, text: `${mark} ${stateText(view, who)}`, exitCode }
  }
  return {
    schema: "kez.send/1",
    data,
    text: `◌ ${who} does not have all of it yet`,
    exitCode: end === "late" ? exitCodes.unreachable : exitCodes.interrupted,
    next: "the offer stays: the same command goes on where it was",
  }
}

function untilOver(tell: TransferListener): readonly [over: Promise<void>, tell: TransferListener] {
  let done: () => void = () => undefined
  const over = new Promise<void>((resolve) => {
    done = resolve
  })
  return [
    over,
    (view, note) => {
      tell(view, note)
      if (view.direction === "out" && note?.kind === "state" && view.state !== "waiting" && view.state !== "running")
        done()
    },
  ]
}
