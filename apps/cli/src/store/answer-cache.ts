/**
 * Answers of platforms, and which of them asked to wait, from one command to the next: a small SQLite file of its own,
 * because none of it is state. Whatever is wrong with the file, it is thrown away and the command goes on. SPEC NET-3, NET-4
 */
import { createHash } from "node:crypto"
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, rmSync } from "node:fs"
import { dirname } from "node:path"
import type { DatabaseSync, StatementSync } from "node:sqlite"
import {
  type AnswerCache,
  type AnswerCacheLimits,
  type AnswerKey,
  type Bucket,
  createRateLimitMemory,
  maxClosedHosts,
  type RateLimitMemory,
  type StoredAnswer,
} from "@kez/channels"
import { lazy } from "../lazy.ts"

const loadSqlite = lazy(() => import("node:sqlite"))

export interface NetMemory {
  readonly cache: AnswerCache
  readonly rateLimits: RateLimitMemory
}

export interface MemoryOptions {
  /** Unix seconds. */
  now(): number
  readonly limits?: AnswerCacheLimits
}

const diskLimits: AnswerCacheLimits = { maxEntries: 1_024, maxBytes: 33_554_432, maxEntryBytes: 1_048_576 }
/** A tag that comes back years later is a way to recognise somebody more than a way to save a page. */
const maxAgeSeconds = 7 * 86_400
/** Waiting for another command costs more than asking the platform again. */
const busyMs = 200
const version = 1
const schema = `
  CREATE TABLE answers (
    url TEXT NOT NULL, authorized INTEGER NOT NULL, variant TEXT NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL,
    bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, stored_at INTEGER NOT NULL, PRIMARY KEY (url, authorized, variant)
  ) STRICT;
  CREATE TABLE closed (
    host TEXT NOT NULL, authorized INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (host, authorized)
  ) STRICT;
  PRAGMA user_version = ${version};
`
/** Newest first: what lies beyond the limits. */
const beyondLimits = `DELETE FROM answers WHERE rowid IN (SELECT rowid FROM (
  SELECT rowid, row_number() OVER newest AS place, sum(bytes) OVER newest AS total
  FROM answers WINDOW newest AS (ORDER BY stored_at DESC, rowid DESC)) WHERE place > ? OR total > ?)`

/** The file is opened with the first question, and made with the first thing to keep. Nothing here throws. */
export function openNetMemory(path: string, { now, limits = diskLimits }: MemoryOptions): NetMemory {
  const run = createRunner(path)
  // What this process was told holds for it even where nothing can be written.
  const told = createRateLimitMemory()
  const readOncePerSecond = createSecondMemory(now)
  return {
    cache: {
      get: (key) => run("read", (prepare) => readAnswer(prepare, key, now() - maxAgeSeconds)),
      async set(key, answer) {
        await run("write", (prepare) => {
          const fits = answer.body.length <= limits.maxEntryBytes
          // The answer before it is out of date, even where the new one is too large to keep.
          if (fits) writeAnswer(prepare, key, { answer, now: now() })
          else dropAnswer(prepare, key)
          prepare("DELETE FROM answers WHERE stored_at < ?").run(now() - maxAgeSeconds)
          prepare(beyondLimits).run(limits.maxEntries, limits.maxBytes)
        })
      },
    },
    rateLimits: {
      async closedUntil(bucket) {
        const name = `${bucket.isAuthorized}${bucket.host}`
        const kept = await readOncePerSecond(name, () => run("read", (prepare) => readClosed(prepare, bucket)))
        return Math.max(kept ?? 0, (await told.closedUntil(bucket)) ?? 0)
      },
      async close(bucket, until) {
        await told.close(bucket, until)
        await run("write", (prepare) => writeClosed(prepare, bucket, { until, now: now() }))
      },
    },
  }
}

/** Every request asks, twice: what other commands were told is known a second later at most. */
function createSecondMemory(now: () => number) {
  const known = new Map<string, Promise<number | undefined>>()
  let second = 0
  return (name: string, read: () => Promise<number | undefined>): Promise<number | undefined> => {
    if (second !== now()) known.clear()
    second = now()
    const value = known.get(name) ?? read()
    known.set(name, value)
    return value
  }
}

/** Gives each statement of SQL ready to run; it is read once for one connection. */
type Prepare = (sql: string) => StatementSync

type Run = <T>(mode: "read" | "write", work: (prepare: Prepare) => T) => Promise<T | undefined>

