/** Rows as they were last read or written: the same few are looked at for each message. */

/** All together, and one of them. */
const maxCachedBytes = 4_194_304
const maxCachedRowBytes = 16_384

/** Absent rows are known as well. */
export interface CachedRow {
  readonly value: Uint8Array | undefined
}

export class RowCache {
  readonly #rows = new Map<string, CachedRow>()
  #bytes = 0

  /** The same array each time, as long as the row is the same: what was decoded of it is known by it. */
  get(key: string): CachedRow | undefined {
    const row = this.#rows.get(key)
    if (row === undefined) return undefined
    this.#rows.delete(key)
    this.#rows.set(key, row)
    return row
  }

  set(key: string, value: Uint8Array | undefined): void {
    this.#drop(key)
    if (value !== undefined && value.length > maxCachedRowBytes) return
    this.#rows.set(key, { value })
    this.#bytes += costOf(key, value)
    for (const oldest of this.#rows.keys()) {
      if (this.#bytes <= maxCachedBytes) return
      this.#drop(oldest)
    }
  }

  #drop(key: string): void {
    const row = this.#rows.get(key)
    if (row === undefined) return
    this.#rows.delete(key)
    this.#bytes -= costOf(key, row.value)
  }
}

function costOf(key: string, value: Uint8Array | undefined): number {
  return key.length + (value?.length ?? 0) + 64
}
