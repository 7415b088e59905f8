/** Which conversation is worked on when: one worker each, woken by whatever happens, patient where the network or a chain is missing. */
import { type Digest, KezError } from "@kez/core"
import type { Desk, SealedMessage } from "./desk.ts"
import { KeyPackageShelf } from "./key-package-shelf.ts"
import { publish } from "./outbox.ts"
import { holdUp } from "./outbox-rows.ts"
import { keys } from "./row.ts"
import { workOn } from "./worker.ts"

const firstWaitMs = 500
const maxWaitMs = 30_000
/** A look at what waits for a key package or a chain, even if nothing wakes it. */
const patienceMs = 60_000

interface Worker {
  isRunning: boolean
  isAgain: boolean
  failures: number
  takeBack: (() => void) | undefined
}

export class Workers {
  readonly shelf = new KeyPackageShelf()
  readonly #desk: Desk
  readonly #workers = new Map<Digest, Worker>()
  readonly #idle = new Set<() => void>()
  /** Chains that were asked for, and when: not again at once. */
  readonly #fetched = new Map<Digest, number>()

  constructor(desk: Desk) {
    this.#desk = desk
  }

  get isBusy(): boolean {
    return [...this.#workers.values()].some(({ isRunning }) => isRunning)
  }

  /** Calls when all workers rest. */
  whenIdle(run: () => void): void {
    this.#idle.add(run)
  }

  wake(group: Digest): void {
    this.#desk.calm.delete(group)
    this.#wake(group)
  }

  /** A message that was just written goes out without a look at the store, where nothing has woken the worker since it had nothing to do. */
  send(group: Digest, sealed: SealedMessage): void {
    const isFree = this.#workers.get(group)?.isRunning === false && this.#desk.calm.has(group)
    this.#wake(group, isFree ? sealed : undefined)
  }

  #wake(group: Digest, ready?: SealedMessage): void {
    const worker = this.#workers.get(group) ?? { isRunning: false, isAgain: false, failures: 0, takeBack: undefined }
    this.#workers.set(group, worker)
    worker.takeBack?.()
    worker.takeBack = undefined
    worker.isAgain = true
    if (!worker.isRunning) void this.#run(group, worker, ready)
  }

  async wakeAll(): Promise<void> {
    const names = await this.#desk.turn(async (unit) => [
      ...(await unit.rows(keys.groups)).map(({ key }) => key.slice(keys.groups.length)),
      ...(await unit.rows(keys.inboxes)).map(({ key }) => key.slice(keys.inboxes.length, keys.inboxes.length + 64)),
    ])
    for (const name of new Set(names)) this.wake(`sha256:${name}`)
  }

  close(): void {
    for (const worker of this.#workers.values()) worker.takeBack?.()
  }

  async #run(group: Digest, worker: Worker, ready?: SealedMessage): Promise<void> {
    worker.isRunning = true
    try {
      if (ready !== undefined && this.#desk.isOnline) await publish(this.#desk, group, ready)
      while (worker.isAgain && !this.#desk.isClosed) {
        worker.isAgain = false
        const isFurther = await workOn(this.#desk, this.shelf, group)
        const isFetched = await this.#fetchMissed()
        if (isFurther || isFetched) worker.isAgain = true
        worker.failures = 0
      }
      const dueMs = this.shelf.nextInSeconds(this.#desk.now()) * 1_000
      this.#later(group, worker, Math.min(patienceMs, dueMs))
    } catch (error) {
      await this.#failed(group, worker, error)
    } finally {
      worker.isRunning = false
      if (worker.isAgain && worker.takeBack === undefined && !this.#desk.isClosed) void this.#run(group, worker)
      else if (!this.isBusy) this.#tellIdle()
    }
  }

  async #failed(group: Digest, worker: Worker, error: unknown): Promise<void> {
    const desk = this.#desk
    if (desk.isClosed) return
    // Who wakes it from here on is heard.
    worker.isAgain = false
    desk.calm.delete(group)
    const { random } = desk.ports
    const waitMs = Math.min(maxWaitMs, firstWaitMs * 2 ** worker.failures++) * (0.5 + random() / 2)
    const fault =
      error instanceof KezError
        ? error
        : new KezError("internal", "Cannot go on in a conversation: a defect of KEZ", { cause: error })
    if (!(error instanceof KezError)) desk.fault(error)
    const why = { code: fault.code, reason: fault.message }
    // Where even that cannot be written the store is at fault, which whoever sends next hears.
    await desk
      .turn(async (unit) =>
        (await unit.bytes(keys.group(group))) === undefined ? undefined : holdUp(unit, desk, group, why),
      )
      .catch(() => undefined)
    this.#later(group, worker, waitMs)
  }

  #later(group: Digest, worker: Worker, ms: number): void {
    if (this.#desk.isClosed || worker.isAgain) return
    worker.takeBack?.()
    worker.takeBack = this.#desk.ports.clock.after(ms, () => {
      worker.takeBack = undefined
      this.wake(group)
    })
  }

  /** Chains that something waits for. True: one of them is known further now. */
  async #fetchMissed(): Promise<boolean> {
    const desk = this.#desk
    const { missed } = desk.ciphers
    const wanted = [...missed].filter((chain) => (this.#fetched.get(chain) ?? 0) <= desk.now() - 5)
    missed.clear()
    let isFurther = false
    for (const chain of wanted) {
      this.#fetched.set(chain, desk.now())
      const before = desk.known(chain)?.head.digest
      const replay = await desk.ports.chains.fetch(chain)
      if (replay !== undefined && replay.head.digest !== before) isFurther = true
    }
    if (isFurther) {
      desk.followChains()
      void this.wakeAll().catch(() => undefined)
    }
    return isFurther
  }

  #tellIdle(): void {
    const all = [...this.#idle]
    this.#idle.clear()
    for (const run of all) run()
  }
}
