/** Lists of rows as they were last read: an outbox, an inbox, alarms. Most of them are empty, and are looked at for each message. */
import type { Change, RangeOptions, Row } from "./store.ts"

const maxLists = 256
const maxRows = 32
const maxBytes = 16_384

interface KnownList {
  readonly options: RangeOptions
  readonly rows: readonly Row[]
}

/** Of lists that begin at one key, the few that differ in where they end. */
type Beginning = readonly KnownList[]

export class ListCache {
  /** By what their keys begin with, up to the first slash, so that few are looked at when something is written; then by their first key. */
  readonly #parts = new Map<string, Map<string, Beginning>>()
  #size = 0

  get(options: RangeOptions): readonly Row[] | undefined {
    const known = this.#parts.get(partOf(options.from))?.get(options.from)
    return known?.find((list) => isSame(list.options, options))?.rows
  }

  set(options: RangeOptions, rows: readonly Row[]): void {
    const part = partOf(options.from)
    // What reaches over several parts could not be found by a key.
    if (part === "" || !options.to.startsWith(part) || !isSmall(rows)) return
    if (this.#size >= maxLists) this.clear()
    const lists = this.#parts.get(part) ?? new Map<string, Beginning>()
    this.#parts.set(part, lists)
    const others = (lists.get(options.from) ?? []).filter((list) => !isSame(list.options, options))
    lists.set(options.from, [...others, { options, rows }])
    this.#size++
  }

  /** After a write: lists that a change is in are changed like the file, or forgotten. */
  apply(changes: readonly Change[]): void {
    for (const change of changes) {
      const key = "put" in change ? change.put : change.delete
      const lists = this.#parts.get(partOf(key))
      for (const [from, known] of lists ?? []) {
        if (key < from || known.every(({ options }) => key >= options.to)) continue
        const after = known.flatMap((list) => changedList(list, key, change))
        this.#size -= known.length - after.length
        if (after.length === 0) lists?.delete(from)
        else lists?.set(from, after)
      }
    }
  }

  clear(): void {
    this.#parts.clear()
    this.#size = 0
  }
}

function isSame(a: RangeOptions, b: RangeOptions): boolean {
  return a.limit === b.limit && a.reverse === b.reverse && a.to === b.to
}

function isSmall(rows: readonly Row[]): boolean {
  return rows.length <= maxRows && rows.reduce((sum, { value }) => sum + value.length, 0) <= maxBytes
}

function changedList(list: KnownList, key: string, change: Change): readonly KnownList[] {
  if (key >= list.options.to) return [list]
  const rows = changed(list.options, list.rows, change)
  return rows === undefined || !isSmall(rows) ? [] : [{ options: list.options, rows }]
}

/** The rows after a change within their range; undefined: the file has to be asked. */
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
