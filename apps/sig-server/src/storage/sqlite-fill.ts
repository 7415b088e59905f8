/** Fills an empty SQLite storage from a backup, in one transaction: a process that dies in the middle leaves nothing. */

import { DatabaseSync } from "node:sqlite"
import { KezError, utf8Length } from "@kez/core"
import { guard } from "@kez/server/sqlite-fault"
import { busyTimeoutMs } from "../limits.ts"
import type { FilledChain } from "./storage.ts"

const constraint = 19

/** On a connection of its own. Whoever appends meanwhile is told that the store is busy; reading goes on, and sees nothing of it. */
export async function fillSqlite(path: string, chains: AsyncIterable<FilledChain>): Promise<void> {
  const database = guard(path, () => new DatabaseSync(path, { timeout: busyTimeoutMs }))
  try {
    const write = guard(path, () => begin(database))
    for await (const chain of chains) guard(path, () => write(chain))
    guard(path, () => database.exec("COMMIT"))
  } catch (error) {
    throw isConstraint(error) ? twice(error) : error
  } finally {
    // What is not committed by now is undone.
    database.close()
  }
}

function begin(database: DatabaseSync): (chain: FilledChain) => void {
  database.exec("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; BEGIN IMMEDIATE")
  const { used } = database.prepare("SELECT EXISTS (SELECT * FROM events) AS used").get() ?? {}
  if (used !== 0) throw new KezError("store.exists", "Cannot restore: expected an empty store")
  const addChain = database.prepare("INSERT INTO chains VALUES (?, ?, ?)")
  const addEvent = database.prepare(
    "INSERT INTO events (cursor, digest, chain, seq, text, stored_at) VALUES (?, ?, ?, ?, ?, ?)",
  )
  const addPrimary = database.prepare("INSERT INTO chain_primaries VALUES (?, ?) ON CONFLICT DO NOTHING")
  const addHead = database.prepare(
    "INSERT INTO heads (chain, signer, seq, digest, expires_at, text, cursor) SELECT ?, ?, ?, ?, ?, ?, last_head + 1 FROM totals",
  )
  const countHead = database.prepare("UPDATE totals SET last_head = last_head + 1")
  // Whoever followed the data that was lost has seen cursors up to the time of then.
  database.exec("UPDATE totals SET last_head = max(last_head, unixepoch() * 1000)")
  const grow = database.prepare("UPDATE totals SET events = events + ?, chains = chains + 1, bytes = bytes + ?")
  return ({ events, heads }) => {
    const bytes = events.reduce((sum, { text }) => sum + utf8Length(text), 0)
    const [first] = events
    if (first === undefined) return
    addChain.run(first.chain, events.length, bytes)
    for (const { cursor, digest, chain, seq, text, storedAt, primaries } of events) {
      addEvent.run(cursor, digest, chain, seq, text, storedAt)
      for (const key of primaries) addPrimary.run(key, chain)
    }
    for (const head of heads) {
      addHead.run(head.chain, head.signer, head.seq, head.digest, head.expiresAt, head.text)
      countHead.run()
    }
    grow.run(events.length, bytes)
  }
}

function isConstraint(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === constraint
}

function twice(cause: unknown): KezError {
  return new KezError("store.corrupt", "Cannot restore: the backup has something twice", { cause })
}
