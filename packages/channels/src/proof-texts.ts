/** Which of the texts of a place hold something that wants to be a proof, and what stands beside it. SPEC §4.4. */
import { findProofs, KezError, limits, type ProofSearch } from "@kez/core"
import type { Candidate } from "./channel.ts"

export interface ProofTexts {
  /** Texts with at least one candidate, whole or broken, in the order given. */
  readonly candidates: readonly Candidate[]
  readonly chainHints: readonly string[]
}

/** The rest is somebody's ordinary writing, and no business of a verifier. */
export function pickProofTexts(texts: readonly Candidate[]): ProofTexts {
  const found = texts.map((candidate) => ({ candidate, ...search(candidate.text) })).filter(({ has }) => has)
  return {
    candidates: found.map(({ candidate }) => candidate),
    chainHints: [...new Set(found.flatMap(({ hints }) => hints))].slice(0, limits.maxAccountHints),
  }
}

/** What a verifier finds in a text; undefined for one that it refuses as a whole: too long, or with too many proofs. */
export function tryFindProofs(text: string): ProofSearch | undefined {
  try {
    return findProofs(text)
  } catch (error) {
    if (error instanceof KezError) return undefined
    throw error
  }
}

/** The candidates of a text, as they stand in it. Empty for a text with more than a reader takes. */
export function proofsIn(text: string): readonly string[] {
  return tryFindProofs(text)?.candidates.map((candidate) => candidate.text) ?? []
}

function search(text: string): { readonly has: boolean; readonly hints: readonly string[] } {
  const found = tryFindProofs(text)
  // Where nothing can be told, the verifier says why.
  return found === undefined
    ? { has: /kez/i.test(text), hints: [] }
    : { has: found.candidates.length > 0, hints: found.hints }
}
