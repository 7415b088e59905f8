/** Names of sigchain stores, and where a store has what. SPEC §8 */
import { isDigest, KezError } from "@kez/core"
import { isStore, maxStores } from "../config-file.ts"
import type { Context } from "../context.ts"

const chainPath = /^https?:\/\/[^?#]+\/v1\/chains\/[^/?#]+$/

/** The stores of the settings and those that a command was given, each once. Throws `usage`. */
export function storesOf({ settings }: Pick<Context, "settings">, given: readonly string[] = []): readonly string[] {
  const wrong = given.find((text) => !isStore(text))
  if (wrong !== undefined) {
    // A password in it is not said again. [ID-8]
    const shown = wrong.includes("@") ? "with a name or password in it" : wrong
    throw new KezError("usage", `Cannot use --store ${shown}: expected an https:// URL`)
  }
  // A store says 404 to all below it, which would look as if it had no chain.
  const below = given.find((text) => /\/v1(?:\/chains.*)?\/*$/.test(text))
  if (below !== undefined) {
    throw new KezError("usage", `Cannot use --store ${below}: expected the URL of the store, without /v1`)
  }
  const stores = [...new Set([...given, ...settings.stores.value].map((text) => text.replace(/\/+$/, "")))]
  if (stores.length <= maxStores) return stores
  throw new KezError("usage", `Cannot ask ${stores.length} stores: expected at most ${maxStores}`)
}

/** Where a store has a chain, by its id or by one of its primaries. */
export function chainUrl(store: string, id: string): string {
  return `${store}/v1/chains/${id}`
}

/** Whether a URL is that of a chain in a store, which has heads and evidence of forks beside it. */
export function isChainOfStore(url: string): boolean {
  return chainPath.test(url)
}

/** Whether it names the chain itself, and not one of its primaries. */
export function isUnderChainId(url: string): boolean {
  return isChainOfStore(url) && isDigest(url.slice(url.lastIndexOf("/") + 1))
}

/** The same place under the chain's own id, by which it is remembered: a primary may be replaced. */
export function underChainId(url: string, chain: string): string {
  return isChainOfStore(url) ? `${url.slice(0, url.lastIndexOf("/"))}/${chain}` : url
}
