/** Lists of rows as they were last read: an outbox, an inbox, alarms. Most of them are empty, and are looked at for each message. */
import type { Change, RangeOptions, Row } from "./store.ts"

const maxLists = 256
const maxRows = 32
const maxBytes = 16_384

interface KnownList {
  readonly options: RangeOptions
  readonly rows: readonly Row[]
}

export class ListCache {
  /** By what their keys begin with, up to the first slash: so few are looked at when something is written. */
  readonly #parts = new Map<string, Map<string, KnownList>>()
  #size = 0

  get(options: RangeOptions): readonly Row[] | undefined {
    return this.#parts.get(partOf(options.from))?.get(nameOf(options))?.rows
  }

  set(options: RangeOptions, rows: readonly Row[]): void {
    const part = partOf(options.from)
    // What reaches over several parts could not be found by a key.
    if (part === "" || !options.to.startsWith(part) || rows.length > maxRows) return
    if (rows.reduce((sum, { value }) => sum + value.length, 0) > maxBytes) return
    if (this.#size >= maxLists) this.clear()
    const lists = this.#parts.get(part) ?? new Map<string, KnownList>()
    this.#parts.set(part, lists)
    lists.set(nameOf(options), { options, rows })
    this.#size++
  }

  /** Forgets the lists that a change is in. */
  drop(changes: readonly Change[]): void {
    for (const change of changes) {
      const key = "put" in change ? change.put : change.delete
      const lists = this.#parts.get(partOf(key))
      for (const [name, { options }] of lists ?? []) {
        if (key >= options.from && key < options.to && lists?.delete(name) === true) this.#size--
      }
    }
  }

  clear(): void {
    this.#parts.clear()
    this.#size = 0
  }
}

function partOf(key: string): string {
  return key.slice(0, key.indexOf("/") + 1)
}

function nameOf({ from, to, limit = -1, reverse = false }: RangeOptions): string {
  return `${limit} ${reverse} ${from} ${to}`
}
