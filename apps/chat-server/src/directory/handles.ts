/** Rows of handles: what follows from the log, as look-ups need it. */
import type { Digest } from "@kez/core"
import { skeletonOf } from "@kez/core/directory"
import type { Row, Sql, SqlValue } from "../storage/database.ts"
import { countOf, optionalTextIn, textIn } from "../storage/row.ts"

export interface HandleRow {
  readonly handle: string
  readonly state: "registered" | "moved" | "released"
  readonly chain: Digest
  /** Of the newest leaf about it. */
  readonly place: number
  /** Key identity: the primary that the registration names. */
  readonly primary: string
  /** `npub1…`, for NIP-05. */
  readonly nostr: string | undefined
  readonly chainUrl: string | undefined
  /** `handle@host`. */
  readonly movedTo: string | undefined
  /** Unix seconds. */
  readonly registeredAt: number
}

const columns = "handle, state, chain, place, signer, nostr, chain_url, moved_to, registered_at"

export async function findHandle(sql: Sql, handle: string): Promise<HandleRow | undefined> {
  return first(await sql.rows(`SELECT ${columns} FROM handles WHERE handle = $1`, [handle]))
}

export async function findLookalike(sql: Sql, handle: string): Promise<HandleRow | undefined> {
  const text = `SELECT ${columns} FROM handles WHERE skeleton = $1 AND handle <> $2`
  return first(await sql.rows(text, [skeletonOf(handle), handle]))
}

export async function handleOfChain(sql: Sql, chain: Digest): Promise<HandleRow | undefined> {
  return first(await sql.rows(`SELECT ${columns} FROM handles WHERE chain = $1 AND state = 'registered'`, [chain]))
}

/** `id`: a chain id, or a key that is or was a primary of the chain as far as is known here. */
export async function handlesOf(sql: Sql, id: string, limit: number): Promise<readonly HandleRow[]> {
  const text = `SELECT ${columns} FROM handles WHERE state = 'registered' AND (chain = $1
    OR chain IN (SELECT chain FROM chain_keys WHERE key = $1)) ORDER BY handle LIMIT $2`
  return (await sql.rows(text, [id, limit])).map(rowOf)
}

/** Within a transaction. */
export async function saveHandle(sql: Sql, row: HandleRow): Promise<void> {
  const values: readonly SqlValue[] = [
    row.handle,
    skeletonOf(row.handle),
    row.state,
    row.chain,
    row.place,
    row.primary,
    row.nostr ?? null,
    row.chainUrl ?? null,
    row.movedTo ?? null,
    row.registeredAt,
  ]
  await sql.rows(
    `INSERT INTO handles (handle, skeleton, state, chain, place, signer, nostr, chain_url, moved_to, registered_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (handle) DO UPDATE SET state = excluded.state, place = excluded.place,
       signer = excluded.signer, nostr = excluded.nostr, chain_url = excluded.chain_url, moved_to = excluded.moved_to,
       registered_at = excluded.registered_at`,
    values,
  )
}

export async function saveChainKeys(sql: Sql, chain: Digest, keys: readonly string[]): Promise<void> {
  for (const key of keys) await sql.rows("INSERT INTO chain_keys VALUES ($1, $2) ON CONFLICT DO NOTHING", [key, chain])
}

function first(rows: readonly Row[]): HandleRow | undefined {
  return rows[0] === undefined ? undefined : rowOf(rows[0])
}

function rowOf(row: Row): HandleRow {
  const state = textIn(row, "state")
  return {
    handle: textIn(row, "handle"),
    state: state === "moved" || state === "released" ? state : "registered",
    chain: textIn(row, "chain"),
    place: countOf(row["place"]),
    primary: textIn(row, "signer"),
    nostr: optionalTextIn(row, "nostr"),
    chainUrl: optionalTextIn(row, "chain_url"),
    movedTo: optionalTextIn(row, "moved_to"),
    registeredAt: countOf(row["registered_at"]),
  }
}
