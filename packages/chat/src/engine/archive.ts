/**
 * The account's archive as the engine lives with it: read to its end, then written to, one at a time and beside everything else. Woken by the connection, by what
 * is to be written, and by the own chain; patient where a device that has the keys has not been here yet.
 */
import { KezError } from "@kez/core"
import { type Opener, wordsRecipient } from "../archive/archive-keys.ts"
import { deviceHpkeKeys } from "../credential/device-keys.ts"
import { readArchive } from "./archive-read.ts"
import { archiveRow, credentialsOf, newestEpoch } from "./archive-rows.ts"
import { prepareArchive, type Readiness, writeNext } from "./archive-write.ts"
import { currentDevices } from "./contact-rows.ts"
import type { Desk } from "./desk.ts"
import type { ArchiveState } from "./engine.ts"
import { keys } from "./row.ts"

/** What is said within it goes into one entry: an entry a second at most. */
const gatherMs = 1_000
/** Devices that come back at once after the broker was away do not all read at once. */
const spreadMs = 10_000
const firstWaitMs = 2_000
const maxWaitMs = 60_000
const quickLooks = 15
/** Looks for the keys of a device that is not here yet: less and less often. */
const maxPatienceMs = 3_600_000

const whyClosed =
  "Its keys are not sealed to this device yet. Another device of yours does it when it is online, or your words do: kez account archive."
const whyOff =
  "Your account has no archive key that its primary in force signed. Your words make one: kez account archive."

export class Archive {
  readonly #desk: Desk
  #state: ArchiveState = { kind: "waiting" }
  #words: Uint8Array | undefined
  #isRunning = false
  #isAgain = false
  #failures = 0
  #looks = 0
  #takeBack: (() => void) | undefined
  #dueMs = Number.POSITIVE_INFINITY
  readonly #onRestored: () => void

  /** `onRestored`: contacts came out of it. */
  constructor(desk: Desk, onRestored: () => void) {
    this.#desk = desk
    this.#words = desk.ports.account.archiveSecret
    this.#onRestored = onRestored
  }

  get state(): ArchiveState {
    return this.#state
  }

  /** Something waits that could be written now, or it is being read. */
  async #isBusy(): Promise<boolean> {
    if (this.#isRunning) return true
    const { kind } = this.#state
    // What failed is tried again by and by; nobody waits for that.
    if (kind === "off" || kind === "closed" || this.#failures > 0) return false
    const isNew = kind === "waiting" && !(await this.#desk.turn(archiveRow)).isRestored
    return isNew || this.#hasWork()
  }

  #hasWork(): Promise<boolean> {
    return this.#desk.turn(
      async (unit) =>
        (await unit.bytes(keys.archivePending)) !== undefined || (await unit.rows(keys.archiveQueue(), 1)).length > 0,
    )
  }

  /** There is a connection. */
  async online(): Promise<void> {
    const { isRestored } = await this.#desk.turn(archiveRow)
    const isSoon = !isRestored || this.#words !== undefined || (await this.#hasWork())
    this.#after(isSoon ? 0 : this.#desk.ports.random() * spreadMs)
  }

  /** Something is to be written. */
  soon(): void {
    this.#after(this.#state.kind === "on" ? gatherMs : firstWaitMs)
  }

  /** Our chain changed. */
  now(): void {
    this.#looks = 0
    this.#after(0)
  }

  /** Nothing waits that could be written now. Somebody waits for that: what does goes out at once. */
  async isDone(): Promise<boolean> {
    if (!(await this.#isBusy())) return true
    if (this.#failures === 0) this.#after(0)
    return false
  }

  close(): void {
    this.#takeBack?.()
  }

  /** The earliest of all that were asked for. */
  #after(ms: number): void {
    const { clock } = this.#desk.ports
    if (this.#desk.isClosed) return
    if (this.#isRunning) {
      this.#isAgain = true
      return
    }
    const dueMs = clock.now() * 1_000 + ms
    if (dueMs >= this.#dueMs) return
    this.#takeBack?.()
    this.#dueMs = dueMs
    this.#takeBack = clock.after(ms, () => {
      this.#takeBack = undefined
      this.#dueMs = Number.POSITIVE_INFINITY
      void this.#run()
    })
  }

  async #run(): Promise<void> {
    const desk = this.#desk
    if (this.#isRunning || desk.isClosed || !desk.isOnline) return
    this.#isRunning = true
    this.#isAgain = false
    let nextMs: number | undefined
    try {
      nextMs = await this.#work()
      this.#failures = 0
    } catch (error) {
      if (!(error instanceof KezError) && !desk.isClosed) desk.fault(error)
      nextMs = Math.min(maxWaitMs, firstWaitMs * 2 ** this.#failures++) * (0.5 + desk.ports.random() / 2)
    } finally {
      this.#isRunning = false
    }
    if (this.#isAgain) this.soon()
    if (nextMs !== undefined) this.#after(nextMs)
  }

  /** Resolves to when it is to be looked at again by itself. */
  async #work(): Promise<number | undefined> {
    const desk = this.#desk
    const before = await desk.turn(archiveRow)
    const onProgress = (messages: number): void => {
      if (!before.isRestored) this.#say({ kind: "restoring", messages })
    }
    const openers = await this.#openers()
    const isRead = await readArchive(desk, { openers, onProgress })
    const readiness: Readiness = await prepareArchive(desk)
    if (readiness === "no_key") return this.#wait({ kind: "off", reason: whyOff })
    if (readiness === "closed" || !isRead) return this.#wait({ kind: "closed", reason: whyClosed })
    await this.#restored(before.isRestored)
    while (!desk.isClosed && (await writeNext(desk))) {
      // One entry after another, in their order.
    }
    return this.#patience()
  }

  async #openers(): Promise<readonly Opener[]> {
    const { secretKey } = await deviceHpkeKeys(this.#desk.ports.account.keys)
    const device = { to: this.#desk.device, secretKey }
    return this.#words === undefined ? [device] : [device, { to: wordsRecipient, secretKey: this.#words }]
  }

  async #restored(wasRestored: boolean): Promise<void> {
    const desk = this.#desk
    const isSealedToUs = await desk.turn(async (unit) => {
      const newest = await newestEpoch(unit)
      return newest?.document.keys.sealed.some(({ to }) => to === desk.device) === true
    })
    if (isSealedToUs) this.#words = undefined
    if (!wasRestored) {
      await desk.turn(async (unit) => unit.put(keys.archive, { ...(await archiveRow(unit)), isRestored: true }))
    }
    this.#say({ kind: "on" })
    if (!wasRestored) this.#onRestored()
  }

  /** Asks again while a device may come that has what is missing. */
  #wait(state: ArchiveState): number {
    this.#say(state)
    return Math.min(maxWaitMs, this.#nextLookMs())
  }

  /** A device that was added says by and by what is sealed to it. */
  async #patience(): Promise<number | undefined> {
    const desk = this.#desk
    const known = new Set((await desk.turn(credentialsOf)).map(({ device }) => device))
    if (currentDevices(desk, desk.chain).every((device) => known.has(device))) {
      this.#looks = 0
      return undefined
    }
    return Math.min(maxPatienceMs, this.#nextLookMs())
  }

  /** The first ones soon: most of the time somebody sits before both devices. */
  #nextLookMs(): number {
    return firstWaitMs * 2 ** Math.min(20, Math.max(0, this.#looks++ - quickLooks))
  }

  #say(state: ArchiveState): void {
    const isSame = state.kind === this.#state.kind && state.kind !== "restoring"
    this.#state = state
    if (!isSame) this.#desk.tell({ kind: "archive", archive: state })
  }
}
