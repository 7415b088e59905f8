/**
 * The one small interface to both databases. Statements are the same text for both; what differs is how they are run, how a transaction is
 * held, and the types of the tables (`tables.ts`).
 */

export type SqlValue = string | number | null | Uint8Array

/** Numbers of PostgreSQL's bigint come as text: readers of a row convert. */
export type Row = Readonly<Record<string, unknown>>

export interface Sql {
  /** Rows of one statement with `$1`, `$2` … for the values. */
  rows(text: string, values?: readonly SqlValue[]): Promise<readonly Row[]>
}

/**
 * Failures are KezErrors: `store.full` (disk or quota), `store.busy`, `store.corrupt`, `store.newer`, `store.write`.
 * A transaction that resolves survives a power cut.
 */
export interface Database extends Sql {
  readonly kind: "sqlite" | "postgres"
  /** One at a time over all processes that share the database: what is read in it cannot change before it ends. What `work` throws undoes it. */
  transact<T>(work: (sql: Sql) => Promise<T>): Promise<T>
  /** Whether a write would succeed now. Throws as a transaction would. */
  assertWritable(): Promise<void>
  close(): Promise<void>
}
