/** The database in PostgreSQL, for several copies of the server. */
import { explainPostgres } from "@kez/server/postgres-errors"
import { assertDurable, migrateSchema } from "@kez/server/postgres-schema"
import { Client, type ClientBase, type ClientConfig, Pool } from "pg"
import { maxPostgresConnections, postgresConnectMs, postgresStatementMs } from "../limits.ts"
import type { Database, Row, Sql, SqlValue } from "./database.ts"
import { postgresForm } from "./tables.ts"

/** The client waits a little longer than the server may work, so that the server's word is heard. */
const clientGraceMs = 2_000
/** Whoever writes holds this lock of the database until the commit: the log has one end. */
const writeLock = 6_969_002

/**
 * Makes or upgrades the tables first where needed. Throws `store.newer`, `store.busy` when the database does not answer, `store.write`
 * when it does not let us in or would lose what it has acknowledged.
 */
export async function openPostgres(url: string): Promise<Database> {
  const config: ClientConfig = {
    connectionString: url,
    application_name: "kez-chat-server",
    connectionTimeoutMillis: postgresConnectMs,
    statement_timeout: postgresStatementMs,
    query_timeout: postgresStatementMs + clientGraceMs,
    keepAlive: true,
  }
  await makeTables(config)
  const pool = new Pool({ ...config, max: maxPostgresConnections, onConnect: prepare })
  // A connection that breaks while nobody uses it: the pool has dropped it already.
  pool.on("error", () => undefined)
  return createDatabase(pool)
}

async function prepare(client: ClientBase): Promise<void> {
  await assertDurable(client)
  await client.query("SELECT set_config('search_path', 'kez_chat', false)")
}

async function makeTables(config: ClientConfig): Promise<void> {
  const client = new Client({ ...config, statement_timeout: 0, query_timeout: 0 })
  // What breaks it is told by the query that runs.
  client.on("error", () => undefined)
  try {
    await client.connect()
    await assertDurable(client)
    await migrateSchema(client, postgresForm)
  } catch (error) {
    throw explainPostgres(error)
  } finally {
    await client.end().catch(() => undefined)
  }
}

function createDatabase(pool: Pool): Database {
  const transact = async <T>(work: (sql: Sql) => Promise<T>): Promise<T> => {
    const client = await explained(pool.connect())
    let broken: Error | undefined
    try {
      const sql = { rows: runner(client) }
      await sql.rows("BEGIN")
      await sql.rows("SELECT pg_advisory_xact_lock($1)", [writeLock])
      const result = await work(sql)
      await sql.rows("COMMIT")
      return result
    } catch (error) {
      await client.query("ROLLBACK").catch((cause: Error) => {
        broken = cause
      })
      throw error
    } finally {
      client.release(broken)
    }
  }
  return {
    kind: "postgres",
    rows: runner(pool),
    transact,
    // A standby, a read-only database, a disk without room for the journal refuse it.
    assertWritable: () =>
      transact(async (sql) => {
        const text = "INSERT INTO marks VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        await sql.rows(text, ["writable", "yes"])
      }),
    close: () => pool.end(),
  }
}

function runner(client: Pool | ClientBase): Sql["rows"] {
  return async (text: string, values: readonly SqlValue[] = []): Promise<readonly Row[]> => {
    const params = values.map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value))
    return (await explained(client.query<Record<string, unknown>>(text, params))).rows
  }
}

/** After a commit whose answer was lost nobody knows what holds: the client asks again, and registering twice is one registration. */
async function explained<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw explainPostgres(error)
  }
}
