/** What somebody who chats sees, kept up to date by the engine's events: the same for the screen, for plain lines and for programs. */
import type {
  AlarmState,
  ArchiveState,
  ConnectionState,
  Contact,
  Conversation,
  Draft,
  EngineEvent,
  ShownMessage,
} from "@kez/chat"
import { type Digest, KezError } from "@kez/core"
import { acceptContact } from "../commands/contacts-stand.ts"
import type { Context } from "../context.ts"
import { type ChatFileEvents, type ChatFileOptions, ChatFiles } from "../files/chat-files.ts"
import type { ProofBadge } from "./badges.ts"
import { nameOfConversation, rememberNames, senderName } from "./chat-json.ts"
import { MessagePages } from "./message-pages.ts"
import type { OpenChat } from "./open-chat.ts"
import { sendTarget } from "./send-target.ts"
import { SessionBadges } from "./session-badges.ts"

/** Who types says so again; one who went away does not. */
const typingMs = 8_000

export interface SessionEvents extends Partial<ChatFileEvents> {
  /** Something that is shown is another now. */
  readonly onChange: () => void
  /** For plain lines: each event after the state has it. */
  readonly onEvent?: (event: EngineEvent) => void
}

export class ChatSession {
  readonly context: Context
  readonly #chat: OpenChat
  readonly #events: SessionEvents
  #conversations: readonly Conversation[] = []
  #alarms: readonly AlarmState[] = []
  readonly #pages: MessagePages
  readonly #badges: SessionBadges
  readonly #typing = new Map<Digest, number>()
  #current: Digest | undefined
  #isRestoring = false
  /** What is on the screen counts as read; nothing does while nobody looks. */
  isLooking = true
  readonly files: ChatFiles

  constructor(
    context: Context,
    chat: OpenChat,
    { files = {}, ...events }: SessionEvents & { files?: ChatFileOptions },
  ) {
    this.context = context
    this.#chat = chat
    this.#events = events
    this.#badges = new SessionBadges(context, chat, () => this.#events.onChange())
    this.files = new ChatFiles(context, chat, {
      ...files,
      events: {
        onTransfer: (view, what) => {
          events.onTransfer?.(view, what)
          events.onChange()
        },
        onTrouble: (fault) => events.onTrouble?.(fault),
        onNotice: (text) => events.onNotice?.(text),
      },
    })
    this.#pages = new MessagePages(chat, (page) => this.files.look(page))
  }

  get chat(): OpenChat {
    return this.#chat
  }
  get connection(): ConnectionState {
    return this.#chat.engine.connection()
  }
  get archive(): ArchiveState {
    return this.#chat.engine.archive()
  }
  get alarms(): readonly AlarmState[] {
    return this.#alarms
  }
  /** Newest first. Blocked people are not among them. */
  get conversations(): readonly Conversation[] {
    return this.#conversations.filter(({ state }) => state !== "blocked")
  }
  get current(): Conversation | undefined {
    return this.#conversations.find(({ id }) => id === this.#current)
  }
  get messages(): readonly ShownMessage[] {
    return this.#current === undefined ? [] : (this.#pages.of(this.#current) ?? [])
  }

  badgesOf(chain: Digest | undefined): readonly ProofBadge[] {
    return this.#badges.of(chain)
  }

