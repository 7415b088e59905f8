/** Revocations that a fork cannot undo. SPEC §5.7. */
import type { Digest } from "../digest.ts"
import { revokedBy } from "./apply.ts"
import { subtree } from "./fork.ts"
import type { WorkingState } from "./state.ts"
import type { ValidEvent } from "./walk.ts"

export interface Sticky {
  /** Subjects revoked, whatever the winning path says. */
  readonly subjects: ReadonlySet<string>
  /** Active devices of the winning path that are suspended. */
  readonly devices: ReadonlySet<string>
}

/** What the revocations off the winning path keep in force, `state` being the one at its end. [FORK-6] [FORK-7] */
export function stickyRevocations(root: ValidEvent, path: readonly ValidEvent[], state: WorkingState): Sticky {
  const winning = new Set(path)
  const lifted = liftedBy(path)
  const subjects = new Set<string>()
  const devices = new Set<string>()
  for (const event of subtree(root, () => true)) {
    const { payload } = event.event
    if (winning.has(event) || (payload.op !== "revoke" && payload.op !== "revoke_device") || lifted(event)) continue
    if (payload.op === "revoke") {
      subjects.add(payload.payload.subject)
      continue
    }
    for (const key of revokedBy(state, payload.payload.keys, payload.payload.keep ?? [])) {
      if (state.devices.has(key)) devices.add(key)
    }
  }
  return { subjects, devices }
}

function liftedBy(path: readonly ValidEvent[]): (event: ValidEvent) => boolean {
  const keys = new Set<string>()
  const digests = new Set<Digest>()
  for (const { authority, event, revokedKeys } of path) {
    if (authority === "device") continue
    for (const key of revokedKeys) keys.add(key)
    if (event.payload.op === "settle") for (const digest of event.payload.payload.reject) digests.add(digest)
  }
  return (event) => digests.has(event.digest) || signerLine(event).some((key) => keys.has(key))
}

/** The signer, the key that added it on this branch, the one that added that, and so on. */
function signerLine(event: ValidEvent): readonly string[] {
  let key = event.event.signature.key
  const line = [key]
  for (let earlier = event.parent; earlier !== undefined; earlier = earlier.parent) {
    const { payload, signature } = earlier.event
    if (payload.op !== "add_device" || payload.payload.key !== key) continue
    key = signature.key
    line.push(key)
  }
  return line
}
