/** Key packages that wait for somebody to use them. Each one-time one is handed out once. */
import { chatLimits, type VerifiedKeyPackage } from "@kez/chat"
import { type BrokerDevice, KezError } from "@kez/core"
import { maxKeyPackageNames } from "../limits.ts"
import type { Sql } from "../storage/database.ts"
import { countOf } from "../storage/row.ts"

export interface Held {
  readonly key_packages: number
  readonly last_resort: boolean
}

export async function countKeyPackages(sql: Sql, { uid, dev }: BrokerDevice, now: number): Promise<Held> {
  const rows = await sql.rows(
    "SELECT is_last_resort, count(*) AS held FROM key_packages WHERE uid = $1 AND dev = $2 AND expires_at > $3 AND bytes IS NOT NULL GROUP BY is_last_resort",
    [uid, dev, now],
  )
  const held = (isLastResort: number): number =>
    countOf(rows.find((row) => countOf(row["is_last_resort"]) === isLastResort)?.["held"] ?? 0)
  return { key_packages: held(0), last_resort: held(1) > 0 }
}

export interface Offered {
  readonly bytes: Uint8Array
  readonly verified: Pick<VerifiedKeyPackage, "ref" | "isLastResort">
  /** Unix seconds. */
  readonly expiresAt: number
}

/** Within a transaction. What was put or used before is left as it is; beyond the most that is kept, those that end first go. */
export async function saveKeyPackages(
  sql: Sql,
  { uid, dev }: BrokerDevice,
  { offered, now }: { readonly offered: readonly Offered[]; readonly now: number },
): Promise<Held> {
  await sql.rows("DELETE FROM key_packages WHERE expires_at <= $1", [now])
  await assertFew(sql, { uid, dev }, offered.length)
  for (const { bytes, verified, expiresAt } of offered) {
    const { ref, isLastResort } = verified
    const added = await sql.rows(
      "INSERT INTO key_packages VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING ref",
      [ref, uid, dev, bytes, isLastResort ? 1 : 0, expiresAt],
    )
    if (added.length === 0 || !isLastResort) continue
    // The one before is used up, whoever has it: its device has made a new one for that reason.
    await sql.rows(
      "UPDATE key_packages SET bytes = NULL WHERE uid = $1 AND dev = $2 AND is_last_resort = 1 AND ref <> $3",
      [uid, dev, ref],
    )
  }
  await sql.rows(
    `UPDATE key_packages SET bytes = NULL WHERE ref IN (SELECT ref FROM key_packages
     WHERE uid = $1 AND dev = $2 AND is_last_resort = 0 AND bytes IS NOT NULL ORDER BY expires_at DESC, ref LIMIT 100000 OFFSET $3)`,
    [uid, dev, chatLimits.maxKeyPackagesHeld],
  )
  return countKeyPackages(sql, { uid, dev }, now)
}

/** Names of used ones are kept until they would have expired, so there must be an end to them. */
async function assertFew(sql: Sql, { uid, dev }: BrokerDevice, more: number): Promise<void> {
  const [row] = await sql.rows("SELECT count(*) AS names FROM key_packages WHERE uid = $1 AND dev = $2", [uid, dev])
  if (countOf(row?.["names"]) + more <= maxKeyPackageNames) return
  throw new KezError("net.rate_limit", "Cannot take the key packages: this device has put too many here")
}

/** Within a transaction: a one-time one, which is gone then, else the last-resort one, which stays. */
export async function takeKeyPackage(
  sql: Sql,
  { uid, dev }: BrokerDevice,
  now: number,
): Promise<Uint8Array | undefined> {
  const [row] = await sql.rows(
    "SELECT ref, bytes, is_last_resort FROM key_packages WHERE uid = $1 AND dev = $2 AND expires_at > $3 AND bytes IS NOT NULL ORDER BY is_last_resort, expires_at LIMIT 1",
    [uid, dev, now],
  )
  const bytes = row?.["bytes"]
  if (row === undefined || !(bytes instanceof Uint8Array)) return undefined
  if (countOf(row["is_last_resort"]) === 0) {
    await sql.rows("UPDATE key_packages SET bytes = NULL WHERE ref = $1", [String(row["ref"])])
  }
  return bytes
}
