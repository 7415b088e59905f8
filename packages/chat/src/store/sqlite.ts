/**
 * The engine's store in Node: one SQLite file in a folder of its own, values sealed. Open in one process at a time, for as long as that runs: two processes
 * with one ratchet would encrypt two messages with one key.
 */
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync, type StatementSync } from "node:sqlite"
import { KezError } from "@kez/core"
import { ListCache } from "./list-cache.ts"
import { RowCache } from "./row-cache.ts"
import { createRowSeal, type RowSeal } from "./seal.ts"
import type { Change, EngineStore, RangeOptions, Row } from "./store.ts"

/** "KEZC": no other SQLite file is taken for one of ours. */
const applicationId = 0x4b455a43
const version = 1
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
  return new SqliteStore({ database, seal, folder })
}

function prepare(database: DatabaseSync): void {
  // Of a new file. A step changes a dozen small rows in as many pages, each of which is written whole before the disk is waited for.
  database.exec(`PRAGMA page_size = ${pageBytes}`)
  // Held from the first statement until the file is closed, by a kill too.
  database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA busy_timeout = 0; PRAGMA journal_mode = WAL")
  database.exec("PRAGMA synchronous = FULL; BEGIN EXCLUSIVE")
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

interface Opened {
  readonly database: DatabaseSync
  readonly seal: RowSeal
  readonly folder: string
}

class SqliteStore implements EngineStore {
  readonly #opened: Opened
  readonly #get: StatementSync
  readonly #put: StatementSync
  readonly #delete: StatementSync
  readonly #list: { readonly ASC: StatementSync; readonly DESC: StatementSync }
  /** Nobody else writes to the file while this process holds it. */
  readonly #cache = new RowCache()
  readonly #lists = new ListCache()
  /** Counts writes: what was read before one is not kept after it. */
  #version = 0
  #isClosed = false

  constructor(opened: Opened) {
    const { database } = opened
    this.#opened = opened
    this.#get = database.prepare("SELECT value FROM rows WHERE key = ?")
    this.#put = database.prepare(
      "INSERT INTO rows VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )
    this.#delete = database.prepare("DELETE FROM rows WHERE key = ?")
    const list = (order: "ASC" | "DESC"): StatementSync =>
      database.prepare(`SELECT key, value FROM rows WHERE key >= ? AND key < ? ORDER BY key ${order} LIMIT ?`)
    this.#list = { ASC: list("ASC"), DESC: list("DESC") }
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const known = this.#cache.get(key)
    if (known !== undefined && !this.#isClosed) return known.value
    const version = this.#version
    const value = this.#run(() => this.#get.get(key)?.["value"])
    const opened = value instanceof Uint8Array ? await this.#opened.seal.open(key, value) : undefined
    if (version === this.#version) this.#cache.set(key, opened)
    return opened
  }

  async list(options: RangeOptions): Promise<readonly Row[]> {
    const known = this.#lists.get(options)
    if (known !== undefined && !this.#isClosed) return known
    const { from, to, limit = -1, reverse = false } = options
    const { seal } = this.#opened
    const version = this.#version
    const found = this.#run(() => this.#list[reverse ? "DESC" : "ASC"].all(from, to, limit))
    const rows: Row[] = []
    for (const { key, value } of found) {
      if (typeof key !== "string" || !(value instanceof Uint8Array)) continue
      rows.push({ key, value: this.#cache.get(key)?.value ?? (await seal.open(key, value)) })
    }
    if (version === this.#version) this.#lists.set(options, rows)
    return rows
  }

  async write(changes: readonly Change[]): Promise<void> {
    const { database, seal } = this.#opened
    const sealed: Change[] = []
    for (const change of changes) {
      sealed.push("put" in change ? { ...change, value: await seal.seal(change.put, change.value) } : change)
    }
    this.#run(() => {
      database.exec("BEGIN IMMEDIATE")
      try {
        for (const change of sealed) {
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
    this.#version++
    this.#lists.apply(changes)
    for (const change of changes) {
      if ("put" in change) this.#cache.set(change.put, change.value)
      else this.#cache.set(change.delete, undefined)
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    rmSync(join(this.#opened.folder, holderName), { force: true })
    this.#opened.database.close()
  }

  #run<T>(work: () => T): T {
    if (this.#isClosed) throw new KezError("store.write", "Cannot use the chat's store: it is closed")
    return guard(this.#opened.folder, work)
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
