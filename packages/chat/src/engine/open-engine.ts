/** The engine put together: what apps call, over the parts that do it. */
import type { ChainReplay, Digest, FileManifest } from "@kez/core"
import type { MoverAddress } from "../files/mover.ts"
import type { ContentTypes, FileState } from "../wire/content.ts"
import { ensureCredential } from "./account.ts"
import { openAlarms } from "./alarms.ts"
import { Archive } from "./archive.ts"
import { Connection } from "./connection.ts"
import { ContactBook, noteChain } from "./contacts.ts"
import { Desk } from "./desk.ts"
import type {
  Alarms,
  ArchiveState,
  Contacts,
  Conversation,
  ConversationDevice,
  Draft,
  Engine,
  EngineSettings,
  Groups,
  OwnManifest,
  PageOptions,
  PresenceAbout,
  Shelf,
  ShownMessage,
} from "./engine.ts"
import type { EngineEvent } from "./event.ts"
import { EventStream } from "./event-stream.ts"
import { chainOf, createShelf, signManifest } from "./files-part.ts"
import { GroupBook } from "./groups.ts"
import { findMessage, page, show, threadAt } from "./message-rows.ts"
import { chainsThatMatter, hasWork } from "./open-work.ts"
import { enqueue, markAllAnswered, retryAll } from "./outbox-rows.ts"
import type { EnginePorts } from "./ports.ts"
import { devicesOf, membersOf, Presences } from "./presence-rows.ts"
import { noteRead } from "./receipts.ts"
import { keys, type ThreadRow } from "./row.ts"
import { settingsOf } from "./settings.ts"
import { currentGroup, directThread, tellConversation, unreadAfter, viewThread } from "./threads.ts"
import { Typing } from "./typing.ts"
import { untilSo } from "./waiting.ts"
import { Workers } from "./workers.ts"
import { beginDirect, conversationAt, writeDraft } from "./writing.ts"

const checkEveryMs = 86_400_000
const maxPage = 500

/** Opens the account's engine on this device. It begins to connect at once, and works without a connection. Throws `store.*`. */
export async function openEngine(ports: EnginePorts): Promise<Engine> {
  const engine = new OpenEngine(new Desk(ports))
  await engine.begin()
  return engine
}

class OpenEngine implements Engine {
  readonly #desk: Desk
  readonly #stream = new EventStream()
  readonly #workers: Workers
  readonly #connection: Connection
  readonly #book: ContactBook
  readonly #typing: Typing
  readonly #archive: Archive
  #takeBack: (() => void) | undefined
  readonly #presences: Presences
  readonly alarms: Alarms
  readonly groups: Groups
  readonly shelf: Shelf

