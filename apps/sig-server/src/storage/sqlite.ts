/** The store in one SQLite file, for one process: read here, written by a thread of its own. Writes are durable when their promise resolves. */

import type { DatabaseSync, SQLOutputValue } from "node:sqlite"
import { type Digest, digestOf, KezError } from "@kez/core"
import { guard } from "@kez/server/sqlite-fault"
import { copySqlite } from "./sqlite-backup.ts"
import { type FileOptions, openSqliteFile } from "./sqlite-file.ts"
import { fillSqlite } from "./sqlite-fill.ts"
import { SqliteWriter } from "./sqlite-writer.ts"
import type {
  AppendResult,
  FilledChain,
  ListedHead,
  NewEvent,
  Storage,
  StorageCounts,
  StoredChain,
  StoredEvent,
  StoredHead,
} from "./storage.ts"
import { createForeignCounter } from "./writer-mark.ts"

/** Opens the file, and makes or upgrades it first where needed. Throws what `openSqliteFile` throws. */
export function openSqlite(options: FileOptions): SqliteStorage {
  const { path, quotaBytes, busyMs } = options
  const database = openSqliteFile(options)
  return new SqliteStorage(path, database, new SqliteWriter({ path, quotaBytes, busyMs }))
}

export class SqliteStorage implements Storage {
  readonly kind = "sqlite"
  readonly #path: string
  /** Reads only: with WAL it sees what is committed, and neither waits for the other. */
  readonly #database: DatabaseSync
  readonly #writer: SqliteWriter
  readonly #foreign: () => number
  readonly #sql: Statements
  #version: number | undefined

  constructor(path: string, database: DatabaseSync, writer: SqliteWriter) {
    this.#path = path
    this.#database = database
    this.#writer = writer
    this.#foreign = createForeignCounter(database, writer.name)
    this.#sql = prepare(database)
  }

