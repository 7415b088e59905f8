/** A store over rows that are sealed where they lie: what is looked at for each message is kept in memory, opened. For SQLite and IndexedDB. */
import type { Later } from "../backend/backend.ts"
import { ListCache } from "./list-cache.ts"
import { RowCache } from "./row-cache.ts"
import type { RowSeal } from "./seal.ts"
import { decodeStep, encodeStep, fitsStep, merged, StepLog, stepRange, wanted } from "./step-log.ts"
import type { Change, EngineStore, RangeOptions, Row } from "./store.ts"

/** Where rows lie. Nobody else writes there while it is open. */
export interface SealedRows {
  /** Throws `store.*` where it is open no longer: what is in memory is not answered either. */
  assertOpen(): void
  get(key: string): Later<Uint8Array | undefined>
  list(options: RangeOptions): Later<readonly Row[]>
  /** As `EngineStore.write`. */
  write(changes: readonly Change[]): Later<void>
  /** Called once. */
  close(): Later<void>
}

export interface SealedStoreOptions {
  /** Given where writing many rows costs more than writing one: a step is then one row, and its rows follow later. Runs something after a while. */
  readonly after?: (ms: number, run: () => void) => void
}

export function createSealedStore(rows: SealedRows, seal: RowSeal, options: SealedStoreOptions = {}): EngineStore {
  return new SealedStore(rows, seal, options)
}

/** Nothing was written for so long: what waits goes into its rows, so that old keys leave the disk. */
const restMs = 1_000
/** It could not be written into its rows: it is tried again after so long. */
const againMs = 30_000

class SealedStore implements EngineStore {
  readonly #rows: SealedRows
  readonly #seal: RowSeal
  readonly #after: SealedStoreOptions["after"]
  readonly #cache = new RowCache()
  readonly #lists = new ListCache()
  readonly #log = new StepLog()
  #loading: Promise<void> | undefined
  #isLoaded: boolean
  /** Counts writes: what was read before one is not kept after it. */
  #version = 0
  /** One write after another. */
  #last: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined

  constructor(rows: SealedRows, seal: RowSeal, { after }: SealedStoreOptions) {
    this.#rows = rows
    this.#seal = seal
    this.#after = after
    this.#isLoaded = after === undefined
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    this.#rows.assertOpen()
    if (!this.#isLoaded) await this.#load()
    const known = this.#cache.get(key) ?? this.#log.get(key)
    if (known !== undefined) return known.value
    const version = this.#version
    const value = await this.#rows.get(key)
    const opened = value === undefined ? undefined : await this.#seal.open(key, value)
    if (version === this.#version) this.#cache.set(key, opened)
    return opened
  }

  async list(options: RangeOptions): Promise<readonly Row[]> {
    this.#rows.assertOpen()
    if (!this.#isLoaded) await this.#load()
    const known = this.#lists.get(options)
    if (known !== undefined) return known
    const version = this.#version
    // Looked at together, so that nothing goes from one into the other in between.
    const waiting = this.#log.within(options)
    const found = await this.#rows.list(wanted(options, waiting))
    const stored = await Promise.all(
      found.map(async ({ key, value }) => {
        const inMemory = version === this.#version ? this.#cache.get(key)?.value : undefined
        return { key, value: inMemory ?? (await this.#seal.open(key, value)) }
      }),
    )
    const rows = merged(options, stored, waiting)
    if (version === this.#version) this.#lists.set(options, rows)
    return rows
  }

  write(changes: readonly Change[]): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#isLoaded) await this.#load()
      const isStep = this.#after !== undefined && !this.#log.isOverfull && fitsStep(changes)
      await (isStep ? this.#writeStep(changes) : this.#writeRows(changes))
    })
  }

  /** In the same tick in which the log changes: a list that is being read sees both or neither. */
  #noteWritten(changes: readonly Change[]): void {
    this.#version++
    this.#lists.apply(changes)
    for (const change of changes) {
      if ("put" in change) this.#cache.set(change.put, change.value)
      else this.#cache.set(change.delete, undefined)
    }
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      // What cannot be written now is there as steps.
      await this.#inTurn(() => this.#fold()).catch(() => undefined)
      await this.#rows.close()
    })()
    return this.#closing
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(run)
    this.#last = turn.catch(() => undefined)
    return turn
  }

  async #writeStep(changes: readonly Change[]): Promise<void> {
    const key = this.#log.nextKey
    await this.#rows.write([{ put: key, value: await this.#seal.seal(key, encodeStep(changes)) }])
    this.#log.add(changes)
    this.#noteWritten(changes)
    // Not before who waits for this step goes on.
    this.#foldAfter(this.#log.isFull ? 0 : restMs)
  }

  #foldAfter(ms: number): void {
    this.#after?.(ms, () => {
      if (this.#closing === undefined) void this.#inTurn(() => this.#fold()).catch(() => this.#foldAfter(againMs))
    })
  }

  /** Into their rows, with all that waits before them. */
  async #writeRows(changes: readonly Change[]): Promise<void> {
    const all = [...this.#log.changes(), ...changes]
    const sealed = await Promise.all(
      all.map(async (change) =>
        "put" in change ? { ...change, value: await this.#seal.seal(change.put, change.value) } : change,
      ),
    )
    const writing = this.#rows.write(sealed)
    // Where it is done already nobody looks in between: rows that are new would be read with what waited before them.
    if (writing instanceof Promise) await writing
    this.#log.clear()
    this.#noteWritten(changes)
  }

  async #fold(): Promise<void> {
    if (this.#isLoaded && !this.#log.isEmpty) await this.#writeRows([])
  }

  /** The steps of the process before. */
  #load(): Promise<void> {
    this.#loading ??= (async () => {
      for (const { key, value } of await this.#rows.list(stepRange)) {
        this.#log.restore(key, decodeStep(await this.#seal.open(key, value)))
      }
      this.#isLoaded = true
      if (!this.#log.isEmpty) this.#foldAfter(restMs)
    })().finally(() => {
      this.#loading = undefined
    })
    return this.#loading
  }
}
