/** `kez sigchain revoke-device`: keys that may speak for the identity no longer, and those that they added. SPEC CHAIN-12 */
import { type ChainReplay, commitmentTo, KezError } from "@kez/core"
import { goneWith, misuse } from "../chain-refusal.ts"
import { readKey } from "../find-chain.ts"
import type { Handler } from "../run.ts"
import { appendAsSelf } from "./sigchain-append.ts"

export interface RevokeDeviceOptions {
  /** Devices to keep although a revoked key added them. */
  readonly keep?: readonly string[]
  /** Revoke even the key that was committed to. */
  readonly yes?: boolean
}

export const run: Handler<RevokeDeviceOptions> = async (context, { args, keep = [], yes }) => {
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
      if (chain !== undefined && yes !== true) assertCanRotate(chain, goneWith(chain, keys, kept))
      return { operations: [{ op: "revoke_device", keys, ...(kept.length === 0 ? {} : { keep: kept }) }] }
    },
    notes: ["  A revoked key never returns, and devices that it added went with it."],
  })
}

/** Once the committed key is revoked no key at all can follow the primary. */
function assertCanRotate({ state }: ChainReplay, gone: readonly string[]): void {
  const committed = gone.find((key) => commitmentTo(key) === state.next)
  if (committed === undefined) return
  throw misuse(
    "chain.prerotation",
    `Cannot revoke ${committed}: you committed to it as your next primary, and without it this identity can never rotate again`,
    "If it is in somebody else's hands, revoke it all the same: --yes",
  )
}
