/** The `ChainService` over any storage: finds chains, judges what is posted with core, and writes it before it says so. SPEC §5, §8 */
import {
  type Digest,
  envelopeDigest,
  formatChain,
  formatEnvelope,
  isDigest,
  KezError,
  parseChainLine,
  type SigchainEvent,
} from "@kez/core"
import type { Appended, AppendOptions, ChainService, ChainView, LookUp, Refusal } from "../chain-service.ts"
import { maxCachedBytes, maxRaces } from "../limits.ts"
import type { NewEvent, Storage } from "../storage/storage.ts"
import { type ChainCache, createChainCache } from "./cache.ts"
import { loadLiveHeads, saveHead } from "./heads.ts"
import { type Judgement, judgeEvent } from "./judge.ts"
import { eventsOffPath, type KeptChain, readStoredChain, withEvent } from "./kept-chain.ts"
import { createLocks, type Locks } from "./locks.ts"
import { chainById, chainFor } from "./target.ts"

export interface ChainServiceOptions {
  readonly storage: Storage
  /** Unix seconds. */
  readonly now: () => number
  /** Memory for chains that were used last; 32 MiB unless given. */
  readonly cacheBytes?: number
  /** Is told what a listener of `watch` throws; the others and the writer never notice. */
  readonly onListenerError?: (error: unknown) => void
}

/** The storage stays the caller's: it is closed after the service. */
export function createChainService(options: ChainServiceOptions): ChainService {
  return new StoredChains(options)
}

interface Watcher {
  readonly tell: (view: ChainView) => void
  readonly reset: () => void
}

class StoredChains implements ChainService {
  readonly #options: ChainServiceOptions
  readonly #storage: Storage
  readonly #cache: ChainCache<KeptChain>
  readonly #locks: Locks = createLocks()
  readonly #listeners = new Set<Watcher>()
  #resets = 0

