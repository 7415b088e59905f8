/** `kez receive [FROM]`: fetches what was offered, goes on with what broke off, or waits for an offer. */
import { resolve } from "node:path"
import type { Files, ShownMessage, TransferListener, TransferView } from "@kez/chat"
import { type Digest, KezError } from "@kez/core"
import { nameOfChain, senderName } from "../chat/chat-json.ts"
import { sizeText } from "../chat/message-text.ts"
import { type OpenChat, waitOnline } from "../chat/open-chat.ts"
import { findKnown } from "../chat/people.ts"
import { type ChatOptions, withChat } from "../chat/with-chat.ts"
import type { Context } from "../context.ts"
import { exitCodeOf, exitCodes } from "../exit-codes.ts"
import { findIroh } from "../files/find-iroh.ts"
import { assertFileOptions, type FileOptions, openFiles, pauseFetches, sayWhatToType } from "../files/open-files.ts"
import { createProgress } from "../files/progress.ts"
import { stateText, transferJson } from "../files/transfer-text.ts"
import { readWaitSeconds, type WaitEnd, waitFor } from "../files/wait.ts"
import { note, printable } from "../output.ts"
import type { Handler, Outcome } from "../run.ts"

const connectMs = 10_000
const settleMs = 15_000
const lookedAt = 200

export interface ReceiveOptions extends ChatOptions, FileOptions {
  readonly dir?: string
  readonly yes?: boolean
  readonly wait?: string
}

export const run: Handler<ReceiveOptions> = async (context, { args: [from], dir = ".", yes, wait, ...options }) => {
  const seconds = readWaitSeconds(wait)
  const into = resolve(dir)
  assertFileOptions(context, options)
  findIroh(context)
  const work = async (chat: OpenChat): Promise<Outcome> => {
    const receiver = new Receiver(context, chat, { into, isYes: yes === true, from })
    const { files, stopped, close } = await openFiles(context, chat, { ...options, tell: receiver.tell })
    try {
      const end = await waitFor(receiver.run(files), { stopped, seconds })
      if (end !== "over") await pauseFetches(context, files)
      await chat.engine.settled(end === "over" ? settleMs : 1_000)
      return receiver.outcome(end)
    } finally {
      receiver.end()
      await close()
    }
  }
  const typed = from === undefined ? "/receive, in the conversation with the offer" : `/to ${from}, then /receive`
  return withChat(context, { ...options, holder: "kez receive", follows: true }, work).catch((error: unknown) =>
    sayWhatToType(error, typed),
  )
}

interface ReceiveRequest {
  readonly into: string
  readonly isYes: boolean
  readonly from: string | undefined
}

class Receiver {
  readonly #context: Context
  readonly #chat: OpenChat
  readonly #request: ReceiveRequest
  readonly #progress
  readonly #views = new Map<string, TransferView>()
  readonly #asking = new Set<Digest>()
  readonly #names = new Map<Digest, string>()
  #changed: () => void = () => undefined

