/** The chains that were used last, as many as fit into a bound of memory. */
import type { Digest } from "@kez/core"

export interface Weighed {
  /** Estimated bytes of memory. */
  readonly weight: number
}

export interface ChainCache<T extends Weighed> {
  get(chain: Digest): T | undefined
  set(chain: Digest, value: T): void
  delete(chain: Digest): void
  clear(): void
  readonly weight: number
}

export function createChainCache<T extends Weighed>(maxBytes: number): ChainCache<T> {
  // A Map keeps the order of insertion: the first is the one that was used longest ago.
  const kept = new Map<Digest, { readonly value: T; readonly weight: number }>()
  let weight = 0

  function remove(chain: Digest): void {
    weight -= kept.get(chain)?.weight ?? 0
    kept.delete(chain)
  }

  return {
    get(chain) {
      const entry = kept.get(chain)
      if (entry === undefined) return undefined
      kept.delete(chain)
      kept.set(chain, entry)
      return entry.value
    },
    set(chain, value) {
      remove(chain)
      // The last one stays, however large: else each request for it would load it again.
      for (const [oldest] of kept) {
        if (weight + value.weight <= maxBytes) break
        remove(oldest)
      }
      kept.set(chain, { value, weight: value.weight })
      weight += value.weight
    },
    delete: remove,
    clear() {
      kept.clear()
      weight = 0
    },
    get weight() {
      return weight
    },
  }
}
