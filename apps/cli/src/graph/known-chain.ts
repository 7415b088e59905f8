/** The chain of an identity from what this computer holds and the documents that were handed in, united. SPEC §5.5, CHAIN-19 */
import { type ChainReplay, type Digest, KezError, listChains, replayChain, type SigchainEvent } from "@kez/core"
import type { Served } from "../chain-sources.ts"
import type { Context } from "../context.ts"
import { liveUntilOf } from "../live-until.ts"
import { hasStore, withStore } from "../store/access.ts"

/** By what a chain is found: its id or the start of it, one of its keys, or an account that it lists. */
export type Wanted = { readonly chain: string } | { readonly key: string } | { readonly subject: string }

export interface KnownChain {
  readonly replay: ChainReplay
  readonly freshUntil: string | undefined
}

/** What the store knows of the question. */
interface Held {
  readonly chains: readonly Digest[]
  eventsOf(chain: Digest): readonly SigchainEvent[]
  freshUntil(replay: ChainReplay): string | undefined
}

const nothingHeld: Held = { chains: [], eventsOf: () => [], freshUntil: () => undefined }

/** Undefined when none is known. Throws `chain.fork` when there are several: one has to be named by its id. */
export async function findKnownChain(
  context: Context,
  wanted: Wanted,
  documents: readonly Served[],
): Promise<KnownChain | undefined> {
  if (!hasStore(context)) return find(wanted, nothingHeld, documents)
  const { chainsByPrefix, chainsOfKey, loadEvents } = await import("../store/chains.ts")
  return withStore(context, (store) => {
    const byKey = "key" in wanted ? chainsOfKey(store, wanted.key) : []
    const held: Held = {
      chains: "chain" in wanted ? chainsByPrefix(store, wanted.chain) : byKey,
      eventsOf: (chain) => loadEvents(store, chain),
      freshUntil: (replay) => liveUntilOf(store, replay, context.now()),
    }
    return find(wanted, held, documents)
  })
}

function find(wanted: Wanted, held: Held, documents: readonly Served[]): KnownChain | undefined {
  const events = documents.flatMap(({ source }) => source.events ?? [])
  const ids = new Set([...held.chains, ...listChains(events)])
  const replays = [...ids].flatMap((chain) => tryReplay([...held.eventsOf(chain), ...events], chain))
  for (const fits of testsOf(wanted)) {
    const [replay, ...others] = replays.filter(fits)
    if (others.length > 0) throw several(others.length + 1)
    if (replay !== undefined) return { replay, freshUntil: held.freshUntil(replay) }
  }
  return undefined
}

/** The first that any chain passes decides: whose primary a key is counts before whose device it is. */
function testsOf(wanted: Wanted): ReadonlyArray<(replay: ChainReplay) => boolean> {
  if ("chain" in wanted) return [({ chain }) => chain.startsWith(wanted.chain)]
  if ("subject" in wanted) return [({ state }) => state.subjects.get(wanted.subject)?.status === "active"]
  return [
    ({ everyPrimary }) => everyPrimary.includes(wanted.key),
    ({ state }) => state.devices.some(({ key }) => key === wanted.key),
  ]
}

function tryReplay(events: readonly SigchainEvent[], chain: Digest): readonly ChainReplay[] {
  try {
    return [replayChain(events, { chain })]
  } catch (error) {
    // A document whose event 0 is not valid is nobody's chain.
    if (error instanceof KezError && error.code === "chain.genesis") return []
    throw error
  }
}

function several(count: number): KezError {
  return new KezError("chain.fork", `Cannot choose a chain: this is in ${count} of them`, {
    hint: "Name one by its id: kez graph sha256:… Two chains with one primary are proof that somebody else holds the key.",
  })
}
