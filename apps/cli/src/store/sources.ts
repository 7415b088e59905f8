/** Places that served a chain before: from then on their silence matters. SPEC VER-6. */
import type { Digest } from "@kez/core"
import type { Store } from "./database.ts"

/** Places remembered for one chain, the newest: anybody can serve a copy of a chain, and be silent later. */
const maxSources = 8

export interface KnownSource {
  readonly url: string
  readonly kind: "hint" | "other"
}

/** Remembers that a place served a valid chain. To be called in a transaction. */
export function rememberSource(store: Store, chain: Digest, source: KnownSource & { readonly now: number }): void {
  store
    .prepare(
      `INSERT INTO sources (chain, url, kind, served_at) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET kind = excluded.kind, served_at = excluded.served_at`,
    )
    .run(chain, source.url, source.kind, source.now)
  store
    .prepare(
      `DELETE FROM sources WHERE chain = ?1 AND url NOT IN
       (SELECT url FROM sources WHERE chain = ?1 ORDER BY served_at DESC, url LIMIT ?2)`,
    )
    .run(chain, maxSources)
}

export function loadSources(store: Store, chain: Digest): readonly KnownSource[] {
  const rows = store.prepare("SELECT url, kind FROM sources WHERE chain = ? ORDER BY url").all(chain)
  return rows.map((row) => ({ url: String(row["url"]), kind: row["kind"] === "hint" ? "hint" : "other" }))
}
