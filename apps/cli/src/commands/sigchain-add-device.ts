/** `kez sigchain add-device`: another key of yours may speak for the identity. It signs that it wants to. SPEC CHAIN-17 */
import { commitmentTo } from "@kez/core"
import { misuse } from "../chain-refusal.ts"
import { signerFor } from "../keys/signers.ts"
import type { Handler } from "../run.ts"
import { appendAsSelf } from "./sigchain-append.ts"

export const run: Handler<object> = async (context, { args: [name = ""] }) => {
  const device = await signerFor(context, name)
  return appendAsSelf(context, {
    isLasting: true,
    plan: (chain) => {
      // As a device it could never become the primary, and no other key may: the identity could not rotate any more.
      if (chain?.state.next === commitmentTo(device.key)) {
        throw misuse(
          "chain.key_in_use",
          `Cannot add ${name} as a device: you committed to its key as your next primary`,
          "Add another key; to make one: kez identity new NAME",
        )
      }
      return { operations: [{ op: "add_device", device }] }
    },
  })
}
