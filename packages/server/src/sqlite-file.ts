/** Opening the SQLite file: made if it is missing, set so that nothing acknowledged is lost, and brought to this version. */

import { closeSync, fsyncSync, mkdirSync, openSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { KezError } from "@kez/core"
import { guard, writeFault } from "@kez/server/sqlite-fault"
import { assertWholeLog } from "./sqlite-log.ts"

/** How long a write waits for another process that holds the file. The whole process waits with it. */
export const busyTimeoutMs = 500
/** SQLite's write-ahead log is cut back to this after a checkpoint. */
const maxIdleWalBytes = 67_108_864
/** SQLite brings its log into the file when it has grown by so much: seldom, since the disk is waited for then as well. */
const checkpointBytes = 16_777_216
/** What SQLite keeps of its file in memory, for those who read and for who writes. */
const readCacheBytes = 4_194_304
const writeCacheBytes = 16_777_216

export interface Migration {
  readonly sql: string
  /** Whether it only adds. Before any other the file is copied. */
  readonly isAdditive: boolean
}

/** What kind of file it is. */
export interface FileForm {
  /** The name of the program that it belongs to. */
  readonly program: string
  /** Marks a file as one of this program, so that no other SQLite file is taken for it and changed. */
  readonly applicationId: number
  /** What a database of version n - 1 runs to become version n. The first entry makes version 1. */
  readonly migrations: readonly Migration[]
}

export interface WriteOptions {
  readonly path: string
  /** The largest the file may become, in bytes. */
  readonly quotaBytes?: number | undefined
  readonly busyMs?: number | undefined
}

export interface FileOptions extends WriteOptions {
  /** Unix seconds: dates the copy that is made before a migration. */
  readonly now: () => number
  readonly form: FileForm
}

/**
 * Throws `store.newer` for a file of a later version, `store.corrupt` for a damaged one or one of another program (both are left
 * as they are), `store.write`, `store.full` and `store.busy`.
 */
export function openSqliteFile(options: FileOptions): DatabaseSync {
  const { path, busyMs = busyTimeoutMs } = options
  makeFile(path)
  assertWholeLog(path)
  const database = guard(path, () => new DatabaseSync(path, { timeout: busyMs }))
  try {
    guard(path, () => {
      assertOwn(database, options)
      configure(database, options, readCacheBytes)
      migrate(database, options)
    })
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** A further connection to a file that `openSqliteFile` has opened: limits and durability belong to connections. */
export function openForWriting(options: WriteOptions): DatabaseSync {
  const { path, busyMs = busyTimeoutMs } = options
  const database = guard(path, () => new DatabaseSync(path, { timeout: busyMs }))
  try {
    guard(path, () => configure(database, options, writeCacheBytes))
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** SQLite gives its log the mode of the file, so that the file is made first. Its name must survive a power cut as well. */
function makeFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    closeSync(openSync(path, "a", 0o600))
    syncFolder(dirname(path))
  } catch (cause) {
    throw writeFault(path, cause)
  }
}

/** Makes the bytes of a file durable. */
export function syncFile(path: string): void {
  const file = openSync(path, "r+")
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Makes the names in a folder durable. */
export function syncFolder(path: string): void {
  // Windows has no such thing, and needs none.
  if (process.platform === "win32") return
  const folder = openSync(path, "r")
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function assertOwn(database: DatabaseSync, { path, form: { applicationId, program } }: FileOptions): void {
  const id = numberOf(database, "application_id")
  if (id === applicationId) return
  const { tables } = database.prepare("SELECT count(*) AS tables FROM sqlite_schema").get() ?? {}
  if (id === 0 && tables === 0) return
  throw new KezError("store.corrupt", `Cannot open ${path}: expected a database of ${program}`, {
    hint: "Nothing was changed. Does the configuration name the right file?",
  })
}

function configure(database: DatabaseSync, { path, quotaBytes }: WriteOptions, cacheBytes: number): void {
  database.exec(
    `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;
     PRAGMA journal_size_limit = ${maxIdleWalBytes}; PRAGMA cache_size = -${Math.floor(cacheBytes / 1_024)};`,
  )
  const pageBytes = numberOf(database, "page_size")
  database.exec(`PRAGMA wal_autocheckpoint = ${Math.ceil(checkpointBytes / pageBytes)}`)
  // With less than these a power cut takes back what was acknowledged. Some file systems do not give them.
  const { journal_mode: mode } = database.prepare("PRAGMA journal_mode").get() ?? {}
  if (mode !== "wal" || numberOf(database, "synchronous") !== 2) {
    throw new KezError("store.write", `Cannot use ${path}: expected journal_mode = WAL and synchronous = FULL`, {
      hint: "Put the file on a local disk.",
    })
  }
  if (quotaBytes === undefined) return
  const pages = Math.max(1, Math.floor(quotaBytes / pageBytes))
  database.exec(`PRAGMA max_page_count = ${pages}`)
}

function migrate(database: DatabaseSync, { path, now, form }: FileOptions): void {
  const { migrations: steps, applicationId, program } = form
  const found = numberOf(database, "user_version")
  if (found > steps.length) throw newer(path, { found, known: steps.length, program })
  if (found === steps.length) return
  if (found > 0 && steps.slice(found).some(({ isAdditive }) => !isAdditive)) keepCopy(database, path, now())
  for (let version = found + 1; version <= steps.length; version++) {
    const step = steps[version - 1]
    if (step !== undefined) runStep(database, { sql: step.sql, version, applicationId })
  }
}

interface Step {
  readonly sql: string
  readonly version: number
  readonly applicationId: number
}

/** Several processes may start at once: who comes second finds the version raised. */
function runStep(database: DatabaseSync, { sql, version, applicationId }: Step): void {
  database.exec("BEGIN IMMEDIATE")
  try {
    if (numberOf(database, "user_version") < version) {
      database.exec(sql)
      database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version}`)
    }
    database.exec("COMMIT")
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK")
    throw error
  }
}

function keepCopy(database: DatabaseSync, path: string, now: number): void {
  const date = new Date(now * 1_000).toISOString().replaceAll(/[-:]|\.\d+/g, "")
  database.prepare("VACUUM INTO ?").run(`${path}.before-${date}`)
  syncFolder(dirname(path))
}

function numberOf(database: DatabaseSync, pragma: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0] ?? 0)
}

interface Versions {
  readonly found: number
  readonly known: number
  readonly program: string
}

function newer(path: string, { found, known, program }: Versions): KezError {
  return new KezError("store.newer", `Cannot open ${path}: expected version ${known} or older, got ${found}`, {
    hint: `A later version of ${program} wrote it. Nothing was changed; update this one.`,
  })
}
