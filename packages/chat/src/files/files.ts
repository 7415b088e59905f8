/** Files between people who chat: what apps call. One step after another, so that an allow-list is never older than what it was made from. */
import { type Digest, KezError } from "@kez/core"
import type { EngineEvent } from "../engine/event.ts"
import { Browsing } from "./browsing.ts"
import type { MoverEvent } from "./mover.ts"
import { PresenceBook } from "./presence-book.ts"
import { Receiving } from "./receiving.ts"
import { Shares } from "./shares.ts"
import { Sharing } from "./sharing.ts"
import { keptLists } from "./their-lists.ts"
import type { FilePorts, TransferListener } from "./transfer.ts"

const tickMs = 5_000

export class Files {
  readonly sharing: Sharing
  readonly receiving: Receiving
  readonly shares: Shares
  readonly browsing: Browsing
  readonly #ports: FilePorts
  readonly #book: PresenceBook
  #queue: Promise<unknown> = Promise.resolve()
  #isClosed = false
  #takeBack: (() => void) | undefined
  #events: AsyncIterableIterator<EngineEvent> | undefined
  readonly #onStopped: (reason: string) => void

  constructor(ports: FilePorts, tell: TransferListener, onStopped: (reason: string) => void) {
    this.#ports = ports
    this.#book = new PresenceBook(
      ports,
      (conversation) => this.sharing.transferIn(conversation) ?? this.receiving.transferIn(conversation),
    )
    this.sharing = new Sharing(ports, this.#book, tell)
    this.receiving = new Receiving(ports, this.#book, { tell, passOn: (row) => this.sharing.passOn(row) })
    this.shares = new Shares(ports, this.#book)
    this.browsing = new Browsing(ports, this.#book, async (event) => {
      if (event.kind === "list") await this.#keepToShared(event.list.chain)
      ports.onBrowsing?.(event)
    })
    this.#onStopped = onStopped
  }

  /** Listens from now on. */
  start(): void {
    this.#ports.mover.on((event) => this.#then(() => this.#moved(event)))
    this.#events = this.#ports.engine.events()
    void this.#follow(this.#events)
    this.#tick()
  }

  /** Goes on with what an earlier run left open, on both sides. */
  resume(): Promise<void> {
    return this.run(async () => {
      await this.sharing.resume()
      await this.receiving.resume()
      await this.#book.tellDue(this.#conversations())
    })
  }

  /** In its turn, like everything here. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(task)
    this.#queue = turn.catch(() => undefined)
    return turn
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#takeBack?.()
    await this.#events?.return?.()
    await this.#queue
    await this.#ports.mover.close()
  }

  #then(task: () => Promise<void> | void): void {
    if (this.#isClosed) return
    void this.run(async () => {
      try {
        await task()
      } catch (error) {
        // A mover that is gone, a store that fails: told where somebody waits for it.
        if (!(error instanceof KezError)) this.#ports.onFault?.(error)
      }
    })
  }

  async #follow(events: AsyncIterableIterator<EngineEvent>): Promise<void> {
    for await (const event of events) this.#then(() => this.#heard(event))
  }

  async #heard(event: EngineEvent): Promise<void> {
    switch (event.kind) {
      case "presence": {
        const isNew = this.#book.take(event.conversation, event.presence)
        // First allowed, then told where we are: who hears it may fetch.
        await this.#allowAnew()
        if (this.#conversations().has(event.conversation) || (await this.shares.isFor(event.conversation)))
          await this.#book.answer(event.conversation, isNew)
        if (event.asksShares) await this.shares.answer(event.conversation)
        await this.browsing.look(event.conversation)
        return this.receiving.look(event.conversation)
      }
      case "shares":
        return this.browsing.take(event)
      case "file_state":
        await this.sharing.takeState(event)
        return event.state === "serving" ? this.receiving.look(event.conversation) : undefined
      case "devices":
      case "conversation":
      case "contact":
        return this.#allowAnew()
      case "connection":
        if (event.connection.kind === "online") return this.#tellAll()
    }
  }

  async #moved(event: MoverEvent): Promise<void> {
    if (event.event === "stopped") return this.#onStopped(event.reason)
    if (event.event === "addresses") return this.#tellAll()
    this.sharing.take(event)
    this.shares.take(event)
    await this.browsing.takeMoved(event)
    await this.receiving.take(event)
  }

  async #allowAnew(): Promise<void> {
    await this.sharing.allowAnew()
    await this.shares.allowAnew()
  }

  /** By all lists of somebody: what one device shares no more another may. */
  async #keepToShared(chain: Digest): Promise<void> {
    const lists = await keptLists(this.#ports.engine, chain)
    const hashes = new Set(lists.flatMap((list) => list.files.map(({ hash }) => hash)))
    await this.receiving.keepToShared(chain, hashes)
  }

  async #tellAll(): Promise<void> {
    this.#book.forgetTold()
    await this.#book.tellDue(this.#conversations())
  }

  #conversations(): ReadonlySet<string> {
    const fetched = [...this.receiving.conversations(), ...this.browsing.conversations()]
    return new Set([...this.sharing.conversations(), ...this.shares.conversations(), ...fetched])
  }

  #tick(): void {
    this.#takeBack = this.#ports.clock.after(tickMs, () => {
      this.#then(async () => {
        await this.shares.tick()
        await this.#allowAnew()
        await this.#book.tellDue(this.#conversations())
      })
      if (!this.#isClosed) this.#tick()
    })
  }
}
