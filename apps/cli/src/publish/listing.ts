/** The `add` that follows a publication: the account in the owner's chain, with its permanent number and its claim. SPEC §5.2 */
import type { Digest, Signer } from "@kez/core"
import type { Context } from "../context.ts"
import { type Extended, extendChain } from "../own-chain.ts"

export interface Listing {
  readonly key: string
  readonly signer: Signer
  readonly subject: string
  readonly accountId: string | undefined
  /** Undefined for a reference, which needs no claim. */
  readonly proof: Digest | undefined
}

/** Lists the account unless it is listed exactly so. Throws as `extendChain`. */
export async function listAccount(context: Context, listing: Listing): Promise<Extended> {
  const { key, signer, subject, accountId, proof } = listing
  return extendChain(context, {
    key,
    signer,
    plan(chain) {
      const entry = chain?.state.subjects.get(subject)
      // What is listed already is kept where it is not known anew: a reference names no claim, and some places give no number.
      const active = entry?.status === "active" ? entry : undefined
      const number = accountId ?? active?.subjectId
      const claim = proof ?? active?.proof
      const isSame = active !== undefined && active.subjectId === number && active.proof === claim
      if (isSame) return { operations: [], already: `${subject} is listed in your chain already` }
      const operation = {
        op: "add",
        subject,
        ...(number === undefined ? {} : { subject_id: number }),
        ...(claim === undefined ? {} : { proof: claim }),
      } as const
      return { operations: [operation] }
    },
  })
}
