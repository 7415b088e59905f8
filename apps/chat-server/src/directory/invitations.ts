/** Invitations: codes that admins make. Only their hashes are kept, so that a copy of the database invites nobody. */
import { createHash, randomBytes } from "node:crypto"
import { base32nopad } from "@scure/base"
import { invitationBytes, maxInvitationCharacters } from "../limits.ts"
import type { Sql } from "../storage/database.ts"
import { countOf } from "../storage/row.ts"

export interface NewInvitation {
  readonly uses: number
  /** Unix seconds. */
  readonly expiresAt: number
  readonly now: number
  /** Who made it: the key of an admin, or `operator`. */
  readonly by: string
}

/** Makes a code, such as `k3xq-…`; it is shown once and stored nowhere. */
export async function makeInvitation(sql: Sql, { uses, expiresAt, now, by }: NewInvitation): Promise<string> {
  const code = base32nopad.encode(randomBytes(invitationBytes)).toLowerCase()
  await sql.rows(
    "INSERT INTO invitations (hash, uses_left, expires_at, made_at, made_by) VALUES ($1, $2, $3, $4, $5)",
    [hashOf(code), uses, expiresAt, now, by],
  )
  return code.replaceAll(/.{4}(?=.)/g, "$&-")
}

/** Within a transaction: whether the code was good, of whose uses one is gone then. */
export async function useInvitation(sql: Sql, typed: string, now: number): Promise<boolean> {
  const code = normalised(typed)
  if (code === undefined) return false
  const rows = await sql.rows(
    "UPDATE invitations SET uses_left = uses_left - 1 WHERE hash = $1 AND uses_left > 0 AND expires_at > $2 RETURNING uses_left",
    [hashOf(code), now],
  )
  return rows.length === 1
}

export async function countInvitations(sql: Sql, now: number): Promise<number> {
  const [row] = await sql.rows("SELECT count(*) AS open FROM invitations WHERE uses_left > 0 AND expires_at > $1", [
    now,
  ])
  return countOf(row?.["open"])
}

/** Case, dashes and spaces do not matter: codes are read out and typed. */
function normalised(typed: string): string | undefined {
  if (typed.length > maxInvitationCharacters) return undefined
  const code = typed.replaceAll(/[-\s]/g, "").toLowerCase()
  return /^[a-z2-7]{26}$/.test(code) ? code : undefined
}

/** 128 random bits: nothing is gained by a slow hash. */
function hashOf(code: string): Uint8Array {
  return createHash("sha256").update(`kez/chat/invitation/v1\0${code}`).digest()
}
