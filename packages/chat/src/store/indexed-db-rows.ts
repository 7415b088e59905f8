/** Rows in a database of IndexedDB: read in one transaction each, written in one that waits for the disk; and what its faults mean. */
import { KezError } from "@kez/core"
import type { Database, KeyRanges, ObjectStore } from "./indexed-db-api.ts"
import { busyFault } from "./indexed-db-lock.ts"
import type { SealedRows } from "./sealed-store.ts"
import type { Change, RangeOptions, Row } from "./store.ts"

export const rowsName = "rows"
/** A larger count is refused by browsers. */
const maxRows = 0xffff_ffff

export class IndexedDbRows implements SealedRows {
  readonly #database: Database
  readonly #ranges: KeyRanges
  readonly #onClosed: () => void
  /** Why it is open no longer. */
  #fault: KezError | undefined

  constructor(database: Database, { ranges, onClosed }: { readonly ranges: KeyRanges; readonly onClosed: () => void }) {
    this.#database = database
    this.#ranges = ranges
    this.#onClosed = onClosed
    // Another page goes past the lock: it gets the store once nothing of ours is on its way.
    database.onversionchange = () => this.lose(busyFault())
    database.onclose = () => this.lose(writeFault("the browser closed it. Was this site's data cleared?"))
  }

  assertOpen(): void {
    if (this.#fault !== undefined) throw this.#fault
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const value = await this.#read((rows) => resultOf(rows.get(key)))
    return value === undefined ? undefined : bytesOf(value)
  }

  async list({ from, to, limit = maxRows, reverse = false }: RangeOptions): Promise<readonly Row[]> {
    // IndexedDB knows no empty range.
    if (from >= to || limit === 0) return []
    const range = this.#ranges.bound(from, to, false, true)
    if (reverse) return this.#read((rows) => lastRows(rows.openCursor(range, "prev"), limit))
    const count = Math.min(limit, maxRows)
    const [keys, values] = await this.#read((rows) =>
      Promise.all([resultOf(rows.getAllKeys(range, count)), resultOf(rows.getAll(range, count))]),
    )
    return keys.map((key, at) => ({ key: String(key), value: bytesOf(values[at]) }))
  }

  async write(changes: readonly Change[]): Promise<void> {
    this.assertOpen()
    try {
      await keptBytes(this.#database, rowsName, (rows) => {
        for (const change of changes) {
          if ("put" in change) rows.put(change.value, change.put)
          else rows.delete(change.delete)
        }
      })
    } catch (error) {
      throw this.#fault ?? explain(error)
    }
  }

  close(): void {
    this.lose(writeFault("it is closed"))
  }

  /** What is on its way comes to its end, nothing begins any more. */
  lose(fault: KezError): void {
    if (this.#fault !== undefined) return
    this.#fault = fault
    this.#database.close()
    this.#onClosed()
  }

  async #read<T>(work: (rows: ObjectStore) => Promise<T>): Promise<T> {
    this.assertOpen()
    try {
      return await work(this.#database.transaction(rowsName, "readonly").objectStore(rowsName))
    } catch (error) {
      throw this.#fault ?? explain(error)
    }
  }
}

export function resultOf<T>(request: {
  readonly result: T
  readonly error: unknown
  onsuccess: (() => void) | null
  onerror: (() => void) | null
}): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

/** All that `work` asks for in one transaction, or nothing of it. Resolves once it is on the disk. */
export function keptBytes(database: Database, name: string, work: (store: ObjectStore) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(name, "readwrite", { durability: "strict" })
    // What is asked for is looked at: a browser that does not know the option leaves it out.
    if (transaction.durability !== "strict") {
      transaction.abort()
      reject(writeFault("this browser does not wait for the disk"))
      return
    }
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error)
    try {
      work(transaction.objectStore(name))
      transaction.commit()
    } catch (error) {
      reject(error)
      transaction.abort()
    }
  })
}

type CursorRequest = ReturnType<ObjectStore["openCursor"]>

function lastRows(request: CursorRequest, limit: number): Promise<readonly Row[]> {
  const rows: Row[] = []
  return new Promise((resolve, reject) => {
    request.onerror = () => reject(request.error)
    request.onsuccess = () => {
      const cursor = request.result
      if (cursor === null) return resolve(rows)
      try {
        rows.push({ key: String(cursor.key), value: bytesOf(cursor.value) })
      } catch (error) {
        return reject(error)
      }
      if (rows.length >= limit) return resolve(rows)
      cursor.continue()
    }
  })
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw new KezError("store.corrupt", "Cannot read the chat's store: a row holds no bytes")
}

/** Never with the browser's own words: they could hold a value. */
export function explain(error: unknown): unknown {
  if (error instanceof KezError || !(error instanceof Error)) return error
  switch (error.name) {
    case "QuotaExceededError":
      return new KezError("store.full", "Cannot write to the chat's store: the browser gives this site no more room", {
        hint: "Nothing was changed. Make room on the disk, or let the site keep its data; it goes on then.",
      })
    // Of a later version than the one asked for: somebody opened it in between.
    case "VersionError":
      return busyFault()
    case "NotReadableError":
      return new KezError("store.corrupt", "Cannot read the chat's store: the browser's copy is damaged", {
        hint: "Another device of yours, or your words, bring the history back.",
      })
    case "SecurityError":
      return writeFault("this browser lets the site keep nothing. Are cookies of it blocked?")
    default:
      return error instanceof DOMException ? writeFault(`the browser refused (${error.name})`) : error
  }
}

function writeFault(reason: string): KezError {
  return new KezError("store.write", `Cannot use the chat's store: ${reason}`)
}
