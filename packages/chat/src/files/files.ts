/** Files between people who chat: what apps call. One step after another, so that an allow-list is never older than what it was made from. */
import { type Digest, KezError } from "@kez/core"
import type { ShownMessage } from "../engine/engine.ts"
import type { EngineEvent } from "../engine/event.ts"
import { Browsing, type BrowsingEvent } from "./browsing.ts"
import type { MoverEvent } from "./mover.ts"
import { ignoreKez } from "./mover-fault.ts"
import { tellState } from "./offers.ts"
import { hashesToPassOn } from "./passing-on.ts"
import { PresenceBook } from "./presence-book.ts"
import { Receiving } from "./receiving.ts"
import { Shares } from "./shares.ts"
import { type Offering, Sharing } from "./sharing.ts"
import { keptLists } from "./their-lists.ts"
import type { FilePorts, InRow, Later, OutRow, TransferListener } from "./transfer.ts"

const tickMs = 5_000
/** So long a mover that may be stuck is waited for at the end. */
const endMs = 5_000

export class Files {
  readonly sharing: Sharing
  readonly receiving: Receiving
  readonly shares: Shares
  readonly browsing: Browsing
  readonly #ports: FilePorts
  readonly #book: PresenceBook
  #queue: Promise<unknown> = Promise.resolve()
  #isClosed = false
  /** It was waited for long enough. */
  #isStuck = false
  #takeBack: (() => void) | undefined
  #events: AsyncIterableIterator<EngineEvent> | undefined
  readonly #onStopped: (reason: string) => void

