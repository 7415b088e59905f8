/** The log in the database: leaves, and the hashes of their complete subtrees. It only ever grows. SPEC §7.8. */
import { type Digest, envelopeDigest, formatEnvelope, KezError } from "@kez/core"
import { type DirectoryStatement, hashOfStatement } from "@kez/core/directory"
import {
  completedBy,
  consistencyRanges,
  emptyRoot,
  inclusionRanges,
  joinSubtrees,
  nodeHash,
  type Range,
  type Subtree,
  subtreesOf,
} from "@kez/core/tlog"
import type { Row, Sql } from "../storage/database.ts"
import { countOf } from "../storage/row.ts"

export interface LogLeaf {
  readonly place: number
  /** JCS of the statement. */
  readonly statement: string
}

export async function logSize(sql: Sql): Promise<number> {
  const [row] = await sql.rows("SELECT coalesce(max(place) + 1, 0) AS size FROM leaves")
  return countOf(row?.["size"])
}

/** Within a transaction. Gives the place of the new leaf. */
export async function appendLeaf(sql: Sql, statement: DirectoryStatement): Promise<number> {
  const place = await logSize(sql)
  await sql.rows("INSERT INTO leaves (place, digest, statement, handle) VALUES ($1, $2, $3, $4)", [
    place,
    envelopeDigest(statement),
    formatEnvelope(statement),
    statement.payload.handle,
  ])
  let hash = hashOfStatement(statement)
  for (const { level, index } of completedBy(place)) {
    if (level > 0) hash = nodeHash(await hashAt(sql, { level: level - 1, index: 2 * index }), hash)
    await sql.rows("INSERT INTO hashes (level, place, hash) VALUES ($1, $2, $3)", [level, index, hash])
  }
  return place
}

/** Where a statement stands, if it was ever accepted. */
export async function placeOf(sql: Sql, digest: Digest): Promise<number | undefined> {
  const [row] = await sql.rows("SELECT place FROM leaves WHERE digest = $1", [digest])
  return row === undefined ? undefined : countOf(row["place"])
}

export async function leafAt(sql: Sql, place: number): Promise<string> {
  const [row] = await sql.rows("SELECT statement FROM leaves WHERE place = $1", [place])
  if (row === undefined) throw missing(`leaf ${place}`)
  return textOf(row)
}

/** Leaves from `start` up to `end`. */
export async function leavesBetween(sql: Sql, { start, end }: Range): Promise<readonly LogLeaf[]> {
  const text = "SELECT place, statement FROM leaves WHERE place >= $1 AND place < $2 ORDER BY place"
  return leavesOf(await sql.rows(text, [start, end]))
}

/** The newest leaves about a handle, oldest first. */
export async function leavesOfHandle(sql: Sql, handle: string, limit: number): Promise<readonly LogLeaf[]> {
  const text = "SELECT place, statement FROM leaves WHERE handle = $1 ORDER BY place DESC LIMIT $2"
  return leavesOf(await sql.rows(text, [handle, limit])).toReversed()
}

/** Hashes of one level from `start` up to `end`. */
export async function hashesBetween(sql: Sql, level: number, { start, end }: Range): Promise<readonly Uint8Array[]> {
  const text = "SELECT hash FROM hashes WHERE level = $1 AND place >= $2 AND place < $3 ORDER BY place"
  const hashes = (await sql.rows(text, [level, start, end])).map(hashOf)
  if (hashes.length !== end - start) throw missing(`hashes of level ${level}`)
  return hashes
}

export async function rootAt(sql: Sql, size: number): Promise<Uint8Array> {
  const [root] = await hashesOf(sql, [{ start: 0, end: size }])
  return root ?? emptyRoot()
}

export function inclusionPath(sql: Sql, index: number, size: number): Promise<readonly Uint8Array[]> {
  return hashesOf(sql, inclusionRanges(index, size))
}

export function consistencyPath(sql: Sql, first: number, second: number): Promise<readonly Uint8Array[]> {
  return hashesOf(sql, consistencyRanges(first, second))
}

/** All subtrees that the ranges consist of by one statement: at most two for each level of the tree. */
async function hashesOf(sql: Sql, ranges: readonly Range[]): Promise<readonly Uint8Array[]> {
  const parts = ranges.map(subtreesOf)
  const needed = parts.flat()
  const where = needed.map((_, at) => `(level = $${2 * at + 1} AND place = $${2 * at + 2})`).join(" OR ")
  const values = needed.flatMap(({ level, index }) => [level, index])
  const rows = needed.length === 0 ? [] : await sql.rows(`SELECT level, place, hash FROM hashes WHERE ${where}`, values)
  const found = new Map(rows.map((row) => [`${countOf(row["level"])} ${countOf(row["place"])}`, hashOf(row)]))
  return parts.map((subtrees) =>
    joinSubtrees(
      subtrees.map(({ level, index }) => {
        const hash = found.get(`${level} ${index}`)
        if (hash === undefined) throw missing(`hash ${index} of level ${level}`)
        return hash
      }),
    ),
  )
}

async function hashAt(sql: Sql, { level, index }: Subtree): Promise<Uint8Array> {
  const [row] = await sql.rows("SELECT hash FROM hashes WHERE level = $1 AND place = $2", [level, index])
  if (row === undefined) throw missing(`hash ${index} of level ${level}`)
  return hashOf(row)
}

function hashOf({ hash }: Row): Uint8Array {
  if (hash instanceof Uint8Array && hash.length === 32) return new Uint8Array(hash)
  throw missing("a hash")
}

function leavesOf(rows: readonly Row[]): readonly LogLeaf[] {
  return rows.map((row) => ({ place: countOf(row["place"]), statement: textOf(row) }))
}

function textOf({ statement }: Row): string {
  if (typeof statement === "string") return statement
  throw missing("a statement")
}

function missing(what: string): KezError {
  return new KezError("store.corrupt", `Cannot read the log: ${what} is missing`)
}
