/** The parts of IndexedDB and Web Locks that the store calls, as browsers have them. The whole of TypeScript's DOM would be there for every file otherwise. */

interface Request<T> {
  readonly result: T
  readonly error: unknown
  onsuccess: (() => void) | null
  onerror: (() => void) | null
}

export interface OpenRequest extends Request<Database> {
  onupgradeneeded: ((event: { readonly oldVersion: number }) => void) | null
  onblocked: (() => void) | null
}

export interface Database {
  readonly version: number
  readonly objectStoreNames: { contains(name: string): boolean }
  createObjectStore(name: string): ObjectStore
  transaction(
    stores: string,
    mode: "readonly" | "readwrite",
    options?: { readonly durability: "strict" | "relaxed" | "default" },
  ): Transaction
  close(): void
  /** Somebody opens a later version. */
  onversionchange: (() => void) | null
  /** The browser closed it: its data was cleared, or the disk failed. */
  onclose: (() => void) | null
}

export interface Transaction {
  readonly error: unknown
  /** Absent in browsers that do not know the option. */
  readonly durability?: string
  objectStore(name: string): ObjectStore
  abort(): void
  commit(): void
  oncomplete: (() => void) | null
  onabort: (() => void) | null
}

export interface ObjectStore {
  get(key: string): Request<unknown>
  getAll(range: KeyRange, count?: number): Request<readonly unknown[]>
  getAllKeys(range: KeyRange, count?: number): Request<readonly unknown[]>
  openCursor(range: KeyRange, direction: "prev"): Request<Cursor | null>
  put(value: unknown, key: string): Request<unknown>
  delete(key: string): Request<unknown>
}

interface Cursor {
  readonly key: unknown
  readonly value: unknown
  continue(): void
}

export type KeyRange = { readonly lower: unknown }

export interface Factory {
  open(name: string, version?: number): OpenRequest
}

export interface KeyRanges {
  bound(from: string, to: string, isFromOpen: boolean, isToOpen: boolean): KeyRange
}

export interface Locks {
  /** Held until what the callback returns is settled. Rejects when `signal` ends the wait for it, and when it is stolen from who holds it. */
  request(name: string, options: { readonly signal: AbortSignal }, callback: () => Promise<void>): Promise<void>
}

export interface PageStorage {
  readonly factory: Factory
  readonly ranges: KeyRanges
  readonly locks: Locks
}

declare const indexedDB: Factory | undefined
declare const IDBKeyRange: KeyRanges | undefined
declare const navigator: { readonly locks?: Locks } | undefined

/** Undefined where there is none: outside of browsers, and in pages that did not come by HTTPS. */
export function pageStorage(): PageStorage | undefined {
  const locks = typeof navigator === "undefined" ? undefined : navigator.locks
  if (typeof indexedDB === "undefined" || typeof IDBKeyRange === "undefined" || locks === undefined) return undefined
  return { factory: indexedDB, ranges: IDBKeyRange, locks }
}
