/** vectors/sigchain-link.json: whether an event may follow a given head. SPEC §5.3. */
import type { VectorFile } from "./vector-file.ts"

const rows: readonly [id: string, why: string, next: { seq: number; prev?: string }, expect: string][] = [
  ["ok", "the next seq, and the digest of the head", { seq: 4, prev: "aa" }, "ok"],
  ["gap", "seq skips one", { seq: 5, prev: "aa" }, "chain.gap"],
  ["gap-prev", "the gap is named before the wrong prev", { seq: 5, prev: "bb" }, "chain.gap"],
  ["repeat", "the seq of the head again", { seq: 3, prev: "aa" }, "chain.repeat"],
  ["back", "an earlier seq", { seq: 0, prev: "aa" }, "chain.repeat"],
  ["prev", "the digest of another event", { seq: 4, prev: "bb" }, "chain.prev"],
  ["no-prev", "no digest", { seq: 4 }, "chain.prev"],
]

export function link(): VectorFile {
  const cases = rows.map(([id, why, next, expect]) => ({
    id: `link-${id}`,
    why,
    head: { seq: 3, digest: "aa" },
    next,
    expect,
  }))
  return { spec: "§5.3", about: "Whether an event may follow a given head: ok, or the code.", cases }
}