  nameOf(conversation: Conversation): string {
    return nameOfConversation(this.#chat, conversation)
  }

  senderOf(message: ShownMessage): string {
    return message.sender.isSelf ? "you" : senderName(this.#chat, message)
  }

  nameOfChain(chain: Digest): string {
    return senderName(this.#chat, { sender: { chain, device: "", isSelf: false } })
  }

  isTyping(conversation: Digest): boolean {
    return (this.#typing.get(conversation) ?? 0) > Date.now()
  }

  findMessage(id: Digest): ShownMessage | undefined {
    return this.messages.find((message) => message.id === id)
  }

  /** Loads, then follows until the engine closes. Never throws but for what the store does. */
  async run(): Promise<void> {
    const events = this.#chat.engine.events()
    await this.#load()
    void this.files.begin()
    for await (const event of events) {
      await this.#take(event)
      this.#events.onEvent?.(event)
      this.#events.onChange()
      // What was shown is marked afterwards: that waits for the disk.
      if (event.kind === "message" || event.kind === "message_changed")
        await this.#readIfSeen(event.message.conversation)
    }
  }

  async #load(): Promise<void> {
    const { engine } = this.#chat
    const contacts = await engine.contacts.list()
    rememberNames(this.#chat, contacts)
    this.#conversations = await engine.conversations()
    this.#alarms = await engine.alarms.list()
    for (const { chain } of contacts) await this.#badges.load(chain)
    this.#events.onChange()
  }

  async #take(event: EngineEvent): Promise<void> {
    switch (event.kind) {
      case "message":
        await this.files.look([event.message])
        this.#pages.put(event.message)
        this.#typing.delete(event.message.conversation)
        return
      case "message_changed":
        return this.#pages.put(event.message)
      case "outbox":
        return this.#pages.noteDelivered(event)
      case "typing":
        if (event.isTyping) this.#typing.set(event.conversation, Date.now() + typingMs)
        else this.#typing.delete(event.conversation)
        if (event.isTyping) setTimeout(() => this.#events.onChange(), typingMs + 50).unref()
        return
      case "conversation":
        return this.#putConversation(event.conversation)
      case "contact":
        return this.#noteContact(event.contact)
      case "alarm":
        this.#alarms = await this.#chat.engine.alarms.list()
        return
      case "archive":
        if (event.archive.kind === "restoring") this.#isRestoring = true
        else if (this.#isRestoring) await this.#reload()
    }
  }

  /** What came out of the archive stands before what was loaded. */
  async #reload(): Promise<void> {
    this.#isRestoring = false
    this.#conversations = await this.#chat.engine.conversations()
    this.#pages.clear()
    await this.select(this.#current)
  }

  #putConversation(conversation: Conversation): void {
    const others = this.#conversations.filter(({ id }) => id !== conversation.id)
    this.#conversations = [conversation, ...others].sort((a, b) => (b.lastAt ?? 0) - (a.lastAt ?? 0))
    void this.#badges.load(conversation.contact?.chain)
  }

  #noteContact(contact: Contact): void {
    rememberNames(this.#chat, [contact])
    this.#conversations = this.#conversations.map((one) =>
      one.contact?.chain === contact.chain ? { ...one, contact } : one,
    )
  }

  async #readIfSeen(conversation: Digest): Promise<void> {
    if (!this.isLooking || conversation !== this.#current) return
    const last = this.#pages.of(conversation)?.at(-1)
    if (last !== undefined && !last.sender.isSelf) await this.#chat.engine.markRead(conversation, last.id)
  }

  /** Shows a conversation; undefined shows none. */
  async select(id: Digest | undefined): Promise<void> {
    this.#current = id
    if (id === undefined) return
    await this.#pages.load(id)
    await this.#readIfSeen(id)
    if (this.connection.kind === "online") this.#badges.checkOnce(this.current?.contact?.chain)
    this.#events.onChange()
  }

  checkProofs(chain: Digest): Promise<readonly ProofBadge[]> {
    return this.#badges.check(chain)
  }

  /** More of the past; false where there is none. */
  async loadOlder(): Promise<boolean> {
    return this.#current === undefined ? false : this.#pages.loadOlder(this.#current)
  }

  /** Opens a group by its name, or the conversation with somebody, who is looked up where he is not known. */
  async open(who: string): Promise<void> {
    const conversation = await sendTarget(this.context, this.#chat, who)
    if (conversation.contact !== undefined) rememberNames(this.#chat, [conversation.contact])
    await this.show(conversation)
  }

  async show(conversation: Conversation): Promise<void> {
    this.#putConversation(conversation)
    await this.select(conversation.id)
  }

  async send(draft: Draft): Promise<void> {
    const current = this.here()
    // To answer is to accept: whose name it is has to be known before, not after.
    if (current.state === "request") await this.accept()
    const message = await this.#chat.engine.send(current.id, draft)
    if (this.#pages.of(current.id) === undefined) await this.select(current.id)
    this.#pages.put(message)
    this.#events.onChange()
  }

  async accept(): Promise<void> {
    this.#noteContact(await acceptContact(this.context, this.#chat, await this.#whoBegan("accept")))
  }

  async block(): Promise<void> {
    await this.#chat.engine.contacts.block((await this.#whoBegan("block")).chain)
    this.#conversations = await this.#chat.engine.conversations()
    await this.select(this.conversations[0]?.id)
  }

  /** The other person, or who brought us into the group. */
  async #whoBegan(what: string): Promise<Contact> {
    const { contact, addedBy } = this.here()
    const found = contact ?? (addedBy === undefined ? undefined : await this.#chat.engine.contacts.find(addedBy))
    if (found !== undefined) return found
    throw new KezError("usage", `Cannot ${what} anybody here: you made this group`)
  }

  async retry(): Promise<void> {
    await this.#chat.engine.retry(this.here().id)
  }

  async settle(id: string, decision: "accept" | "dismiss"): Promise<void> {
    await this.#chat.engine.alarms.settle(id, decision)
    this.#alarms = await this.#chat.engine.alarms.list()
    this.#events.onChange()
  }

  /** Nobody waits for it, and nobody misses it. */
  setTyping(isTyping: boolean): void {
    const id = this.#current
    if (id !== undefined) void this.#chat.engine.setTyping(id, isTyping).catch(() => undefined)
  }

  /** The conversation that is open. Throws `usage`. */
  here(): Conversation {
    const { current } = this
    if (current !== undefined) return current
    throw new KezError("usage", "Cannot do that: no conversation is open", { hint: "Open one: /to WHO" })
  }
}
