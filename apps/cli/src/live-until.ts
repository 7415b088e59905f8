/** Until when the end of a chain is confirmed by a signed head that this computer holds. SPEC §5.8 */
import { type ChainReplay, judgeHead, KezError } from "@kez/core"
import type { Store } from "./store/database.ts"
import { loadHeads } from "./store/heads.ts"

/** Undefined: no head in force says that this is the end. */
export function liveUntilOf(store: Store, chain: ChainReplay, now: number): string | undefined {
  const ends = loadHeads(store, chain.chain, now).flatMap((head) => {
    try {
      const { says, expiresAt } = judgeHead(head, chain, now)
      return says === "live" ? [expiresAt] : []
    } catch (error) {
      if (error instanceof KezError) return []
      throw error
    }
  })
  return ends.sort().at(-1)
}