/** Runs work on the file; after the first failure never again in this process, and the next one begins with an empty file. */
function createRunner(path: string): Run {
  let database: DatabaseSync | undefined
  let isBroken = false
  const statements = new Map<string, StatementSync>()
  return async (mode, work) => {
    if (isBroken || (mode === "read" && database === undefined && !existsSync(path))) return undefined
    try {
      const { DatabaseSync } = await loadSqlite()
      database ??= openDatabase(path, (options) => new DatabaseSync(path, options))
      const opened = database
      return work((sql) => {
        const statement = statements.get(sql) ?? opened.prepare(sql)
        statements.set(sql, statement)
        return statement
      })
    } catch (error) {
      if (isBusy(error)) return undefined
      isBroken = true
      discard(path, database)
      return undefined
    }
  }
}

function openDatabase(path: string, open: (options: { readonly timeout: number }) => DatabaseSync): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  if (existsSync(path)) chmodSync(path, 0o600)
  else closeSync(openSync(path, "a", 0o600))
  const database = open({ timeout: busyMs })
  try {
    // Not one write is worth waiting for the disk: what a power cut damages is thrown away.
    database.exec("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY; PRAGMA trusted_schema = OFF")
    if (versionOf(database) === version) return database
    database.exec("BEGIN IMMEDIATE")
    // Read again: another command may have made the tables while this one waited.
    if (versionOf(database) === 0) database.exec(schema)
    database.exec("COMMIT")
    if (versionOf(database) !== version) throw new Error("written by another version of KEZ")
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"])
}

function discard(path: string, database: DatabaseSync | undefined): void {
  try {
    database?.close()
    for (const suffix of ["", "-journal"]) rmSync(`${path}${suffix}`, { force: true })
  } catch {
    // A folder that cannot be written: there is nothing that could be done, and nothing that has to be.
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && [5, 6].includes(Number(error.errcode) & 0xff)
}

function readAnswer(prepare: Prepare, key: AnswerKey, notBefore: number): StoredAnswer | undefined {
  const row = prepare("SELECT * FROM answers WHERE url = ? AND authorized = ? AND variant = ? AND stored_at >= ?").get(
    key.url,
    Number(key.isAuthorized),
    key.variant,
    notBefore,
  )
  if (row === undefined) return undefined
  const { headers: text, body, sha256 } = row
  if (typeof text !== "string" || !(body instanceof Uint8Array)) throw new Error("damaged")
  if (digestOf(key, text, body) !== sha256) throw new Error("damaged")
  const headers: unknown = JSON.parse(text)
  if (!isTextTable(headers)) throw new Error("damaged")
  return { headers, body }
}

function writeAnswer(
  prepare: Prepare,
  key: AnswerKey,
  { answer, now }: { readonly answer: StoredAnswer; readonly now: number },
): void {
  const { url, isAuthorized, variant } = key
  const { body } = answer
  const headers = JSON.stringify(answer.headers)
  prepare("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?)").run(
    url,
    Number(isAuthorized),
    variant,
    headers,
    body,
    body.length,
    digestOf(key, headers, body),
    now,
  )
}

function dropAnswer(prepare: Prepare, { url, isAuthorized, variant }: AnswerKey): void {
  prepare("DELETE FROM answers WHERE url = ? AND authorized = ? AND variant = ?").run(
    url,
    Number(isAuthorized),
    variant,
  )
}

/** Over the key too, so that no damage can turn one place's answer into another's. */
function digestOf({ url, isAuthorized, variant }: AnswerKey, headers: string, body: Uint8Array): string {
  const hash = createHash("sha256").update(JSON.stringify([url, isAuthorized, variant, headers]))
  return hash.update("\n").update(body).digest("hex")
}

function readClosed(prepare: Prepare, { host, isAuthorized }: Bucket): number | undefined {
  const row = prepare("SELECT until FROM closed WHERE host = ? AND authorized = ?").get(host, Number(isAuthorized))
  return row === undefined ? undefined : Number(row["until"])
}

function writeClosed(
  prepare: Prepare,
  { host, isAuthorized }: Bucket,
  { until, now }: { readonly until: number; readonly now: number },
): void {
  prepare("DELETE FROM closed WHERE until <= ?").run(now)
  prepare("INSERT OR REPLACE INTO closed VALUES (?, ?, ?)").run(host, Number(isAuthorized), until)
  prepare(
    "DELETE FROM closed WHERE rowid NOT IN (SELECT rowid FROM closed ORDER BY until DESC, rowid DESC LIMIT ?)",
  ).run(maxClosedHosts)
}

function isTextTable(value: unknown): value is Readonly<Record<string, string>> {
  if (typeof value !== "object" || value === null) return false
  return Object.values(value).every((text) => typeof text === "string")
}
