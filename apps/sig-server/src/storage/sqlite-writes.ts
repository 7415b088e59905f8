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

type Append = Extract<WriteOrder, { readonly kind: "append" }>

/** Thrown so that the order is undone: the chain had the size that was expected, and this very event is kept nevertheless. */
export class KnownError extends Error {}

export interface Writes {
  /** Begins to count for a transaction. */
  begin(): void
  /** Within a transaction. */
  carryOut(order: WriteOrder): Written
  /** Before the transaction ends: writes what its orders have added up to. */
  finish(): void
}

export function createWrites(database: DatabaseSync): Writes {
  const sql = prepare(database)
  let added = { events: 0, chains: 0, bytes: 0 }
  return {
    begin() {
      added = { events: 0, chains: 0, bytes: 0 }
    },
    carryOut(order) {
      switch (order.kind) {
        case "append": {
          const bytes = utf8Length(order.event.text)
          const cursor = append(sql, order, bytes)
          if (cursor === undefined) return undefined
          // Last: what was undone is not counted.
          added.events += 1
          added.chains += order.expectedSize === 0 ? 1 : 0
          added.bytes += bytes
          return cursor
        }
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
    },
    finish() {
      if (added.events > 0) sql.growTotals.run(added.events, added.chains, added.bytes)
    },
  }
}

const probeName = "writable"

type Statements = ReturnType<typeof prepare>

/** In a transaction of the only writer: what is compared here cannot change before the insert. */
function append(sql: Statements, { event, expectedSize }: Append, bytes: number): Written {
  const { digest, chain, seq, text, storedAt } = event
  const grown = expectedSize === 0 ? sql.addChain.run(chain, bytes) : sql.growChain.run(bytes, chain, expectedSize)
  if (grown.changes === 0) return undefined
  const { changes, lastInsertRowid } = sql.insertEvent.run(digest, chain, seq, text, storedAt)
  if (changes === 0) throw new KnownError("Cannot append the event: it is kept already")
  for (const key of event.primaries) sql.addPrimary.run(key, chain)
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
    addChain: database.prepare("INSERT INTO chains VALUES (?, 1, ?) ON CONFLICT DO NOTHING"),
    growChain: database.prepare("UPDATE chains SET size = size + 1, bytes = bytes + ? WHERE chain = ? AND size = ?"),
    insertEvent: database.prepare(
      "INSERT INTO events (digest, chain, seq, text, stored_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING",
    ),
    addPrimary: database.prepare("INSERT INTO chain_primaries VALUES (?, ?) ON CONFLICT DO NOTHING"),
    growTotals: database.prepare("UPDATE totals SET events = events + ?, chains = chains + ?, bytes = bytes + ?"),
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
