/** Signed heads that may still count, of chains that are known. SPEC §5.8. */
import { type ChainHead, type Digest, decodeEnvelope, formatEnvelope, parseTime } from "@kez/core"
import type { Store } from "./database.ts"

/** Heads kept of one chain: the newest. A device could sign one for every number. */
const maxHeads = 64

/** Keeps a head whose signature was checked; those that have expired go. To be called in a transaction. */
export function saveHead(store: Store, head: ChainHead, now: number): void {
  const { chain, seq, digest, expires_at } = head.payload
  store.prepare("DELETE FROM heads WHERE chain = ? AND expires_at <= ?").run(chain, now)
  store
    .prepare(
      `INSERT INTO heads (chain, signer, seq, digest, expires_at, envelope) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET expires_at = excluded.expires_at, envelope = excluded.envelope
       WHERE excluded.expires_at > heads.expires_at`,
    )
    .run(chain, head.signature.key, seq, digest, parseTime(expires_at), formatEnvelope(head))
  store
    .prepare(
      `DELETE FROM heads WHERE chain = ?1 AND rowid NOT IN
       (SELECT rowid FROM heads WHERE chain = ?1 ORDER BY rowid DESC LIMIT ?2)`,
    )
    .run(chain, maxHeads)
}

/** Heads of a chain that have not expired at `now`. */
export function loadHeads(store: Store, chain: Digest, now: number): readonly ChainHead[] {
  const rows = store.prepare("SELECT envelope FROM heads WHERE chain = ? AND expires_at > ?").all(chain, now)
  return rows.map((row) => decodeEnvelope(String(row["envelope"]), "chain_head"))
}
