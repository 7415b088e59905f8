/** The store in PostgreSQL, for several copies of the server behind one load balancer. SPEC §8 */

import { randomUUID } from "node:crypto"
import { type Digest, KezError } from "@kez/core"
import { explainPostgres } from "@kez/server/postgres-errors"
import { Client, type ClientBase, type ClientConfig, Pool, type QueryResultRow } from "pg"
import {
  maxHeadsPerSigner,
  maxPostgresBatch,
  maxPostgresConnections,
  postgresConnectMs,
  postgresStatementMs,
} from "../limits.ts"
import { BatchQueue, type Outcome } from "./batch-queue.ts"
import { fillPostgres } from "./postgres-fill.ts"
import { PostgresListener } from "./postgres-listener.ts"
import { migrate } from "./postgres-schema.ts"
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

export interface PostgresOptions {
  /** Connections of this copy, one for notices apart. */
  readonly maxConnections?: number
  /** How long the database may take for one statement. */
  readonly statementTimeoutMs?: number
  /** Events in one transaction. */
  readonly maxBatch?: number
}

/** The client waits a little longer than the server may work, so that the server's word is heard. */
const clientGraceMs = 2_000
const writeTest = "kez:writable"

/**
 * Opens the storage, and makes or upgrades its tables first where needed. Throws `store.newer`, `store.busy` when the
 * database does not answer, `store.write` when it does not let us in or would lose what it has acknowledged.
 */
export async function openPostgres(url: string, options: PostgresOptions = {}): Promise<Storage> {
  const statementMs = options.statementTimeoutMs ?? postgresStatementMs
  const config: ClientConfig = {
    connectionString: url,
    application_name: "kez-sig-server",
    connectionTimeoutMillis: postgresConnectMs,
    statement_timeout: statementMs,
    query_timeout: statementMs + clientGraceMs,
    keepAlive: true,
  }
  await withLongClient(config, (client) => migrate(client))
  const pool = new Pool({ ...config, max: options.maxConnections ?? maxPostgresConnections, onConnect: prepare })
  // A connection that breaks while nobody uses it: the pool has dropped it already.
  pool.on("error", () => undefined)
  return new PostgresStorage(pool, config, options.maxBatch ?? maxPostgresBatch)
}

/** Each new connection: settings of the database or the user must not make an acknowledged write a hope. */
async function prepare(client: ClientBase): Promise<void> {
  await client.query(`SELECT set_config('default_transaction_isolation', 'read committed', false),
    set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false)`)
  const { rows } = await client.query<{ sync: string; fsync: string; encoding: string }>(
    "SELECT current_setting('synchronous_commit') AS sync, current_setting('fsync') AS fsync, current_setting('server_encoding') AS encoding",
  )
  const [is] = rows
  if (is === undefined || !["on", "remote_apply"].includes(is.sync) || is.fsync !== "on") {
    throw new KezError("store.write", "Cannot use the database: expected synchronous_commit and fsync to be on")
  }
  if (is.encoding !== "UTF8")
    throw new KezError("store.write", "Cannot use the database: expected its encoding to be UTF8")
}

/** For long work, which makes tables or fills them: a connection without limits of time. */
async function withLongClient<T>(config: ClientConfig, work: (client: ClientBase) => Promise<T>): Promise<T> {
  const client = new Client({ ...config, statement_timeout: 0, query_timeout: 0 })
  // What breaks it is told by the query that runs.
  client.on("error", () => undefined)
  try {
    await client.connect()
    await prepare(client)
    return await work(client)
  } catch (error) {
    throw explainPostgres(error)
  } finally {
    // Also rolls back what is not committed.
    await client.end()
  }
}

interface EventRow extends QueryResultRow {
  /** A bigint, which the driver gives as text. */
  readonly cursor: string
  readonly digest: string
  readonly chain: string
  readonly seq: number
  readonly envelope: string
  readonly stored_at: string
}

interface HeadRow extends QueryResultRow {
  readonly chain: string
  readonly signer: string
  readonly seq: string
  readonly digest: string
  readonly expires_at: string
  readonly envelope: string
}

interface WaitingAppend {
  readonly event: NewEvent
  readonly expectedSize: number
}

class PostgresStorage implements Storage {
  readonly kind = "postgres"
  readonly #pool: Pool
  readonly #config: ClientConfig
  readonly #origin = randomUUID()
  readonly #appends: BatchQueue<WaitingAppend, AppendResult>
  readonly #listeners: PostgresListener[] = []
  #closing: Promise<void> | undefined

  constructor(pool: Pool, config: ClientConfig, maxBatch: number) {
    this.#pool = pool
    this.#config = config
    this.#appends = new BatchQueue((batch: readonly WaitingAppend[]) => this.#writeBatch(batch), maxBatch)
  }

