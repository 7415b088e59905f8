/** Revocations of branches that lost. They stay in force until they are lifted. SPEC FORK-6 */
import type { Operation, SigchainEvent } from "@kez/core"

export function isRevocation({ payload }: SigchainEvent): boolean {
  return payload.op === "revoke" || payload.op === "revoke_device"
}

/** The revocation that `event` is, to be signed again; a primary cannot be revoked, only rotated away. */
export function repeat({ payload }: SigchainEvent, primary: string): readonly Operation[] {
  if (payload.op === "revoke") return [{ op: "revoke", subject: payload.payload.subject }]
  if (payload.op !== "revoke_device") return []
  const keys = payload.payload.keys.filter((key) => key !== primary)
  const { keep } = payload.payload
  return keys.length === 0 ? [] : [{ op: "revoke_device", keys, ...(keep === undefined ? {} : { keep }) }]
}
