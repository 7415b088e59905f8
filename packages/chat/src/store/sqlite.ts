/**
 * The engine's store in Node: one SQLite file in a folder of its own, values sealed. Open in one process at a time, for as long as that runs: two processes
 * with one ratchet would encrypt two messages with one key.
 */
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync, type StatementSync } from "node:sqlite"
import { KezError } from "@kez/core"
import { createRowSeal } from "./seal.ts"
import { createSealedStore, type SealedRows } from "./sealed-store.ts"
import type { Change, EngineStore, RangeOptions, Row } from "./store.ts"

/** "KEZC": no other SQLite file is taken for one of ours. */
const applicationId = 0x4b455a43
/** 2: with steps (step-log.ts), without which an older one would take up keys that were used. */
const version = 2
const full = 2
const pageBytes = 1_024
const holderName = "holder"

export interface SqliteStoreOptions {
  /** Made if it is missing, for its owner alone. */
  readonly folder: string
  /** 32 bytes: what is in the file is sealed with it. */
  readonly key: Uint8Array
  /** Who holds the folder, for others who find it held: `kez chat`. */
  readonly holder: string
}

/** Throws `store.busy` naming who holds the folder, `store.newer`, `store.corrupt`, `store.write`, `key.encoding`. */
export function openSqliteStore({ folder, key, holder }: SqliteStoreOptions): EngineStore {
  const seal = createRowSeal(key)
  const path = join(folder, "chat.db")
  const database = guard(folder, () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const opened = new DatabaseSync(path)
    try {
      prepare(opened)
      chmodSync(path, 0o600)
      writeFileSync(join(folder, holderName), `${process.pid} ${holder}\n`, { mode: 0o600 })
      return opened
    } catch (error) {
      opened.close()
      throw error
    }
  })
  return createSealedStore(new SqliteRows(database, folder), seal, { after: later() })
}

/** The last call counts. No process is kept alive for it. */
function later(): (ms: number, run: () => void) => void {
  let timer: NodeJS.Timeout | undefined
  return (ms, run) => {
    clearTimeout(timer)
    timer = setTimeout(run, ms).unref()
  }
}

function prepare(database: DatabaseSync): void {
  // Of a new file. A step changes a dozen small rows in as many pages, each of which is written whole before the disk is waited for.
  database.exec(`PRAGMA page_size = ${pageBytes}`)
  // Held from the first statement until the file is closed, by a kill too.
  database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA busy_timeout = 0; PRAGMA journal_mode = WAL")
  // What is deleted is overwritten: keys of the past are to leave the file too.
  database.exec("PRAGMA secure_delete = ON; PRAGMA synchronous = FULL; BEGIN EXCLUSIVE")
  const known = Number(pragmaOf(database, "application_id"))
  const held = Number(pragmaOf(database, "user_version"))
  if ((known !== 0 || held !== 0) && known !== applicationId) {
    throw new KezError("store.corrupt", "Cannot open the chat's store: the file belongs to something else")
  }
  if (held > version) {
    throw new KezError("store.newer", "Cannot open the chat's store: a newer version of KEZ wrote it", {
      hint: "Update KEZ.",
    })
  }
  database.exec(`CREATE TABLE IF NOT EXISTS rows (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID`)
  database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version}; COMMIT`)
  // What is asked for is looked at: a build of SQLite may have its own defaults.
  if (Number(pragmaOf(database, "synchronous")) === full && pragmaOf(database, "journal_mode") === "wal") return
  throw new KezError("store.write", "Cannot open the chat's store: this SQLite does not wait for the disk")
}

function pragmaOf(database: DatabaseSync, pragma: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0]
}

class SqliteRows implements SealedRows {
  readonly #database: DatabaseSync
  readonly #folder: string
  readonly #get: StatementSync
  readonly #put: StatementSync
  readonly #delete: StatementSync
  readonly #list: { readonly ASC: StatementSync; readonly DESC: StatementSync }
  #isClosed = false

  constructor(database: DatabaseSync, folder: string) {
    this.#database = database
    this.#folder = folder
    this.#get = database.prepare("SELECT value FROM rows WHERE key = ?")
    this.#put = database.prepare(
      "INSERT INTO rows VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )
    this.#delete = database.prepare("DELETE FROM rows WHERE key = ?")
    const list = (order: "ASC" | "DESC"): StatementSync =>
      database.prepare(`SELECT key, value FROM rows WHERE key >= ? AND key < ? ORDER BY key ${order} LIMIT ?`)
    this.#list = { ASC: list("ASC"), DESC: list("DESC") }
  }

  assertOpen(): void {
    if (this.#isClosed) throw new KezError("store.write", "Cannot use the chat's store: it is closed")
  }

  get(key: string): Uint8Array | undefined {
    const value = this.#run(() => this.#get.get(key)?.["value"])
    return value instanceof Uint8Array ? value : undefined
  }

  list({ from, to, limit = -1, reverse = false }: RangeOptions): readonly Row[] {
    const found = this.#run(() => this.#list[reverse ? "DESC" : "ASC"].all(from, to, limit))
    return found.flatMap(({ key, value }) =>
      typeof key === "string" && value instanceof Uint8Array ? [{ key, value }] : [],
    )
  }

  write(changes: readonly Change[]): void {
    const database = this.#database
    this.#run(() => {
      database.exec("BEGIN IMMEDIATE")
      try {
        for (const change of changes) {
          if ("put" in change) this.#put.run(change.put, change.value)
          else this.#delete.run(change.delete)
        }
        database.exec("COMMIT")
      } catch (error) {
        // Where the disk was full SQLite has rolled back by itself.
        if (database.isTransaction) database.exec("ROLLBACK")
        throw error
      }
    })
  }

  close(): void {
    this.#isClosed = true
    rmSync(join(this.#folder, holderName), { force: true })
    this.#database.close()
  }

  #run<T>(work: () => T): T {
    this.assertOpen()
    return guard(this.#folder, work)
  }
}

const codes = { busy: [5, 6], readOnly: [3, 8, 14], ioError: 10, corrupt: [11, 26], full: 13 } as const

function guard<T>(folder: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw explain(error, folder)
  }
}

/** Never with the cause of a statement: it could hold a value. */
function explain(error: unknown, folder: string): unknown {
  if (error instanceof KezError || !(error instanceof Error)) return error
  const code = "errcode" in error && typeof error.errcode === "number" ? error.errcode & 0xff : undefined
  if (codes.busy.some((one) => one === code)) {
    return new KezError("store.busy", `Cannot open the chat's store: ${holderOf(folder)} has it open`, {
      hint: "One process at a time may send with this device. End that one, or ask it.",
    })
  }
  if (code === codes.full) {
    return new KezError("store.full", "Cannot write to the chat's store: the disk is full", {
      hint: "Nothing was changed. It goes on once there is room.",
    })
  }
  if (codes.corrupt.some((one) => one === code)) {
    return new KezError("store.corrupt", `Cannot read the chat's store in ${folder}: it is damaged`, {
      hint: "Nothing was deleted. Keep the folder; another device of yours, or your words, bring the history back.",
    })
  }
  const isSystem = "code" in error && typeof error.code === "string" && /^E[A-Z]+$/.test(error.code)
  if (code === undefined && !isSystem) return error
  return new KezError(
    "store.write",
    `Cannot use the chat's store in ${folder}: expected a folder that can be written to`,
  )
}

function holderOf(folder: string): string {
  try {
    const [pid = "", ...words] = readFileSync(join(folder, holderName), "utf8").trim().split(" ")
    return `${words.join(" ") || "another process"} (process ${pid})`
  } catch {
    return "another process"
  }
}
