/** The store in one SQLite file, for one process. Writes are durable when their promise resolves. */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite"
import { type Digest, digestOf, KezError, utf8Length } from "@kez/core"
import { maxHeadsPerSigner, maxWritesPerCommit, writeProbeBytes } from "../limits.ts"
import { createGroupCommit, type GroupCommit } from "./group-commit.ts"
import { copySqlite } from "./sqlite-backup.ts"
import { guard } from "./sqlite-fault.ts"
import { type FileOptions, openSqliteFile } from "./sqlite-file.ts"
import { fillSqlite } from "./sqlite-fill.ts"
import type {
  AppendResult,
  FilledChain,
  NewEvent,
  Storage,
  StorageCounts,
  StoredChain,
  StoredEvent,
  StoredHead,
} from "./storage.ts"

/** Opens the file, and makes or upgrades it first where needed. Throws what `openSqliteFile` throws. */
export function openSqlite(options: FileOptions): SqliteStorage {
  return new SqliteStorage(options.path, openSqliteFile(options))
}

export class SqliteStorage implements Storage {
  readonly kind = "sqlite"
  readonly #path: string
  readonly #database: DatabaseSync
  readonly #writes: GroupCommit
  readonly #sql: Statements

  constructor(path: string, database: DatabaseSync) {
    this.#path = path
    this.#database = database
    this.#writes = createGroupCommit({ database, path, maxWrites: maxWritesPerCommit })
    this.#sql = prepare(database)
  }

  async loadChain(chain: Digest): Promise<StoredChain | undefined> {
    const [rows, size] = this.#read(() => [this.#sql.events.all(chain), this.#sizeOf(chain)])
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
    return this.#writes.run(() => this.#append(event, expectedSize))
  }

  async loadHeads(chain: Digest, now: number): Promise<readonly StoredHead[]> {
    return this.#read(() => this.#sql.heads.all(chain, now)).map(readHead)
  }

  saveHead(head: StoredHead, now: number): Promise<void> {
    const { chain, signer, seq, digest, expiresAt, text } = head
    return this.#writes.run(() => {
      this.#sql.saveHead.run(chain, signer, seq, digest, expiresAt, text)
      this.#sql.dropExpiredHeads.run(chain, now)
      this.#sql.dropOlderHeads.run({ chain, signer, kept: maxHeadsPerSigner })
    })
  }

  async eventsAfter(cursor: number, limit: number): Promise<readonly StoredEvent[]> {
    const events = this.#read(() => this.#sql.eventsAfter.all(cursor, limit)).map(readEvent)
    const chains = new Set(events.map(({ chain }) => chain))
    const areKnown = this.#read(() => [...chains].every((chain) => this.#sizeOf(chain) > 0))
    const areWhole = events.every(({ text, digest }) => digestOf(text) === digest)
    if (!areKnown || !areWhole) throw damaged(this.#path)
    return events
  }

  async readMark(name: string): Promise<string | undefined> {
    const row = this.#read(() => this.#sql.mark.get(name))
    return row === undefined ? undefined : String(row["value"])
  }

  writeMark(name: string, value: string): Promise<void> {
    return this.#writes.run(() => {
      this.#sql.writeMark.run(name, value)
    })
  }

  async counts(): Promise<StorageCounts> {
    const row = this.#read(() => this.#sql.totals.get()) ?? {}
    return { events: Number(row["events"]), chains: Number(row["chains"]), bytes: Number(row["bytes"]) }
  }

  /** Writes as much as an event may need, and takes it back in the same transaction. */
  assertWritable(): Promise<void> {
    const name = "writable"
    return this.#writes.run(() => {
      this.#sql.writeMark.run(name, "x".repeat(writeProbeBytes))
      this.#sql.dropMark.run(name)
    })
  }

  /** NaN, which is like nothing before, for a file that cannot be read: the next query tells why. */
  foreignWrites(): number {
    try {
      return Number(this.#sql.foreignWrites.get()?.["data_version"])
    } catch {
      return Number.NaN
    }
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
    this.#writes.close()
    if (this.#database.isOpen) this.#database.close()
  }

  #read<T>(work: () => T): T {
    return guard(this.#path, work)
  }

  #sizeOf(chain: Digest): number {
    return Number(this.#sql.size.get(chain)?.["size"] ?? 0)
  }

  #append(event: NewEvent, expectedSize: number): AppendResult {
    const { digest, chain, seq, text, storedAt } = event
    // In a transaction of the only writer: what is compared here cannot change before the insert.
    if (this.#sizeOf(chain) !== expectedSize || this.#sql.chainOfEvent.get(digest) !== undefined) {
      return { status: "raced" }
    }
    const bytes = utf8Length(text)
    this.#sql.growChain.run(chain, bytes)
    const { lastInsertRowid } = this.#sql.insertEvent.run(digest, chain, seq, text, storedAt)
    for (const key of event.primaries) this.#sql.addPrimary.run(key, chain)
    this.#sql.growTotals.run(expectedSize === 0 ? 1 : 0, bytes)
    return { status: "stored", cursor: Number(lastInsertRowid) }
  }
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
    events: database.prepare(`SELECT ${columns} FROM events WHERE chain = ? ORDER BY seq, digest`),
    eventsAfter: database.prepare(`SELECT ${columns} FROM events WHERE cursor > ? ORDER BY cursor LIMIT ?`),
    size: database.prepare("SELECT size FROM chains WHERE chain = ?"),
    chainsOfPrimary: database.prepare("SELECT chain FROM chain_primaries WHERE key = ? ORDER BY chain"),
    chainOfEvent: database.prepare("SELECT chain FROM events WHERE digest = ?"),
    growChain: database.prepare(
      `INSERT INTO chains VALUES (?, 1, ?)
       ON CONFLICT (chain) DO UPDATE SET size = size + 1, bytes = bytes + excluded.bytes`,
    ),
    insertEvent: database.prepare("INSERT INTO events (digest, chain, seq, text, stored_at) VALUES (?, ?, ?, ?, ?)"),
    addPrimary: database.prepare("INSERT INTO chain_primaries VALUES (?, ?) ON CONFLICT DO NOTHING"),
    growTotals: database.prepare("UPDATE totals SET events = events + 1, chains = chains + ?, bytes = bytes + ?"),
    foreignWrites: database.prepare("PRAGMA data_version"),
    totals: database.prepare("SELECT events, chains, bytes FROM totals"),
    heads: database.prepare(
      `SELECT chain, signer, seq, digest, expires_at, text FROM heads WHERE chain = ? AND expires_at > ?
       ORDER BY seq DESC, expires_at DESC, signer, digest`,
    ),
    saveHead: database.prepare(
      `INSERT INTO heads VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
       SET expires_at = excluded.expires_at, text = excluded.text WHERE excluded.expires_at > expires_at`,
    ),
    dropExpiredHeads: database.prepare("DELETE FROM heads WHERE chain = ? AND expires_at <= ?"),
    dropOlderHeads: database.prepare(
      `DELETE FROM heads WHERE chain = :chain AND signer = :signer AND rowid NOT IN (
         SELECT rowid FROM heads WHERE chain = :chain AND signer = :signer
         ORDER BY seq DESC, expires_at DESC, digest LIMIT :kept)`,
    ),
    mark: database.prepare("SELECT value FROM marks WHERE name = ?"),
    writeMark: database.prepare("INSERT INTO marks VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"),
    dropMark: database.prepare("DELETE FROM marks WHERE name = ?"),
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
