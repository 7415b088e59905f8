/** Whether the account could be listed afterwards: asked first, for what is published cannot be taken back unseen. SPEC §5 */
import { KezError } from "@kez/core"
import { misuse } from "../chain-refusal.ts"
import type { Context } from "../context.ts"
import { assertInForce } from "../own-claims.ts"
import type { Owner } from "./own-proof.ts"
import type { ProofPlace } from "./words.ts"

/** Throws `chain.fork` for a fork that nothing decides, and `chain.not_authorised` for a key that may not do it. */
export async function assertCanList(context: Context, { key, chain }: Owner, form: ProofPlace): Promise<void> {
  await assertInForce(context, key)
  if (chain === undefined) return
  if (chain.status === "fork") {
    throw new KezError("chain.fork", "Cannot publish: your chain has two histories, and nothing can be listed in it", {
      hint: "Decide which one holds: kez sigchain settle",
    })
  }
  const { primary, devices } = chain.state
  const isDevice = devices.some((device) => device.key === key)
  if (primary === key || (isDevice && form === "reference")) return
  throw misuse(
    "chain.not_authorised",
    "Cannot sign the claim: this key is a device of your chain, and claims are signed by its primary",
    `Act as the primary: --identity NAME. The primary is ${primary}`,
  )
}
