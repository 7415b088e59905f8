/** Which of the texts of a place hold something that wants to be a proof, and what stands beside it. SPEC §4.4. */
import { findProofs, KezError, limits } from "@kez/core"
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
    chainHints: [...new Set(found.flatMap(({ hints }) => hints))].slice(0, limits.maxChainHints),
  }
}

function search(text: string): { readonly has: boolean; readonly hints: readonly string[] } {
  try {
    const { candidates, hints } = findProofs(text)
    return { has: candidates.length > 0, hints }
  } catch (error) {
    if (!(error instanceof KezError)) throw error
    // Too many proofs in one text, or too long a one: the verifier says so.
    return { has: /kez/i.test(text), hints: [] }
  }
}
