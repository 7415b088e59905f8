/** By what the chains of some proofs are looked up, before anything of them is believed. SPEC VER-5. */
import {
  assertSignature,
  type Candidate,
  type Digest,
  findProofs,
  formatIdentity,
  KezError,
  limits,
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
  /** URLs that stand in the texts beside the proofs. */
  readonly hints: readonly string[]
  /** Those of texts without one. */
  readonly stray: ReadonlySet<string>
}

/**
 * Nothing is fetched for a text without a proof that its own key signed: whoever wrote it could send us anywhere. Nor is anything
 * asked about a claim for another account than `asked`, in canonical form. [VER-3]
 */
export function keysOfProofs(candidates: readonly Candidate[], asked?: string): ProofKeys {
  const searches = candidates.map((candidate) => {
    const { candidates: found, hints } = trySearch(candidate.text)
    return { proofs: found.flatMap((one) => ("proof" in one && counts(one.proof, asked) ? [one.proof] : [])), hints }
  })
  const proofs = searches.flatMap((search) => search.proofs)
  const claims = proofs.flatMap((proof) => (proof.kind === "claim" ? [proof.claim.payload] : []))
  const references = proofs.flatMap((proof) => (proof.kind === "reference" ? [proof.reference] : []))
  return {
    primaries: unique(claims.map(({ primary }) => primary)),
    chains: unique(references.map(({ chain }) => chain)),
    hosts: references.flatMap(({ host, chain }) => (host === undefined ? [] : [{ host, chain }])),
    domains: unique(claims.flatMap(({ subject }) => domainOf(subject))),
    hints: unique(searches.flatMap((search) => (search.proofs.length === 0 ? [] : search.hints))),
    stray: new Set(searches.flatMap((search) => (search.proofs.length === 0 ? search.hints : []))),
  }
}

/**
 * The hints that are followed: `placed` are those that the account's place gave, which may stand in no text (a record of a zone
 * is beside any proof there). [FIND-4]
 */
export function hintsToFollow(keys: ProofKeys, placed: readonly string[]): readonly string[] {
  if (keys.primaries.length + keys.chains.length === 0) return []
  const beside = placed.filter((url) => keys.hints.includes(url) || !keys.stray.has(url))
  return unique([...beside, ...keys.hints]).slice(0, limits.maxAccountHints)
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

/** Whether a proof is of the account, and its signature is right. */
function counts(proof: Proof, asked: string | undefined): boolean {
  if (proof.kind === "reference") return true
  try {
    assertSignature(proof.claim)
    return asked === undefined || formatIdentity(parseIdentity(proof.claim.payload.subject)) === asked
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
