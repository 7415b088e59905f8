/** Whose chain is meant, and the places that may have it. SPEC VER-5 */
import { type Digest, isDigest, KezError, parseIdentity } from "@kez/core"
import type { Context } from "../context.ts"
import { readKey } from "../find-chain.ts"
import { currentIdentity } from "../keys/signers.ts"
import { chainOfKey } from "../own-chain.ts"
import { wellKnownOf } from "../proof-keys.ts"
import { readStore } from "../store/access.ts"
import { chainsByPrefix } from "../store/chains.ts"
import type { Store } from "../store/database.ts"
import { loadSources } from "../store/sources.ts"
import type { PullPlace } from "./pull-chain.ts"
import { chainUrl } from "./store-url.ts"

export interface ChainTarget {
  /** As people see it: a chain id, a key, a domain. */
  readonly name: string
  /** Known from the start, or because this computer has the chain. */
  readonly chain?: Digest
  readonly key?: string
  readonly domain?: string
}

/** `typed`: a chain id, whole or as long as this computer knows it; a key; the name of an identity; a domain. Throws `usage`. */
export async function readTarget(context: Context, typed: string | undefined): Promise<ChainTarget> {
  if (typed?.startsWith("sha256:") === true) return { name: typed, chain: await wholeId(context, typed) }
  const system = typed?.includes(":") === true ? parseIdentity(typed).system : undefined
  if (typed !== undefined && system === "dns")
    return { name: `dns:${parseIdentity(typed).value}`, domain: parseIdentity(typed).value }
  if (system !== undefined && system !== "ed25519" && system !== "nostr") throw notAChain(typed ?? "")
  const key = typed === undefined ? (await currentIdentity(context)).key : await readKey(context, typed)
  const chain = await readStore<Digest | undefined>(context, undefined, (store) => tryChainOf(store, key))
  return { name: key, key, ...(chain === undefined ? {} : { chain }) }
}

/** Everywhere that the chain may lie: the stores, places that served it before, and what its key or domain names. */
export async function placesOf(
  context: Context,
  { chain, key, domain }: ChainTarget,
  stores: readonly string[],
): Promise<readonly PullPlace[]> {
  const id = chain ?? key
  const known = chain === undefined ? [] : await readStore(context, [], (store) => loadSources(store, chain))
  const wellKnown = domain === undefined ? undefined : wellKnownOf(domain)
  const places = [
    ...(id === undefined ? [] : stores.map((store) => ({ url: chainUrl(store, id), isChosen: true }))),
    ...known.map(({ url }) => ({ url })),
    ...(key?.startsWith("nostr:") === true ? [{ url: key }] : []),
    ...(wellKnown === undefined ? [] : [{ url: wellKnown }]),
  ]
  const byUrl = Map.groupBy(places, ({ url }) => url).values()
  return [...byUrl].flatMap(([first]) => first ?? [])
}

async function wholeId(context: Context, typed: string): Promise<Digest> {
  const text = typed.replace(/…$/, "")
  if (isDigest(text)) return text
  const known =
    text.length < "sha256:".length + 8 ? [] : await readStore(context, [], (store) => chainsByPrefix(store, text))
  const [only, ...others] = known
  if (only !== undefined && others.length === 0) return only
  throw new KezError("usage", "Cannot tell which chain is meant: expected sha256: and 64 digits", {
    hint: "A shorter id is enough for chains that this computer knows.",
  })
}

/** Two chains of one key are looked for by the key. */
function tryChainOf(store: Store, key: string): Digest | undefined {
  try {
    return chainOfKey(store, key)?.chain
  } catch (error) {
    if (error instanceof KezError && error.code === "chain.fork") return undefined
    throw error
  }
}

function notAChain(typed: string): KezError {
  return new KezError("usage", `Cannot fetch the chain of ${typed}: expected a chain id, a key, a name, or dns:…`, {
    hint: `kez verify id ${typed} looks at the account, and brings its chain.`,
  })
}
