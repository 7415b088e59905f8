/** The engine put together: what apps call, over the parts that do it. */
import { type Digest, formatHex, KezError } from "@kez/core"
import { backend } from "#chat-backend"
import { standingNow } from "../chains.ts"
import { createConversation } from "../cipher/mls-join.ts"
import { directPolicy, type StateBody } from "../conversation/state-body.ts"
import { ensureCredential } from "./account.ts"
import { openAlarms } from "./alarms.ts"
import { Connection } from "./connection.ts"
import { contactRow } from "./contact-rows.ts"
import { ContactBook, noteChain } from "./contacts.ts"
import { Desk } from "./desk.ts"
import { draftOf } from "./draft.ts"
import type {
  Alarms,
  Contacts,
  Conversation,
  Draft,
  Engine,
  EngineSettings,
  PageOptions,
  ShownMessage,
} from "./engine.ts"
import type { EngineEvent } from "./event.ts"
import { EventStream } from "./event-stream.ts"
import { findMessage, page, show, threadAt } from "./message-rows.ts"
import { enqueue, outboxOf, retryAll } from "./outbox-rows.ts"
import type { EnginePorts } from "./ports.ts"
import { noteRead } from "./receipts.ts"
import { type ContactRow, decodeRow, type GroupRow, keys, type ThreadRow } from "./row.ts"
import { settingsOf } from "./settings.ts"
import { addGroup, currentGroup, directThread, stopOf, tellConversation, viewThread } from "./threads.ts"
import { Typing } from "./typing.ts"
import type { Unit } from "./unit.ts"
import { Workers } from "./workers.ts"

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
  #takeBack: (() => void) | undefined
  readonly alarms: Alarms

  constructor(desk: Desk) {
    this.#desk = desk
    this.#workers = new Workers(desk)
    this.#connection = new Connection(desk, () => void this.#workers.wakeAll())
    this.#book = new ContactBook(desk)
    this.#typing = new Typing(desk)
    this.alarms = {
      list: () => desk.turn((unit) => openAlarms(unit)),
      settle: (id, decision) => this.#book.settle(id, decision),
    }
    desk.tell = (event) => this.#stream.tell(event)
    desk.wake = (group) => this.#workers.wake(group)
    desk.wakeAccount = () => void this.#connection.upkeep().catch(() => undefined)
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

  async openDirect(who: string): Promise<Conversation> {
    const contact = (await this.#book.find(who)) ?? (await this.#book.add(who))
    const desk = this.#desk
    return desk.turn(async (unit) => {
      const id = directThread(desk.chain, contact.chain)
      const thread = await unit.get<ThreadRow>(keys.thread(id))
      const current = thread === undefined ? undefined : await currentGroup(unit, desk, thread)
      if (current === undefined) await this.#begin(unit, contact.chain)
      return viewThread(unit, desk, await threadAt(unit, id))
    })
  }

  async #begin(unit: Unit, other: Digest): Promise<void> {
    const desk = this.#desk
    const { credential } = desk
    if (credential === undefined) throw new Error("a conversation before the credential")
    this.#assertCurrent()
    const members = [desk.chain, other].sort().map((chain) => ({ chain, role: "owner" as const }))
    const salt = formatHex(backend.randomBytes(32))
    const body: StateBody = { version: 1, kind: "dm", salt, members, policy: directPolicy }
    const cipher = await createConversation(body, credential, desk.ciphers.ports)
    desk.ciphers.keep(cipher)
    await addGroup(unit, desk, { cipher, lastCommit: 0 })
    unit.afterwards(() => desk.wake(cipher.group))
    unit.afterwards(() => desk.followChains())
  }

  send(conversation: Digest, draft: Draft): Promise<ShownMessage> {
    const desk = this.#desk
    return desk.turn(async (unit) => {
      this.#assertCurrent()
      const thread = await this.#thread(unit, conversation)
      const stop = await stopOf(unit, thread)
      if (stop !== undefined) throw new KezError("account.changed", `Cannot send: ${stop.reason}`)
      const row = await currentGroup(unit, desk, thread)
      if (row === undefined)
        throw new KezError("chat.removed", "Cannot send: this device is not in the conversation any more")
      const about =
        draft.type === "edit" || draft.type === "delete" ? await findMessage(unit, conversation, draft.of) : undefined
      if (about !== undefined && about.chain !== desk.chain)
        throw new KezError("usage", "Cannot change a message of somebody else")
      const id = await enqueue(unit, desk, { group: row.group, ...draftOf(draft) })
      // Who answers a stranger has accepted him.
      await this.#acceptByAnswer(unit, thread)
      const target =
        draft.type === "edit" || draft.type === "delete" ? draft.of : draft.type === "reaction" ? draft.to : id
      const message = await findMessage(unit, conversation, target)
      if (message === undefined) throw new KezError("usage", "Cannot send: the message that it is about is not here")
      return show(unit, desk, conversation, message)
    })
  }

  #assertCurrent(): void {
    const replay = this.#desk.known(this.#desk.chain)
    const standing = replay === undefined ? "current" : standingNow(replay, this.#desk.device)
    if (standing === "current") return
    throw new KezError("chat.removed", `Cannot send: your sigchain says that this device is ${standing}`, {
      hint: "Add it again with another of your devices, or with your words.",
    })
  }

  async #acceptByAnswer(unit: Unit, { contact }: ThreadRow): Promise<void> {
    const row = contact === undefined ? undefined : await contactRow(unit, contact)
    if (row?.standing === "request")
      unit.put(keys.contact(row.chain), { ...row, standing: "accepted" } satisfies ContactRow)
  }

  async retry(conversation: Digest): Promise<void> {
    await this.#desk.turn(async (unit) => {
      const thread = await this.#thread(unit, conversation)
      for (const group of thread.groups) await retryAll(unit, this.#desk, group)
    })
  }

  async markRead(conversation: Digest, message: Digest): Promise<void> {
    await this.#desk.turn(async (unit) => {
      const thread = await this.#thread(unit, conversation)
      const row = await findMessage(unit, conversation, message)
      if (row === undefined || row.place <= thread.readPlace) return
      await noteRead(unit, this.#desk, thread, row.place)
      unit.put(keys.thread(conversation), { ...(await threadAt(unit, conversation)), readPlace: row.place })
      await tellConversation(unit, this.#desk, conversation)
    })
  }

  setTyping(conversation: Digest, isTyping: boolean): Promise<void> {
    return this.#typing.say(conversation, isTyping)
  }

  settings(): Promise<EngineSettings> {
    return this.#desk.turn((unit) => settingsOf(unit))
  }

  async setSettings(settings: Partial<EngineSettings>): Promise<void> {
    await this.#desk.turn(async (unit) => unit.put(keys.settings, { ...(await settingsOf(unit)), ...settings }))
  }

  async settled(timeoutMs: number): Promise<boolean> {
    const { clock } = this.#desk.ports
    let isOver = false
    const takeBack = clock.after(timeoutMs, () => {
      isOver = true
    })
    try {
      while (!isOver && !this.#desk.isClosed) {
        if (this.#connection.isCaughtUp && !this.#workers.isBusy && !(await this.#hasWork())) return true
        await new Promise<void>((resolve) => clock.after(20, resolve))
      }
      return false
    } finally {
      takeBack()
    }
  }

  /** Something is in the outbox that no open question holds up. */
  #hasWork(): Promise<boolean> {
    return this.#desk.turn(async (unit) => {
      for (const { group, isRemoved, isStopped } of await unit.list<GroupRow>(keys.groups)) {
        if (isRemoved === true || isStopped === true) continue
        if ((await outboxOf(unit, group, 1)).length > 0) return true
        if ((await this.#desk.ciphers.of(group)).pending !== undefined) return true
        if ((await unit.rows(keys.welcome(group), 1)).length > 0) return true
      }
      return false
    })
  }

  async close(): Promise<void> {
    const desk = this.#desk
    if (desk.isClosed) return
    desk.isClosed = true
    this.#takeBack?.()
    this.#workers.close()
    desk.ports.chains.follow([], () => undefined)
    await desk.ports.transport.close()
    await desk.idle()
    this.#stream.close()
    await desk.ports.store.close()
  }

  async #thread(unit: Unit, id: Digest): Promise<ThreadRow> {
    const thread = await unit.get<ThreadRow>(keys.thread(id))
    if (thread === undefined) throw new KezError("usage", "Cannot do that: no such conversation")
    return thread
  }

  /** The chains of everybody who matters here: of contacts, of members, our own. */
  async #follow(): Promise<void> {
    const desk = this.#desk
    const chains = await desk.turn(async (unit) => {
      const all = new Set<Digest>([desk.chain])
      for (const { chain } of await unit.list<ContactRow>(keys.contacts)) all.add(chain)
      for (const { value } of await unit.rows(keys.groups)) {
        const { group, isRemoved } = decodeRow<GroupRow>(value).value
        if (isRemoved === true) continue
        for (const { chain } of (await desk.ciphers.of(group)).state.members) all.add(chain)
      }
      return all
    })
    if (desk.isClosed) return
    desk.ports.chains.follow([...chains], (chain) => void this.#changed(chain).catch(() => undefined))
  }

  async #changed(chain: Digest): Promise<void> {
    if (this.#desk.isClosed) return
    await this.#desk.turn((unit) => noteChain(unit, this.#desk, chain))
    this.#workers.shelf.forgetNone()
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
