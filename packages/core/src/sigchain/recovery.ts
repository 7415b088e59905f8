/** Where a rotation to the committed key could stand. SPEC CHAIN-14, CHAIN-15, FORK-1 */
import { reapplyEvent } from "./apply.ts"
import { commitmentTo } from "./commitment.ts"
import type { ChainReplay } from "./result.ts"
import { WorkingState } from "./state.ts"

/**
 * The last event of the path after which `key` could follow as the one that was committed to: it is not burned, no device, and not the
 * primary. Never one before the last rotation: a key that rotated in once would contradict itself. Undefined where there is none.
 */
export function lastPlaceOf(chain: ChainReplay, key: string): number | undefined {
  const commitment = commitmentTo(key)
  const state = new WorkingState(chain.path[0]?.payload.primary ?? "")
  let place: number | undefined
  for (const event of chain.path) {
    reapplyEvent(state, event)
    if (event.payload.op === "rotate") place = undefined
    const isUsed = state.burned.has(key) || state.devices.has(key) || state.primary === key
    if (state.next === commitment && !isUsed) place = event.payload.seq
  }
  return place
}
