/**
 * The engine's store in one SQLite file: rows under keys, each value sealed by a key that lies in the device's key file. One process has it
 * at a time, and what `write` resolved for survives a power cut.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto"
import { chmodSync, closeSync, existsSync, openSync } from "node:fs"
import { DatabaseSync, type StatementSync } from "node:sqlite"
import type { EngineStore } from "@kez/chat"
import { KezError } from "@kez/core"
import { guard } from "../store/database.ts"

const version = 1
const saltBytes = 24
const tagBytes = 16
/** A key is used once, so that the nonce may be fixed. */
const nonce = Buffer.alloc(12)
const label = "kez.chat.store/1"
const busyMs = 1_500

export interface StoreOptions {
  readonly path: string
  /** 32 bytes. */
  readonly key: Uint8Array
  /** What people call the account. */
  readonly account: string
}

/** Throws `store.busy` where another process has it, `store.newer`, `store.corrupt`, `store.write`. */
export function openChatStore(options: StoreOptions): EngineStore {
  const { path } = options
  if (existsSync(path)) chmodSync(path, 0o600)
  // SQLite gives its journal the mode of the file, so the file is made first, and closed to others from its first moment.
  else closeSync(openSync(path, "a", 0o600))
  const database = guard(path, () => new DatabaseSync(path, { timeout: busyMs }))
  try {
    lock(database, options)
    guard(path, () => prepare(database))
    return new SqliteStore(database, options)
  } catch (error) {
    database.close()
    throw error
  }
}

/** Two engines on one device would each use what the other has used up. The system frees the lock when its process dies. */
function lock(database: DatabaseSync, { path, account }: StoreOptions): void {
  try {
    guard(path, () => database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE; COMMIT"))
  } catch (cause) {
    if (!(cause instanceof KezError) || cause.code !== "store.busy") throw cause
    throw new KezError("store.busy", `Cannot open the messages of ${account}: another kez has them open`, {
      cause,
      hint: "That is a kez chat or kez dm of the same account. Write there, or end it first.",
    })
  }
}

function prepare(database: DatabaseSync): void {
  const found = Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0)
  if (found > version) throw new KezError("store.newer", "Cannot open the messages: a newer kez wrote them")
  if (found === version) return
  database.exec(`BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS rows (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
    PRAGMA user_version = ${version};
    COMMIT`)
}

class SqliteStore implements EngineStore {
  readonly #database: DatabaseSync
  readonly #path: string
  readonly #key: Uint8Array
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync, { path, key }: StoreOptions) {
    this.#database = database
    this.#path = path
    this.#key = key
  }

  get: EngineStore["get"] = async (key) => {
    const row = guard(this.#path, () => this.#prepare("SELECT value FROM rows WHERE key = ?").get(key))
    return row === undefined ? undefined : this.#open(key, row["value"])
  }

  list: EngineStore["list"] = async ({ from, to, limit = -1, reverse = false }) => {
    const order = reverse ? "DESC" : "ASC"
    const sql = `SELECT key, value FROM rows WHERE key >= ? AND key < ? ORDER BY key ${order} LIMIT ?`
    const rows = guard(this.#path, () => this.#prepare(sql).all(from, to, limit))
    return rows.map((row) => {
      const key = String(row["key"])
      return { key, value: this.#open(key, row["value"]) }
    })
  }

  write: EngineStore["write"] = async (changes) => {
    if (changes.length === 0) return
    const put = this.#prepare("INSERT INTO rows (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value")
    const remove = this.#prepare("DELETE FROM rows WHERE key = ?")
    guard(this.#path, () => {
      this.#database.exec("BEGIN IMMEDIATE")
      try {
        for (const change of changes) {
          if ("put" in change) put.run(change.put, sealValue(this.#key, change.put, change.value))
          else remove.run(change.delete)
        }
        this.#database.exec("COMMIT")
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec("ROLLBACK")
        throw error
      }
    })
  }

  close: EngineStore["close"] = async () => this.#database.close()

  /** Each text of SQL is read once: that takes longer than running it. */
  #prepare(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  #open(key: string, value: unknown): Uint8Array {
    const opened = value instanceof Uint8Array ? openValue(this.#key, key, value) : undefined
    if (opened !== undefined) return opened
    throw new KezError("store.corrupt", `Cannot read ${this.#path}: a value in it is damaged, or of another device`, {
      hint: `Nothing was deleted. Move it away (mv "${this.#path}" "${this.#path}.damaged"): conversations begin anew then.`,
    })
  }
}

/** Salt, ciphertext, tag. The key of the row is bound to it: no value can be moved to another row. */
export function sealValue(storeKey: Uint8Array, key: string, value: Uint8Array): Uint8Array {
  const salt = randomBytes(saltBytes)
  const cipher = createCipheriv("chacha20-poly1305", keyFor(storeKey, salt), nonce, { authTagLength: tagBytes })
  cipher.setAAD(Buffer.from(key), { plaintextLength: value.length })
  return Buffer.concat([salt, cipher.update(value), cipher.final(), cipher.getAuthTag()])
}

/** Undefined for what was not sealed by this key for this row. */
export function openValue(storeKey: Uint8Array, key: string, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < saltBytes + tagBytes) return undefined
  const body = sealed.subarray(saltBytes, sealed.length - tagBytes)
  const subkey = keyFor(storeKey, sealed.subarray(0, saltBytes))
  const decipher = createDecipheriv("chacha20-poly1305", subkey, nonce, { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(key), { plaintextLength: body.length })
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
  try {
    return new Uint8Array(Buffer.concat([decipher.update(body), decipher.final()]))
  } catch {
    return undefined
  }
}

/** A key for each value: with 192 random bits of salt no two are the same. */
function keyFor(storeKey: Uint8Array, salt: Uint8Array): Buffer {
  return createHmac("sha256", storeKey).update(label).update(salt).digest()
}
