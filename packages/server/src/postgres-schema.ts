/** Connections to PostgreSQL on which acknowledged means kept, and the tables of a program in a schema of their own. */
import { KezError } from "@kez/core"
import type { ClientBase } from "pg"

/** For each new connection: settings of the database or the user must not make an acknowledged write a hope. Throws `store.write`. */
export async function assertDurable(client: ClientBase): Promise<void> {
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

export interface SchemaForm {
  /** The name of the program that the tables belong to. */
  readonly program: string
  /** A name of ours: it is written into SQL. */
  readonly schema: string
  /** One number for all copies of the program: whoever makes or changes tables holds this lock. */
  readonly lock: number
  readonly steps: readonly string[]
}

/**
 * Makes or upgrades the tables in one transaction; of several copies that start at once, one does it and the others wait.
 * Throws `store.newer` for tables of a later version.
 */
export async function migrateSchema(client: ClientBase, form: SchemaForm): Promise<void> {
  const { schema, lock, steps } = form
  if ((await versionOf(client, form)) === steps.length) return
  await client.query("BEGIN")
  try {
    await client.query("SELECT pg_advisory_xact_lock($1)", [lock])
    const version = await versionOf(client, form)
    if (version === 0)
      await client.query(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.schema_version (version integer)`)
    for (const step of steps.slice(version)) await client.query(step)
    await client.query(`DELETE FROM ${schema}.schema_version`)
    await client.query(`INSERT INTO ${schema}.schema_version (version) VALUES ($1)`, [steps.length])
    await client.query("COMMIT")
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined)
    throw error
  }
}

async function versionOf(client: ClientBase, { schema, steps, program }: SchemaForm): Promise<number> {
  // Rows of the catalogue, not to_regclass(): what that remembers may be older than the lock that was waited for.
  const found = await client.query<{ there: boolean }>(
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename = 'schema_version') AS there",
    [schema],
  )
  if (found.rows[0]?.there !== true) return 0
  const { rows } = await client.query<{ version: number }>(`SELECT version FROM ${schema}.schema_version`)
  const version = rows[0]?.version ?? 0
  if (version <= steps.length) return version
  throw new KezError(
    "store.newer",
    `Cannot open the database: expected tables of version ${steps.length} or older, got ${version}`,
    { hint: `A later version of ${program} wrote them. Update this one.` },
  )
}
