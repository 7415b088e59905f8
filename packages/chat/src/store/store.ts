/** Where an engine keeps what it knows: rows under keys, changed all or nothing. Values are sealed by whoever implements it. */

export interface Row {
  readonly key: string
  readonly value: Uint8Array
}

export type Change = { readonly put: string; readonly value: Uint8Array } | { readonly delete: string }

export interface RangeOptions {
  /** Keys from here on; printable ASCII, compared by their characters. */
  readonly from: string
  /** Keys before this one. */
  readonly to: string
  readonly limit?: number
  /** From the end. */
  readonly reverse?: boolean
}

export interface EngineStore {
  /** Nobody changes the bytes of a row that is read or was written: the store may keep them. */
  get(key: string): Promise<Uint8Array | undefined>
  list(options: RangeOptions): Promise<readonly Row[]>
  /** All of them or none, in their order. Resolves when a power cut cannot take them back. Throws `store.*`. */
  write(changes: readonly Change[]): Promise<void>
  /** Gives the lock back. */
  close(): Promise<void>
}

/** The range of all keys that begin with `prefix`. */
export function under(prefix: string): { readonly from: string; readonly to: string } {
  return { from: prefix, to: `${prefix}\x7f` }
}
