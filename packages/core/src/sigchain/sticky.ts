/** Revocations that a fork cannot undo. SPEC §5.7. */
import type { Digest } from "../digest.ts"
import type { KeyLine, WorkingState } from "./state.ts"
import { subtree } from "./tree.ts"
import type { ValidEvent } from "./walk.ts"

export interface Sticky {
  /** The revocations that do this: those off the winning path that nothing lifts. */
  readonly revocations: ReadonlySet<Digest>
  /** Subjects revoked, whatever the winning path says. */
  readonly subjects: ReadonlySet<string>
  /** Active devices of the winning path that are suspended. */
  readonly devices: ReadonlySet<string>
}

/**
 * What the revocations off the winning path keep in force, `state` being the one at its end. [FORK-6] [FORK-7]
 * `revoked`: keys that an event at the end would revoke too, one that is planned.
 */
export function stickyRevocations(
  root: ValidEvent,
  path: readonly ValidEvent[],
  state: WorkingState,
  revoked: readonly string[] = [],
): Sticky {
  const winning = new Set(path)
  const isLifted = liftedBy(path, state, revoked)
  const under = activeDevicesUnder(state)
  const subjects = new Set<string>()
  const devices = new Set<string>()
  const revocations = new Set<Digest>()
  for (const event of subtree(root)) {
    const { payload } = event.event
    if (winning.has(event) || (payload.op !== "revoke" && payload.op !== "revoke_device") || isLifted(event)) continue
    revocations.add(event.digest)
    if (payload.op === "revoke") {
      subjects.add(payload.payload.subject)
      continue
    }
    const { keys, keep = [] } = payload.payload
    for (const key of keys) {
      for (const device of under.get(key) ?? []) if (!keep.includes(device)) devices.add(device)
    }
  }
  return { revocations, subjects, devices }
}

/** For each key, the active devices that are it or that it added, directly or through others. There are few active ones. */
function activeDevicesUnder(state: WorkingState): ReadonlyMap<string, readonly string[]> {
  const under = new Map<string, string[]>()
  for (const device of state.devices.keys()) {
    for (let line: KeyLine | undefined = state.lineOf(device); line !== undefined; line = line.addedBy) {
      const devices = under.get(line.key)
      if (devices === undefined) under.set(line.key, [device])
      else devices.push(device)
    }
  }
  return under
}

function liftedBy(
  path: readonly ValidEvent[],
  state: WorkingState,
  revoked: readonly string[],
): (event: ValidEvent) => boolean {
  const keys = new Set(revoked)
  const digests = new Set<Digest>()
  for (const { authority, event, revokedKeys } of path) {
    if (authority === "device") continue
    for (const key of revokedKeys) keys.add(key)
    if (event.payload.op === "settle") for (const digest of event.payload.payload.reject) digests.add(digest)
  }
  const known = new Map<KeyLine, boolean>()

  /**
   * Whether a revoked key is in the line: the signer, the key that added it on its branch, the one that added that, and so on,
   * up to a device that is active: whoever kept it trusts what it did.
   */
  function isRevoked(signer: KeyLine): boolean {
    const visited: KeyLine[] = []
    let found: boolean | undefined = false
    for (let line: KeyLine | undefined = signer; line !== undefined; line = line.addedBy) {
      found = known.get(line) ?? (keys.has(line.key) ? true : state.devices.has(line.key) ? false : undefined)
      visited.push(line)
      if (found !== undefined) break
    }
    for (const line of visited) known.set(line, found ?? false)
    return found ?? false
  }

  return (event) => digests.has(event.digest) || isRevoked(event.signer)
}
