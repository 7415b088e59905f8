/** Making claims. SPEC §2.2. */
import type { Claim } from "./envelope/envelope.ts"
import { signEnvelope } from "./envelope/sign.ts"
import { formatIdentity, parseIdentity } from "./identity.ts"
import type { Signer } from "./signer.ts"
import { formatTime } from "./time.ts"

export interface ClaimRequest {
  /** What is claimed, as typed; it is written in canonical form. */
  readonly subject: string
  /** Unix seconds. */
  readonly createdAt: number
  /** Unix seconds, later than `createdAt`. */
  readonly expiresAt?: number
}

/** A claim that the signer's key is the owner of `subject`. Throws `identity.*`, `time.*` or what the signer throws. */
export function signClaim({ subject, createdAt, expiresAt }: ClaimRequest, signer: Signer): Promise<Claim> {
  const payload = {
    type: "kez.claim",
    version: 1,
    subject: formatIdentity(parseIdentity(subject)),
    primary: signer.key,
    created_at: formatTime(createdAt),
    ...(expiresAt === undefined ? {} : { expires_at: formatTime(expiresAt) }),
  } as const
  return signEnvelope("claim", payload, signer)
}
