/** The database as one SQLite file, which this process alone writes. Registrations are rare: a commit blocks for one wait of the disk. */
import type { DatabaseSync } from "node:sqlite"
import { KezError } from "@kez/core"
import { guard } from "@kez/server/sqlite-fault"
import { openForWriting, openSqliteFile } from "@kez/server/sqlite-file"
import type { Database, Row, Sql, SqlValue } from "./database.ts"
import { sqliteForm } from "./tables.ts"

export interface SqliteOptions {
  readonly path: string
  /** Unix seconds. */
  readonly now: () => number
  readonly quotaBytes?: number | undefined
}

const probeBytes = 16_384

/** Throws what `openSqliteFile` throws. */
export function openSqlite(options: SqliteOptions): Database {
  const { path } = options
  // Two connections, so that nobody reads what a transaction may still take back.
  const reading = openSqliteFile({ ...options, form: sqliteForm })
  const writing = openForWriting(options)
  const run = runner(writing, path)
  let last: Promise<unknown> = Promise.resolve()
  let isClosed = false

  const transact = async <T>(work: (sql: Sql) => Promise<T>): Promise<T> => {
    if (isClosed) throw new KezError("store.write", "Cannot write: the database is closed")
    guard(path, () => writing.exec("BEGIN IMMEDIATE"))
    try {
      const result = await work({ rows: run })
      guard(path, () => writing.exec("COMMIT"))
      return result
    } catch (error) {
      if (writing.isTransaction) writing.exec("ROLLBACK")
      throw error
    }
  }
  const inTurn = <T>(work: (sql: Sql) => Promise<T>): Promise<T> => {
    const turn = last.then(() => transact(work))
    last = turn.catch(() => undefined)
    return turn
  }
  return {
    kind: "sqlite",
    rows: runner(reading, path),
    transact: inTurn,
    async assertWritable() {
      await inTurn(async (sql) => {
        const values = ["writable", "x".repeat(probeBytes)]
        await sql.rows(
          "INSERT INTO marks VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
          values,
        )
        await sql.rows("DELETE FROM marks WHERE name = $1", ["writable"])
      })
    },
    async close() {
      isClosed = true
      await last
      reading.close()
      writing.close()
    },
  }
}

/** Each text of SQL is read once: that takes longer than running it. All of them are ours, so they are few. */
function runner(database: DatabaseSync, path: string): Sql["rows"] {
  const prepared = new Map<string, ReturnType<DatabaseSync["prepare"]>>()
  return (text, values = []) =>
    // An error of SQLite is a rejection, as it is for the other database.
    new Promise<readonly Row[]>((resolve) => {
      resolve(
        guard(path, () => {
          const statement = prepared.get(text) ?? database.prepare(text.replaceAll(/\$(\d+)/g, "?$1"))
          prepared.set(text, statement)
          return statement.all(...(values as SqlValue[]))
        }),
      )
    })
}
