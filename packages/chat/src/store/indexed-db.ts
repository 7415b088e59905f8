/**
 * The engine's store in a page: one IndexedDB database, values sealed. Open in one page at a time (Web Locks), and each opening is a new version of the
 * database: the browser lets it in only once every other connection is closed, also that of a page which was just killed with a write on its way.
 */
import { KezError } from "@kez/core"
import { type Database, type OpenRequest, type PageStorage, pageStorage } from "./indexed-db-api.ts"
import { busyFault, type StoreLock, takeLock } from "./indexed-db-lock.ts"
import { explain, IndexedDbRows, keptBytes, resultOf, rowsName } from "./indexed-db-rows.ts"
import { createKeyedRowSeal, type SealKey } from "./seal.ts"
import { createSealedStore } from "./sealed-store.ts"
import type { EngineStore } from "./store.ts"

export interface IndexedDbStoreOptions {
  /** Of the database and its lock, among all of this origin: one for each device. */
  readonly name: string
  /** AES-GCM with 256 bits, for `encrypt` and `decrypt`, not extractable. Absent: made at the first opening, and kept in the database. */
  readonly key?: SealKey
}

const aboutName = "about"
const format = 1
/** For others to close, and for a page that was killed to be gone. */
const openWithinMs = 5_000

/** Throws `store.busy`, `store.newer`, `store.corrupt`, `store.full`, `store.write`. */
export async function openIndexedDbStore({ name, key }: IndexedDbStoreOptions): Promise<EngineStore> {
  const storage = pageStorage()
  if (storage === undefined) {
    throw new KezError("store.write", "Cannot open the chat's store: this page has no IndexedDB or no Web Locks", {
      hint: "Browsers have them in pages that come by HTTPS, or from this computer.",
    })
  }
  const lost = new AbortController()
  let rows: IndexedDbRows | undefined
  let lock: StoreLock | undefined
  try {
    lock = await takeLock(storage.locks, `kez-chat-store/${name}`, () => {
      lost.abort()
      rows?.lose(busyFault())
    })
    const database = await openAlone(storage, name, lost.signal)
    rows = new IndexedDbRows(database, { ranges: storage.ranges, onClosed: lock.release })
    // Taken away before there was anything to lose: who took it opens the store now.
    if (lost.signal.aborted) rows.lose(busyFault())
    rows.assertOpen()
    const seal = createKeyedRowSeal(key ?? (await keyOf(database)))
    rows.assertOpen()
    return createSealedStore(rows, seal)
  } catch (error) {
    rows?.close()
    lock?.release()
    throw lost.signal.aborted ? busyFault() : explain(error)
  }
}

/** As it is, then as the version after that: whoever makes that version is alone. `lost`: the lock was taken away; who took it is left alone. */
async function openAlone(storage: PageStorage, name: string, lost: AbortSignal): Promise<Database> {
  const { database: found } = await open(storage.factory.open(name))
  const { version } = found
  try {
    await assertOurs(found)
  } finally {
    found.close()
  }
  if (lost.aborted) throw busyFault()
  const { database, isMade } = await open(storage.factory.open(name, version + 1))
  if (isMade) return database
  // Another page found the same one, and was faster. It is not told of us: we ask for no later version than it has.
  database.close()
  throw busyFault()
}

interface Opened {
  readonly database: Database
  /** The version that was asked for was not there before. */
  readonly isMade: boolean
}

function open(request: OpenRequest): Promise<Opened> {
  return new Promise((resolve, reject) => {
    let [isLate, isMade] = [false, false]
    const timer = setTimeout(() => {
      isLate = true
      reject(busyFault())
    }, openWithinMs)
    request.onupgradeneeded = ({ oldVersion }) => {
      isMade = true
      if (oldVersion > 0) return
      request.result.createObjectStore(rowsName)
      request.result.createObjectStore(aboutName).put(format, "format")
    }
    request.onsuccess = () => {
      clearTimeout(timer)
      if (isLate) request.result.close()
      else resolve({ database: request.result, isMade })
    }
    request.onerror = () => {
      clearTimeout(timer)
      reject(request.error)
    }
  })
}

async function assertOurs(database: Database): Promise<void> {
  const names = database.objectStoreNames
  const found = names.contains(aboutName) && names.contains(rowsName) ? await about(database, "format") : undefined
  if (typeof found !== "number") {
    throw new KezError("store.corrupt", "Cannot open the chat's store: the database belongs to something else")
  }
  if (found > format) {
    throw new KezError("store.newer", "Cannot open the chat's store: a newer version of KEZ wrote it", {
      hint: "Load the page anew.",
    })
  }
}

/** Scripts of this page can use it, and cannot read it: what they steal of the database is worth nothing elsewhere. */
async function keyOf(database: Database): Promise<SealKey> {
  const kept = await about(database, "key")
  if (isKey(kept)) return kept
  const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"])
  await keptBytes(database, aboutName, (store) => store.put(made, "key"))
  return made
}

function about(database: Database, key: string): Promise<unknown> {
  return resultOf(database.transaction(aboutName, "readonly").objectStore(aboutName).get(key))
}

function isKey(value: unknown): value is SealKey {
  return typeof value === "object" && value !== null && Object.prototype.toString.call(value) === "[object CryptoKey]"
}
