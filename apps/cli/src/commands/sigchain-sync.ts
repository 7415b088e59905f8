/** `kez sigchain sync`: your chain and your stores become one: what any of them has, all have afterwards. SPEC §8 */
import { KezError } from "@kez/core"
import { storeReport } from "../chains/place-report.ts"
import { syncChain } from "../chains/sync-chain.ts"
import { currentIdentity } from "../keys/signers.ts"
import type { Handler } from "../run.ts"
import { describe } from "./sigchain-publish.ts"
import { readDemands, type VerifyOptions } from "./verify-options.ts"

export type SyncOptions = Pick<VerifyOptions, "store" | "resolver" | "timeout">

export const run: Handler<SyncOptions> = async (context, { args: _, ...options }) => {
  const { stores, timeoutMs, net } = await readDemands(context, options)
  if (stores.length === 0) {
    throw new KezError("usage", "Cannot sync: expected a store", {
      hint: '--store https://sig.example.org, or stores = ["…"] in config.toml',
    })
  }
  const { key } = await currentIdentity(context)
  const synced = await syncChain(context, await net(), { key, stores, timeoutMs })
  const places = synced.outcomes.map((outcome) => storeReport(outcome, synced.head))
  return describe(context, { ...synced, places, zone: [] })
}
