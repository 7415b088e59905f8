/** What clients have sent and what they were told: the only truth by which a store is judged afterwards. */
import { type ChainHead, type Digest, envelopeDigest, formatEnvelope, type SigchainEvent } from "@kez/core"

/**
 * `stored`: 201 or 200. `evidence`: 409, kept. Both are acknowledged. `refused`: the store says that it did not keep the event.
 * `unknown`: no answer came.
 */
export type Outcome = "unknown" | "stored" | "evidence" | "refused"

export interface SentEvent {
  readonly chain: Digest
  readonly digest: Digest
  readonly event: SigchainEvent
  /** The bytes that were sent and must be served. */
  readonly line: string
  outcome: Outcome
}

export class History {
  /** By line. */
  readonly sent = new Map<string, SentEvent>()
  /** The newest signed head of a chain that was acknowledged. */
  readonly heads = new Map<Digest, string>()
  /** Cursors of the feed that somebody has read: they never change. By line. */
  readonly cursors = new Map<string, number>()
  /** Answers that no store should give, whatever happens to it. */
  readonly oddities: string[] = []
  /** Events of unknown outcome that were sent again. */
  settled = 0

  sending(event: SigchainEvent, chain: Digest): SentEvent {
    const line = formatEnvelope(event)
    const known = this.sent.get(line)
    if (known !== undefined) return known
    const sent: SentEvent = { chain, digest: envelopeDigest(event), event, line, outcome: "unknown" }
    this.sent.set(line, sent)
    return sent
  }

  keptHead(head: ChainHead): void {
    this.heads.set(head.payload.chain, formatEnvelope(head))
  }

  get acknowledged(): readonly SentEvent[] {
    return [...this.sent.values()].filter(isAcknowledged)
  }

  get chains(): ReadonlyMap<Digest, readonly SentEvent[]> {
    return Map.groupBy(this.sent.values(), ({ chain }) => chain)
  }
}

export function isAcknowledged({ outcome }: SentEvent): boolean {
  return outcome === "stored" || outcome === "evidence"
}
