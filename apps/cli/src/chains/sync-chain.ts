/** One's own chain and the stores: everything is brought here, united, and every store is given what it lacks. SPEC §8, VER-10 */
import type { Net } from "@kez/channels"
import { type ChainHead, type ChainReplay, KezError, replayChain } from "@kez/core"
import type { Served } from "../chain-sources.ts"
import type { Context } from "../context.ts"
import { existingChainOfKey, losingEvents } from "../own-chain.ts"
import { withStore } from "../store/access.ts"
import { loadEvents } from "../store/chains.ts"
import { inTransaction } from "../store/database.ts"
import { loadMark, saveMark } from "../store/marks.ts"
import { freshHead, trySigner } from "./own-head.ts"
import { type PullPlace, pullChains } from "./pull-chain.ts"
import { pushChain, type StoreOutcome, type WholeChain } from "./push-chain.ts"
import { chainUrl } from "./store-url.ts"

export interface SyncRequest {
  /** Whose chain it is. */
  readonly key: string
  readonly stores: readonly string[]
  /** Other places of this owner's, which may know more than this computer. */
  readonly also?: readonly PullPlace[]
  /** Documents found in files. */
  readonly documents?: readonly Served[]
  readonly timeoutMs: number
}

export interface Synced {
  readonly replay: ChainReplay
  /** Events that were found at stores and not here. */
  readonly brought: number
  /** The signed head that stores were given; undefined where none could be signed without asking. */
  readonly head: ChainHead | undefined
  readonly path: WholeChain["path"]
  readonly outcomes: readonly StoreOutcome[]
}

/** Never throws for what a store does. Throws `chain.unknown`, or `chain.rollback` when events that were here are lost. */
export async function syncChain(context: Context, net: Net, request: SyncRequest): Promise<Synced> {
  const { key, stores, also = [], documents = [], timeoutMs } = request
  const { chain } = await withStore(context, (store) => existingChainOfKey(store, key))
  const places = stores.map((store) => ({ url: chainUrl(store, chain), isChosen: true }))
  const pulled = await pullChains(context, net, { places: [...places, ...also], documents, chain, timeoutMs })
  const { replay, whole } = await readWhole(context, chain)
  const outcomes = await Promise.all(
    stores.map(async (store, at) => {
      const before = pulled.places[at]?.asked
      if (before === undefined) throw new Error("a store was not asked")
      return pushChain(net, store, { whole, before, timeoutMs })
    }),
  )
  return { replay, brought: pulled.added, head: whole.head, path: whole.path, outcomes }
}

/** The chain as it is here now, with a head that is fresh if the key is at hand. */
async function readWhole(
  context: Context,
  chain: string,
): Promise<{ readonly replay: ChainReplay; readonly whole: WholeChain }> {
  return withStore(context, (store) =>
    inTransaction(store, async () => {
      const replay = replayChain(loadEvents(store, chain), { chain })
      const { state, head } = replay
      const mark = loadMark(store, chain)
      if (mark !== undefined && !replay.knows(mark.digest)) throw lost(mark.seq)
      if (replay.status !== "fork") saveMark(store, { chain, ...head, primaries: state.primaries }, mark)
      const signed = await freshHead(store, replay, { now: context.now(), signer: () => trySigner(context) })
      const losing = losingEvents(store, replay)
      return { replay, whole: { chain, path: replay.path, losing, head: signed } }
    }),
  )
}

function lost(seq: number): KezError {
  return new KezError("chain.rollback", `Cannot publish the chain: event ${seq} of it was here before, and is lost`, {
    hint: "Bring the newest copy here first: kez sigchain import FILE, or name a store that has it: --store URL",
  })
}
