/** Files while a chat is open: kez-iroh is started once something is to be moved, what was begun earlier goes on, and the view is told what becomes of it. */
import { resolve } from "node:path"
import {
  type Conversation,
  declineOffer,
  type Files,
  hasOpenTransfers,
  offerState,
  type ShownMessage,
  type TransferNote,
  type TransferState,
  type TransferView,
  transferIdOf,
} from "@kez/chat"
import { KezError } from "@kez/core"
import type { OpenChat } from "../chat/open-chat.ts"
import type { Context } from "../context.ts"
import { printable } from "../output.ts"
import { anchorShares } from "./anchor.ts"
import { type FileOptions, type OpenFiles, openFiles, pauseFetches } from "./open-files.ts"
import { assertNoKeys, nameOfPaths, readablePath, skipText } from "./sendable.ts"
import { devicelessText, shareAudience } from "./share-audience.ts"

export interface ChatFileOptions extends FileOptions {
  /** Where received files go if nothing else is said; the current folder if absent. */
  readonly dir?: string
}

export interface ChatFileEvents {
  /** `what`: worth a line of its own. */
  readonly onTransfer: (view: TransferView, what: TransferNote | undefined) => void
  /** kez-iroh is not here, or ended. The chat goes on. */
  readonly onTrouble: (fault: KezError) => void
  /** Who sees what on a way that is used and was not used before; what is shared from now on, and what no more. */
  readonly onNotice: (text: string) => void
}

