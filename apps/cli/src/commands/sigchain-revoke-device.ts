/** `kez sigchain revoke-device`: keys that may speak for the identity no longer, and those that they added. SPEC CHAIN-12 */
import { KezError } from "@kez/core"
import { readKey } from "../find-chain.ts"
import type { Handler } from "../run.ts"
import { appendAsSelf } from "./sigchain-append.ts"

export interface RevokeDeviceOptions {
  /** Devices to keep although a revoked key added them. */
  readonly keep?: readonly string[]
}

export const run: Handler<RevokeDeviceOptions> = async (context, { args, keep = [] }) => {
  const keys = await Promise.all(args.map((typed) => readKey(context, typed)))
  const kept = await Promise.all(keep.map((typed) => readKey(context, typed)))
  return appendAsSelf(context, {
    plan: (chain) => {
      const known = chain?.state.devices.map((device) => device.key) ?? []
      const strange = [...keys, ...kept].find((key) => !known.includes(key))
      if (strange !== undefined && chain?.state.primary !== strange) {
        throw new KezError("usage", `Cannot revoke by ${strange}: it is no active device of your chain`, {
          hint: "kez sigchain show lists the devices.",
        })
      }
      return { operations: [{ op: "revoke_device", keys, ...(kept.length === 0 ? {} : { keep: kept }) }] }
    },
    notes: ["  A revoked key never returns, and devices that it added went with it."],
  })
}
