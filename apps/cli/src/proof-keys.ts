/** By what the chains of some proofs are looked up, before anything of them is believed. SPEC VER-5. */
import {
  assertSignature,
  type Candidate,
  type Digest,
  findProofs,
  KezError,
  type Proof,
  type ProofSearch,
  parseIdentity,
} from "@kez/core"

export interface ProofKeys {
  /** Key identities of the claims whose signature is right. */
  readonly primaries: readonly string[]
  /** Chain ids that references name. */
  readonly chains: readonly Digest[]
  /** Hosts that references name as having their chain. */
  readonly hosts: ReadonlyArray<{ readonly host: string; readonly chain: Digest }>
  /** Domains of `dns:` subjects. */
  readonly domains: readonly string[]
  /** URLs that stand beside the proofs. */
  readonly hints: readonly string[]
}

/** Nothing is fetched for a text without a proof that its own key signed: whoever wrote it could send us anywhere. */
export function keysOfProofs(candidates: readonly Candidate[]): ProofKeys {
  const searches = candidates.map((candidate) => trySearch(candidate.text))
  const proofs = searches.flatMap(({ candidates }) =>
    candidates.flatMap((found) => ("proof" in found && isSigned(found.proof) ? [found.proof] : [])),
  )
  const claims = proofs.flatMap((proof) => (proof.kind === "claim" ? [proof.claim.payload] : []))
  const references = proofs.flatMap((proof) => (proof.kind === "reference" ? [proof.reference] : []))
  return {
    primaries: unique(claims.map(({ primary }) => primary)),
    chains: unique(references.map(({ chain }) => chain)),
    hosts: references.flatMap(({ host, chain }) => (host === undefined ? [] : [{ host, chain }])),
    domains: unique(claims.flatMap(({ subject }) => domainOf(subject))),
    hints: proofs.length === 0 ? [] : unique(searches.flatMap(({ hints }) => hints)),
  }
}

/** The domain of a `dns:` subject, in a list; none for any other. */
export function domainOf(subject: string): readonly string[] {
  try {
    const { system, value } = parseIdentity(subject)
    return system === "dns" ? [value] : []
  } catch (error) {
    if (error instanceof KezError) return []
    throw error
  }
}

/** Names that nobody can own: they are for documents and tests. RFC 2606, RFC 6761 */
const reservedName = /(?:^|\.)(?:example(?:\.(?:com|net|org))?|test|invalid|localhost)$/

/** Where the chain of a domain's owner may lie; undefined for a name that has no owner. SPEC DNS-5 */
export function wellKnownOf(domain: string): string | undefined {
  return reservedName.test(domain) ? undefined : `https://${domain}/.well-known/kez-sigchain.jsonl`
}

function isSigned(proof: Proof): boolean {
  if (proof.kind === "reference") return true
  try {
    assertSignature(proof.claim)
    return true
  } catch (error) {
    if (error instanceof KezError) return false
    throw error
  }
}

function trySearch(text: string): ProofSearch {
  try {
    return findProofs(text)
  } catch (error) {
    if (error instanceof KezError) return { candidates: [], hints: [] }
    throw error
  }
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)]
}
