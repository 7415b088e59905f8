/** Parts of chains as `--json` shows them. docs/json.md */
import { type ChainReplay, envelopeDigest, type SigchainEvent } from "@kez/core"

export function eventJson(event: SigchainEvent) {
  const { seq, op, created_at, payload } = event.payload
  return { seq, digest: envelopeDigest(event), op, signer: event.signature.key, created_at, payload }
}

export function devicesJson({ state }: ChainReplay) {
  return state.devices.map(({ key, addedBy, seq, suspended }) => ({ key, added_by: addedBy, seq, suspended }))
}

export function subjectsJson({ state }: ChainReplay) {
  return [...state.subjects.values()].map(({ subject, status, subjectId, proof, everRevoked, seq }) => ({
    subject,
    status,
    subject_id: subjectId ?? null,
    proof: proof ?? null,
    ever_revoked: everRevoked,
    seq,
  }))
}

export function splitsJson({ splits }: ChainReplay) {
  return splits.map(({ winner, ...split }) => ({ ...split, winner: winner ?? null }))
}
