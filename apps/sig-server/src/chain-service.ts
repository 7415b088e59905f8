/** What the store does with chains, whoever asks: over HTTP, for a mirror, from a backup. SPEC §8 */
import type { ChainReplay, Code, Digest } from "@kez/core"

/** A chain as readers see it. */
export interface ChainView {
  readonly chain: Digest
  readonly replay: ChainReplay
  /** JSONL of the winning path: the stored bytes. */
  readonly document: Uint8Array
  /** How many events of any branch are known. */
  readonly size: number
}

/** What a look-up by a key or an id came to. `several`: the primary has two geneses. SPEC CHAIN-19 */
export type LookUp =
  | { readonly status: "found"; readonly view: ChainView }
  | { readonly status: "none" }
  | { readonly status: "several"; readonly chains: readonly Digest[] }

/** Why an event was not put at the end of the chain. */
export interface Refusal {
  readonly code: Code
  readonly message: string
  /** Refused for now (`net.rate_limit`): the same event may be accepted after this. */
  readonly retryAfterSeconds?: number
}

/**
 * What became of an event that somebody posted.
 * `stored`: it is on the winning path now, at its end or by a higher rank. `known`: it was there already.
 * `lost`: valid, kept as evidence, and on a losing branch, or the chain is a fork now. `behind`: it does not follow the end
 * (a gap, a repeat, another predecessor) and was not kept. `refused`: no reader would accept it.
 */
export type Appended =
  | {
      readonly status: "stored" | "known" | "lost"
      readonly view: ChainView
      readonly digest: Digest
      readonly seq: number
    }
  | { readonly status: "behind"; readonly view: ChainView; readonly refusal: Refusal }
  | { readonly status: "refused"; readonly refusal: Refusal }

export interface AppendOptions {
  /**
   * The event comes from another store, which has accepted it: rules for writers (at most one `set_shared_files` a day) are not
   * asked again, since that store may have seen it at another time.
   */
  readonly isCopy?: boolean
  /**
   * Is shown the chain to which the event would be added, before the event is judged; undefined: the store has none of it. What it
   * throws `append` throws, and nothing is stored. Called again where another writer came in between.
   */
  readonly admit?: (view: ChainView | undefined) => void
}

export interface ChainService {
  /** By chain id (`sha256:…`) or by the key identity of any primary that the chain ever had. */
  find(id: string): Promise<LookUp>
  /** Events of losing branches and of undecided forks, as JSONL. Undefined: no such chain. */
  forks(chain: Digest): Promise<Uint8Array | undefined>
  /** Validates one envelope (JCS, as in a line of a chain document) and stores it. `id` is the one of the URL: the event must be of that chain. */
  append(id: string, text: string | Uint8Array, options?: AppendOptions): Promise<Appended>
  /** Signed heads of the chain that still count, newest first, as JCS. */
  heads(chain: Digest): Promise<readonly string[]>
  /** Checks and keeps a signed head. Throws KezError with the code by which a reader would refuse it. `known`: it was here already. */
  postHead(chain: Digest, text: string | Uint8Array): Promise<"kept" | "known">
  /** Calls the listener with every chain that has changed, and `onReset` when views that were told may hold what is lost; returns how to stop. */
  watch(listener: (view: ChainView) => void, onReset?: () => void): () => void
  close(): Promise<void>
}