  async loadChain(chain: Digest): Promise<StoredChain | undefined> {
    // Most chains that are asked for and were never loaded are about to begin.
    if (this.#read(() => this.#sql.trace.get(chain)) === undefined) return undefined
    // Of one state of the file: the thread that writes may commit between two queries.
    const [rows, size] = this.#read(() =>
      this.#atOnce(() => [this.#sql.events.all(chain), this.#sizeOf(chain)] as const),
    )
    // One flipped bit in an index hides events: without the second count a shorter chain would pass for the whole one.
    if (rows.length !== size) throw damaged(this.#path)
    return size === 0 ? undefined : { events: rows.map(readEvent), size }
  }

  async sizeOf(chain: Digest): Promise<number> {
    return this.#read(() => this.#sizeOf(chain))
  }

  async chainsOfPrimary(key: string): Promise<readonly Digest[]> {
    return this.#read(() => this.#sql.chainsOfPrimary.all(key)).map((row) => String(row["chain"]))
  }

  async chainOfEvent(digest: Digest): Promise<Digest | undefined> {
    const row = this.#read(() => this.#sql.chainOfEvent.get(digest))
    return row === undefined ? undefined : String(row["chain"])
  }

  append(event: NewEvent, expectedSize: number): Promise<AppendResult> {
    return this.#writer.run({ kind: "append", event, expectedSize }).then(appended)
  }

  async loadHeads(chain: Digest, now: number): Promise<readonly StoredHead[]> {
    return this.#read(() => this.#sql.heads.all(chain, now)).map(readHead)
  }

  async saveHead(head: StoredHead, now: number): Promise<void> {
    await this.#writer.run({ kind: "head", head, now })
  }

  async eventsAfter(cursor: number, limit: number): Promise<readonly StoredEvent[]> {
    const events = this.#read(() => this.#sql.eventsAfter.all(cursor, limit)).map(readEvent)
    const chains = new Set(events.map(({ chain }) => chain))
    const areKnown = this.#read(() => [...chains].every((chain) => this.#sizeOf(chain) > 0))
    const areWhole = events.every(({ text, digest }) => digestOf(text) === digest)
    if (!areKnown || !areWhole) throw damaged(this.#path)
    return events
  }

  async headsAfter(cursor: number, limit: number, now: number): Promise<readonly ListedHead[]> {
    const rows = this.#read(() => this.#sql.headsAfter.all(cursor, now, limit))
    return rows.map((row) => ({ ...readHead(row), cursor: Number(row["cursor"]) }))
  }

  async readMark(name: string): Promise<string | undefined> {
    const row = this.#read(() => this.#sql.mark.get(name))
    return row === undefined ? undefined : String(row["value"])
  }

  async writeMark(name: string, value: string): Promise<void> {
    await this.#writer.run({ kind: "mark", name, value })
  }

  async counts(): Promise<StorageCounts> {
    const row = this.#read(() => this.#sql.totals.get()) ?? {}
    return { events: Number(row["events"]), chains: Number(row["chains"]), bytes: Number(row["bytes"]) }
  }

  async assertWritable(): Promise<void> {
    await this.#writer.run({ kind: "probe" })
  }

  /**
   * Looked up once in a turn of the event loop, for all requests that had come when it began: the look takes as long as an answer.
   * NaN, which is like nothing before, for a file that cannot be read: the next query tells why.
   */
  version(): number {
    if (this.#version !== undefined) return this.#version
    setImmediate(() => {
      this.#version = undefined
    })
    try {
      this.#version = this.#foreign() + this.#writer.losses
    } catch {
      this.#version = Number.NaN
    }
    return this.#version
  }

  /**
   * A whole copy, while writing goes on. Throws `store.exists` when there is a file of this name: a backup never replaces another.
   */
  backupTo(path: string): Promise<void> {
    return copySqlite(this.#path, path)
  }

  fill(chains: AsyncIterable<FilledChain>): Promise<void> {
    return fillSqlite(this.#path, chains)
  }

  async close(): Promise<void> {
    await this.#writer.close()
    if (this.#database.isOpen) this.#database.close()
  }

  #read<T>(work: () => T): T {
    return guard(this.#path, work)
  }

  #atOnce<T>(work: () => T): T {
    this.#sql.begin.run()
    try {
      return work()
    } finally {
      if (this.#database.isTransaction) this.#sql.end.run()
    }
  }

  #sizeOf(chain: Digest): number {
    return Number(this.#sql.size.get(chain)?.["size"] ?? 0)
  }
}

function appended(cursor: number | undefined): AppendResult {
  return cursor === undefined ? { status: "raced" } : { status: "stored", cursor }
}

function damaged(path: string): KezError {
  return new KezError("store.corrupt", `Cannot read ${path}: its tables do not agree with each other`, {
    hint: "Nothing was deleted. Keep the file, and restore a backup beside it.",
  })
}

type Statements = ReturnType<typeof prepare>

/** Each text of SQL is read once: that takes longer than running it. */
function prepare(database: DatabaseSync) {
  const columns = "cursor, digest, chain, seq, text, stored_at"
  return {
    begin: database.prepare("BEGIN"),
    end: database.prepare("COMMIT"),
    trace: database.prepare(
      `SELECT 1 WHERE EXISTS (SELECT 1 FROM chains WHERE chain = ?1) OR EXISTS (SELECT 1 FROM events WHERE chain = ?1)`,
    ),
    events: database.prepare(`SELECT ${columns} FROM events WHERE chain = ? ORDER BY seq, digest`),
    eventsAfter: database.prepare(`SELECT ${columns} FROM events WHERE cursor > ? ORDER BY cursor LIMIT ?`),
    size: database.prepare("SELECT size FROM chains WHERE chain = ?"),
    chainsOfPrimary: database.prepare("SELECT chain FROM chain_primaries WHERE key = ? ORDER BY chain"),
    chainOfEvent: database.prepare("SELECT chain FROM events WHERE digest = ?"),
    totals: database.prepare("SELECT events, chains, bytes FROM totals"),
    heads: database.prepare(
      `SELECT chain, signer, seq, digest, expires_at, text FROM heads WHERE chain = ? AND expires_at > ?
       ORDER BY seq DESC, expires_at DESC, signer, digest`,
    ),
    headsAfter: database.prepare(
      `SELECT cursor, chain, signer, seq, digest, expires_at, text FROM heads WHERE cursor > ? AND expires_at > ?
       ORDER BY cursor LIMIT ?`,
    ),
    mark: database.prepare("SELECT value FROM marks WHERE name = ?"),
  }
}

type Row = Record<string, SQLOutputValue>

function readEvent(row: Row): StoredEvent {
  return {
    cursor: Number(row["cursor"]),
    digest: String(row["digest"]),
    chain: String(row["chain"]),
    seq: Number(row["seq"]),
    text: String(row["text"]),
    storedAt: Number(row["stored_at"]),
  }
}

function readHead(row: Row): StoredHead {
  return {
    chain: String(row["chain"]),
    signer: String(row["signer"]),
    seq: Number(row["seq"]),
    digest: String(row["digest"]),
    expiresAt: Number(row["expires_at"]),
    text: String(row["text"]),
  }
}
