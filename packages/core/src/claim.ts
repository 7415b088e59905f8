/** The claim: the holder of `primary` owns `subject`. SPEC §2.2. */
import { claimSubject, claimTime, fault, keyIdentity, literal, optional, record, required } from "./envelope/schema.ts"
import { parseClaimTime } from "./time.ts"

export interface ClaimPayload {
  readonly type: "kez.claim"
  readonly version: 1
  /** As received: possibly in another spelling, or of an unsupported system. [ID-5] */
  readonly subject: string
  readonly primary: string
  readonly created_at: string
  readonly expires_at?: string
}

export const claimPayload = record<ClaimPayload>(
  {
    type: required(literal("kez.claim")),
    version: required(literal(1)),
    subject: required(claimSubject),
    primary: required(keyIdentity),
    created_at: required(claimTime),
    expires_at: optional(claimTime),
  },
  ({ created_at, expires_at }) => {
    if (expires_at !== undefined && parseClaimTime(expires_at) <= parseClaimTime(created_at)) {
      throw fault("time.order", "payload.expires_at", "a time after created_at")
    }
  },
)
