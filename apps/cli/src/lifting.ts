/**
 * What a revocation gives its say back. A `revoke_device` of the primary lifts all that the revoked keys have signed on branches that lost,
 * the owner's own revocations among it. SPEC FORK-6
 */
import { type ChainReplay, KezError, type Lifted, type Operations } from "@kez/core"
import type { Context } from "./context.ts"

export interface Revocation {
  readonly payload: Operations["revoke_device"]
  readonly lifted: Lifted
  /** Whether a former primary is among the keys: what it revokes on losing branches has no force, later either. */
  readonly ofFormer: boolean
  /** Devices that the owner has named to keep. */
  readonly named: readonly string[]
}

/** Whether keys or subjects have their say back, now or later. */
export function isLifting({ lifted, ofFormer }: Revocation): boolean {
  return ofFormer || lifted.devices.length > 0 || lifted.subjects.length > 0
}

/** What `payload`, signed by `acting`, would lift: a device lifts nothing. */
export function liftedBy(chain: ChainReplay, acting: string, payload: Operations["revoke_device"]): Lifted {
  return chain.state.primary === acting ? chain.liftedBy(payload) : { devices: [], subjects: [] }
}

/** Where it lifts what the owner has not named. Throws `input.missing` where nobody can be asked, `input.cancelled` after a no. */
export async function assertLifting({ terminal }: Context, { lifted, named }: Revocation): Promise<void> {
  const devices = lifted.devices.filter((device) => !named.includes(device))
  const { subjects } = lifted
  if (devices.length + subjects.length === 0) return
  const text = `This lifts revocations of branches that lost: ${formatLifted({ devices, subjects })}. Lift them?`
  if (await terminal.confirm({ text, flag: `--yes. ${howToKeep}` })) return
  throw new KezError("input.cancelled", "Cancelled: nothing was signed", { hint: howToKeep })
}

const howToKeep =
  "To keep a subject revoked, revoke it first: kez sigchain revoke SUBJECT. To revoke a device, name it too; to give it its say back: --keep DEVICE"

/** Such as `dns:example.org revoked no more; ed25519:9f2c… suspended no more`. */
export function formatLifted({ devices, subjects }: Lifted): string {
  const parts = [
    ...(subjects.length === 0 ? [] : [`${subjects.join(", ")} revoked no more`]),
    ...(devices.length === 0 ? [] : [`${devices.join(", ")} suspended no more`]),
  ]
  return parts.join("; ")
}

/** Throws where the chain has grown since, and the revocation would lift other things than those that its owner knows of. */
export function assertSameLifting(now: Revocation, known: Revocation, isSure: boolean): void {
  const [mine, theirs] = [now, known].map(({ lifted }) => JSON.stringify(lifted))
  if (isLifting(now) === isLifting(known) && (isSure || mine === theirs)) return
  throw new KezError(
    "input.cancelled",
    "Cancelled: the chain has grown since, and the revocation lifts something else",
    {
      hint: "Nothing was signed. Run the command again.",
    },
  )
}
