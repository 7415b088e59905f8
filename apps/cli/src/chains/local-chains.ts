/** What this computer holds of the chains that a question is about. SPEC VER-5, VER-10 */
import type { ChainMark, ChainSource, Digest } from "@kez/core"
import type { Context } from "../context.ts"
import { lazy } from "../lazy.ts"
import { readStore } from "../store/access.ts"
import type { KnownSource } from "../store/sources.ts"

// Most files are judged without any of these.
const loadTables = lazy(() =>
  Promise.all([
    import("../store/chains.ts"),
    import("../store/heads.ts"),
    import("../store/marks.ts"),
    import("../store/sources.ts"),
  ]),
)

/** How the local store is called in evidence. */
const localName = "this computer"
/** What this computer knows of some chains. */
export interface Local {
  readonly chains: readonly Digest[]
  readonly source: ChainSource
  readonly marks: readonly ChainMark[]
  readonly places: readonly KnownSource[]
}

export interface LookUp {
  readonly primaries: readonly string[]
  readonly chains: readonly Digest[]
}

export async function readLocal(context: Context, lookUp: LookUp): Promise<Local> {
  const source = { name: localName, kind: "local", expected: false } as const
  const none: Local = { chains: [], source: { ...source, outcome: "absent" }, marks: [], places: [] }
  return readStore<Local>(context, none, async (store) => {
    const [{ chainsOfKey, loadEvents }, { loadHeads }, { loadMarks }, { loadSources }] = await loadTables()
    const byKey = lookUp.primaries.flatMap((key) => chainsOfKey(store, key, "primary"))
    const chains = [...new Set([...lookUp.chains, ...byKey])]
    const events = chains.flatMap((chain) => loadEvents(store, chain))
    const heads = chains.flatMap((chain) => loadHeads(store, chain, context.now()))
    return {
      chains,
      source: { ...source, outcome: events.length === 0 ? "absent" : "found", events, heads },
      marks: loadMarks(store, { chains, primaries: lookUp.primaries }),
      places: chains.flatMap((chain) => loadSources(store, chain)),
    }
  })
}