  async loadChain(chain: Digest): Promise<StoredChain | undefined> {
    const rows = await this.#rows<EventRow>(
      "SELECT cursor, digest, chain, seq, envelope, stored_at FROM kez_sig.events WHERE chain = $1 ORDER BY seq, digest",
      [chain],
    )
    return rows.length === 0 ? undefined : { events: rows.map(eventOf), size: rows.length }
  }

  async sizeOf(chain: Digest): Promise<number> {
    const [row] = await this.#rows<{ size: number }>("SELECT size FROM kez_sig.chains WHERE chain = $1", [chain])
    return row?.size ?? 0
  }

  async chainsOfPrimary(key: string): Promise<readonly Digest[]> {
    const text = "SELECT chain FROM kez_sig.primaries WHERE key = $1 ORDER BY chain"
    return (await this.#rows<{ chain: string }>(text, [key])).map((row) => row.chain)
  }

  async chainOfEvent(digest: Digest): Promise<Digest | undefined> {
    const text = "SELECT chain FROM kez_sig.events WHERE digest = $1"
    return (await this.#rows<{ chain: string }>(text, [digest]))[0]?.chain
  }

  append(event: WaitingAppend["event"], expectedSize: number): Promise<AppendResult> {
    return this.#appends.add({ event, expectedSize })
  }

  async loadHeads(chain: Digest, now: number): Promise<readonly StoredHead[]> {
    const rows = await this.#rows<HeadRow>(
      `SELECT chain, signer, seq, digest, expires_at, envelope FROM kez_sig.heads
        WHERE chain = $1 AND expires_at > $2 ORDER BY heads.seq DESC, heads.expires_at DESC, signer, digest`,
      [chain, now],
    )
    return rows.map(headOf)
  }

  async saveHead(head: StoredHead, now: number): Promise<void> {
    await this.#rows("SELECT kez_sig.save_head($1, $2, $3)", [JSON.stringify(head), now, maxHeadsPerSigner])
  }

  async eventsAfter(cursor: number, limit: number): Promise<readonly StoredEvent[]> {
    const rows = await this.#rows<EventRow>(
      "SELECT cursor, digest, chain, seq, envelope, stored_at FROM kez_sig.events WHERE cursor > $1 ORDER BY events.cursor LIMIT $2",
      [cursor, limit],
    )
    return rows.map(eventOf)
  }

  async headsAfter(cursor: number, limit: number, now: number): Promise<readonly ListedHead[]> {
    const rows = await this.#rows<HeadRow & { readonly cursor: string }>(
      `SELECT cursor, chain, signer, seq, digest, expires_at, envelope FROM kez_sig.heads
        WHERE cursor > $1 AND expires_at > $3 ORDER BY heads.cursor LIMIT $2`,
      [cursor, limit, now],
    )
    return rows.map((row) => ({ ...headOf(row), cursor: Number(row.cursor) }))
  }

  async readMark(name: string): Promise<string | undefined> {
    return (await this.#rows<{ value: string }>("SELECT value FROM kez_sig.marks WHERE name = $1", [name]))[0]?.value
  }

  async writeMark(name: string, value: string): Promise<void> {
    const text =
      "INSERT INTO kez_sig.marks (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    await this.#rows(text, [name, value])
  }

  async counts(): Promise<StorageCounts> {
    const [row] = await this.#rows<{ events: string; chains: string; bytes: string }>(
      "SELECT events, chains, bytes FROM kez_sig.totals",
    )
    return { events: Number(row?.events ?? 0), chains: Number(row?.chains ?? 0), bytes: Number(row?.bytes ?? 0) }
  }

  /** A write of its own: a standby, a read-only database, a disk without room for the journal refuse it. */
  async assertWritable(): Promise<void> {
    await this.writeMark(writeTest, this.#origin)
  }

  onForeignAppend(listener: (chain: Digest) => void, onReset: () => void = () => undefined): void {
    this.#listeners.push(new PostgresListener({ config: this.#config, origin: this.#origin, listener, onReset }))
  }

  fill(chains: AsyncIterable<FilledChain>): Promise<void> {
    return withLongClient(this.#config, (client) => fillPostgres(client, chains))
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#appends.idle()
    await Promise.all(this.#listeners.map((listener) => listener.close()))
    await this.#pool.end()
  }

  async #writeBatch(batch: readonly WaitingAppend[]): Promise<readonly Outcome<AppendResult>[]> {
    const events = batch.map(({ event, expectedSize }) => ({ ...event, expectedSize }))
    const [row] = await this.#rows<{ cursors: readonly (string | null)[] }>(
      "SELECT kez_sig.append_events($1, $2) AS cursors",
      [this.#origin, JSON.stringify(events)],
    )
    return (row?.cursors ?? []).map((cursor) => ({
      value: cursor === null ? { status: "raced" } : { status: "stored", cursor: Number(cursor) },
    }))
  }

  /** Each text of SQL is read by the database once a connection. All of them are ours, so they are few. */
  async #rows<R extends QueryResultRow>(text: string, values: unknown[] = []): Promise<readonly R[]> {
    try {
      return (await this.#pool.query<R>({ name: nameOf(text), text, values })).rows
    } catch (error) {
      throw explainPostgres(error)
    }
  }
}

const names = new Map<string, string>()

function nameOf(text: string): string {
  const name = names.get(text) ?? `kez_${names.size}`
  names.set(text, name)
  return name
}

function eventOf({ cursor, digest, chain, seq, envelope, stored_at }: EventRow): StoredEvent {
  return { cursor: Number(cursor), digest, chain, seq, text: envelope, storedAt: Number(stored_at) }
}

function headOf({ chain, signer, seq, digest, expires_at, envelope }: HeadRow): StoredHead {
  return { chain, signer, seq: Number(seq), digest, expiresAt: Number(expires_at), text: envelope }
}
