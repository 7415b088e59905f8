/** Reads everything that is stored and names what is damaged: on the terminal of who runs the store, since the log names no chain. */
import { type Digest, KezError } from "@kez/core"
import { readStoredChain } from "./chains/kept-chain.ts"
import type { Storage } from "./storage/storage.ts"

export type Checked = Pick<Storage, "eventsAfter" | "loadChain" | "counts">

export type Damage =
  | { readonly of: "chain"; readonly chain: Digest }
  /** A row that cannot even say of which chain it is. `after`: the last cursor before it. */
  | { readonly of: "event"; readonly after: number }
  /** So much cannot be read from there on that it was given up. */
  | { readonly of: "rest"; readonly after: number }
  /** Events that stand in no chain. */
  | { readonly of: "total"; readonly expected: number }

export interface CheckResult {
  readonly chains: number
  /** Of chains that are whole. */
  readonly events: number
  readonly damages: readonly Damage[]
}

const eventsAtOnce = 500
/** Cursors that are tried in a row behind a row that cannot be read. */
const maxMisses = 1_000

/** Changes nothing; events that come meanwhile are not missed by anybody. Signatures were checked when the events came: digests say the rest. */
export async function checkStorage(storage: Checked): Promise<CheckResult> {
  const damages: Damage[] = []
  let chains = 0
  let events = 0
  const expected = (await storage.counts()).events
  for await (const found of genesesOf(storage)) {
    if (typeof found !== "string") {
      damages.push(found)
      continue
    }
    chains += 1
    const size = await tryRead(async () => {
      const stored = await storage.loadChain(found)
      return stored === undefined ? 0 : (await readStoredChain(found, stored)).view.size
    })
    if (size instanceof KezError) damages.push({ of: "chain", chain: found })
    else events += size
  }
  // Where nothing else is wrong: an index that hides a chain as a whole, or a row that no chain has.
  if (damages.length === 0 && events < expected) damages.push({ of: "total", expected })
  return { chains, events, damages }
}

/** Chains in the order in which they began, and rows that cannot be read. */
async function* genesesOf(storage: Checked): AsyncGenerator<Digest | Damage> {
  let after = 0
  let limit = eventsAtOnce
  let misses = 0
  for (;;) {
    const page = await tryRead(() => storage.eventsAfter(after, limit))
    if (page instanceof KezError) {
      // One of many: which one is found by asking for each alone, and the way past it by asking for what may stand behind.
      if (limit === 1) {
        if (misses === 0) yield { of: "event", after }
        if (++misses > maxMisses) return yield { of: "rest", after }
        after += 1
      }
      limit = 1
      continue
    }
    if (misses > 0) limit = eventsAtOnce
    misses = 0
    for (const { seq, chain } of page) if (seq === 0) yield chain
    const last = page.at(-1)
    if (last === undefined) return
    after = last.cursor
  }
}

/** What is damaged is a finding; all else that goes wrong ends the check. */
async function tryRead<T>(read: () => Promise<T>): Promise<T | KezError> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof KezError && error.code === "store.corrupt") return error
    throw error
  }
}

/** A line for the terminal. */
export function formatDamage(damage: Damage): string {
  switch (damage.of) {
    case "chain":
      return `damaged: chain ${damage.chain}`
    case "event":
      return `damaged: the event after cursor ${damage.after}`
    case "rest":
      return `damaged: all that follows cursor ${damage.after}, as far as it was looked for`
    case "total":
      return `damaged: there are fewer events than the ${damage.expected} that were stored`
  }
}
