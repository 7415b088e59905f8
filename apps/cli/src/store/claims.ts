/** Claims made on this computer, so that they can be shown again and listed in the chain. */
import { type Claim, type Digest, decodeEnvelope, envelopeDigest, formatEnvelope, parseClaimTime } from "@kez/core"
import { guard, type Store } from "./database.ts"

export interface OwnClaim {
  readonly digest: Digest
  readonly claim: Claim
  /** Unix seconds. */
  readonly createdAt: number
  readonly expiresAt: number | undefined
}

/** Keeps a claim. To be called in a transaction. */
export function saveClaim(store: Store, claim: Claim): void {
  const { subject, primary, created_at, expires_at } = claim.payload
  store
    .prepare(
      "INSERT OR IGNORE INTO claims (digest, subject, key, created_at, expires_at, envelope) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .run(
      envelopeDigest(claim),
      subject,
      primary,
      parseClaimTime(created_at),
      expires_at === undefined ? null : parseClaimTime(expires_at),
      formatEnvelope(claim),
    )
}

/** Newest first. */
export function loadClaims(
  store: Store,
  filter: { readonly subject?: string; readonly keys?: readonly string[] } = {},
): readonly OwnClaim[] {
  const path = store.location() ?? "the store"
  const rows = guard(path, () =>
    filter.subject === undefined
      ? store.prepare("SELECT * FROM claims ORDER BY created_at DESC, rowid DESC").all()
      : store
          .prepare("SELECT * FROM claims WHERE subject = ? ORDER BY created_at DESC, rowid DESC")
          .all(filter.subject),
  )
  return rows
    .filter((row) => filter.keys === undefined || filter.keys.includes(String(row["key"])))
    .map((row) => ({
      digest: String(row["digest"]),
      claim: decodeEnvelope(String(row["envelope"]), "claim"),
      createdAt: Number(row["created_at"]),
      expiresAt: row["expires_at"] === null ? undefined : Number(row["expires_at"]),
    }))
}
