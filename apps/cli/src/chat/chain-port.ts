/** The sigchains of members for the engine: from this computer, the stores, and places that served them before. SPEC VER-5, VER-10 */
import { setTimeout as sleep } from "node:timers/promises"
import type { Net } from "@kez/channels"
import type { ChainPort } from "@kez/chat"
import { type ChainReplay, type Digest, KezError } from "@kez/core"
import { placesOf } from "../chains/chain-target.ts"
import { followStore } from "../chains/follow-store.ts"
import { type PullPlace, pullChains } from "../chains/pull-chain.ts"
import { chainUrl } from "../chains/store-url.ts"
import type { Context } from "../context.ts"
import { printable } from "../output.ts"
import { withStore } from "../store/access.ts"
import { loadChain } from "../store/chains.ts"
import { inTransaction } from "../store/database.ts"
import { loadMark, saveMark } from "../store/marks.ts"

/** Streams that are held open at once; of chains beyond them the stores are asked now and then. */
const maxStreams = 48
const pollMs = 60_000

export interface ChainPortOptions {
  readonly net: Net
  /** For streams, which would take the places of all other questions. Undefined: a command that soon ends follows nobody. */
  readonly streams: (() => Promise<Net>) | undefined
  /** The stores to ask: may themselves be asked of the chat server. */
  stores(): Promise<readonly string[]>
  readonly timeoutMs: number
}

export interface LiveChainPort extends ChainPort {
  /** Chains that are known here, for `known`: which answers at once. */
  load(chains: readonly Digest[]): Promise<void>
  /** Asks the stores for a chain now, and tells the engine if it changed. A store that is silent changes nothing. */
  look(chain: Digest): Promise<void>
  close(): void
}

export function createChainPort(context: Context, options: ChainPortOptions): LiveChainPort {
  const { net, timeoutMs } = options
  const cache = new Map<Digest, ChainReplay | undefined>()
  let following = new AbortController()
  let tell: (chain: Digest) => void = () => {}

  async function load(chains: readonly Digest[]): Promise<void> {
    await withStore(context, (store) => {
      for (const chain of chains) cache.set(chain, loadChain(store, chain))
    })
  }

  async function fetch(chain: Digest, hints: { readonly primary?: string; readonly url?: string } = {}) {
    const stores = await options.stores()
    const known = await placesOf(context, { name: chain, chain }, stores)
    const hinted: readonly PullPlace[] =
      hints.url === undefined || known.some(({ url }) => url === hints.url) ? [] : [{ url: hints.url }]
    const relays: readonly PullPlace[] = hints.primary?.startsWith("nostr:") === true ? [{ url: hints.primary }] : []
    const pulled = await pullChains(context, net, { places: [...known, ...hinted, ...relays], chain, timeoutMs })
    const replay = await keepMark(context, chain)
    cache.set(chain, replay)
    const silent = pulled.places.filter(({ asked }) => asked.outcome === "failed")
    const isAnswered = pulled.places.some(({ asked }) => asked.outcome !== "failed")
    // A store of the reader's that is silent may hide a revocation: whoever is new is not accepted by what the others say alone.
    const isStoreSilent = silent.some(({ asked }) => stores.some((store) => asked.url.startsWith(`${store}/`)))
    if (!isAnswered || (replay === undefined && isStoreSilent))
      throw unreachable(
        chain,
        silent.map(({ asked }) => asked),
      )
    return replay
  }

  async function follow(
    chain: Digest,
    store: string,
    { signal, onChange }: { readonly signal: AbortSignal; onChange(chain: Digest): void },
  ) {
    const place = { url: chainUrl(store, chain), isChosen: true }
    if (options.streams === undefined) return
    await followStore(await options.streams(), {
      url: `${place.url}/stream`,
      signal,
      onState: () => {},
      async onChange() {
        await pullChains(context, net, { places: [place], chain, timeoutMs })
        if (await refresh(chain)) onChange(chain)
      },
    })
  }

  async function poll(
    chains: readonly Digest[],
    signal: AbortSignal,
    onChange: (chain: Digest) => void,
  ): Promise<void> {
    for (;;) {
      await sleep(pollMs, undefined, { signal })
      for (const chain of chains) {
        signal.throwIfAborted()
        await look(chain, onChange)
      }
    }
  }

  async function look(chain: Digest, onChange: (chain: Digest) => void): Promise<void> {
    const before = headOf(cache.get(chain))
    await fetch(chain).catch(ignoreKnown)
    if (headOf(cache.get(chain)) !== before) onChange(chain)
  }

  /** Whether more is known than before. */
  async function refresh(chain: Digest): Promise<boolean> {
    const before = headOf(cache.get(chain))
    cache.set(chain, await keepMark(context, chain))
    return headOf(cache.get(chain)) !== before
  }

  return {
    load,
    known: (chain) => cache.get(chain),
    fetch,
    look: (chain) => look(chain, tell),
    follow(chains, onChange) {
      tell = onChange
      following.abort()
      following = new AbortController()
      const { signal } = following
      if (options.streams === undefined) return
      // Ended by the signal, or by a store that cannot be followed.
      const quietly = (task: Promise<unknown>): void => void task.catch(() => undefined)
      quietly(
        options.stores().then((stores) => {
          const perStore = Math.floor(maxStreams / Math.max(1, stores.length))
          const followed = signal.aborted ? [] : chains.slice(0, perStore)
          for (const store of stores) for (const chain of followed) quietly(follow(chain, store, { signal, onChange }))
          const rest = chains.slice(perStore)
          if (rest.length > 0) quietly(poll(rest, signal, onChange))
        }),
      )
    },
    close: () => following.abort(),
  }
}

/** What is known here now. What was accepted is remembered, so that no store can take it back. SPEC VER-10 */
async function keepMark(context: Context, chain: Digest): Promise<ChainReplay | undefined> {
  return withStore(context, (store) => {
    const replay = loadChain(store, chain)
    const before = loadMark(store, chain)
    if (replay === undefined || replay.status === "fork" || before?.digest === replay.head.digest) return replay
    if (before !== undefined && !replay.knows(before.digest)) throw lost(chain, before.seq)
    const mark = { chain, ...replay.head, primaries: replay.state.primaries }
    return inTransaction(store, () => {
      saveMark(store, mark, before)
      return replay
    })
  })
}

function lost(chain: Digest, seq: number): KezError {
  return new KezError(
    "chain.rollback",
    `Cannot use the chain ${chain}: event ${seq} of it was here before, and no store shows it`,
    {
      hint: `Bring it back: kez sigchain fetch ${chain} --store URL`,
    },
  )
}

function unreachable(
  chain: Digest,
  silent: ReadonlyArray<{ readonly url: string; readonly evidence: { readonly code?: string } }>,
): KezError {
  const said = silent.map(
    ({ url, evidence }) => `${printable(url.replace(/\/v1\/.*$/, ""), 100)} [${evidence.code ?? "net.refused"}]`,
  )
  const what = said.length === 0 ? "no store is known" : `no answer from ${said.join(", ")}`
  return new KezError("chain.unreachable", `Cannot fetch the chain ${chain}: ${what}`, {
    hint:
      said.length === 0
        ? 'Name a store: --store https://sig.example.org, or stores = ["…"] in config.toml'
        : "Try again when it answers.",
  })
}

function headOf(replay: ChainReplay | undefined): string | undefined {
  return replay === undefined
    ? undefined
    : `${replay.status} ${replay.digests.length} ${replay.head.digest} ${replay.splits.length}`
}

function ignoreKnown(error: unknown): undefined {
  if (error instanceof KezError) return undefined
  throw error
}
