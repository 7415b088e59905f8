/** Whether an event may follow a given head. SPEC §5.3. */
import type { Digest } from "../digest.ts"
import { KezError } from "../error.ts"

export interface ChainPosition {
  readonly seq: number
  readonly digest: Digest
}

/** Throws `chain.gap`, `chain.repeat` or `chain.prev`, in this order. */
export function assertContinues(head: ChainPosition, next: { readonly seq: number; readonly prev?: Digest }): void {
  if (next.seq > head.seq + 1) {
    throw new KezError("chain.gap", `Cannot continue the chain: expected seq ${head.seq + 1}, got ${next.seq}`)
  }
  if (next.seq <= head.seq) {
    throw new KezError("chain.repeat", `Cannot continue the chain: expected seq ${head.seq + 1}, got ${next.seq}`)
  }
  if (next.prev !== head.digest) {
    throw new KezError("chain.prev", `Cannot continue the chain: event ${next.seq} does not follow the event before it`)
  }
}
