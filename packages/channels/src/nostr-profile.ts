/** A nostr profile and the proof in its `about`: reading, adding, taking away, all else untouched. SPEC §7.4. */
import { textAt } from "./foreign-json.ts"
import { proofsIn } from "./proof-texts.ts"

export type Profile = Readonly<Record<string, unknown>>

/** The members of a kind 0 content; undefined when that is no JSON object. */
export function parseProfile(content: string): Profile | undefined {
  let value: unknown
  try {
    value = JSON.parse(content)
  } catch {
    return undefined
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined
  return Object.fromEntries(Object.entries(value))
}

/** Undefined where there is no profile or no `about` in it. */
export function readAbout(content: string): string | undefined {
  const profile = parseProfile(content)
  return profile === undefined ? undefined : textAt(profile, "about")
}

/** The text with a proof as its last paragraph, in place of those for which `isReplaced` holds. */
export function withProof(about: string, proof: string, isReplaced: (text: string) => boolean): string {
  const rest = withoutProofs(about, isReplaced)
  return rest === "" ? proof : `${rest}\n\n${proof}`
}

/** The text without the proofs for which `isRemoved` holds, and without the blank lines that they leave. */
export function withoutProofs(about: string, isRemoved: (text: string) => boolean): string {
  // Longest first: a proof may be the beginning of another one.
  const removed = proofsIn(about)
    .filter(isRemoved)
    .toSorted((left, right) => right.length - left.length)
  return removed.reduce(removeOne, about).trimEnd()
}

/** A proof in a fence goes with its fence, and one that is a paragraph with the space around it. */
function removeOne(text: string, proof: string): string {
  const at = text.indexOf(proof)
  if (at < 0) return text
  const opening = /(?:^|\n) {0,3}(?:`{3,}|~{3,})[ \t]*kez\b[^\n]*\n\s*$/.exec(text.slice(0, at))
  const closing = /^\s*\n {0,3}(?:`{3,}|~{3,})[ \t]*(?=\r?\n|$)/.exec(text.slice(at + proof.length))
  const isFenced = opening !== null && closing !== null
  const before = text.slice(0, isFenced ? opening.index : at)
  const after = text.slice(at + proof.length + (isFenced ? closing[0].length : 0))
  const isParagraph = /(^|\n)$/.test(before) || isFenced
  if (!isParagraph || !/^(\r?\n|$)/.test(after)) return `${before}${after}`
  const [first, last] = [before.trimEnd(), after.trimStart()]
  return first === "" || last === "" ? `${first}${last}` : `${first}\n\n${last}`
}
