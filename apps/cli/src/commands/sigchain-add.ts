/** `kez sigchain add`: the subject stands in the chain, with the claim that proves it. SPEC §5.2 */
import { assertSignature, type Digest, decodeProof, isDigest, KezError, limits } from "@kez/core"
import type { Context } from "../context.ts"
import { readDocument } from "../documents.ts"
import { currentIdentity } from "../keys/signers.ts"
import { readSubject } from "../own-claims.ts"
import type { Handler } from "../run.ts"
import { readStore } from "../store/access.ts"
import { appendAsSelf } from "./sigchain-append.ts"

export interface AddOptions {
  /** The account's permanent number. */
  readonly subjectId?: string
  /** A file with the claim, or its digest. */
  readonly proof?: string
}

export const run: Handler<AddOptions> = async (context, { args: [typed = ""], subjectId, proof: source }) => {
  const subject = readSubject(typed)
  const proof = source === undefined ? await newestClaim(context, subject) : await readProof(source, subject)
  const operation = {
    op: "add",
    subject,
    ...(subjectId === undefined ? {} : { subject_id: subjectId }),
    ...(proof === undefined ? {} : { proof: proof.digest }),
  } as const
  return appendAsSelf(context, {
    plan: (chain) => {
      const primaries = chain?.state.primaries
      if (proof?.primary !== undefined && primaries !== undefined && !primaries.includes(proof.primary)) {
        throw new KezError("proof.primary_mismatch", `Cannot name this claim: it is signed by ${proof.primary}`)
      }
      const listed = chain?.state.subjects.get(subject)
      const isSame = listed?.subjectId === subjectId && listed?.proof === proof?.digest
      return listed?.status === "active" && isSame
        ? { operations: [], already: `${subject} is already listed so, and nothing was appended` }
        : { operations: [operation] }
    },
    ...(proof === undefined
      ? { warnings: [`no claim for ${subject} was made here: the chain lists it without naming one`] }
      : {}),
  })
}

interface NamedClaim {
  readonly digest: Digest
  /** Undefined where only the digest is known. */
  readonly primary: string | undefined
}

/** The newest claim that this identity, or another one on this computer, made for the subject and that has not expired. */
async function newestClaim(context: Context, subject: string): Promise<NamedClaim | undefined> {
  const { key } = await currentIdentity(context)
  return readStore<NamedClaim | undefined>(context, undefined, async (store) => {
    const [{ loadClaims }, { chainOfKey }] = await Promise.all([
      import("../store/claims.ts"),
      import("../own-chain.ts"),
    ])
    const keys = [key, ...(chainOfKey(store, key)?.state.primaries ?? [])]
    const now = context.now()
    const newest = loadClaims(store, { subject, keys }).find(
      ({ expiresAt }) => expiresAt === undefined || expiresAt > now,
    )
    return newest === undefined ? undefined : { digest: newest.digest, primary: newest.claim.payload.primary }
  })
}

async function readProof(source: string, subject: string): Promise<NamedClaim> {
  if (isDigest(source)) return { digest: source, primary: undefined }
  const proof = decodeProof(await readDocument(source, limits.maxTextBytes))
  if (proof.kind === "reference") {
    throw new KezError("usage", "Cannot name a reference: expected a claim, or its digest sha256:…")
  }
  assertSignature(proof.claim)
  const claimed = readSubject(proof.claim.payload.subject)
  if (claimed !== subject) {
    throw new KezError("proof.subject_mismatch", `Cannot name this claim: it is for ${claimed}, not for ${subject}`)
  }
  return { digest: proof.digest, primary: proof.claim.payload.primary }
}
