/** Proof of possession: the new key signs the event that names it, so that nobody adds a key of another. SPEC [CHAIN-17]. */
import { canonicalize } from "../canonical.ts"
import { digestOf } from "../digest.ts"
import { envelopeDigest, type SigchainEvent } from "../envelope/envelope.ts"
import { assertSignedText, vouchForSignature } from "../envelope/verify.ts"
import { KezError } from "../error.ts"
import type { EventPayload } from "./event.ts"

export type PopRole = "device" | "primary"

/** The signed text of a proof of possession for `payload`, an event payload that names `key` (its own `pop`, if any, left out). */
export function popText(payload: EventPayload, key: string, role: PopRole): string {
  const { pop: _, ...operation } = { pop: "", ...payload.payload }
  const event = digestOf(canonicalize({ ...payload, payload: operation }))
  return canonicalize({ type: "kez.pop", version: 1, role, key, event })
}

/** Throws `chain.pop` unless the key that the event introduces signed it. Events of other operations pass. */
export function assertPop(event: SigchainEvent): void {
  const { payload } = event
  if (payload.op === "add_device")
    assertPopOf(event, { key: payload.payload.key, sig: payload.payload.pop, role: "device" })
  if (payload.op === "rotate")
    assertPopOf(event, { key: payload.payload.new_primary, sig: payload.payload.pop, role: "primary" })
}

/** Whether the key that the event introduces signed for it. */
export function hasPop(event: SigchainEvent): boolean {
  try {
    assertPop(event)
    return true
  } catch (error) {
    if (error instanceof KezError) return false
    throw error
  }
}

/** Takes event and proof of possession for right, because a store of one's own checked both before it wrote them. See `vouchForSignature`. */
export function vouchForEvent(event: SigchainEvent): void {
  const digest = envelopeDigest(event)
  vouchForSignature(digest)
  if (event.payload.op === "add_device" || event.payload.op === "rotate") vouchForSignature(popKey(digest))
}

/** Under what a right proof of possession is remembered. */
function popKey(digest: string): string {
  return `pop ${digest}`
}

function assertPopOf(event: SigchainEvent, { key, sig, role }: { key: string; sig: string; role: PopRole }): void {
  try {
    assertSignedText(popText(event.payload, key, role), { key, sig, cacheKey: popKey(envelopeDigest(event)) })
  } catch (cause) {
    throw new KezError(
      "chain.pop",
      `Cannot accept the event: the new key did not sign for being this chain's ${role}`,
      { cause },
    )
  }
}
