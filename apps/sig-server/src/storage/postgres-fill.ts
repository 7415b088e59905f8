/** Fills an empty PostgreSQL storage from a backup, in one transaction: a process that dies in the middle leaves nothing. */
import { KezError } from "@kez/core"
import { type ClientBase, DatabaseError } from "pg"
import type { FilledChain } from "./storage.ts"

/** Chains are small, statements are not free: several go into one. */
const eventsAtOnce = 500
const uniqueViolation = "23505"

const insertEvents = `
  WITH item AS (SELECT * FROM jsonb_to_recordset($1::jsonb)
    AS x(cursor bigint, digest text, chain text, seq integer, text text, "storedAt" bigint, primaries jsonb)),
  event AS (INSERT INTO kez_sig.events (cursor, digest, chain, seq, envelope, stored_at)
    SELECT cursor, digest, chain, seq, text, "storedAt" FROM item),
  chain AS (INSERT INTO kez_sig.chains (chain, size) SELECT chain, count(*) FROM item GROUP BY chain)
  INSERT INTO kez_sig.primaries (key, chain)
    SELECT DISTINCT key, chain FROM item, jsonb_array_elements_text(primaries) AS key`

const insertHeads = `
  WITH head AS (INSERT INTO kez_sig.heads (chain, signer, seq, digest, expires_at, envelope, cursor)
    SELECT chain, signer, seq, digest, "expiresAt", text, last_cursor + row_number() OVER () FROM kez_sig.head_order,
      jsonb_to_recordset($1::jsonb) AS x(chain text, signer text, seq bigint, digest text, "expiresAt" bigint, text text)
    RETURNING cursor)
  UPDATE kez_sig.head_order SET last_cursor = greatest(last_cursor, (SELECT max(cursor) FROM head))`

/** Whoever followed the data that was lost has seen cursors of heads up to the time of then. */
const startHeads = `
  UPDATE kez_sig.head_order SET last_cursor = greatest(last_cursor, floor(extract(epoch FROM now()))::bigint * 1000)`

const sumUp = `
  UPDATE kez_sig.totals SET (last_cursor, events, bytes) =
    (SELECT coalesce(max(cursor), 0), count(*), coalesce(sum(octet_length(envelope)), 0) FROM kez_sig.events),
    chains = (SELECT count(*) FROM kez_sig.chains)`

/** Throws `store.exists` for a storage that is not empty. Whatever `chains` throws undoes all. */
export async function fillPostgres(client: ClientBase, chains: AsyncIterable<FilledChain>): Promise<void> {
  await client.query("BEGIN")
  try {
    // Who appends meanwhile waits, and is told in time that the store is busy.
    const { rows } = await client.query<{ empty: boolean }>(
      "SELECT last_cursor = 0 AS empty FROM kez_sig.totals FOR UPDATE",
    )
    if (rows[0]?.empty !== true) throw new KezError("store.exists", "Cannot restore: expected an empty database")
    await client.query(startHeads)
    let waiting: FilledChain[] = []
    let events = 0
    for await (const chain of chains) {
      waiting.push(chain)
      events += chain.events.length
      if (events < eventsAtOnce) continue
      await write(client, waiting)
      waiting = []
      events = 0
    }
    await write(client, waiting)
    await client.query(sumUp)
    await client.query("COMMIT")
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined)
    if (!(error instanceof DatabaseError && error.code === uniqueViolation)) throw error
    throw new KezError("store.corrupt", "Cannot restore: the backup has something twice", { cause: error })
  }
}

async function write(client: ClientBase, chains: readonly FilledChain[]): Promise<void> {
  await client.query({
    name: "kez_fill",
    text: insertEvents,
    values: [JSON.stringify(chains.flatMap((chain) => chain.events))],
  })
  const heads = chains.flatMap((chain) => chain.heads)
  if (heads.length > 0)
    await client.query({ name: "kez_fill_heads", text: insertHeads, values: [JSON.stringify(heads)] })
}
