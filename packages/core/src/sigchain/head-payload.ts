/** The signed head of a chain: a current key vouches for where it ends. SPEC §5.8. */

import { assertLifetime } from "../envelope/lifetime.ts"
import { count, digest, literal, record, required, time } from "../envelope/schema.ts"
import { maxHeadLifetimeSeconds } from "../limits.ts"

export interface HeadPayload {
  readonly type: "kez.sigchain.head"
  readonly version: 1
  readonly chain: string
  readonly seq: number
  readonly digest: string
  readonly issued_at: string
  readonly expires_at: string
}

export const headPayload = record<HeadPayload>(
  {
    type: required(literal("kez.sigchain.head")),
    version: required(literal(1)),
    chain: required(digest),
    seq: required(count),
    digest: required(digest),
    issued_at: required(time),
    expires_at: required(time),
  },
  (head) => assertLifetime(head.issued_at, head.expires_at, maxHeadLifetimeSeconds),
)
