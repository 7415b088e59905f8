/** A store over rows that are sealed where they lie: what is looked at for each message is kept in memory, opened. For SQLite and IndexedDB. */
import type { Later } from "../backend/backend.ts"
import { ListCache } from "./list-cache.ts"
import { RowCache } from "./row-cache.ts"
import type { RowSeal } from "./seal.ts"
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

export function createSealedStore(rows: SealedRows, seal: RowSeal): EngineStore {
  return new SealedStore(rows, seal)
}

class SealedStore implements EngineStore {
  readonly #rows: SealedRows
  readonly #seal: RowSeal
  readonly #cache = new RowCache()
  readonly #lists = new ListCache()
  /** Counts writes: what was read before one is not kept after it. */
  #version = 0
  #isClosed = false

  constructor(rows: SealedRows, seal: RowSeal) {
    this.#rows = rows
    this.#seal = seal
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    this.#rows.assertOpen()
    const known = this.#cache.get(key)
    if (known !== undefined) return known.value
    const version = this.#version
    const value = await this.#rows.get(key)
    const opened = value === undefined ? undefined : await this.#seal.open(key, value)
    if (version === this.#version) this.#cache.set(key, opened)
    return opened
  }

  async list(options: RangeOptions): Promise<readonly Row[]> {
    this.#rows.assertOpen()
    const known = this.#lists.get(options)
    if (known !== undefined) return known
    const version = this.#version
    const found = await this.#rows.list(options)
    const rows = await Promise.all(
      found.map(async ({ key, value }) => {
        const inMemory = version === this.#version ? this.#cache.get(key)?.value : undefined
        return { key, value: inMemory ?? (await this.#seal.open(key, value)) }
      }),
    )
    if (version === this.#version) this.#lists.set(options, rows)
    return rows
  }

  async write(changes: readonly Change[]): Promise<void> {
    const sealed = await Promise.all(
      changes.map(async (change) =>
        "put" in change ? { ...change, value: await this.#seal.seal(change.put, change.value) } : change,
      ),
    )
    await this.#rows.write(sealed)
    this.#version++
    this.#lists.apply(changes)
    for (const change of changes) {
      if ("put" in change) this.#cache.set(change.put, change.value)
      else this.#cache.set(change.delete, undefined)
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#rows.close()
  }
}