  constructor(ports: FilePorts, tell: TransferListener, onStopped: (reason: string) => void) {
    this.#ports = ports
    this.#book = new PresenceBook(
      ports,
      (conversation) => this.sharing.transferIn(conversation) ?? this.receiving.transferIn(conversation),
    )
    const told: TransferListener = (view, note) => {
      if (!this.#isClosed) tell(view, note)
    }
    const later: Later = (ms, task) => void ports.clock.after(ms, () => this.#then(task))
    this.sharing = new Sharing(ports, this.#book, told)
    this.receiving = new Receiving(ports, this.#book, {
      tell: told,
      onWhole: (row) => void this.#passOn(row),
      later,
    })
    this.shares = new Shares(ports, this.#book, (task) => this.run(task))
    const heard = async (event: BrowsingEvent): Promise<void> => {
      if (event.kind === "list") await this.#keepToShared(event.list.chain)
      ports.onBrowsing?.(event)
    }
    this.browsing = new Browsing(ports, this.#book, { tell: heard, later })
    this.#onStopped = onStopped
  }

  /** Listens from now on. */
  start(): void {
    this.#ports.mover.on((event) => {
      if (event.event !== "stopped") return this.#then(() => this.#moved(event))
      // Not in its turn: what stands before it may wait for the mover.
      if (!this.#isClosed) this.#onStopped(event.reason)
    })
    this.#events = this.#ports.engine.events()
    void this.#follow(this.#events)
    this.#tick()
  }

  /** Goes on with what an earlier run left open, on both sides. */
  async resume(): Promise<void> {
    await this.run(() => this.receiving.resume())
    await this.resumeOffers()
  }

  /** What is gone or changed since is not offered again. */
  async resumeOffers(): Promise<void> {
    const { engine, clock, mover, passesOn } = this.#ports
    for (const row of await this.sharing.left()) {
      // What this run does not pass on is not over: the next one may.
      if (row.passedOn !== undefined && passesOn !== true) continue
      const { passedOn } = row
      const fetched = passedOn === undefined ? undefined : await engine.shelf.get<InRow>(`in/${passedOn.id}`)
      if (passedOn === undefined) {
        const imported = await mover.import(row.paths).catch(ignoreKez)
        if (imported !== undefined) await this.run(() => this.sharing.reopen(row, imported))
        continue
      }
      const isOver = passedOn.until <= clock.now() || fetched === undefined || (await this.#passOn(fetched)) === false
      // What ends here would end for good.
      if (this.#isClosed) return
      if (isOver) await engine.shelf.put(`out/${row.transfer}`, { ...row, isOver: true } satisfies OutRow)
    }
    await this.run(() => this.#book.tellDue(this.#conversations()))
  }

  /** Hashing may take long, and who may have what must not wait for it: it is done before its turn. */
  async offer(conversation: Digest, paths: readonly string[], name: string): Promise<Offering> {
    const imported = await this.#ports.mover.import(paths)
    return this.run(() => this.sharing.offer(conversation, { paths, name, imported }))
  }

  /**
   * Gives what was fetched to others who are to have it, after hashing it once more; says so to them. False: nobody is to have it, or it is not what it
   * was. Undefined: not now.
   */
  async #passOn(row: InRow): Promise<boolean | undefined> {
    try {
      if (!(await this.sharing.mayPassOn(row))) return false
      const hashes = await hashesToPassOn(this.#ports, row)
      if (this.#isClosed) return undefined
      if (hashes === undefined) return false
      return await this.run(async () => {
        const isServing = await this.sharing.passOn(row, hashes)
        if (isServing) await tellState(this.#ports.engine, row, "serving")
        return isServing
      })
    } catch (error) {
      // Moved or changed already: then it is ours alone. A mover that is gone says nothing of that.
      if (error instanceof KezError) return error.code === "file.program" ? undefined : false
      this.#ports.onFault?.(error)
      return undefined
    }
  }

  /** In its turn, like everything here. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(task)
    this.#queue = turn.catch(() => undefined)
    return turn
  }

  /** Ends what is fetched for now: its parts are kept. False: the mover does not answer, and is not waited for any longer. */
  pauseAll(): Promise<boolean> {
    return this.#ends(() => this.run(() => this.receiving.pauseAll()))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.shares.close()
    this.#takeBack?.()
    await this.#events?.return?.()
    // What is under way may wait for a mover that is stuck: with its end that fails as well.
    await this.#ends(() => this.#queue)
    await this.#ports.mover.close({ isStuck: this.#isStuck })
  }

  /** Whether it is done within the time that a stuck mover is given, once for all. */
  async #ends(task: () => Promise<unknown>): Promise<boolean> {
    if (this.#isStuck) return false
    const { promise, resolve } = Promise.withResolvers<false>()
    const takeBack = this.#ports.clock.after(endMs, () => resolve(false))
    try {
      const isDone = await Promise.race([task().then(() => true), promise])
      this.#isStuck = !isDone
      return isDone
    } finally {
      takeBack()
    }
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
        if (event.asksShares) await this.shares.answer(event.conversation, isNew)
        await this.browsing.look(event.conversation)
        return this.receiving.look(event.conversation)
      }
      case "shares":
        return this.browsing.take(event)
      case "file_state":
        await this.sharing.takeState(event)
        return event.state === "serving" ? this.receiving.look(event.conversation) : undefined
      case "message_changed":
        return event.message.type === "deleted" ? this.#takenBack(event.message) : undefined
      case "devices":
      case "conversation":
        try {
          await this.shares.keepToGroups()
        } finally {
          await this.#allowAnew()
        }
        return
      case "contact":
        return this.#allowAnew()
      case "connection":
        if (event.connection.kind === "online") return this.#tellAll()
    }
  }

  async #moved(event: MoverEvent): Promise<void> {
    if (event.event === "addresses") return this.#tellAll()
    this.sharing.take(event)
    this.shares.take(event)
    await this.browsing.takeMoved(event)
    await this.receiving.take(event)
  }

  async #takenBack(message: ShownMessage): Promise<void> {
    await this.sharing.takeBack(message)
    await this.receiving.takeBack(message)
  }

  async #allowAnew(): Promise<void> {
    try {
      await this.sharing.allowAnew()
    } finally {
      await this.shares.allowAnew()
    }
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
        try {
          // First, so that nothing that fails beside it keeps anybody on a list.
          await this.#allowAnew()
        } finally {
          await this.shares.tick()
        }
        await this.#book.tellDue(this.#conversations())
      })
      if (!this.#isClosed) this.#tick()
    })
  }
}
