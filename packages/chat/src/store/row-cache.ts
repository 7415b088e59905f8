/** Rows as they were last read or written: the same few are looked at for each message. */

/** Of each of the two generations, and of one row. */
const maxCachedBytes = 2_097_152
const maxCachedRowBytes = 16_384

/** Absent rows are known as well. */
export interface CachedRow {
  readonly value: Uint8Array | undefined
}

/** Two generations: when the young one is full it is the old one, and what of that is not looked at again goes with it. */
export class RowCache {
  #young = new Map<string, CachedRow>()
  #old = new Map<string, CachedRow>()
  #bytes = 0

  /** The same array each time, as long as the row is the same: what was decoded of it is known by it. */
  get(key: string): CachedRow | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.#keep(key, old)
    return old
  }

  set(key: string, value: Uint8Array | undefined): void {
    if (value === undefined || value.length <= maxCachedRowBytes) {
      this.#keep(key, { value })
      return
    }
    this.#young.delete(key)
    this.#old.delete(key)
  }

  /** What it replaces is counted on until the generation ends. */
  #keep(key: string, row: CachedRow): void {
    this.#bytes += costOf(key, row.value)
    if (this.#bytes > maxCachedBytes) {
      this.#old = this.#young
      this.#young = new Map()
      this.#bytes = costOf(key, row.value)
    }
    this.#young.set(key, row)
  }
}

function costOf(key: string, value: Uint8Array | undefined): number {
  return key.length + (value?.length ?? 0) + 64
}
