/**
 * The way back of an owner whose committed key somebody has burned: whoever holds the primary can revoke it, and CHAIN-14 lets no burned
 * key follow. A rotation that stands before that has the rank of recovery, and wins over all that came after. SPEC FORK-1, FORK-2
 */
import { type ChainReplay, commitmentTo, replayChain } from "@kez/core"

/**
 * The chain up to the last event at which `key` could still follow, where it is the committed one and was revoked since. Undefined where
 * it can follow at the end; also in an undecided fork, which has to be settled first, and where the key was burned when it was committed to.
 */
export function chainBeforeBurned(chain: ChainReplay, key: string): ChainReplay | undefined {
  const commitment = commitmentTo(key)
  if (chain.status === "fork" || chain.state.next !== commitment) return undefined
  const burned = chain.path.findIndex(
    ({ payload }) => payload.op === "revoke_device" && payload.payload.keys.includes(key),
  )
  if (burned < 1) return undefined
  const before = replayChain(chain.path.slice(0, burned), { chain: chain.chain })
  return before.state.next === commitment ? before : undefined
}
