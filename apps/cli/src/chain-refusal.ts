/** Why a chain of one's own does not take an event, and what its owner can do. SPEC §5.4 */
import { assertAppendable, type ChainReplay, type Code, commitmentTo, KezError, type Outline } from "@kez/core"
import type { Context } from "./context.ts"
import { listIdentities } from "./keys/identities.ts"
import { misuseText } from "./reason-text.ts"
import { shortKey } from "./short-text.ts"

/** A mistake of the person who runs the command, and no fault of a proof: its exit code is 1. */
export function misuse(code: Code, message: string, hint: string, cause?: unknown): KezError {
  return Object.assign(new KezError(code, message, { hint, cause }), { misuse: true })
}

/** The name of a key's identity on this computer, else the key, shortened. */
export function nameOfKey({ paths }: Context, key: string): string {
  return listIdentities(paths).find(({ identity }) => identity === key)?.name ?? shortKey(key)
}

/** An error of `appendEvent` with its reason and a way out; any other one as it is. */
export function explainRefusal(
  context: Context,
  error: unknown,
  by: { readonly chain: ChainReplay | undefined; readonly signer: string },
): unknown {
  if (!(error instanceof KezError)) return error
  const { code } = error
  const { chain, signer } = by
  const isReplaced = chain?.state.primaries.includes(signer) === true && chain.state.primary !== signer
  if (code === "chain.not_authorised" && isReplaced) return replaced(context, "append the event", signer, chain, error)
  const known = misuseText(code)
  return known === undefined ? error : misuse(code, `Cannot append the event: ${known.why}`, known.hint, error)
}

/** Throws as `appendEvent` would, before any key is opened: nobody types a passphrase for what cannot be. */
export function assertTakes(context: Context, chain: ChainReplay, operation: Outline, signer: string): void {
  try {
    assertAppendable(chain, operation, signer)
  } catch (error) {
    throw explainRefusal(context, error, { chain, signer })
  }
}

/** For a key that a rotation took out of force. */
export function replaced(context: Context, what: string, key: string, chain: ChainReplay, cause?: unknown): KezError {
  const { primary } = chain.state
  const [old, now] = [key, primary].map((one) => nameOfKey(context, one))
  const isHere = listIdentities(context.paths).some(({ identity }) => identity === primary)
  const hint = isHere ? `kez identity use ${now}` : `Use the computer that holds ${primary}, or restore it here.`
  return misuse("chain.not_authorised", `Cannot ${what}: ${old} was replaced by ${now}`, hint, cause)
}

/** Only a settlement can follow an undecided fork. */
export function assertDecided(chain: ChainReplay): void {
  if (chain.status !== "fork") return
  throw new KezError("chain.fork", "Cannot append to the chain: it is an undecided fork", {
    hint: "Settle it first: kez sigchain settle.",
  })
}

/** Throws when a commitment is to a key that could never become the primary: the chain uses it, or has burned it. [CHAIN-15] */
export function assertCommittable(chain: ChainReplay | undefined, commitment: string, own: readonly string[]): void {
  const used = [...own, ...(chain === undefined ? [] : [chain.state.primary, ...chain.state.devices.map(keyOf)])]
  const hint = "Commit to a key that was never in this chain; to make one: kez identity new safe"
  if (used.some((key) => commitmentTo(key) === commitment)) {
    throw misuse("chain.key_in_use", "Cannot commit to this key: the chain uses it, so it could never follow", hint)
  }
  if (chain !== undefined && everNamed(chain).some((key) => commitmentTo(key) === commitment)) {
    throw misuse("chain.key_reuse", "Cannot commit to this key: the chain has revoked it, or rotated it away", hint)
  }
}

/** Devices that go when `keys` are revoked: these, and what they added, directly or through others. [CHAIN-12] */
export function goneWith(chain: ChainReplay, keys: readonly string[], keep: readonly string[]): readonly string[] {
  const addedBy = new Map<string, string>()
  for (const { payload, signature } of chain.path) {
    if (payload.op === "add_device") addedBy.set(payload.payload.key, signature.key)
  }
  const isGone = (key: string | undefined): boolean =>
    key !== undefined && (keys.includes(key) || isGone(addedBy.get(key)))
  return chain.state.devices.map(keyOf).filter((key) => !keep.includes(key) && isGone(key))
}

/** Every key that the winning path ever used or burned. */
function everNamed({ path, state }: ChainReplay): readonly string[] {
  const devices = path.flatMap(({ payload }) => {
    if (payload.op === "add_device") return [payload.payload.key]
    return payload.op === "revoke_device" ? payload.payload.keys : []
  })
  return [...state.primaries, ...devices]
}

/** Every key that can never be one of the chain again. [CHAIN-15] */
export function everBurned(chain: ChainReplay): readonly string[] {
  const active = new Set([chain.state.primary, ...chain.state.devices.map(keyOf)])
  return everNamed(chain).filter((key) => !active.has(key))
}

function keyOf({ key }: { readonly key: string }): string {
  return key
}
