/** Parts of chains as `--json` shows them. docs/json.md */
import { branchOf, type ChainReplay, type Digest, envelopeDigest, type SigchainEvent } from "@kez/core"

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

/** `own`: digests of the events that were signed on this computer. */
export function splitsJson(chain: ChainReplay, own: ReadonlySet<Digest>) {
  return chain.splits.map(({ winner, successors, ...split }) => ({
    ...split,
    successors: successors.map(({ digest, rank }) => ({
      digest,
      rank,
      events: branchEvents(chain, split, digest).map((event) => ({
        ...eventJson(event),
        made_here: own.has(envelopeDigest(event)),
      })),
    })),
    winner: winner ?? null,
  }))
}

/** The events of one branch from its split on. */
export function branchEvents(
  chain: ChainReplay,
  { seq }: { readonly seq: number },
  branch: Digest,
): readonly SigchainEvent[] {
  return branchOf(chain, branch).path.slice(seq)
}
