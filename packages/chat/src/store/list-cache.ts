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
    if (part === "" || !options.to.startsWith(part) || !isSmall(rows)) return
    if (this.#size >= maxLists) this.clear()
    const lists = this.#parts.get(part) ?? new Map<string, KnownList>()
    this.#parts.set(part, lists)
    const name = nameOf(options)
    if (!lists.has(name)) this.#size++
    lists.set(name, { options, rows })
  }

  /** After a write: lists that a change is in are changed like the file, or forgotten. */
  apply(changes: readonly Change[]): void {
    for (const change of changes) {
      const key = "put" in change ? change.put : change.delete
      const lists = this.#parts.get(partOf(key))
      for (const [name, { options, rows }] of lists ?? []) {
        if (key < options.from || key >= options.to) continue
        const after = changed(options, rows, change)
        if (after !== undefined && isSmall(after)) lists?.set(name, { options, rows: after })
        else if (lists?.delete(name) === true) this.#size--
      }
    }
  }

  clear(): void {
    this.#parts.clear()
    this.#size = 0
  }
}

function isSmall(rows: readonly Row[]): boolean {
  return rows.length <= maxRows && rows.reduce((sum, { value }) => sum + value.length, 0) <= maxBytes
}

/** The list after a change within its range; undefined: the file has to be asked. */
function changed(
  { limit = -1, reverse = false }: RangeOptions,
  rows: readonly Row[],
  change: Change,
): readonly Row[] | undefined {
  const isAll = limit < 0 || rows.length < limit
  if ("delete" in change) {
    const left = rows.filter(({ key }) => key !== change.delete)
    // What moves up in a full list stands in the file alone.
    return left.length === rows.length || isAll ? left : undefined
  }
  const row = { key: change.put, value: change.value }
  const at = rows.findIndex(({ key }) => key === row.key)
  if (at >= 0) return rows.with(at, row)
  const next = rows.findIndex(({ key }) => (reverse ? key < row.key : key > row.key))
  const all = rows.toSpliced(next < 0 ? rows.length : next, 0, row)
  return isAll ? all : all.slice(0, limit)
}

function partOf(key: string): string {
  return key.slice(0, key.indexOf("/") + 1)
}

function nameOf({ from, to, limit = -1, reverse = false }: RangeOptions): string {
  return `${limit} ${reverse} ${from} ${to}`
}