  constructor(context: Context, chat: OpenChat, request: ReceiveRequest) {
    this.#context = context
    this.#chat = chat
    this.#request = request
    this.#progress = createProgress(context, (view) => ({
      who: this.#nameOf(view),
      nameOf: (one) => nameOfChain(chat, one),
    }))
  }

  readonly tell: TransferListener = (view, what) => {
    if (view.direction !== "in") return
    this.#views.set(view.id, view)
    this.#progress.tell(view, what)
    this.#changed()
  }

  end(): void {
    this.#progress.end()
  }

  /** Resolves when something was fetched and nothing is left to be. */
  async run(files: Files): Promise<void> {
    const { engine } = this.#chat
    await waitOnline(engine, connectMs)
    await engine.settled(engine.connection().kind === "online" ? settleMs : 0)
    // From before the look on, or an offer that comes meanwhile would be missed.
    const events = engine.events()
    const chain = await this.#from()
    for (const view of await files.run(() => files.receiving.resume())) this.#views.set(view.id, view)
    for (const message of await this.#offers(files, chain)) await this.#decide(files, message)
    if (this.#views.size === 0) this.#say(`waiting for ${this.#request.from ?? "somebody"} to offer a file`)
    else this.#sayWaiting()
    const over = this.#untilOver()
    const listening = (async () => {
      for await (const event of events) {
        if (event.kind !== "message") continue
        if (await this.#isOpen(files, event.message, chain)) await this.#decide(files, event.message)
        else if (await this.#isAsking(event.message)) this.#sayAsking(event.message)
      }
    })()
    await Promise.race([over, listening])
    await events.return?.()
  }

  async #from(): Promise<Digest | undefined> {
    const { from } = this.#request
    if (from === undefined) return undefined
    const contact = await findKnown(this.#chat, from)
    if (contact?.standing === "accepted") return contact.chain
    throw new KezError("store.unknown", `Cannot fetch from ${from}: expected one of your contacts`, {
      hint: `kez contacts ${contact === undefined ? "add" : "accept"} ${from}`,
    })
  }

  /** What contacts offered and nothing was decided about, oldest first. */
  async #offers(files: Files, chain: Digest | undefined): Promise<readonly ShownMessage[]> {
    const { engine } = this.#chat
    const found: ShownMessage[] = []
    for (const { id, contact, state } of await engine.conversations()) {
      const isAsking = state === "request" || contact?.standing === "request"
      if (state === "blocked" || contact?.standing === "blocked") continue
      for (const message of await engine.messages(id, { limit: lookedAt }))
        if (isAsking) this.#sayAsking(message)
        else if (await this.#isOpen(files, message, chain)) found.push(message)
    }
    return found
  }

  async #isOpen(files: Files, message: ShownMessage, chain: Digest | undefined): Promise<boolean> {
    const { fileOffer, sender } = message
    if (fileOffer === undefined || sender.isSelf || (chain !== undefined && sender.chain !== chain)) return false
    const contact = await this.#chat.engine.contacts.find(sender.chain)
    return contact?.standing === "accepted" && (await files.receiving.stateOf(message)) === undefined
  }

  async #isAsking({ sender }: ShownMessage): Promise<boolean> {
    return (await this.#chat.engine.contacts.find(sender.chain))?.standing === "request"
  }

  /** Once for each: whoever waits for a file of theirs would not know why it does not come. */
  #sayAsking(message: ShownMessage): void {
    const { fileOffer, sender } = message
    if (fileOffer === undefined || sender.isSelf || this.#asking.has(sender.chain)) return
    this.#asking.add(sender.chain)
    const name = printable(senderName(this.#chat, message), 120)
    const who = name.replace(/\?$/, "")
    this.#say(
      `${name} offers files and is none of your contacts yet. The proofs: kez contacts show ${who}. Then: kez contacts accept ${who}`,
    )
  }

  async #decide(files: Files, message: ShownMessage): Promise<void> {
    const { fileOffer, sender } = message
    if (fileOffer === undefined) return
    const name = printable(senderName(this.#chat, message), 120)
    this.#names.set(message.conversation, name)
    const what = `${printable(fileOffer.name, 100)}${fileOffer.files === undefined ? "" : ` (${fileOffer.files} files)`}`
    if (!this.#request.isYes) {
      const text = `${name} offers ${what}, ${sizeText(fileOffer.size)}. Fetch it to ${this.#request.into}?`
      const isWanted = await this.#context.terminal.confirm({ text, flag: "--yes" })
      if (!isWanted) return files.run(() => files.receiving.decline(message))
    }
    const standing = (await this.#chat.engine.contacts.find(sender.chain))?.standing
    if (standing !== "accepted") return
    const view = await files.run(() => files.receiving.accept(message, this.#request.into))
    this.#views.set(view.id, this.#views.get(view.id) ?? view)
    this.#say(`fetching ${what}, ${sizeText(fileOffer.size)}, from ${name}`)
    this.#changed()
  }

  #untilOver(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = () => {
        const all = [...this.#views.values()]
        if (all.length > 0 && all.every(isOver)) resolve()
      }
      this.#changed()
    })
  }

  #sayWaiting(): void {
    for (const view of this.#views.values())
      if (view.state === "waiting") this.#say(`${printable(view.name, 100)}: ${stateText(view, this.#nameOf(view))}`)
  }

  #nameOf({ conversation }: TransferView): string {
    return this.#names.get(conversation) ?? "the sender"
  }

  #say(text: string): void {
    if (!this.#context.flags.quiet && !this.#context.flags.json) note(text)
  }

  outcome(end: WaitEnd): Outcome {
    const views = [...this.#views.values()]
    const failed = views.find(({ state }) => state === "failed" || state === "paused")
    const open = views.some((view) => !isOver(view))
    const lines = views.map((view) => `${markOf(view)} ${stateText(view, this.#nameOf(view))}`)
    const exitCode =
      end === "interrupted" ? exitCodes.interrupted : end === "late" ? exitCodes.unreachable : exitCodes.ok
    return {
      schema: "kez.receive/1",
      data: { transfers: views.map((view) => transferJson(view, this.#nameOf(view))) },
      text: lines.join("\n"),
      exitCode: end === "over" && failed !== undefined ? exitCodeOf(failed.code ?? "internal") : exitCode,
      ...(open ? { next: "what is here is kept: kez receive goes on with it" } : {}),
    }
  }
}

function isOver({ state }: TransferView): boolean {
  return state !== "waiting" && state !== "running"
}

function markOf({ state }: TransferView): string {
  return state === "done" ? "✓" : state === "failed" ? "✕" : "◌"
}