  constructor(desk: Desk) {
    this.#desk = desk
    this.#workers = new Workers(desk)
    this.#connection = new Connection(desk, () => {
      void this.#workers.wakeAll().catch(desk.fault)
      void this.#archive.online().catch(() => undefined)
    })
    this.#book = new ContactBook(desk)
    this.#archive = new Archive(desk, () => void this.#book.check().catch(() => undefined))
    this.#typing = new Typing(desk)
    this.#presences = new Presences(desk)
    this.groups = new GroupBook(desk)
    this.shelf = createShelf(desk)
    this.alarms = {
      list: () => desk.turn((unit) => openAlarms(unit)),
      settle: (id, decision) => this.#book.settle(id, decision),
    }
    desk.tell = (event) => this.#stream.tell(event)
    desk.wake = (group) => this.#workers.wake(group)
    desk.send = (group, sealed) => this.#workers.send(group, sealed)
    desk.wakeAccount = () => void this.#connection.upkeep().catch(() => undefined)
    desk.wakeArchive = () => this.#archive.soon()
    desk.followChains = () => void this.#follow().catch(() => undefined)
  }

  get chain(): Digest {
    return this.#desk.chain
  }
  get device(): string {
    return this.#desk.device
  }
  get contacts(): Contacts {
    return this.#book
  }

  async begin(): Promise<void> {
    await this.#desk.turn((unit) => ensureCredential(unit, this.#desk))
    await this.#follow()
    await this.#workers.wakeAll()
    await this.#connection.start()
    this.#daily()
  }

  connection() {
    return this.#connection.state
  }

  archive(): ArchiveState {
    return this.#archive.state
  }

  events(): AsyncIterableIterator<EngineEvent> {
    return this.#stream.read()
  }

  conversations(): Promise<readonly Conversation[]> {
    return this.#desk.turn(async (unit) => {
      const all: Conversation[] = []
      for (const thread of await unit.list<ThreadRow>(keys.threads))
        all.push(await viewThread(unit, this.#desk, thread))
      return all.toSorted((a, b) => (b.lastAt ?? 0) - (a.lastAt ?? 0))
    })
  }

  conversation(id: Digest): Promise<Conversation | undefined> {
    return this.#desk.turn(async (unit) => {
      const thread = await unit.get<ThreadRow>(keys.thread(id))
      return thread === undefined ? undefined : viewThread(unit, this.#desk, thread)
    })
  }

  messages(conversation: Digest, { before, limit = 50 }: PageOptions = {}): Promise<readonly ShownMessage[]> {
    const size = Math.min(Math.max(1, limit), maxPage)
    return this.#desk.turn((unit) => page(this.#desk, unit, { thread: conversation, before, limit: size }))
  }

  message(conversation: Digest, id: Digest): Promise<ShownMessage | undefined> {
    return this.#desk.turn(async (unit) => {
      const row = await findMessage(unit, conversation, id)
      return row === undefined ? undefined : show(unit, this.#desk, conversation, row)
    })
  }

  async openDirect(who: string): Promise<Conversation> {
    const contact = (await this.#book.find(who)) ?? (await this.#book.add(who))
    const desk = this.#desk
    return desk.turn(async (unit) => {
      const id = directThread(desk.chain, contact.chain)
      const thread = await unit.get<ThreadRow>(keys.thread(id))
      const current = thread === undefined ? undefined : await currentGroup(unit, desk, thread)
      if (current === undefined) await beginDirect(unit, desk, contact.chain)
      return viewThread(unit, desk, await threadAt(unit, id))
    })
  }

  send(conversation: Digest, draft: Draft): Promise<ShownMessage> {
    return this.#desk.turn((unit) => writeDraft(unit, this.#desk, conversation, draft))
  }

  async retry(conversation: Digest): Promise<void> {
    await this.#desk.turn(async (unit) => {
      const thread = await conversationAt(unit, conversation)
      for (const group of thread.groups) await retryAll(unit, this.#desk, group)
    })
  }

  async markRead(conversation: Digest, message: Digest): Promise<void> {
    await this.#desk.turn(async (unit) => {
      const thread = await conversationAt(unit, conversation)
      const row = await findMessage(unit, conversation, message)
      if (row === undefined || row.place <= thread.readPlace) return
      await noteRead(unit, this.#desk, thread, row.place)
      const unread = await unreadAfter(unit, conversation, row.place)
      unit.put(keys.thread(conversation), { ...(await threadAt(unit, conversation)), readPlace: row.place, unread })
      await tellConversation(unit, this.#desk, conversation)
    })
  }

  setTyping(conversation: Digest, isTyping: boolean): Promise<void> {
    return this.#typing.say(conversation, isTyping)
  }

  devices(conversation: Digest): Promise<readonly ConversationDevice[]> {
    return this.#desk.turn((unit) => devicesOf(unit, this.#desk, conversation))
  }

  members(conversation: Digest): Promise<readonly Digest[]> {
    return this.#desk.turn((unit) => membersOf(unit, this.#desk, conversation))
  }

  tellPresence(conversation: Digest, address: MoverAddress, about: PresenceAbout = {}): Promise<boolean> {
    return this.#presences.tell(conversation, address, about)
  }

  tellShares(conversation: Digest, shares: ContentTypes["shares"], statement: Uint8Array): Promise<boolean> {
    return this.#presences.tellShares(conversation, shares, statement)
  }

  signManifest(manifest: OwnManifest): Promise<FileManifest> {
    return signManifest(this.#desk, manifest)
  }

  chainOf(chain: Digest, isFresh = false): Promise<ChainReplay | undefined> {
    return chainOf(this.#desk, chain, isFresh)
  }

  async tellFileState(conversation: Digest, transfer: string, state: FileState): Promise<void> {
    await this.#desk.turn(async (unit) => {
      const row = await currentGroup(unit, this.#desk, await conversationAt(unit, conversation))
      if (row === undefined) return
      await enqueue(unit, this.#desk, { group: row.group, type: "file_state", content: { transfer, state } })
    })
  }

  settings(): Promise<EngineSettings> {
    return this.#desk.turn((unit) => settingsOf(unit))
  }

  async setSettings(settings: Partial<EngineSettings>): Promise<void> {
    await this.#desk.turn(async (unit) => unit.put(keys.settings, { ...(await settingsOf(unit)), ...settings }))
  }

  settled(timeoutMs: number): Promise<boolean> {
    return untilSo(this.#desk, timeoutMs, async () => {
      const isIdle =
        this.#connection.isCaughtUp &&
        !this.#workers.isBusy &&
        !(await this.#desk.turn((unit) => hasWork(unit, this.#desk)))
      return isIdle && this.#archive.isDone()
    })
  }

  async archived(timeoutMs: number): Promise<boolean> {
    return this.#desk.isOnline && untilSo(this.#desk, timeoutMs, () => this.#archive.isDone())
  }

  async close(): Promise<void> {
    const desk = this.#desk
    if (desk.isClosed) return
    desk.isClosed = true
    this.#takeBack?.()
    this.#workers.close()
    this.#archive.close()
    this.#connection.stop()
    desk.ports.chains.follow([], () => undefined)
    await desk.ports.transport.close()
    await desk.idle()
    await markAllAnswered(desk).catch(() => undefined)
    this.#stream.close()
    await desk.ports.store.close()
  }

  /** The chains of everybody who matters here: of contacts, of members, our own. */
  async #follow(): Promise<void> {
    const desk = this.#desk
    const chains = await desk.turn((unit) => chainsThatMatter(unit, desk))
    if (desk.isClosed) return
    desk.ports.chains.follow([...chains], (chain) => void this.#changed(chain).catch(() => undefined))
  }

  async #changed(chain: Digest): Promise<void> {
    if (this.#desk.isClosed) return
    await this.#desk.turn((unit) => noteChain(unit, this.#desk, chain))
    this.#desk.tell({ kind: "devices" })
    if (chain === this.#desk.chain) this.#archive.now()
    await this.#workers.wakeAll()
  }

  #daily(): void {
    const { clock } = this.#desk.ports
    this.#takeBack = clock.after(checkEveryMs, () => {
      if (this.#desk.isClosed) return
      void this.#connection.upkeep().catch(() => undefined)
      void this.#book.check().catch(() => undefined)
      this.#daily()
    })
  }
}