export class ChatFiles {
  readonly #context: Context
  readonly #chat: OpenChat
  readonly #options: ChatFileOptions
  readonly #events: ChatFileEvents
  readonly #views = new Map<string, TransferView>()
  /** Of offers, by message: what earlier runs decided. */
  readonly #decided = new Map<string, TransferState>()
  #open: Promise<OpenFiles> | undefined
  #sharing: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(context: Context, chat: OpenChat, options: ChatFileOptions & { readonly events: ChatFileEvents }) {
    this.#context = context
    this.#chat = chat
    this.#options = options
    this.#events = options.events
  }

  /** Goes on with what was offered or accepted before, where there is something. */
  async begin(): Promise<void> {
    try {
      if (await hasOpenTransfers(this.#chat.engine)) await (await this.#ready()).resume()
    } catch (error) {
      this.#trouble(error)
    }
  }

  /** Newest last. */
  views(): readonly TransferView[] {
    return [...this.#views.values()]
  }

  viewOf(message: ShownMessage): TransferView | undefined {
    const isOurs = message.sender.device === this.#chat.engine.device
    return this.#views.get(isOurs ? (message.fileOffer?.transfer ?? "") : transferIdOf(message))
  }

  /** What was decided about an offer, as far as `look` was asked for it. */
  stateOf(message: ShownMessage): TransferState | undefined {
    return this.viewOf(message)?.state ?? this.#decided.get(message.id)
  }

  /** Asks the store what was decided about offers. */
  async look(messages: readonly ShownMessage[]): Promise<void> {
    for (const message of messages) {
      const state = message.fileOffer === undefined ? undefined : await offerState(this.#chat.engine, message)
      if (state !== undefined) this.#decided.set(message.id, state)
    }
  }

  /** Offers a file or folder, and serves it as long as the chat is open. */
  async offer({ id }: Pick<Conversation, "id">, given: string): Promise<void> {
    const path = await readablePath(given)
    const files = await this.#ready()
    this.#context.terminal.progress("reading what is to be sent")
    const { skipped } = await files.offer(id, [path], nameOfPaths([path]))
    for (const { path: left, why } of skipped) this.#context.warn(`left out ${printable(left, 200)}: ${skipText(why)}`)
  }

  /** The others of a conversation see it in the list of what is shared, and may fetch it while this chat is open; who had it before keeps it. Of a group
   * those who are in it now. */
  async share(conversation: Pick<Conversation, "id" | "kind">, given: string): Promise<void> {
    const begun = this.#beginShare(conversation, given)
    this.#sharing = Promise.allSettled([this.#sharing, begun])
    const { files, left, sharing } = await begun
    const { shares, skipped } = await sharing
    for (const { path: out, why } of skipped) this.#context.warn(`left out ${printable(out, 200)}: ${skipText(why)}`)
    await anchorShares(this.#context, this.#chat, files)
    const name = printable(shares[0]?.name ?? given, 200)
    const not = left === 0 ? "" : `, but not with ${left} here who are none of your contacts`
    this.#events.onNotice(`shared as ${name}${not}. /unshare ${name} ends it for everybody`)
  }

  /** Until it is known there, so that it can be ended; hashing goes on. */
  async #beginShare(conversation: Pick<Conversation, "id" | "kind">, given: string) {
    const path = await readablePath(given)
    await assertNoKeys(this.#context, path)
    const found = await shareAudience(this.#chat.engine, conversation)
    const { audience, groups, left } = found
    if (audience.length === 0)
      throw usage("Cannot share it here: nobody here is one of your contacts", "Look at the proofs, then: /accept")
    const deviceless = devicelessText(this.#chat, found)
    if (deviceless !== undefined) this.#context.warn(deviceless)
    const files = await this.#ready()
    this.#context.terminal.progress("reading what is to be shared")
    const sharing = files.shares.share([path], audience, { isMore: true, groups })
    sharing.catch(() => undefined) // whoever shares hears it
    return { files, left, sharing }
  }

  /** Nobody gets it any more, in no conversation. */
  async unshare(given: string): Promise<void> {
    // What was typed before may not have begun yet, and is what is meant.
    await this.#sharing
    const files = await this.#ready()
    const gone = await files.shares.unshare([given], (one) => resolve(one))
    await anchorShares(this.#context, this.#chat, files)
    for (const { name, path } of gone)
      this.#events.onNotice(`${printable(name, 200)} is not shared any more: ${printable(path, 300)}`)
  }

  /** Fetches what a message offers, from now on until it is there. `folder`: if it is another one than usual. */
  async fetch(message: ShownMessage, folder?: string): Promise<void> {
    await this.#assertFrom(message)
    const into = resolve(folder ?? this.#options.dir ?? ".")
    const files = await this.#ready()
    const state = await files.receiving.stateOf(message)
    if (state === "done") throw usage("Cannot fetch it: it was fetched before")
    if (state === "waiting" && this.viewOf(message) !== undefined) throw usage("Cannot fetch it again: it is under way")
    this.#take(await files.run(() => files.receiving.accept(message, into)), undefined)
  }

  async decline(message: ShownMessage): Promise<void> {
    const { engine } = this.#chat
    const state = await offerState(engine, message)
    if (message.sender.isSelf || message.fileOffer === undefined) throw usage("Cannot decline that: nobody offers it")
    if (state === "done" || this.viewOf(message) !== undefined)
      throw usage("Cannot decline it: it is here, or under way")
    await declineOffer(engine, message)
    this.#decided.set(message.id, "declined")
  }

  /** Parts of what is fetched are kept. */
  async close(): Promise<void> {
    this.#isClosed = true
    const open = await this.#open?.catch(() => undefined)
    if (open === undefined) return
    await pauseFetches(this.#context, open.files).catch(() => undefined)
    await open.close()
  }

  async #assertFrom({ sender, fileOffer }: ShownMessage): Promise<void> {
    if (fileOffer === undefined || sender.device === this.#chat.engine.device)
      throw usage("Cannot fetch that: the message offers nothing that is not here")
    if (sender.isSelf) return
    const contact = await this.#chat.engine.contacts.find(sender.chain)
    if (contact?.standing === "accepted") return
    throw usage("Cannot fetch it: who offers it is none of your contacts", "Look at the proofs, then: /accept")
  }

  async #ready(): Promise<Files> {
    if (this.#isClosed) throw usage("Cannot move files: the chat is being closed")
    this.#open ??= this.#start()
    try {
      return (await this.#open).files
    } catch (error) {
      this.#open = undefined
      throw error
    }
  }

  async #start(): Promise<OpenFiles> {
    const { dir: _, ...options } = this.#options
    const say = this.#events.onNotice
    const tell = (view: TransferView, what: TransferNote | undefined): void => this.#take(view, what)
    const open = await openFiles(this.#context, this.#chat, { ...options, tell, say, passesOn: true })
    open.stopped.catch((error: unknown) => {
      // What is tried next starts it anew.
      this.#open = undefined
      void open.close().catch(() => undefined)
      this.#trouble(error)
    })
    return open
  }

  #take(view: TransferView, what: TransferNote | undefined): void {
    this.#views.set(view.id, view)
    this.#events.onTransfer(view, what)
  }

  #trouble(error: unknown): void {
    if (this.#isClosed) return
    if (!(error instanceof KezError)) throw error
    this.#events.onTrouble(error)
  }
}

function usage(text: string, hint?: string): KezError {
  return new KezError("usage", text, hint === undefined ? {} : { hint })
}
