/** The proof that gets published: a claim that still serves, or a new one, in every form that a place may take. */
import type { PublishForm } from "@kez/channels"
import {
  type ChainReplay,
  type Claim,
  type Digest,
  encodeProof,
  envelopeDigest,
  findProofs,
  KezError,
  type Signer,
} from "@kez/core"
import type { Context } from "../context.ts"
import { claimText, findUsableClaim, keepClaim, makeClaim } from "../own-claims.ts"
import { readStore } from "../store/access.ts"

/** Who publishes, and what this computer knows of them. */
export interface Owner {
  /** The key in use. */
  readonly key: string
  readonly chain: ChainReplay | undefined
}

export interface OwnProof {
  /** Undefined for a reference, which names the chain and needs no claim. */
  readonly claim: Claim | undefined
  /** Of the claim. */
  readonly digest: Digest | undefined
  readonly texts: Readonly<Record<PublishForm, string>>
}

/** The owner as this computer knows them now. */
export async function readOwner(context: Context, key: string): Promise<Owner> {
  const chain = await readStore<ChainReplay | undefined>(context, undefined, async (store) => {
    const { chainOfKey } = await import("../own-chain.ts")
    return chainOfKey(store, key)
  })
  return { key, chain }
}

/** The number that the owner's chain names for the account: where the name leads elsewhere now, no secret is sent there. */
export function knownAccountOf(
  { chain }: Owner,
  subject: string,
  { acceptNewAccount }: { readonly acceptNewAccount?: boolean },
): string | undefined {
  const entry = chain?.state.subjects.get(subject)
  return acceptNewAccount === true || entry?.status !== "active" ? undefined : entry.subjectId
}

export interface ProofRequest {
  readonly subject: string
  /** As typed. A request for another life needs another claim. */
  readonly expires?: string
  readonly chainHint?: string
  /** Called only where a claim has to be signed. */
  signer(): Promise<Signer>
}

/** The newest claim that a verifier would accept, else a new one, which is kept. */
export async function proofFor(
  context: Context,
  owner: Owner,
  { subject, signer, expires, chainHint }: ProofRequest,
): Promise<OwnProof> {
  const earlier = expires === undefined ? await earlierClaim(context, owner, subject) : undefined
  const claim = earlier ?? (await makeClaim(context, await signer(), { subject, expires }))
  if (earlier === undefined) await keepClaim(context, claim)
  const hint = chainHint === undefined ? {} : { chainHint }
  const compact = claimText(claim, "compact", {})
  return {
    claim,
    digest: envelopeDigest(claim),
    texts: { markdown: claimText(claim, "markdown", hint), compact, reference: "" },
  }
}

/** The short form, for an owner who has a chain. */
export function referenceTo(chain: ChainReplay, chainHint?: string): OwnProof {
  const token = encodeProof({ chain: chain.chain }, "reference")
  const reference = chainHint === undefined ? token : `${token}\nChain: ${chainHint}`
  return { claim: undefined, digest: undefined, texts: { markdown: "", compact: "", reference } }
}

/** Whether a text holds a proof of this owner: a claim by one of their keys, or a reference to their chain. */
export function isOwnProof({ key, chain }: Owner, text: string): boolean {
  const keys = [key, ...(chain?.state.primaries ?? [])]
  return proofsIn(text).some((proof) =>
    proof.kind === "claim" ? keys.includes(proof.claim.payload.primary) : proof.reference.chain === chain?.chain,
  )
}

/** Whether a text holds exactly this proof: the claim, or for a reference the chain. */
export function holdsProof(
  text: string,
  { digest }: Pick<OwnProof, "digest">,
  chain: ChainReplay | undefined,
): boolean {
  return proofsIn(text).some((proof) => {
    if (proof.kind === "claim") return digest !== undefined && proof.digest === digest
    return digest === undefined && proof.reference.chain === chain?.chain
  })
}

function proofsIn(text: string) {
  try {
    return findProofs(text).candidates.flatMap((found) => ("proof" in found ? [found.proof] : []))
  } catch (error) {
    if (error instanceof KezError) return []
    throw error
  }
}

async function earlierClaim(context: Context, { key, chain }: Owner, subject: string): Promise<Claim | undefined> {
  return readStore<Claim | undefined>(context, undefined, async (store) => {
    const { loadClaims } = await import("../store/claims.ts")
    return findUsableClaim(loadClaims(store, { subject, keys: [key] }), context.now(), chain)?.claim
  })
}
