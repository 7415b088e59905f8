/** Whether an event is valid in a state, and what it does to it. The checks stand in the order of SPEC §5.4. */
import type { Code } from "../codes.ts"
import type { SigchainEvent } from "../envelope/envelope.ts"
import { assertSignature } from "../envelope/verify.ts"
import { KezError } from "../error.ts"
import { maxActiveClaims, maxActiveDevices, maxChainEvents, reservedChainEvents } from "../limits.ts"
import { commitmentTo } from "./commitment.ts"
import type { EventPayload, Op } from "./event.ts"
import { assertPop } from "./pop.ts"
import type { KeyLine, WorkingState } from "./state.ts"

/** On whose authority an event stands. `committed` is the revealed next key, whose signature has recovery rank. */
export type Authority = "committed" | "primary" | "device"

const primaryOnly: ReadonlySet<Op> = new Set<Op>(["set_next", "settle", "rotate"])
const reservedOps: ReadonlySet<Op> = new Set<Op>(["revoke", "revoke_device", "set_next", "settle", "rotate"])

/**
 * Applies an event that links to the state's last one, or throws the code of the first check that fails and leaves the state as
 * it was. Signatures come last: they cost the most, and nothing unauthorised gets as far.
 */
export function applyEvent(state: WorkingState, event: SigchainEvent): Authority {
  const { payload, signature } = event
  const authority = assertAllowed(state, payload, signature.key)
  assertSignature(event)
  assertPop(event)
  changeState(state, payload, signature.key)
  return authority
}

/** All checks but those of signatures. */
export function assertAllowed(state: WorkingState, payload: EventPayload, signer: string): Authority {
  if (payload.primary !== state.primary) throw refusal("chain.primary", `primary ${state.primary}`)
  if (payload.seq >= maxChainEvents) throw refusal("limit.chain", `at most ${maxChainEvents} events`)
  const authority = authorityOf(state, payload, signer)
  assertPlaceFree(payload, authority)
  assertOperation(state, payload)
  return authority
}

/** Applies an event that was found valid in this state before. */
export function reapplyEvent(state: WorkingState, { payload, signature }: SigchainEvent): void {
  changeState(state, payload, signature.key)
}

/** [CHAIN-8] */
function authorityOf(state: WorkingState, payload: EventPayload, signer: string): Authority {
  if (payload.op === "rotate" && state.next !== undefined) {
    // A thief of the primary cannot rotate: only the key committed to beforehand can.
    if (signer === payload.payload.new_primary && commitmentTo(signer) === state.next) return "committed"
    throw refusal("chain.prerotation", "a rotation to the committed key, signed by it")
  }
  if (signer === state.primary) return "primary"
  if (!state.devices.has(signer))
    throw refusal("chain.not_authorised", "the signature of the primary or an active device")
  if (primaryOnly.has(payload.op)) throw refusal("chain.authority", `the primary's signature for ${payload.op}`)
  return "device"
}

/** [CHAIN-9]: the last places are kept for the owner. */
function assertPlaceFree({ seq, op }: EventPayload, authority: Authority): void {
  if (seq < maxChainEvents - reservedChainEvents) return
  if (authority === "device" || !reservedOps.has(op)) {
    throw refusal("limit.chain", "only revocations, settlements and rotations by the primary in the last places")
  }
}

/** [CHAIN-10] to [CHAIN-14] */
function assertOperation(state: WorkingState, event: EventPayload): void {
  switch (event.op) {
    case "add":
      if (state.subjects.get(event.payload.subject)?.status !== "active" && state.activeSubjects >= maxActiveClaims) {
        throw refusal("limit.claims", `at most ${maxActiveClaims} active subjects`)
      }
      return
    case "add_device":
      assertNewKey(state, event.payload.key)
      if (state.devices.size >= maxActiveDevices)
        throw refusal("limit.devices", `at most ${maxActiveDevices} active devices`)
      return
    case "revoke_device": {
      const { keys, keep = [] } = event.payload
      if (keys.includes(state.primary))
        throw refusal("chain.authority", "devices only; a primary is replaced by rotate")
      if (keep.some((key) => keys.includes(key))) throw refusal("schema.value", "no key both revoked and kept")
      return
    }
    case "set_next":
      // Otherwise a thief of the primary would replace the commitment.
      if (state.next !== undefined) throw refusal("chain.next_in_force", "no commitment in force")
      return
    case "rotate":
      assertNewKey(state, event.payload.new_primary)
      return
    case "revoke":
    case "settle":
    case "set_shared_files":
      return
  }
}

function assertNewKey(state: WorkingState, key: string): void {
  if (key === state.primary || state.devices.has(key))
    throw refusal("chain.key_in_use", "a key that the chain does not use")
  if (state.burned.has(key)) throw refusal("chain.key_reuse", "a key that was never revoked or rotated away")
}

function changeState(state: WorkingState, event: EventPayload, signer: string): void {
  const { seq } = event
  switch (event.op) {
    case "add": {
      const { subject, subject_id: subjectId, proof } = event.payload
      const everRevoked = state.subjects.get(subject)?.everRevoked ?? false
      state.setSubject({
        subject,
        status: "active",
        everRevoked,
        seq,
        ...(subjectId === undefined ? {} : { subjectId }),
        ...(proof === undefined ? {} : { proof }),
      })
      return
    }
    case "revoke":
      state.setSubject({ subject: event.payload.subject, status: "revoked", everRevoked: true, seq })
      return
    case "add_device":
      state.addDevice({ key: event.payload.key, addedBy: signer, seq })
      return
    case "revoke_device":
      for (const key of revokedBy(state, event.payload.keys, event.payload.keep ?? [])) state.burn(key, seq)
      return
    case "set_next":
      state.setNext(event.payload.next)
      return
    case "rotate":
      state.burn(state.primary, seq)
      state.setPrimary(event.payload.new_primary, seq)
      state.setNext(event.payload.next)
      return
    case "settle":
      return // it speaks about branches, not about this state
    case "set_shared_files":
      state.setSharedFiles({ manifest: event.payload.manifest, size: event.payload.size, seq })
      return
  }
}

/** All of `keys`, and every active device that one of them added, directly or through others, unless kept. [CHAIN-12] */
export function revokedBy(state: WorkingState, keys: readonly string[], keep: readonly string[]): readonly string[] {
  const named = new Set(keys)
  const known = new Map<KeyLine, boolean>()
  /** From the few active devices up, not from `keys` down: a key may have added thousands that are long gone. */
  const isAddedByNamed = (device: string): boolean => {
    const visited: KeyLine[] = []
    let found = false
    for (let line = state.lineOf(device).addedBy; line !== undefined; line = line.addedBy) {
      const before = known.get(line)
      found = before ?? named.has(line.key)
      visited.push(line)
      if (found || before !== undefined) break
    }
    for (const line of visited) known.set(line, found)
    return found
  }
  const added = [...state.devices.keys()].filter(
    (device) => !named.has(device) && !keep.includes(device) && isAddedByNamed(device),
  )
  return [...keys, ...added]
}

function refusal(code: Code, expected: string): KezError {
  return new KezError(code, `Cannot append to the chain: expected ${expected}`)
}
