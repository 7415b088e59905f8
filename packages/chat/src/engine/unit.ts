/** What one step of the engine reads and changes: written all or nothing, and told only afterwards, but for what may be shown while it is written. */
import type { Digest } from "@kez/core"
import type { Change, EngineStore, Row } from "../store/store.ts"
import { under } from "../store/store.ts"
import { decodeRow, encodeRow, plain } from "./row.ts"

/** A value that a step puts: written down once, however often the step changes it, and read again without being decoded. */
class Put {
  readonly value: unknown
  readonly bytes: Uint8Array
  #row: Uint8Array | undefined

  constructor(value: unknown, bytes: Uint8Array) {
    this.value = value
    this.bytes = bytes
  }

  get row(): Uint8Array {
    this.#row ??= encodeRow(this.value, this.bytes)
    return this.#row
  }
}

const none = new Uint8Array()

export class Unit {
  readonly #store: EngineStore
  readonly #changed = new Map<string, Put | Uint8Array | undefined>()
  readonly #meanwhile: (() => void)[] = []
  readonly #afterwards: (() => void)[] = []
  /** Groups whose keys moved in memory: to be loaded anew if this is not written. */
  readonly touched = new Set<Digest>()

  constructor(store: EngineStore) {
    this.#store = store
  }

  async get<T>(key: string): Promise<T | undefined> {
    const put = this.#changed.get(key)
    if (put instanceof Put) return put.value as T // nobody changes what is in a row
    const row = await this.bytes(key)
    return row === undefined ? undefined : decodeRow<T>(row).value
  }

  async row<T>(key: string): Promise<{ readonly value: T; readonly bytes: Uint8Array } | undefined> {
    const put = this.#changed.get(key)
    if (put instanceof Put) return { value: put.value as T, bytes: put.bytes }
    const row = await this.bytes(key)
    return row === undefined ? undefined : decodeRow<T>(row)
  }

  async bytes(key: string): Promise<Uint8Array | undefined> {
    return this.#changed.has(key) ? rowOf(this.#changed.get(key)) : this.#store.get(key)
  }

  /** All rows under a prefix, in order, with what this unit changed. */
  async rows(prefix: string, limit?: number): Promise<readonly Row[]> {
    const mine = [...this.#changed].filter(([key]) => key.startsWith(prefix))
    // What was deleted here may stand among the first ones of the store.
    const wanted = limit === undefined ? {} : { limit: limit + mine.length }
    const stored = await this.#store.list({ ...under(prefix), ...wanted })
    if (mine.length === 0) return limit === undefined ? stored : stored.slice(0, limit)
    const all = new Map(stored.map(({ key, value }) => [key, value] as const))
    for (const [key, value] of mine) {
      const row = rowOf(value)
      if (row === undefined) all.delete(key)
      else all.set(key, row)
    }
    const sorted = [...all].map(([key, value]) => ({ key, value })).sort((a, b) => (a.key < b.key ? -1 : 1))
    return limit === undefined ? sorted : sorted.slice(0, limit)
  }

  /** Rows under a prefix that stand after `place` there. */
  async after(prefix: string, place: string, limit: number): Promise<readonly Row[]> {
    const from = place === "" ? prefix : `${prefix}${place}\x00`
    const rows = await this.#store.list({ from, to: under(prefix).to, limit })
    const mine = [...this.#changed].flatMap(([key, changed]) => {
      const value = key >= from && key.startsWith(prefix) ? rowOf(changed) : undefined
      return value === undefined ? [] : [{ key, value }]
    })
    const all = new Map([...rows, ...mine].map((row) => [row.key, row] as const))
    return [...all.values()].filter(({ key }) => !this.#changed.has(key) || this.#changed.get(key) !== undefined)
  }

  async list<T>(prefix: string, limit?: number): Promise<readonly T[]> {
    return (await this.rows(prefix, limit)).map(({ value }) => decodeRow<T>(value).value)
  }

  put(key: string, value: unknown, bytes?: Uint8Array): void {
    this.#changed.set(key, new Put(plain(value), bytes ?? none))
  }

  putBytes(key: string, value: Uint8Array): void {
    this.#changed.set(key, value)
  }

  delete(key: string): void {
    this.#changed.set(key, undefined)
  }

  /** Run when nothing but the disk can go wrong any more, and is not waited for: what somebody looks at comes sooner. */
  meanwhile(run: () => void): void {
    this.#meanwhile.push(run)
  }

  /** Run once what was changed is kept: events, work that follows. */
  afterwards(run: () => void): void {
    this.#afterwards.push(run)
  }

  async write(): Promise<void> {
    const changes: Change[] = [...this.#changed].map(([key, changed]) => {
      const value = rowOf(changed)
      return value === undefined ? { delete: key } : { put: key, value }
    })
    for (const run of this.#meanwhile) run()
    if (changes.length > 0) await this.#store.write(changes)
    for (const run of this.#afterwards) run()
  }
}

function rowOf(changed: Put | Uint8Array | undefined): Uint8Array | undefined {
  return changed instanceof Put ? changed.row : changed
}
