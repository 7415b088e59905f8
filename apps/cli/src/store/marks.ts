/** High-water marks: the newest position of each chain that was accepted here. SPEC VER-10. */
import type { ChainMark, Digest } from "@kez/core"
import type { Store } from "./database.ts"

/** The marks of these chains, and of every chain that had one of these primaries. */
export function loadMarks(
  store: Store,
  keys: { readonly chains: readonly Digest[]; readonly primaries: readonly string[] },
): readonly ChainMark[] {
  const byPrimary = store.prepare("SELECT DISTINCT chain FROM mark_primaries WHERE key = ?")
  const found = keys.primaries.flatMap((primary) => byPrimary.all(primary).map((row) => String(row["chain"])))
  return [...new Set([...keys.chains, ...found])].flatMap((chain) => loadMark(store, chain) ?? [])
}

export function loadMark(store: Store, chain: Digest): ChainMark | undefined {
  const row = store.prepare("SELECT seq, digest FROM marks WHERE chain = ?").get(chain)
  if (row === undefined) return undefined
  const primaries = store.prepare("SELECT key FROM mark_primaries WHERE chain = ? ORDER BY place").all(chain)
  const seq = Number(row["seq"])
  return { chain, seq, digest: String(row["digest"]), primaries: primaries.map((primary) => String(primary["key"])) }
}

/**
 * Writes the mark that a verification gave, `before` being the one it was judged against: raised, or replaced because the event
 * marked before was lost by the rules. Where another process moved the mark meanwhile, it is only ever raised: nothing was
 * judged against that one. To be called in a transaction. Returns whether it wrote.
 */
export function saveMark(store: Store, mark: ChainMark, before: ChainMark | undefined): boolean {
  const current = loadMark(store, mark.chain)
  if (current?.digest === mark.digest) return false
  if (current !== undefined && current.digest !== before?.digest && current.seq >= mark.seq) return false
  store
    .prepare(
      `INSERT INTO marks (chain, seq, digest) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET seq = excluded.seq, digest = excluded.digest`,
    )
    .run(mark.chain, mark.seq, mark.digest)
  store.prepare("DELETE FROM mark_primaries WHERE chain = ?").run(mark.chain)
  const add = store.prepare("INSERT INTO mark_primaries (chain, place, key) VALUES (?, ?, ?)")
  mark.primaries.forEach((primary, place) => {
    add.run(mark.chain, place, primary)
  })
  return true
}
