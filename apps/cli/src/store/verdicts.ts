/** When an account was last seen proven and by whom: what is shown when its place cannot be reached. */
import type { Digest } from "@kez/core"
import type { Store } from "./database.ts"

export interface Proven {
  /** Canonical. */
  readonly subject: string
  /** Primary in force then. */
  readonly primary: string
  readonly chain: Digest | undefined
  /** The account's permanent number, where its place has one. */
  readonly accountId: string | undefined
  /** Unix seconds. */
  readonly provenAt: number
}

/** Notes a `valid` verdict on a look at the account's own place. To be called in a transaction. */
export function saveProven(store: Store, proven: Proven): void {
  const { subject, primary, chain, accountId, provenAt } = proven
  store
    .prepare(
      `INSERT INTO proven (subject, key, chain, account_id, proven_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET key = excluded.key, chain = excluded.chain,
         account_id = excluded.account_id, proven_at = excluded.proven_at
       WHERE excluded.proven_at >= proven.proven_at`,
    )
    .run(subject, primary, chain ?? null, accountId ?? null, provenAt)
}

export function loadProven(store: Store, subject: string): Proven | undefined {
  const row = store.prepare("SELECT * FROM proven WHERE subject = ?").get(subject)
  if (row === undefined) return undefined
  const text = (column: string): string | undefined => (row[column] === null ? undefined : String(row[column]))
  return {
    subject,
    primary: String(row["key"]),
    chain: text("chain"),
    accountId: text("account_id"),
    provenAt: Number(row["proven_at"]),
  }
}