  constructor(options: ChainServiceOptions) {
    this.#options = options
    this.#storage = options.storage
    this.#cache = createChainCache(options.cacheBytes ?? maxCachedBytes)
    this.#storage.onForeignAppend?.(
      (chain) => void this.#onForeignAppend(chain),
      () => this.#onReset(),
    )
  }

  async find(id: string): Promise<LookUp> {
    const chains = isDigest(id) ? [id] : await this.#storage.chainsOfPrimary(id)
    const [chain, ...others] = chains
    if (others.length > 0) return { status: "several", chains }
    const kept = chain === undefined ? undefined : await this.#keep(chain)
    return kept === undefined ? { status: "none" } : { status: "found", view: kept.view }
  }

  async forks(chain: Digest): Promise<Uint8Array | undefined> {
    const kept = await this.#keep(chain)
    return kept === undefined ? undefined : Buffer.from(formatChain(eventsOffPath(kept)))
  }

  async append(id: string, text: string | Uint8Array, options: AppendOptions = {}): Promise<Appended> {
    let event: SigchainEvent
    let chain: Digest
    try {
      event = parseChainLine(text)
      chain = chainById(id, event) ?? (await chainFor(this.#storage, id, event))
    } catch (error) {
      // A fault of the storage is nobody's refusal.
      if (error instanceof KezError && !error.code.startsWith("store."))
        return { status: "refused", refusal: refusal(error) }
      throw error
    }
    return this.#locks.run(chain, () => this.#appendTo(chain, event, options))
  }

  async heads(chain: Digest): Promise<readonly string[]> {
    const kept = await this.#keep(chain)
    return kept === undefined ? [] : loadLiveHeads(this.#storage, kept.view.replay, this.#options.now())
  }

  async postHead(chain: Digest, text: string | Uint8Array): Promise<"kept" | "known"> {
    const kept = await this.#keep(chain)
    if (kept === undefined) throw new KezError("chain.unknown", "Cannot keep the head: the store has no such chain")
    return saveHead(this.#storage, { text, replay: kept.view.replay, now: this.#options.now() })
  }

  watch(listener: (view: ChainView) => void, onReset?: () => void): () => void {
    // One of its own: the same function may watch twice.
    const own: Watcher = { tell: listener, reset: onReset ?? (() => undefined) }
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  async close(): Promise<void> {
    this.#listeners.clear()
    await this.#locks.idle()
  }

  /** To be called with the chain locked. */
  async #appendTo(chain: Digest, event: SigchainEvent, { isCopy = false, admit }: AppendOptions): Promise<Appended> {
    for (let race = 0; race < maxRaces; race++) {
      const now = this.#options.now()
      const kept = this.#newest(chain) ?? (await this.#load(chain))
      admit?.(kept?.view)
      if (kept === undefined && event.payload.seq > 0) return { status: "refused", refusal: noSuchChain() }
      const judged = judgeEvent(event, kept, { now, isCopy })
      if (judged.status !== "valid" && judged.status !== "known") return answer(judged, { event, kept })
      // Just loaded, or found to be the newest: nobody else has written since.
      const version = kept === undefined ? this.#storage.version?.() : kept.newestAt
      const isChecked = kept !== undefined && version !== undefined
      if (
        !isChecked &&
        !(await this.#isHeld(chain, judged.status === "known" ? envelopeDigest(event) : event.payload.prev))
      ) {
        this.#cache.delete(chain)
        continue
      }
      if (judged.status === "known") return answer(judged, { event, kept })
      const { status } = await this.#storage.append(newEvent(event, chain, now), kept?.view.size ?? 0)
      if (status === "raced") {
        this.#cache.delete(chain)
        continue
      }
      const { view } = this.#adopt(withEvent(kept, { event, storedAt: now }, judged.replay), version)
      const { seq } = event.payload
      const digest = envelopeDigest(event)
      const isOnPath = view.replay.head.digest === digest || view.replay.digests[seq] === digest
      return { status: isOnPath ? "stored" : "lost", view, digest, seq }
    }
    throw new KezError("store.busy", "Cannot append to the chain: others keep writing to it", { hint: "Try again." })
  }

  #adopt(chain: KeptChain, version: number | undefined): KeptChain {
    this.#cache.set(chain.view.chain, chain)
    chain.newestAt = version
    this.#tell(chain.view)
    return chain
  }

  /** The newest state of a chain, where no query is needed to know that it is. */
  #newest(chain: Digest): KeptChain | undefined {
    const cached = this.#cache.get(chain)
    const isNewest = cached?.newestAt !== undefined && cached.newestAt === this.#storage.version?.()
    return isNewest ? cached : undefined
  }

  /** The newest state of a chain. */
  async #keep(chain: Digest): Promise<KeptChain | undefined> {
    const newest = this.#newest(chain)
    if (newest !== undefined) return newest
    const cached = this.#cache.get(chain)
    if (cached !== undefined && (await this.#isNewest(cached))) return cached
    // Loaded under the lock: an older state must not take the place of what is being appended.
    return this.#locks.run(chain, () => this.#load(chain))
  }

  async #load(chain: Digest): Promise<KeptChain | undefined> {
    const cached = this.#cache.get(chain)
    if (cached !== undefined && (await this.#isNewest(cached))) return cached
    const version = this.#storage.version?.()
    const resets = this.#resets
    const stored = await this.#storage.loadChain(chain)
    if (stored === undefined) return undefined
    const kept = await readStoredChain(chain, stored)
    if (resets === this.#resets) this.#cache.set(chain, kept)
    kept.newestAt = version
    return kept
  }

  async #isNewest(kept: KeptChain): Promise<boolean> {
    const version = this.#storage.version?.()
    if (version !== undefined && kept.newestAt === version) return true
    // Of a file too: another process may be about to take over.
    const isNewest = (await this.#storage.sizeOf(kept.view.chain)) === kept.view.size
    if (isNewest) kept.newestAt = version
    return isNewest
  }

  /**
   * A database can lose its newest events under us: it fails over to a copy that had not heard of them. None of them may be called
   * known, and nothing may be built on them, which would make a hole.
   */
  async #isHeld(chain: Digest, digest: Digest | undefined): Promise<boolean> {
    return digest === undefined || (await this.#storage.chainOfEvent(digest)) === chain
  }

  async #onForeignAppend(chain: Digest): Promise<void> {
    try {
      if (this.#listeners.size === 0) return
      const kept = await this.#keep(chain)
      if (kept !== undefined) this.#tell(kept.view)
    } catch (error) {
      this.#options.onListenerError?.(error)
    }
  }

  /** What is in memory may be lost in the database, with as many other events in its place: sizes no longer tell. */
  #onReset(): void {
    this.#resets += 1
    this.#cache.clear()
    this.#toAll(({ reset }) => reset())
  }

  #tell(view: ChainView): void {
    this.#toAll(({ tell }) => tell(view))
  }

  #toAll(call: (watcher: Watcher) => void): void {
    for (const watcher of this.#listeners) {
      try {
        call(watcher)
      } catch (error) {
        this.#options.onListenerError?.(error)
      }
    }
  }
}

function answer(
  judged: Exclude<Judgement, { status: "valid" }>,
  { event, kept }: { readonly event: SigchainEvent; readonly kept: KeptChain | undefined },
): Appended {
  if (judged.status === "refused" || kept === undefined) {
    return { status: "refused", refusal: judged.status === "known" ? noSuchChain() : refusal(judged.refusal) }
  }
  const { view } = kept
  if (judged.status === "behind") return { status: "behind", view, refusal: refusal(judged.refusal) }
  return { status: "known", view, digest: envelopeDigest(event), seq: event.payload.seq }
}

/** Of an error only what is to be shown. */
function refusal({ code, message, retryAfterSeconds }: Refusal): Refusal {
  return { code, message, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) }
}

function noSuchChain(): Refusal {
  return { code: "chain.unknown", message: "Cannot append to the chain: the store has none of its events" }
}

/** What a storage keeps of an event. */
export function newEvent(event: SigchainEvent, chain: Digest, storedAt: number): NewEvent {
  const { payload } = event
  const primaries = [
    ...(payload.seq === 0 ? [payload.primary] : []),
    ...(payload.op === "rotate" ? [payload.payload.new_primary] : []),
  ]
  return { digest: envelopeDigest(event), chain, seq: payload.seq, text: formatEnvelope(event), primaries, storedAt }
}
