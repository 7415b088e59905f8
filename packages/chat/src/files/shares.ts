/**
 * What this device shares: imported where it lies, listed in a manifest that it signs, and given to devices of those who may have it. A list is signed
 * anew only where files or people changed.
 */
import { type Digest, KezError } from "@kez/core"
import { LookPace } from "./look-pace.ts"
import type { MoverEvent } from "./mover.ts"
import { ignoreKez } from "./mover-fault.ts"
import { fingerprintOf, sectionsOf } from "./own-list.ts"
import type { PresenceBook } from "./presence-book.ts"
import { addedRows, listableNarrowed, type SharingOptions } from "./share-adding.ts"
import { type Given, ShareAnswers } from "./share-answers.ts"
import { Doors } from "./share-doors.ts"
import { leftRows } from "./share-groups.ts"
import { type Found, ShareLook, type SharingResult } from "./share-look.ts"
import { PendingShares } from "./share-pending.ts"
import { type Audience, listShares, type OwnRow, type ShareRow, sharedAs, shareKeys, withFewer } from "./share-rows.ts"
import { hasBlobs, signList } from "./share-sign.ts"
import type { FilePorts } from "./transfer.ts"

/** Told at the beginning that this device is there: the people who were written with last. */
const maxAnnounced = 100

type Run = <T>(task: () => Promise<T>) => Promise<T>

export class Shares {
  readonly #ports: FilePorts
  readonly #book: PresenceBook
  readonly #run: Run
  readonly #look: ShareLook
  readonly #doors: Doors
  readonly #answers: ShareAnswers
  readonly #pending = new PendingShares()
  readonly #pace = new LookPace()
  /** Undefined: nothing was ever shared, or `open` was not called. */
  #own: OwnRow | undefined
  #hashes: ReadonlySet<string> = new Set()
  #isOpen = false
  #isClosed = false
  /** What is given is what `#own` says. */
  #isReady = false
  #opening: Promise<void> | undefined

  /** `run`: in its turn. What has to hash does that before. */
  constructor(ports: FilePorts, book: PresenceBook, run: Run) {
    this.#ports = ports
    this.#book = book
    this.#run = run
    this.#look = new ShareLook(ports)
    this.#doors = new Doors(ports, book)
    this.#answers = new ShareAnswers(ports, () => this.#given())
  }

