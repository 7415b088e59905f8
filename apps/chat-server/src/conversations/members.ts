/** Who is in a conversation: what follows from its commits in the broker's streams, kept here so that each message need not read them. */
import { type Digest, userIdOf } from "@kez/core"
import type { Sql } from "../storage/database.ts"
import { countOf, textIn } from "../storage/row.ts"

export interface Member {
  readonly chain: Digest
  readonly uid: string
}

export interface Conversation {
  /** Place of the newest commit that this table knows. */
  readonly newestCommit: number
  readonly members: readonly Member[]
}

export async function findConversation(sql: Sql, conversation: string): Promise<Conversation | undefined> {
  const [row] = await sql.rows("SELECT newest_commit FROM conversations WHERE conversation = $1", [conversation])
  if (row === undefined) return undefined
  const rows = await sql.rows("SELECT chain, uid FROM members WHERE conversation = $1 ORDER BY uid", [conversation])
  const members = rows.map((member) => ({ chain: textIn(member, "chain"), uid: textIn(member, "uid") }))
  return { newestCommit: countOf(row["newest_commit"]), members }
}

export interface Accepted {
  readonly conversation: string
  readonly id: Digest
  /** Where the broker put it. */
  readonly seq: number
  readonly members: readonly Digest[]
  /** The broker has none after it, whatever this table says. */
  readonly isReset?: boolean
}

/** Within a transaction: after a commit that the broker accepted. An older one than is known changes nothing. */
export async function saveCommit(
  sql: Sql,
  { conversation, id, seq, members, isReset = false }: Accepted,
): Promise<void> {
  await sql.rows(
    "INSERT INTO commits VALUES ($1, $2, $3) ON CONFLICT (conversation, id) DO UPDATE SET place = excluded.place",
    [conversation, id, seq],
  )
  const raised = await sql.rows(
    `INSERT INTO conversations VALUES ($1, $2) ON CONFLICT (conversation) DO UPDATE SET newest_commit = excluded.newest_commit
     WHERE conversations.newest_commit < excluded.newest_commit OR $3 = 1 RETURNING newest_commit`,
    [conversation, seq, isReset ? 1 : 0],
  )
  if (raised.length === 0) return
  await sql.rows("DELETE FROM members WHERE conversation = $1", [conversation])
  for (const chain of members) {
    await sql.rows("INSERT INTO members VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", [
      conversation,
      chain,
      userIdOf(chain),
    ])
  }
}

/** Where a commit that was sent before is. */
export async function placeOfCommit(sql: Sql, conversation: string, id: Digest): Promise<number | undefined> {
  const [row] = await sql.rows("SELECT place FROM commits WHERE conversation = $1 AND id = $2", [conversation, id])
  return row === undefined ? undefined : countOf(row["place"])
}
