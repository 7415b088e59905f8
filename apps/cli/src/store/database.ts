/**
 * The local store: one SQLite file that holds what this computer has seen and made. Chains and marks in it are what
 * detects a server that hides history, so every write is on disk before its result is shown.
 */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync, type StatementSync } from "node:sqlite"
import { KezError } from "@kez/core"
import { migrations } from "./schema.ts"

/** A connection that reads each text of SQL once: that takes longer than running it. All texts are ours, so they are few. */
class Connection extends DatabaseSync {
  readonly #statements = new Map<string, StatementSync>()

  override prepare(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? super.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

export type Store = DatabaseSync

export interface OpenOptions {
  /** How long to wait for another process that writes; 5,000 unless given. */
  readonly busyMs?: number
}

const notADatabase = 26
const corrupt = 11
const busyCodes = [5, 6]
const readOnly = 8
const full = 13
const cannotOpen = 14
const ioError = 10
const constraint = 19

/**
 * Opens the store, and makes or upgrades it first where needed. Throws `store.newer` for one of a later version of KEZ,
 * `store.corrupt` for a damaged one (which is left as it is), `store.write` and `store.busy`.
 */
export function openStore(path: string, options: OpenOptions = {}): Store {
  prepareFile(path)
  const store = guard(path, () => new Connection(path, { timeout: options.busyMs ?? 5_000 }))
  try {
    guard(path, () => {
      configure(store)
      migrate(store, path)
    })
    return store
  } catch (error) {
    store.close()
    throw error
  }
}

/** Runs one piece of work that changes the store: all of it is kept, or nothing. Another writer is waited for. */
export async function inTransaction<T>(store: Store, work: () => T | Promise<T>): Promise<T> {
  const path = store.location() ?? "the store"
  guard(path, () => store.exec("BEGIN IMMEDIATE"))
  try {
    const done = work()
    // Work that waits for nothing is committed in one go: another piece in this process would wait for it in vain.
    const result = done instanceof Promise ? await done : done
    guard(path, () => store.exec("COMMIT"))
    return result
  } catch (error) {
    if (store.isTransaction) store.exec("ROLLBACK")
    throw explain(error, path)
  }
}

/** Runs a read, with the codes of the store for its failures. */
export function guard<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw explain(error, path)
  }
}

function prepareFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    // SQLite gives its journal the mode of the file, so the file is made first, and closed to others from its first moment.
    if (!existsSync(path)) closeSync(openSync(path, "a", 0o600))
    else chmodSync(path, 0o600)
  } catch (cause) {
    throw writeFault(path, cause)
  }
}

function configure(store: Store): void {
  store.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF",
  )
  // With less than FULL a power cut may take back what was already shown.
  const { synchronous } = store.prepare("PRAGMA synchronous").get() ?? {}
  if (synchronous !== 2) throw new KezError("store.write", "Cannot use the store: expected synchronous = FULL")
}

function migrate(store: Store, path: string): void {
  if (versionOf(store) === migrations.length) return
  store.exec("BEGIN IMMEDIATE")
  try {
    // Read again: another process may have done it while this one waited.
    const version = versionOf(store)
    if (version > migrations.length) throw newer(path, version)
    for (const step of migrations.slice(version)) store.exec(step)
    store.exec(`PRAGMA user_version = ${migrations.length}`)
    store.exec("COMMIT")
  } catch (error) {
    if (store.isTransaction) store.exec("ROLLBACK")
    throw error
  }
}

function versionOf(store: Store): number {
  return Number(store.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0)
}

function newer(path: string, version: number): KezError {
  return new KezError(
    "store.newer",
    `Cannot open ${path}: expected version ${migrations.length} or older, got ${version}`,
    { hint: "A later version of KEZ wrote it. Update KEZ, or point KEZ_HOME at another folder." },
  )
}

function explain(error: unknown, path: string): unknown {
  if (!isSqliteError(error)) return error
  const code = error.errcode & 0xff
  if (code === notADatabase || code === corrupt) {
    return new KezError("store.corrupt", `Cannot read ${path}: expected a whole SQLite database`, {
      cause: error,
      hint: `Nothing was deleted. Move it away (mv "${path}" "${path}.damaged") and go on: your keys lie elsewhere, and chains are found again with kez sigchain import.`,
    })
  }
  if (busyCodes.includes(code)) {
    return new KezError("store.busy", `Cannot write to ${path}: expected it free, another process holds it`, {
      cause: error,
      hint: "Nothing was changed. Try again.",
    })
  }
  return [readOnly, full, cannotOpen, ioError, constraint].includes(code) ? writeFault(path, error) : error
}

function writeFault(path: string, cause: unknown): KezError {
  return new KezError("store.write", `Cannot write to ${path}: expected a writable folder with room in it`, {
    cause,
    hint: "Nothing was changed. Is the disk full, or the folder read-only? KEZ_HOME names another one.\nTo verify without what is stored here: KEZ_HOME=$(mktemp -d) kez verify …",
  })
}

function isSqliteError(error: unknown): error is Error & { readonly errcode: number } {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number"
}
