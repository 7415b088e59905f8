/** What is written to the SQLite file, as orders that can be sent to the thread that writes. */
import type { DatabaseSync } from "node:sqlite"
import { utf8Length } from "@kez/core"
import { maxHeadsPerSigner, writeProbeBytes } from "../limits.ts"
import type { NewEvent, StoredHead } from "./storage.ts"

export type WriteOrder =
  | { readonly kind: "append"; readonly event: NewEvent; readonly expectedSize: number }
  | { readonly kind: "head"; readonly head: StoredHead; readonly now: number }
  | { readonly kind: "mark"; readonly name: string; readonly value: string }
  /** Writes as much as an event may need, and takes it back in the same transaction. */
  | { readonly kind: "probe" }

/** Of an append the cursor of the event, or undefined for one that was raced; of others undefined. */
export type Written = number | undefined

/** Carries out orders; each is run within a transaction. */
export function createWrites(database: DatabaseSync): (order: WriteOrder) => Written {
  const sql = prepare(database)
  return (order) => {
    switch (order.kind) {
      case "append":
        return append(sql, order.event, order.expectedSize)
      case "head":
        return saveHead(sql, order.head, order.now)
      case "mark":
        sql.writeMark.run(order.name, order.value)
        return undefined
      case "probe":
        sql.writeMark.run(probeName, "x".repeat(writeProbeBytes))
        sql.dropMark.run(probeName)
        return undefined
    }
  }
}

const probeName = "writable"

type Statements = ReturnType<typeof prepare>

function append(sql: Statements, event: NewEvent, expectedSize: number): Written {
  const { digest, chain, seq, text, storedAt } = event
  // In a transaction of the only writer: what is compared here cannot change before the insert.
  const size = Number(sql.size.get(chain)?.["size"] ?? 0)
  if (size !== expectedSize || sql.hasEvent.get(digest) !== undefined) return undefined
  const bytes = utf8Length(text)
  sql.growChain.run(chain, bytes)
  const { lastInsertRowid } = sql.insertEvent.run(digest, chain, seq, text, storedAt)
  for (const key of event.primaries) sql.addPrimary.run(key, chain)
  sql.growTotals.run(expectedSize === 0 ? 1 : 0, bytes)
  return Number(lastInsertRowid)
}

function saveHead(sql: Statements, head: StoredHead, now: number): Written {
  const { chain, signer, seq, digest, expiresAt, text } = head
  const cursor = Math.max(Number(sql.lastHead.get()?.["last_head"]) + 1, now * 1_000)
  // One that is known already stays where it is: two stores that follow each other would tell it to and fro.
  const { changes } = sql.saveHead.run(chain, signer, seq, digest, expiresAt, text, cursor)
  if (changes > 0) sql.setLastHead.run(cursor)
  sql.dropExpiredHeads.run(chain, now)
  sql.dropOlderHeads.run({ chain, signer, kept: maxHeadsPerSigner })
  return undefined
}

/** Each text of SQL is read once: that takes longer than running it. */
function prepare(database: DatabaseSync) {
  return {
    size: database.prepare("SELECT size FROM chains WHERE chain = ?"),
    hasEvent: database.prepare("SELECT 1 FROM events WHERE digest = ?"),
    growChain: database.prepare(
      `INSERT INTO chains VALUES (?, 1, ?)
       ON CONFLICT (chain) DO UPDATE SET size = size + 1, bytes = bytes + excluded.bytes`,
    ),
    insertEvent: database.prepare("INSERT INTO events (digest, chain, seq, text, stored_at) VALUES (?, ?, ?, ?, ?)"),
    addPrimary: database.prepare("INSERT INTO chain_primaries VALUES (?, ?) ON CONFLICT DO NOTHING"),
    growTotals: database.prepare("UPDATE totals SET events = events + 1, chains = chains + ?, bytes = bytes + ?"),
    saveHead: database.prepare(
      `INSERT INTO heads (chain, signer, seq, digest, expires_at, text, cursor) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET expires_at = excluded.expires_at, text = excluded.text, cursor = excluded.cursor
       WHERE excluded.expires_at > expires_at`,
    ),
    lastHead: database.prepare("SELECT last_head FROM totals"),
    setLastHead: database.prepare("UPDATE totals SET last_head = ?"),
    dropExpiredHeads: database.prepare("DELETE FROM heads WHERE chain = ? AND expires_at <= ?"),
    dropOlderHeads: database.prepare(
      `DELETE FROM heads WHERE chain = :chain AND signer = :signer AND rowid NOT IN (
         SELECT rowid FROM heads WHERE chain = :chain AND signer = :signer
         ORDER BY seq DESC, expires_at DESC, digest LIMIT :kept)`,
    ),
    writeMark: database.prepare("INSERT INTO marks VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"),
    dropMark: database.prepare("DELETE FROM marks WHERE name = ?"),
  }
}
