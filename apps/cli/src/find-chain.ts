/** The chain that a person means: by its id, by a key, or by the name of an identity on this computer. */
import { type ChainReplay, KezError, parseKeyIdentity } from "@kez/core"
import type { Context } from "./context.ts"
import { currentIdentity } from "./keys/signers.ts"
import { chainOfKey, noChain } from "./own-chain.ts"
import { readStore } from "./store/access.ts"
import { chainsByPrefix, loadChain } from "./store/chains.ts"
import type { Store } from "./store/database.ts"

/** Digests and chain ids may be cut, as they are shown: this much of them must be there. */
const minDigestChars = "sha256:".length + 8

/** The key of an identity on this computer, or a key identity as typed. */
export async function readKey(context: Context, typed: string): Promise<string> {
  if (!typed.includes(":")) return (await currentIdentity(context, typed)).key
  const { system, value } = parseKeyIdentity(typed)
  return `${system}:${value}`
}

/** Reads the chain of `typed`, or of the identity in use, and works on it. Throws `chain.unknown`. */
export async function withChain<T>(
  context: Context,
  typed: string | undefined,
  work: (store: Store, chain: ChainReplay) => T | Promise<T>,
): Promise<T> {
  const isDigest = typed?.startsWith("sha256:") === true
  const key = isDigest ? "" : typed === undefined ? (await currentIdentity(context)).key : await readKey(context, typed)
  const missing = isDigest ? unknownId() : noChain(key)
  const result = await readStore<{ value: T } | undefined>(context, undefined, async (store) => {
    const chain = isDigest ? chainOfPrefix(store, typed) : chainOfKey(store, key)
    return chain === undefined ? undefined : { value: await work(store, chain) }
  })
  if (result === undefined) throw missing
  return result.value
}

/** The one of `digests` that begins with `typed`. Throws `usage` for none, for two, and for too short a text. */
export function pickDigest(typed: string, digests: readonly string[]): string {
  const text = typed.replace(/…$/, "")
  const found = text.length < minDigestChars ? [] : [...new Set(digests)].filter((digest) => digest.startsWith(text))
  const [only, ...others] = found
  if (only !== undefined && others.length === 0) return only
  throw new KezError(
    "usage",
    "Cannot choose by this digest: expected sha256: and enough digits for one of those listed",
  )
}

function chainOfPrefix(store: Store, typed: string): ChainReplay | undefined {
  const text = typed.replace(/…$/, "")
  const found = text.length < minDigestChars ? [] : chainsByPrefix(store, text)
  return found[0] === undefined || found.length > 1 ? undefined : loadChain(store, found[0])
}

function unknownId(): KezError {
  return new KezError("chain.unknown", "Cannot find a chain with this id on this computer", {
    hint: "kez sigchain import FILE brings one here.",
  })
}
