/** Messages of the conversations that somebody looked at: a page from the engine's end of each, then further back, and what came since. */
import type { EngineEvent, ShownMessage } from "@kez/chat"
import type { Digest } from "@kez/core"
import type { OpenChat } from "./open-chat.ts"

const pageSize = 60

export class MessagePages {
  readonly #chat: OpenChat
  /** Is shown each page before it counts. */
  readonly #look: (page: readonly ShownMessage[]) => Promise<void>
  readonly #messages = new Map<Digest, readonly ShownMessage[]>()
  readonly #isWhole = new Set<Digest>()

  constructor(chat: OpenChat, look: (page: readonly ShownMessage[]) => Promise<void>) {
    this.#chat = chat
    this.#look = look
  }

  /** Oldest first; undefined: nobody looked yet. */
  of(conversation: Digest): readonly ShownMessage[] | undefined {
    return this.#messages.get(conversation)
  }

  put(message: ShownMessage): void {
    const known = this.#messages.get(message.conversation)
    if (known === undefined) return // loaded when somebody looks at it
    const others = known.filter(({ id }) => id !== message.id)
    const at = others.findLastIndex(({ place }) => place <= message.place) + 1
    this.#messages.set(message.conversation, [...others.slice(0, at), message, ...others.slice(at)])
  }

  noteDelivered({ conversation, message, delivered }: EngineEvent & { readonly kind: "outbox" }): void {
    const known = this.#messages.get(conversation)
    if (known === undefined) return
    this.#messages.set(
      conversation,
      known.map((one) => (one.id === message ? { ...one, delivered } : one)),
    )
  }

  /** The newest page, where nobody looked yet. */
  async load(conversation: Digest): Promise<void> {
    if (!this.#messages.has(conversation)) await this.#add(conversation, undefined)
  }

  /** More of the past; false where there is none. */
  async loadOlder(conversation: Digest): Promise<boolean> {
    const before = this.#messages.get(conversation)?.[0]?.place
    if (before === undefined || this.#isWhole.has(conversation)) return false
    return this.#add(conversation, before)
  }

  /** All pages are another now. */
  clear(): void {
    this.#messages.clear()
    this.#isWhole.clear()
  }

  async #add(conversation: Digest, before: string | undefined): Promise<boolean> {
    const options = { limit: pageSize, ...(before !== undefined && { before }) }
    const page = await this.#chat.engine.messages(conversation, options)
    await this.#look(page)
    if (page.length < pageSize) this.#isWhole.add(conversation)
    this.#messages.set(conversation, [...page, ...(this.#messages.get(conversation) ?? [])])
    return page.length > 0
  }
}