  /** What is told is given: not after the doors were closed, whatever the list says. */
  #given(): Given | undefined {
    const own = this.#own
    return this.#isReady && (own === undefined || this.#doors.holds(own.digest)) ? { own } : undefined
  }

  list(): Promise<readonly ShareRow[]> {
    return listShares(this.#ports.engine)
  }

  /** The newest manifest: what a chain is to name. */
  current(): Promise<OwnRow | undefined> {
    return this.#ports.engine.shelf.get<OwnRow>(shareKeys.own)
  }

  /**
   * Shares files or folders with these people from now on; what was shared with others is then shared with these alone, which counts before anything is
   * hashed. `isMore`: with these as well. `groups`: those of them who are not to have it any more once they are not in it. `paths`: absolute. What is
   * unshared meanwhile is left out; throws `usage` where that is all of it.
   */
  async share(paths: readonly string[], audience: Audience, how: SharingOptions = {}): Promise<SharingResult> {
    const { isMore = false } = how
    const pending = this.#pending.begin(paths, audience)
    let narrowed: readonly ShareRow[] = []
    try {
      if (!isMore) narrowed = await this.#run(() => this.#narrow(paths, audience))
      const found: Found[] = []
      for (const path of paths) found.push({ path, imported: await this.#ports.mover.import([path]) })
      await this.#look.look(() => this.list())
      return await this.#run(() => {
        const left = found.filter(({ path }) => pending.paths.has(path))
        if (left.length === 0) throw new KezError("usage", "Cannot share it: it was taken out again meanwhile")
        return this.#keep(left, audience, how)
      })
    } catch (error) {
      throw withFewer(error, narrowed)
    } finally {
      this.#pending.end(pending)
    }
  }

  /** What is shared with fewer from now on. */
  async #narrow(paths: readonly string[], audience: Audience): Promise<readonly ShareRow[]> {
    const narrowed = listableNarrowed(await this.list(), paths, audience)
    if (narrowed.length === 0) return narrowed
    for (const row of narrowed) await this.#ports.engine.shelf.put(shareKeys.share(row.id), row)
    await this.#apply()
    return narrowed
  }

  async #keep(
    found: readonly Found[],
    audience: Audience,
    { isMore = false, groups = [] }: SharingOptions,
  ): Promise<SharingResult> {
    const { engine, clock, newId } = this.#ports
    const rows = await this.list()
    const added = addedRows(rows, found, { audience, groups, isMore, addedAt: clock.now(), newId })
    for (const {
      row,
      found: { imported },
    } of added)
      this.#look.note(row.id, imported.files, row.name)
    const shares = added.map(({ row }) => row)
    // Before anything is kept: too many are refused as a whole.
    sectionsOf(this.#look.listed([...rows.filter(({ id }) => !shares.some((one) => one.id === id)), ...shares]) ?? [])
    for (const row of shares) await engine.shelf.put(shareKeys.share(row.id), row)
    await this.#apply()
    return { shares, skipped: added.flatMap(({ skipped }) => skipped) }
  }

  /**
   * Nobody sees or gets it from now on. By name, or by path as `pathOf` makes it absolute; throws `store.unknown` for what is not shared, `usage` where one
   * is called so and another lies there.
   */
  async unshare(names: readonly string[], pathOf = (given: string): string => given): Promise<readonly ShareRow[]> {
    const gone = await this.#run(() => this.#drop(names, pathOf))
    // Where this run did not look at the others yet, nobody is given anything before it has.
    if (this.#look.listed(await this.list()) === undefined) await this.renew()
    return gone
  }

  async #drop(names: readonly string[], pathOf: (given: string) => string): Promise<readonly ShareRow[]> {
    const rows = await this.list()
    const all = [...rows, ...this.#pending.rows()]
    const gone = names.map((given) => sharedAs(all, given, pathOf(given)))
    for (const { path } of gone) this.#pending.drop(path)
    for (const { id } of rows.filter((row) => gone.includes(row))) {
      await this.#ports.engine.shelf.replace(shareKeys.share(id), new Map())
      this.#look.drop(id)
    }
    await this.#apply()
    return gone
  }

  /** Gives everything that this account shares from this device to those who may have it, from now on. */
  open(): Promise<void> {
    this.#isOpen = true
    this.#opening = this.renew()
    return this.#opening
  }

  /** Nothing that is found out from now on counts. */
  close(): void {
    this.#isClosed = true
  }

  /** Tells people who may have something that this device is there now, once it has looked at what it has. */
  async announce(): Promise<void> {
    await this.#opening?.catch(ignoreKez)
    await this.#run(() => this.#announce())
  }

  async #announce(): Promise<void> {
    for (const id of (await this.#answers.readers()).slice(0, maxAnnounced)) await this.#book.tell(id)
  }

  /** Conversations with somebody who is there and may have something. */
  conversations(): readonly Digest[] {
    return this.#isOpen ? this.#doors.conversations() : []
  }

  /** Who is not in a group any more does not get what was shared with him as a member of it. In its turn. */
  async keepToGroups(): Promise<void> {
    if ((await leftRows(this.#ports.engine, await this.list())).length > 0) await this.#apply()
  }

  /** Looks at the disk again, and signs a new list where something is another. Told to those who asked before. If it fails, nobody is given anything. */
  async renew(): Promise<void> {
    this.#pace.begin()
    try {
      await this.#renew()
    } finally {
      this.#pace.end(this.#ports.clock.now(), this.#look.isWhole)
    }
  }

  async #renew(): Promise<void> {
    try {
      await this.#look.look(() => this.list())
    } catch (error) {
      if (this.#isClosed) return
      // What was given until now may be what is not to be given any more.
      await this.#run(() => this.#doors.close())
      throw error
    }
    if (!this.#isClosed) await this.#run(() => this.#apply())
  }

  /** In its turn: the list and the doors as what is shared now and what was seen last say. */
  async #apply(): Promise<void> {
    let isAnother: boolean
    try {
      isAnother = await this.#give()
    } catch (error) {
      await this.#doors.close()
      throw error
    }
    if (isAnother) await this.#tell()
  }

  /** True: it is another list than before, or the first of this run. */
  async #give(): Promise<boolean> {
    const { engine } = this.#ports
    for (const row of await leftRows(engine, await this.list())) await engine.shelf.put(shareKeys.share(row.id), row)
    const rows = await this.list()
    const listed = this.#look.listed(rows)
    if (listed === undefined) {
      await this.#doors.close()
      return false
    }
    for (const row of rows) await this.#look.keepSeen(row)
    const own = await this.current()
    if (own !== undefined || rows.length > 0) {
      const sections = sectionsOf(listed)
      const fingerprint = fingerprintOf(sections)
      const isSame = own?.fingerprint === fingerprint && (await hasBlobs(this.#ports, own))
      this.#own = isSame ? own : await signList(this.#ports, own, { sections, fingerprint })
      this.#hashes = new Set(sections.flatMap(({ files }) => files.map(({ hash }) => hash)))
      if (!this.#isOpen || this.#doors.holds(this.#own.digest)) return false
      await this.#doors.open(this.#own, sections)
    }
    return this.#isOpen
  }

  /** Those who are there, and those who asked. */
  async #tell(): Promise<void> {
    const isFirst = !this.#isReady
    this.#isReady = true
    if (isFirst)
      for (const conversation of this.#doors.conversations())
        await this.#book.answer(conversation, true).catch((error: unknown) => this.#ignored(error))
    await this.#answers.tellAll((error) => this.#ignored(error))
  }

  /** Who could not be told hears it when he asks again. */
  #ignored(error: unknown): void {
    if (!(error instanceof KezError)) this.#ports.onFault?.(error)
  }

  /** Who may have what, as it is now. */
  async allowAnew(): Promise<void> {
    if (this.#isOpen) await this.#doors.allowAnew()
  }

  /** Begins to look again where it is due. */
  async tick(): Promise<void> {
    if (this.#isOpen) await this.#answers.tellOwed((error) => this.#ignored(error))
    if (!this.#isOpen || !this.#pace.isDue(this.#ports.clock.now())) return
    // What failed is tried again the next time.
    void this.renew().catch((error: unknown) => this.#ignored(error))
  }

  take(event: MoverEvent): void {
    if (event.event === "changed" && this.#hashes.has(event.hash)) this.#pace.noteStale()
    if (event.event !== "serving" || !event.files.some(({ hash }) => this.#hashes.has(hash))) return
    const chain = this.#doors.guestAt(event.peer)
    if (chain !== undefined) this.#ports.onServed?.({ chain, bytes: event.bytes, rate: event.rate, path: event.path })
  }

  /** Whether the other one there may have something. */
  isFor(conversation: Digest): Promise<boolean> {
    return this.#answers.isFor(conversation)
  }

  /** See `ShareAnswers.answer`. */
  async answer(conversation: Digest, isNew = false): Promise<void> {
    if (this.#isOpen) await this.#answers.answer(conversation, isNew)
  }
}
